//! The direction of dependencies, checked from the manifests.
//!
//! Folders are layers: a crate may depend on crates of folders above its own in [`LAYERS`], and
//! on crates listed before it in its own folder.

/// Every crate by folder, in the order that `ARCHITECTURE.md` explains.
pub const LAYERS: &[(&str, &[&str])] = &[
    (
        "sim",
        &[
            "units",
            "cluster",
            "profile",
            "trace",
            "task",
            "collective",
            "network",
            "traffic",
            "engine",
            "formats",
        ],
    ),
    (
        "models",
        &["workload", "plan", "lower", "serving", "predict"],
    ),
    ("scenarios", &["format"]),
    ("planner", &["solve", "placement", "search", "launch"]),
    ("calibrate", &["bench", "runs", "validate", "fit", "memory"]),
    ("app", &["session", "cli"]),
    ("gui", &["look", "chart", "timeline", "viewer"]),
    ("tests", &["acceptance", "layers", "peers"]),
];

/// The place of a crate in [`LAYERS`]: folder, then position inside it.
pub fn place(name: &str) -> Option<(usize, usize)> {
    LAYERS.iter().enumerate().find_map(|(folder, (_, crates))| {
        crates
            .iter()
            .position(|known| *known == name)
            .map(|position| (folder, position))
    })
}
