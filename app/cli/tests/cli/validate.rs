//! `windtunnel validate` from outside.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{Scratch, here};
#[cfg(unix)]
use crate::run::interrupted;
use crate::run::{Run, command, finish, windtunnel};

const HEADER: &str = "row_id,source_repo,source_path,gpu,num_gpus,framework,model,hidden,layers,heads,seq_len,gbs,mbs,precision,tp,pp,iter_time_s,tflops_per_gpu,oom,parallel_consistent\n";

/// Four runs: plain, out of memory, only TFLOP/s, contradicting itself.
const ROWS: &str = "\
7,a/b,x.md,A100-80GB,8,Megatron-LM,GPT,2048,24,16,2048,64,4,fp16,2,1,3.5,,,yes
8,a/b,x.md,A100-80GB,8,Megatron-LM,GPT,2048,24,16,2048,64,4,fp16,4,1,,,yes,yes
9,a/b,x.md,A100-80GB,8,NeMo,GPT,2048,24,16,2048,64,4,bf16,1,2,,120,,yes
10,a/b,x.md,A100-80GB,16,Megatron-LM,GPT,2048,24,16,2048,64,4,fp16,2,1,3.4,,,no
";

fn runs() -> PathBuf {
    here().join("../../calibrate/data/runs")
}

fn table(scratch: &Scratch, rows: &str) {
    fs::write(scratch.0.join("runs.csv"), format!("{HEADER}{rows}")).unwrap();
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.text()))
}

/// The first, the middle and the last row of each source of the committed table, as a table.
fn some_rows_of_each_source() -> String {
    let text = fs::read_to_string(runs().join("training_runs.csv")).unwrap();
    let mut by_source: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let source: Vec<&str> = line.split(',').skip(1).take(2).collect();
        by_source.entry(source.join(",")).or_default().push(line);
    }
    let of = |lines: &Vec<&str>| {
        let [first, middle, last] = [0, lines.len() / 2, lines.len() - 1].map(|at| lines[at]);
        format!("{first}\n{middle}\n{last}\n")
    };
    let rows: String = by_source.values().map(of).collect();
    format!("{}\n{rows}", text.lines().next().unwrap())
}

#[test]
fn the_scenario_of_a_row_simulates_to_the_number_of_the_row() {
    let scratch = Scratch::new("validate-row");
    fs::write(scratch.0.join("some.csv"), some_rows_of_each_source()).unwrap();
    let all = json(&windtunnel(&scratch.0, &["validate", "some.csv", "--json"]));
    let rows = all["rows"].as_array().unwrap();
    let times: Vec<&Value> = rows
        .iter()
        .filter(|row| row["quantity"] == "iteration_time_s")
        .collect();
    assert!(20 <= times.len());
    for row in times {
        let id = row["row"].to_string();
        let scenario = windtunnel(
            &scratch.0,
            &["validate", "some.csv", "--no-progress", "--row", &id],
        );
        assert_eq!((scenario.status, scenario.stderr.as_str()), (0, ""));
        let measured = row["measured"].to_string();
        assert!(
            !scenario.stdout.contains(&measured),
            "row {id} tells what it measured"
        );
        let args = ["simulate", "-", "--json", "-q"];
        let run = finish(command(&scratch.0, &args), &args, &scenario.stdout);
        let answer = json(&run);
        assert_eq!(answer["iteration_time_s"], row["predicted"], "row {id}");
        assert_eq!(answer["iteration_time_p10_s"], row["p10"], "row {id}");
        assert_eq!(answer["iteration_time_p90_s"], row["p90"], "row {id}");
    }
}

#[test]
fn integration_cases_are_read_by_line_and_simulate_to_the_same_number() {
    let scratch = Scratch::new("validate-ci");
    let text = fs::read_to_string(runs().join("megatron_ci_memory.csv")).unwrap();
    let some: Vec<&str> = text.lines().step_by(90).collect();
    fs::write(scratch.0.join("ci.csv"), some.join("\n") + "\n").unwrap();
    let run = windtunnel(&scratch.0, &["validate", "ci.csv", "--json"]);
    let all = json(&run);
    let rows = all["rows"].as_array().unwrap();
    assert_eq!(rows[0]["source_repo"], "NVIDIA/Megatron-LM");
    assert_eq!(rows[0]["row"], 2);
    let time = rows
        .iter()
        .find(|row| row["quantity"] == "iteration_time_s")
        .unwrap();
    let id = time["row"].to_string();
    let scenario = windtunnel(&scratch.0, &["validate", "ci.csv", "--row", &id]);
    let args = ["simulate", "-", "--json", "-q"];
    let run = finish(command(&scratch.0, &args), &args, &scenario.stdout);
    assert_eq!(json(&run)["iteration_time_s"], time["predicted"]);
}

