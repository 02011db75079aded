//! `windtunnel plan`.

use std::fs;

use serde_json::Value;

use crate::command::Scratch;
use crate::run::windtunnel;

const JOB: &str = "\
schema = 1
[model]
config = \"llama3-8b\"
[cluster]
name = \"dgx-h100\"
nodes = 1
[training]
global_batch = 16
seq_len = 8192
total_tokens = 1e12
[prices]
gpu_hour = 2.5
kwh = 0.1
currency = \"EUR\"
[framework]
name = \"megatron-core\"
";

fn scratch(name: &str, job: &str) -> Scratch {
    let scratch = Scratch::new(name);
    fs::write(scratch.0.join("scenario.toml"), job).unwrap();
    scratch
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn a_plan_has_the_keys_that_programs_read_and_each_is_a_scenario() {
    let scratch = scratch("plan-json", JOB);
    let run = windtunnel(&scratch.0, &["plan", ".", "--json", "-q"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let answer = json(&run.stdout);
    assert_eq!((&answer["schema"], &answer["best"]), (&1.into(), &0.into()));
    assert_eq!(answer["partial"], false);
    assert!(100 < answer["evaluated"].as_u64().unwrap());
    for one in answer["excluded"].as_array().unwrap() {
        assert!(one["reason"].is_string() && 0 < one["count"].as_u64().unwrap());
    }
    let plans = answer["plans"].as_array().unwrap();
    for index in answer["pareto"].as_array().unwrap() {
        assert!(index.as_u64().unwrap() < plans.len() as u64);
    }
    let best = &plans[0];
    assert!(best["totals"]["cost"].is_number());
    // What it hands over gives the same time again.
    let text = best["scenario_toml"].as_str().unwrap();
    fs::write(scratch.0.join("best.toml"), text).unwrap();
    let again = [
        "simulate",
        "best.toml",
        "--engine",
        "analytic",
        "--json",
        "-q",
    ];
    let again = json(&windtunnel(&scratch.0, &again).stdout);
    assert_eq!(again["iteration_time_s"], best["iteration_time_s"]);
    assert_eq!(again["plan"], best["plan"]);
}

#[test]
fn a_plan_is_exported_by_its_rank() {
    let scratch = scratch("plan-export", JOB);
    let planned = ["plan", ".", "--json", "-q", "--output", "plan.json"];
    assert_eq!(windtunnel(&scratch.0, &planned).status, 0);
    for rank in ["0", "1"] {
        let export = [
            "export",
            "plan.json",
            "--to",
            "megatron",
            "--rank",
            rank,
            "-q",
        ];
        let run = windtunnel(&scratch.0, &export);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(
            run.stdout.contains("--tensor-model-parallel-size") || run.stdout.contains("train.sh")
        );
    }
}

#[test]
fn the_report_names_plan_ranking_and_what_was_excluded() {
    let scratch = scratch("plan-text", JOB);
    let run = windtunnel(&scratch.0, &["plan", ".", "--table", "plans.csv"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    for part in [
        "## Best plan",
        "## Ranking",
        "## Pareto front",
        "## What if",
        "## What was looked at",
        "margin kept free",
        "EUR",
    ] {
        assert!(run.stdout.contains(part), "{part}");
    }
    let table = fs::read_to_string(scratch.0.join("plans.csv")).unwrap();
    // Lists of layers stand in quotes.
    let columns = |line: &str| {
        let bare = line.split('"').step_by(2);
        bare.map(|part| part.matches(',').count()).sum::<usize>()
    };
    let header = columns(table.lines().next().unwrap());
    assert!(table.lines().all(|line| columns(line) == header));
}

#[test]
fn where_nothing_fits_the_status_is_3_and_the_hint_was_computed() {
    let job = JOB.replace("llama3-8b", "llama3-405b");
    let scratch = scratch("plan-none", &job);
    let run = windtunnel(&scratch.0, &["plan", ".", "-q"]);
    assert_eq!(run.status, 3, "{}", run.stderr);
    assert!(
        run.stderr
            .starts_with("error: no plan fits: the smallest needs ")
    );
    let nodes = run.stderr.split("set cluster.nodes = ").nth(1).unwrap();
    let nodes: String = nodes.chars().take_while(char::is_ascii_digit).collect();
    // The remedy is one.
    let set = format!("cluster.nodes={nodes}");
    let mended = windtunnel(&scratch.0, &["plan", ".", "-q", "--set", &set]);
    assert_eq!(mended.status, 0, "{}", mended.stderr);
}

#[test]
fn a_file_gets_the_answer_where_nothing_fits_too() {
    let job = JOB.replace("llama3-8b", "llama3-405b");
    let scratch = scratch("plan-none-output", &job);
    let shown = windtunnel(&scratch.0, &["plan", ".", "--json", "-q"]);
    let output = ["--json", "-q", "--output", "none.json"];
    let run = windtunnel(&scratch.0, &[&["plan", "."], &output[..]].concat());
    assert_eq!((run.status, run.stdout.as_str()), (3, ""), "{}", run.stderr);
    let file = fs::read_to_string(scratch.0.join("none.json")).unwrap();
    assert_eq!(file, shown.stdout);
    let document = json(&file);
    assert_eq!(document["plans"], serde_json::json!([]));
    assert!(!document["remedies"].as_array().unwrap().is_empty());
    // A file that is there is refused before anything is searched.
    let again = windtunnel(&scratch.0, &[&["plan", "."], &output[..]].concat());
    assert_eq!(again.status, 2);
    let text = ["plan", ".", "-q", "--output", "none.txt"];
    let text = windtunnel(&scratch.0, &text);
    assert_eq!((text.status, text.stdout.as_str()), (3, ""));
    let table = fs::read_to_string(scratch.0.join("none.txt")).unwrap();
    assert!(table.contains("memory"), "{table}");
}

#[test]
fn files_get_the_answer_to_why_not_and_the_table_of_the_search() {
    let scratch = scratch("plan-why-not-output", JOB);
    let why = ["plan", ".", "--why-not", "tp=8", "--json", "-q"];
    let files = ["--output", "why.json", "--table", "plans.csv"];
    let run = windtunnel(&scratch.0, &[&why[..], &files].concat());
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let file = fs::read_to_string(scratch.0.join("why.json")).unwrap();
    assert_eq!(json(&file)["why_not"], serde_json::json!(["tp=8"]));
    assert!(scratch.0.join("plans.csv").exists());
}

#[test]
fn why_not_compares_or_says_what_forbids_it() {
    let scratch = scratch("plan-why-not", JOB);
    let slower = windtunnel(&scratch.0, &["plan", ".", "--why-not", "tp=8", "-q"]);
    assert_eq!(slower.status, 0, "{}", slower.stderr);
    assert!(
        slower.stdout.contains("slower than the best"),
        "{}",
        slower.stdout
    );
    let never = windtunnel(&scratch.0, &["plan", ".", "--why-not", "tp=3", "-q"]);
    assert_eq!(never.status, 0, "{}", never.stderr);
    assert!(never.stdout.contains("does not divide"), "{}", never.stdout);
}

#[test]
fn a_field_that_no_plan_has_is_refused() {
    let scratch = scratch("plan-fix", JOB);
    let run = windtunnel(&scratch.0, &["plan", ".", "--fix", "warp"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.starts_with("error: --fix names `warp`"));
}
