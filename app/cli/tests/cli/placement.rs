//! `windtunnel plan --bandwidth`.

use std::fmt::Write as _;
use std::fs;

use placement::{Spread, generated};
use serde_json::Value;

use crate::command::Scratch;
use crate::run::windtunnel;

/// A plan of four stages, each on a node of its own, with so few micro-batches that iterations are
/// run whole.
const STAGES: &str = "\
schema = 1
[model]
config = \"llama3-8b\"
layers = 8
[cluster]
name = \"dgx-h100\"
nodes = 4
[training]
global_batch = 32
seq_len = 4096
[plan]
tp = 8
pp = 4
micro_batch = 1
schedule = \"1f1b\"
recompute = \"none\"
fixed = [\"tp\", \"pp\", \"micro_batch\", \"schedule\", \"recompute\"]
[framework]
name = \"megatron-core\"
[settings]
engine = \"analytic\"
";

/// A folder with that scenario and two measurements in one table.
fn scratch(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    fs::write(scratch.0.join("scenario.toml"), STAGES).unwrap();
    let mut table = String::from("matrix_key,host_row,host_col,MBps\n");
    for key in [0, 1] {
        let spread = Spread {
            deviation: 0.3,
            lowest: -0.7,
            ..Spread::infiniband_200g()
        };
        let rates = generated(4, &spread, 5 + key).unwrap();
        for (from, to) in (0..16).map(|at| (at / 4, at % 4)) {
            let rate = rates.rate(from, to) / 1e6;
            writeln!(table, "{key},h{from},h{to},{rate}").unwrap();
        }
    }
    fs::write(scratch.0.join("links.csv"), table).unwrap();
    scratch
}

#[test]
fn measured_links_order_the_nodes_of_the_best_plan() {
    let scratch = scratch("bandwidth");
    let args = ["plan", ".", "--bandwidth", "links.csv#0", "-q"];
    let shown = windtunnel(&scratch.0, &["plan", ".", "--bandwidth", "links.csv#0"]);
    assert_eq!(shown.status, 0, "{}", shown.stderr);
    let section = shown.stdout.split("## Placement\n").nth(1).unwrap();
    assert!(
        section.contains("Links between nodes as in links.csv#0."),
        "{section}"
    );
    assert!(section.contains("proven: no order is better"), "{section}");
    let run = windtunnel(&scratch.0, &[&args[..], &["--json"]].concat());
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    let placed = &found["placement"]["plans"][0];
    assert_eq!(
        (&placed["plan"], &placed["taken"]),
        (&0.into(), &true.into())
    );
    assert!(0.0 < placed["gain"].as_f64().unwrap(), "{placed}");
    let best = &found["plans"][0];
    assert_eq!(best["iteration_time_s"], placed["iteration_time_s_ordered"]);
    let scenario = best["scenario_toml"].as_str().unwrap();
    assert!(scenario.contains("rank_gpus"), "{scenario}");
    let one_thread = windtunnel(
        &scratch.0,
        &[&args[..], &["--json", "--threads", "1"]].concat(),
    );
    assert_eq!(one_thread.stdout, run.stdout);
}

/// The time of a plan that `plan` handed over, as `simulate` says it.
fn simulated(scratch: &Scratch, plan: &Value) -> Value {
    let text = plan["scenario_toml"].as_str().unwrap();
    fs::write(scratch.0.join("handed-over.toml"), text).unwrap();
    let args = [
        "simulate",
        "handed-over.toml",
        "--engine",
        "analytic",
        "--json",
        "-q",
    ];
    let run = windtunnel(&scratch.0, &args);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let prediction: Value = serde_json::from_str(&run.stdout).unwrap();
    prediction["iteration_time_s"].clone()
}

#[test]
fn plans_carry_the_rates_that_they_were_chosen_with() {
    let scratch = scratch("carried");
    for bandwidth in [&["links.csv#1"][..], &["links.csv#0", "links.csv#1"]] {
        let mut args = vec!["plan", ".", "--json", "-q"];
        for file in bandwidth {
            args.extend(["--bandwidth", file]);
        }
        let run = windtunnel(&scratch.0, &args);
        let found: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(found["placement"]["bandwidth_in_scenario_toml"], true);
        for plan in found["plans"].as_array().unwrap() {
            assert_eq!(simulated(&scratch, plan), plan["iteration_time_s"]);
        }
        let best = &found["plans"][0];
        let text = best["scenario_toml"].as_str().unwrap();
        let (head, rest) = text.split_once("\nmeasured_bytes_per_s = [\n").unwrap();
        let (rates, tail) = rest.split_once("\n]\n").unwrap();
        assert_eq!(rates.lines().count(), 4);
        // Without them the plan takes another time.
        let nominal = serde_json::json!({ "scenario_toml": format!("{head}\n{tail}") });
        assert_ne!(simulated(&scratch, &nominal), best["iteration_time_s"]);
        fs::write(scratch.0.join("plan.json"), &run.stdout).unwrap();
        let export = ["export", "plan.json", "--to", "megatron", "-q"];
        let export = windtunnel(&scratch.0, &export);
        assert_eq!(export.status, 0, "{}", export.stderr);
    }
}

#[test]
fn rates_of_a_scenario_are_of_its_number_of_nodes() {
    let scratch = scratch("own-rates");
    let rows = "[0, 2e10, 1e10, 2e10], ".repeat(4);
    let rates = format!("nodes = 4\nmeasured_bytes_per_s = [\n{rows}]\n");
    let own = STAGES.replace("nodes = 4\n", &rates);
    fs::write(scratch.0.join("own.toml"), own).unwrap();
    let more = ["simulate", "own.toml", "--set", "cluster.nodes=8"];
    let refused = windtunnel(&scratch.0, &more);
    assert_eq!(refused.status, 2);
    let message = "error: the measured rates have 4 rows, but the cluster has 8 nodes\n";
    assert!(refused.stderr.starts_with(message), "{}", refused.stderr);
    let shown = "measured_bytes_per_s = [\n";
    assert!(refused.stderr.contains(shown), "{}", refused.stderr);
    assert_eq!(refused.stderr.matches("error:").count(), 1);
    let nominal = [&more[..], &["--set", "cluster.measured_bytes_per_s=[]"]].concat();
    assert_eq!(windtunnel(&scratch.0, &nominal).status, 0);
    // What if there were more or fewer nodes is asked without them.
    let again = windtunnel(&scratch.0, &["plan", "own.toml", "--json", "-q"]);
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    let nodes = again["sensitivity"].as_array().unwrap().iter();
    let nodes: Vec<&Value> = nodes
        .filter(|one| one["field"] == "cluster.nodes")
        .collect();
    assert!(
        nodes.iter().any(|one| one["iteration_time_s"].is_number()),
        "{nodes:?}"
    );
}

#[test]
fn all_matrices_of_a_file_are_snapshots() {
    let scratch = scratch("snapshots");
    let run = windtunnel(
        &scratch.0,
        &["plan", ".", "--bandwidth", "links.csv", "--json", "-q"],
    );
    let found: Value = serde_json::from_str(&run.stdout).unwrap();
    let names = &found["placement"]["bandwidth"];
    assert_eq!(*names, serde_json::json!(["links.csv#0", "links.csv#1"]));
}

#[test]
fn bad_measurements_say_what_is_wrong_and_what_to_do() {
    let scratch = scratch("bad-bandwidth");
    fs::write(scratch.0.join("two.txt"), "0 1\n1 0\n").unwrap();
    fs::write(scratch.0.join("words.txt"), "0 fast\n1 0\n").unwrap();
    let refused = |file: &str| {
        let run = windtunnel(&scratch.0, &["plan", ".", "--bandwidth", file]);
        assert_eq!(run.status, 2, "{}", run.stderr);
        // A terminal's width breaks lines anywhere.
        run.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let missing = refused("links.csv#7");
    assert!(missing.contains("links.csv has no matrix `7`"), "{missing}");
    assert!(missing.contains("it has 0, 1"), "{missing}");
    let size = refused("two.txt");
    assert!(
        size.contains("rates between 2 servers, but the cluster has 4 nodes"),
        "{size}"
    );
    let words = refused("words.txt");
    assert!(
        words.contains("line 1: \"fast\" is no rate in MB/s"),
        "{words}"
    );
    assert!(refused("nowhere.txt").contains("nowhere.txt"));
}
