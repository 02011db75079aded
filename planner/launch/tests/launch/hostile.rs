//! Names that would be code, were they not quoted.

use std::sync::Arc;

use launch::{Bundle, Consumer, Options, export};
use predict::Scenario;
use proptest::prelude::*;

use crate::fixtures::llama;

/// Names that end comments, words or here-documents.
const NAMES: [&str; 9] = [
    "$(touch /tmp/pwned)",
    "`id`",
    "a\nrm -rf /\n",
    "'; exit 1; '",
    "\"; exit 1; \"",
    "--output=/etc/passwd",
    "x\r\nRANKS\n#SBATCH --nodes=1",
    "a\\",
    "\u{2028}id\0",
];

/// The scenario under another name in every place that has one.
fn renamed(mut scenario: Scenario, name: &str) -> Scenario {
    name.clone_into(&mut scenario.name);
    scenario.job.model = scenario.job.model.with_name(name);
    Arc::make_mut(&mut scenario.framework).name = name.to_owned().into();
    let text = format!(
        "schema = 1\nname = {}\nfabric = \"rail-optimised\"\nsource = \"a test\"\n[[nodes]]\nkind = \"dgx-h100\"\ncount = 2\n",
        toml_text(name)
    );
    if let Ok(cluster) = format::check::cluster(&text) {
        scenario.cluster = cluster;
    }
    scenario
}

fn toml_text(name: &str) -> String {
    let escaped = name.chars().map(|c| format!("\\U{:08X}", u32::from(c)));
    format!("\"{}\"", escaped.collect::<String>())
}

/// The lines of a bundle that a shell or Slurm reads.
fn code(bundle: &Bundle) -> Vec<String> {
    let lines = bundle.files.iter().flat_map(|file| {
        let lines = file.text.split('\n');
        lines.map(move |line| format!("{}: {line}", file.name))
    });
    let is_comment = |line: &str| {
        let (_, line) = line.split_once(": ").unwrap_or(("", line));
        line.starts_with('#') && !line.starts_with("#SBATCH") && !line.starts_with("#!")
    };
    lines.filter(|line| !is_comment(line)).collect()
}

fn check(name: &str) {
    let plain = renamed(llama(2, "tp = 8"), "plain");
    let hostile = renamed(llama(2, "tp = 8"), name);
    for to in Consumer::ALL {
        let [own, other] = [&plain, &hostile]
            .map(|scenario| export(scenario, to, &Options::default()).map(|bundle| code(&bundle)));
        let (Ok(own), Ok(other)) = (own, other) else {
            continue;
        };
        for (line, changed) in own.iter().zip(&other) {
            if let Some(job) = changed.strip_prefix("job.sbatch: #SBATCH --job-name=") {
                let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
                assert!(!job.is_empty() && job.chars().all(plain), "{job:?}");
                assert!(!job.starts_with('-'), "{job:?}");
            } else if line != changed {
                // Only a model that torchtitan knows by its name is written otherwise.
                assert!(
                    changed.contains("${MODULE:?") || changed.contains("${CONFIG:?"),
                    "{changed}"
                );
            }
        }
        assert_eq!(own.len(), other.len(), "{name:?} adds lines");
    }
}

#[test]
fn names_never_reach_a_line_that_is_no_comment() {
    for name in NAMES {
        check(name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_name_changes_what_a_shell_reads(name in "(?s)[-a-z$`'\"();\n\r\\\\# <>|&\u{0}-\u{20}\u{2028}]{1,30}") {
        check(&name);
    }
}
