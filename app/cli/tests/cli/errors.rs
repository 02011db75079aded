//! Error messages as they are printed, with the exit status: one file each in `tests/errors`.
//!
//! A scenario's first line may give further arguments: `# args: --set plan.tp=3`. After a change
//! of a message, `SNAPSHOTS=overwrite cargo test -p cli` writes the new texts.

use std::fs;
use std::path::Path;

use crate::run::windtunnel;
use snapbox::{Data, assert_data_eq};

#[test]
fn every_wrong_scenario_is_refused_with_its_message() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| {
            Some(
                entry
                    .unwrap()
                    .file_name()
                    .to_str()?
                    .strip_suffix(".toml")?
                    .to_owned(),
            )
        })
        .collect();
    names.sort();
    assert!(20 <= names.len(), "scenarios with errors are missing");
    for name in names {
        let file = format!("{name}.toml");
        let first = fs::read_to_string(folder.join(&file)).unwrap();
        let more = first
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# args: "));
        let mut args = vec!["simulate", &file];
        args.extend(more.into_iter().flat_map(|more| more.split(' ')));
        let run = windtunnel(&folder, &args);
        assert_eq!(run.status, 2, "{name}: {}", run.text());
        assert_eq!(run.stdout, "", "{name}: errors belong on standard error");
        let expected = Data::read_from(&folder.join(format!("{name}.txt")), None);
        assert_data_eq!(run.text(), expected.raw());
    }
}
