//! What fuzzing found to reach most of the readers' code, as texts that must not make them panic:
//! `tests/fuzz/seeds`, one JSON string a line.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::fs;
use std::path::Path;

use format::check;

/// The seeds of a fuzz target.
fn seeds(target: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds");
    let lines = fs::read_to_string(folder.join(target).with_extension("jsonl")).unwrap();
    let seeds: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(100 < seeds.len(), "seeds of {target} are missing");
    seeds
}

#[test]
fn seeds_of_scenarios_are_read_or_refused() {
    for text in seeds("scenario") {
        drop(check::scenario(&text));
    }
}

#[test]
fn seeds_of_clusters_are_read_or_refused() {
    for text in seeds("cluster") {
        drop(check::cluster(&text));
    }
}

#[test]
fn seeds_of_model_configurations_are_read_or_refused() {
    for text in seeds("config") {
        drop(check::config(&text));
    }
}

#[test]
fn seeds_of_profiles_are_read_or_refused() {
    for text in seeds("profile") {
        drop(check::profile(&text));
    }
}
