//! shellcheck reads every script.

use std::io::Write as _;
use std::process::{Command, Stdio};

use launch::{Bundle, Consumer, Options, export};

use crate::fixtures::{llama, scenario};

/// Set where a missing shellcheck is a failure.
const NEEDED: &str = "WINDTUNNEL_NEEDS_SHELLCHECK";

fn is_installed() -> bool {
    let found = Command::new("shellcheck").arg("--version").output().is_ok();
    assert!(
        found || std::env::var_os(NEEDED).is_none(),
        "shellcheck is not installed"
    );
    if !found {
        eprintln!("skipped: shellcheck is not installed");
    }
    found
}

fn check(bundle: &Bundle) {
    for file in &bundle.files {
        if !file.text.starts_with("#!") {
            continue;
        }
        let mut run = Command::new("shellcheck")
            .args(["--shell=bash", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        run.stdin
            .take()
            .unwrap()
            .write_all(file.text.as_bytes())
            .unwrap();
        let output = run.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}\n{said}\n{}",
            file.name,
            file.text
        );
    }
}

#[test]
fn every_script_passes_shellcheck() {
    if !is_installed() {
        return;
    }
    let mixed = include_str!("../../../../scenarios/cases/mixed-t4-v100/scenario.toml");
    let mixture = include_str!("../../../../scenarios/cases/mixtral-8x7b-dgx-h100/scenario.toml");
    let scenarios = [
        llama(2, "shard = \"zero-3\""),
        llama(
            1,
            "tp = 4\nshard = \"zero-1\"\nrank_gpus = [3, 2, 1, 0]\ndp = 1",
        ),
        llama(
            2,
            "pp = 4\nschedule = \"zb-h1\"\nshard = \"zero-3\"\nrecompute = \"none\"",
        ),
        llama(2, "pp = 4\nvp = 2\nlayer_split = [3, 4, 4, 5, 4, 4, 5, 3]"),
        scenario(mixed),
        scenario(mixture),
    ];
    let mut n_bundles = 0;
    for scenario in &scenarios {
        for to in Consumer::ALL {
            for version in [None, Some("0.2".to_owned())] {
                let options = Options {
                    version,
                    channels: Some(16),
                    qps: Some(4),
                };
                if let Ok(bundle) = export(scenario, to, &options) {
                    check(&bundle);
                    n_bundles += 1;
                }
            }
        }
    }
    assert!(40 <= n_bundles, "only {n_bundles} exports worked");
}
