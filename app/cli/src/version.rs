//! Which windtunnel this is.

/// The version of the package.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that the binary was built from; `unknown` outside a repository.
pub(crate) const COMMIT: &str = env!("WINDTUNNEL_COMMIT");

/// Version and commit, as `--version` prints them.
pub(crate) const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("WINDTUNNEL_COMMIT"),
    ")"
);

/// Both, for documents that other programs read.
pub(crate) fn json() -> serde_json::Value {
    serde_json::json!({ "version": VERSION, "commit": COMMIT })
}