#[test]
fn rows_and_groups_are_printed_and_nothing_vanishes() {
    let scratch = Scratch::new("validate-text");
    table(&scratch, ROWS);
    let run = windtunnel(&scratch.0, &["validate", "runs.csv"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let rows: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    for id in ["| 7 ", "| 8 ", "| 9 ", "| 10 "] {
        assert!(rows.iter().any(|row| row.starts_with(id)), "{}", run.stdout);
    }
    let derived = rows.iter().find(|row| row.starts_with("| 9 ")).unwrap();
    assert!(
        derived.contains("measured from TFLOP/s: model FLOPs"),
        "{derived}"
    );
    assert!(
        run.stdout
            .contains("- the source contradicts itself: row 10\n")
    );
    assert!(
        run.stdout
            .contains("All of 4 rows; 0 rows skipped, 1 row outside every group.")
    );
    let groups = run.stdout.find("## Groups").unwrap();
    assert!(
        run.stdout.find("## Rows").unwrap() < groups,
        "groups stand last"
    );
    let quiet = windtunnel(&scratch.0, &["validate", "runs.csv", "--quiet"]);
    assert!(quiet.stdout.starts_with("## Groups"), "{}", quiet.stdout);
}

#[test]
fn json_has_the_keys_of_the_contract_and_null_where_nothing_is_known() {
    let scratch = Scratch::new("validate-json");
    table(&scratch, ROWS);
    let run = windtunnel(&scratch.0, &["validate", "runs.csv", "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let document = json(&run);
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&document)[..3], ["schema", "rows", "groups"]);
    assert_eq!(
        keys(&document["rows"][0]),
        [
            "row",
            "source_repo",
            "source_path",
            "gpu",
            "quantity",
            "measured",
            "predicted",
            "p10",
            "p90",
            "error",
            "skipped"
        ]
    );
    assert_eq!(
        keys(&document["groups"][0]),
        [
            "source_repo",
            "source_path",
            "gpu",
            "quantity",
            "count",
            "skipped",
            "mape",
            "median_ape",
            "p90_ape",
            "bias",
            "spearman",
            "oom",
            "regret",
            "cells"
        ]
    );
    let oom: Vec<&Value> = document["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["quantity"] == "oom")
        .collect();
    assert!(
        oom.iter()
            .all(|row| row["error"].is_null() && row["predicted"].is_number())
    );
    assert_eq!(
        oom.iter().find(|row| row["row"] == 8).unwrap()["measured"],
        1.0
    );
    let groups = document["groups"].as_array().unwrap();
    let times = groups
        .iter()
        .find(|group| group["quantity"] == "iteration_time_s")
        .unwrap();
    assert_eq!(
        times["count"], 2,
        "the row that contradicts itself is outside"
    );
}

#[test]
fn threads_change_no_byte() {
    let scratch = Scratch::new("validate-threads");
    fs::write(scratch.0.join("some.csv"), some_rows_of_each_source()).unwrap();
    let with = |threads| {
        windtunnel(
            &scratch.0,
            &["validate", "some.csv", "--worst", "3", "--threads", threads],
        )
        .stdout
    };
    let one = with("1");
    assert!(one.contains("## The 3 worst rows"));
    assert_eq!(one, with("2"));
    assert_eq!(one, with("7"));
}

#[test]
fn a_limit_on_the_mean_error_fails_and_names_the_group() {
    let scratch = Scratch::new("validate-mape");
    table(&scratch, ROWS);
    let strict = windtunnel(
        &scratch.0,
        &["validate", "runs.csv", "-q", "--max-mape", "0.01%"],
    );
    assert_eq!(strict.status, 1);
    assert!(
        strict
            .stderr
            .starts_with("error: a/b x.md, A100-80GB, iteration_time_s: mean error "),
        "{}",
        strict.stderr
    );
    assert!(
        strict.stderr.contains(", more than 0.0 %\n"),
        "{}",
        strict.stderr
    );
    let lenient = windtunnel(
        &scratch.0,
        &["validate", "runs.csv", "-q", "--max-mape", "900%"],
    );
    assert_eq!((lenient.status, lenient.stderr.as_str()), (0, ""));
    assert_eq!(
        windtunnel(&scratch.0, &["validate", "runs.csv", "--max-mape", "15"]).status,
        2
    );
}

#[test]
fn the_worst_rows_are_explained_with_the_rules_of_what_was_inferred() {
    let scratch = Scratch::new("validate-worst");
    table(&scratch, ROWS);
    let run = windtunnel(&scratch.0, &["validate", "runs.csv", "-q", "--worst", "1"]);
    let worst = run.stdout.split("## Groups").next().unwrap();
    assert!(worst.contains("- time: compute "), "{worst}");
    assert!(
        worst.contains("- inferred: model.megatron.vocab = 51200 (megatron-vocabulary: "),
        "{worst}"
    );
    let document = json(&windtunnel(
        &scratch.0,
        &["validate", "runs.csv", "--worst", "1", "--json"],
    ));
    let one = &document["worst"][0];
    assert!(one["breakdown"]["compute_s"].as_f64().unwrap() > 0.0);
    assert!(
        one["assumptions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["rule"].is_string())
    );
}

#[test]
fn further_tables_are_joined() {
    let scratch = Scratch::new("validate-extra");
    table(&scratch, ROWS);
    let other = ROWS.replace("a/b,x.md", "c/d,y.md");
    fs::write(scratch.0.join("extra.csv"), format!("{HEADER}{other}")).unwrap();
    let args = ["validate", "runs.csv", "--extra", "extra.csv", "--json"];
    let document = json(&windtunnel(&scratch.0, &args));
    let groups = document["groups"].as_array().unwrap();
    assert!(groups.iter().any(|group| group["source_repo"] == "c/d"));
    let run = windtunnel(
        &scratch.0,
        &["validate", "runs.csv", "--extra", "extra.csv", "--row", "7"],
    );
    assert_eq!(run.status, 2);
    assert_eq!(
        run.stderr,
        "error: row \"7\" is in several places: runs.csv:2, extra.csv:2\nhint: name one table alone\n"
    );
    table(&scratch, &format!("{ROWS}{ROWS}"));
    let run = windtunnel(&scratch.0, &["validate", "runs.csv", "--row", "7"]);
    assert_eq!(run.status, 2);
    assert_eq!(
        run.stderr,
        "error: row \"7\" is in several places: runs.csv:2, runs.csv:6\nhint: give each of them a `row_id` of its own\n"
    );
}

/// What is printed for a table, with its exit status.
fn printed(folder: &Path, args: &[&str]) -> (i32, String) {
    let run = windtunnel(folder, args);
    (run.status, run.stderr)
}

#[test]
fn tables_that_cannot_be_read_say_why_and_what_to_do() {
    let scratch = Scratch::new("validate-errors");
    let write = |name: &str, text: &str| fs::write(scratch.0.join(name), text).unwrap();
    write("empty.csv", "gpu,gbs\n");
    write("other.csv", "a,b\n1,2\n");
    write("ragged.csv", "gpu,gbs\nA100,8\nA100\nA100,16\n");
    let of = |name: &str| printed(&scratch.0, &["validate", name]);
    let (status, text) = of("nowhere.csv");
    assert_eq!(status, 2);
    assert!(
        text.starts_with("error: nowhere.csv cannot be read: "),
        "{text}"
    );
    assert_eq!(
        of("empty.csv"),
        (
            2,
            "error: empty.csv has no rows\nhint: one row a run, below the header line\n".to_owned()
        )
    );
    let (status, text) = of("other.csv");
    assert_eq!(status, 2);
    assert!(
        text.starts_with("error: other.csv has no column \"gpu\"\nhint: add a column `gpu`"),
        "{text}"
    );
    let run = windtunnel(&scratch.0, &["validate", "ragged.csv"]);
    assert_eq!(run.status, 2);
    assert!(
        (run.stderr).starts_with(
            "error: ragged.csv:3: the row has 1 cell, but there are 2 columns\nhint: "
        ),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("All of 3 rows"), "{}", run.stdout);
    write("twice.csv", "gpu,gbs,gpu\nA100,8,A100\n");
    let (status, text) = of("twice.csv");
    assert_eq!(status, 2);
    assert!(
        text.starts_with("error: twice.csv has two columns \"gpu\"\nhint: rename one of them"),
        "{text}"
    );
    table(&scratch, ROWS);
    let (status, text) = printed(&scratch.0, &["validate", "runs.csv", "--row", "77"]);
    assert_eq!(status, 2);
    assert!(
        text.starts_with("error: runs.csv has no row \"77\"\nhint: "),
        "{text}"
    );
    let both = printed(&scratch.0, &["validate", "empty.csv", "other.csv"]).1;
    assert_eq!(
        both.matches("error: ").count(),
        2,
        "all errors together: {both}"
    );
}

#[test]
fn a_cell_that_cannot_be_read_is_blamed_and_the_other_rows_are_printed() {
    let scratch = Scratch::new("validate-cell");
    table(
        &scratch,
        &ROWS.replacen("fp16,2,1,3.5", "fp16,two,1,3.5", 1),
    );
    let run = windtunnel(&scratch.0, &["validate", "runs.csv", "--json"]);
    assert_eq!(run.status, 2);
    assert_eq!(
        run.stderr,
        "error: runs.csv:2: `tp` is \"two\", not a whole number from 1 to 1,048,576\nhint: correct the cell, or leave it empty: what is empty is inferred\n"
    );
    let document = json(&run);
    assert!(
        document["rows"][0]["skipped"]
            .as_str()
            .unwrap()
            .contains("`tp` is")
    );
    assert!(4 <= document["rows"].as_array().unwrap().len());
}

#[cfg(unix)]
#[test]
fn ctrl_c_prints_the_rows_until_then_with_status_130() {
    let scratch = Scratch::new("validate-interrupt");
    let path = runs().join("training_runs.csv");
    let args = [
        "validate",
        path.to_str().unwrap(),
        "--engine",
        "flow",
        "--json",
    ];
    let run = interrupted(&scratch.0, &args);
    assert_eq!(run.status, 130, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("interrupted; the rows predicted until then are printed"),
        "{}",
        run.stderr
    );
    let document = json(&run);
    assert_eq!(document["partial"], true);
}

#[test]
fn a_report_names_its_own_tables_and_a_fit_that_is_not_there_is_an_error() {
    let scratch = Scratch::new("validate-report");
    table(&scratch, ROWS);
    let args = ["validate", "runs.csv", "--report", "out", "-q"];
    let run = windtunnel(&scratch.0, &args);
    assert_eq!(run.status, 0, "{}", run.text());
    let text = fs::read_to_string(scratch.0.join("out/accuracy.md")).unwrap();
    assert!(
        text.contains("```sh\nwindtunnel validate runs.csv --report DIR\n```"),
        "{text}"
    );
    assert!(text.contains("No predictions of left-out groups are there"));
    let args = [&args[..], &["--force", "--fit", "nowhere"]].concat();
    let run = windtunnel(&scratch.0, &args);
    assert_eq!(run.status, 2, "{}", run.text());
    assert!(
        run.stderr.contains("nowhere is no folder"),
        "{}",
        run.text()
    );
}

#[test]
fn rows_without_a_source_are_called_so_where_they_are_too_far_off() {
    let scratch = Scratch::new("validate-nameless");
    table(
        &scratch,
        "7,,,H100,8,NeMo,GPT,2048,24,16,2048,64,4,bf16,1,2,100,,,yes\n",
    );
    let run = windtunnel(&scratch.0, &["validate", "runs.csv", "--max-mape", "1%"]);
    assert_eq!(run.status, 1, "{}", run.text());
    let wanted = "error: rows without a source, H100, iteration_time_s: mean error";
    assert!(run.stderr.contains(wanted), "{}", run.text());
}
