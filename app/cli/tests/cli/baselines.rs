//! `windtunnel plan --baselines`.

use std::fs;

use serde_json::Value;

use crate::command::Scratch;
use crate::run::windtunnel;

/// A few layers on one node, with little that is left to choose.
const SCENARIO: &str = "\
schema = 1
[model]
config = \"llama3-8b\"
layers = 4
[cluster]
name = \"dgx-h100\"
nodes = 1
[training]
global_batch = 16
seq_len = 2048
precision = \"bf16\"
[plan]
fixed = [\"schedule\", \"recompute\", \"cp\"]
[framework]
name = \"megatron-core\"
";

#[test]
fn other_methods_are_asked_on_demand() {
    let scratch = Scratch::new("plan-baselines");
    fs::write(scratch.0.join("scenario.toml"), SCENARIO).unwrap();
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let plan = ["plan", ".", "--engine", "estimate", "--baselines"];
    let run = windtunnel(&scratch.0, &[&plan[..], &["--json", "-q"]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let document = json(&run.stdout);
    let all = document["baselines"].as_array().unwrap();
    let names: Vec<_> = all.iter().map(|one| one["method"].as_str()).collect();
    let wanted = ["Megatron's heuristic", "AMP", "Pipette"].map(Some);
    assert_eq!(names, wanted);
    assert!(all[0]["predicted_iteration_time_s"].is_null());
    assert!(all[1]["predicted_iteration_time_s"].is_number());
    for one in all {
        assert_eq!(one["fits"], true);
        assert!(0.0 <= one["slower_than_best"].as_f64().unwrap());
        assert_eq!(one["prediction"]["plan"]["cp"], 1);
    }
    let run = windtunnel(&scratch.0, &plan);
    assert!(run.stdout.contains("## What other methods would choose"));
    let run = windtunnel(&scratch.0, &[&plan[..4], &["--json", "-q"]].concat());
    assert!(json(&run.stdout).get("baselines").is_none());
}
