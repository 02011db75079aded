//! Scenarios as tests open and run them: through the same door as the command line.

use std::path::{Path, PathBuf};

use serde_json::Value;
use session::{Assignment, Opened, Record, Request, open};
use units::Control;

/// A path from the root of the repository.
pub fn from_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The folders of `scenarios/cases` with a training scenario, by name.
///
/// # Panics
///
/// If they cannot be listed.
pub fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(from_root("scenarios/cases")).expect("the cases are there");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.is_dir() && trains(path))
        .collect();
    folders.sort();
    folders
}

/// Whether a case is a training iteration, not a network workload.
fn trains(case: &Path) -> bool {
    let text = std::fs::read_to_string(case.join("scenario.toml"));
    text.is_ok_and(|text| !text.lines().any(|line| line == "[workload]"))
}

/// The last part of a path.
pub fn name_of(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What `windtunnel simulate --json` answers for a scenario with some values set over it.
///
/// # Panics
///
/// With all its errors, if the scenario is refused or its run fails.
pub fn answer(scenario: &Path, set: &[&str]) -> Value {
    let opened = opened(scenario, set);
    let ready = opened
        .ready()
        .unwrap_or_else(|failures| panic!("{}: {failures:#?}", scenario.display()));
    let outcome = ready
        .run(Record::Totals, &Control::new())
        .unwrap_or_else(|error| panic!("{}: {error}", scenario.display()));
    serde_json::to_value(&outcome.prediction).expect("a prediction has a JSON form")
}

/// A scenario with some values set over it.
///
/// # Panics
///
/// With all its errors, if it is refused.
pub fn opened(scenario: &Path, set: &[&str]) -> Opened {
    let above = set
        .iter()
        .map(|text| Assignment::new("test", *text))
        .collect();
    let request = Request {
        scenario: scenario.to_owned(),
        above,
        ..Request::default()
    };
    open(&request).unwrap_or_else(|failures| panic!("{}: {failures:#?}", scenario.display()))
}

/// The number behind a path of keys and places such as `breakdown.bubble_s` or `jobs.0.alone_s`.
///
/// # Panics
///
/// If there is none.
pub fn number(answer: &Value, path: &str) -> f64 {
    let found = path
        .split('.')
        .try_fold(answer, |value, key| match key.parse::<usize>() {
            Ok(place) => value.get(place),
            Err(_) => value.get(key),
        })
        .and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("the prediction has no number {path:?}"))
}
