//! `windtunnel calibrate fit` from outside: what is written where, and what is refused.

use std::fs;
use std::path::Path;

use crate::command::{Scratch, here};
use crate::run::{Run, windtunnel};

/// Tables of a checkout with nothing but a few runs of one framework, and what an earlier fit left.
fn checkout(name: &str, runs: usize) -> Scratch {
    let scratch = Scratch::new(name);
    let data = scratch.0.join("calibrate/data");
    let shipped = here().join("../../calibrate/data");
    for folder in ["runs", "fit"] {
        fs::create_dir_all(data.join(folder)).unwrap();
    }
    fs::create_dir_all(scratch.0.join("scenarios")).unwrap();
    let table = fs::read_to_string(shipped.join("runs/training_runs.csv")).unwrap();
    let (header, rows) = table.split_once('\n').unwrap();
    let few = rows.lines().filter(|row| row.contains("llm-foundry"));
    let few: Vec<&str> = few.take(runs).collect();
    let few = format!("{header}\n{}\n", few.join("\n"));
    fs::write(data.join("runs/training_runs.csv"), few).unwrap();
    let parameters = fs::read_to_string(shipped.join("fit/parameters.toml")).unwrap();
    fs::write(data.join("fit/parameters.toml"), parameters).unwrap();
    for table in OF_WORTH {
        fs::write(data.join("fit").join(table), "of before\n").unwrap();
    }
    scratch
}

/// What a fit on runs is worth.
const OF_WORTH: [&str; 3] = ["parameters.csv", "left_out.csv", "ablation.csv"];

fn fit(scratch: &Scratch, args: &str) -> Run {
    let args = format!("calibrate fit {args}");
    windtunnel(&scratch.0, &args.split(' ').collect::<Vec<_>>())
}

fn is_of_before(folder: &Path, table: &str) -> bool {
    fs::read_to_string(folder.join(table)).unwrap() == "of before\n"
}

#[test]
fn a_trial_writes_below_its_folder_and_leaves_the_tables_alone() {
    let scratch = checkout("trial", 8);
    let run = fit(&scratch, "--only runs --no-ablation --output trial");
    assert_eq!(run.status, 0, "{}", run.text());
    let own = scratch.0.join("calibrate/data/fit");
    assert!(OF_WORTH.iter().all(|table| is_of_before(&own, table)));
    let trial = scratch.0.join("trial");
    assert!(trial.join("fitted/scales.toml").exists());
    assert!(trial.join("fit/left_out.csv").exists());
    assert!(trial.join("fit/parameters.csv").exists());
    assert!(!trial.join("fit/ablation.csv").exists());
}

#[test]
fn the_folder_of_scenarios_is_renewed_together_with_the_tables_of_its_checkout() {
    let scratch = checkout("renewed", 8);
    let run = fit(&scratch, "--only runs --no-ablation --output scenarios");
    assert_eq!(run.status, 0, "{}", run.text());
    let own = scratch.0.join("calibrate/data/fit");
    assert!(!is_of_before(&own, "left_out.csv"));
    assert!(!is_of_before(&own, "parameters.csv"));
    // Nothing measured it, so it stays.
    assert!(is_of_before(&own, "ablation.csv"));
    assert!(!scratch.0.join("scenarios/fit").exists());
}

#[test]
fn a_fit_on_few_runs_writes_a_file_that_is_read() {
    for runs in [1, 2, 3, 8, 56] {
        let scratch = checkout(&format!("few-{runs}"), runs);
        let run = fit(&scratch, "--only runs --no-ablation --output trial");
        assert_eq!(run.status, 0, "{}", run.text());
        let args = ["simulate", "scenario.toml", "--quiet", "--json", "--set"];
        let set = "settings.fit=\"trial/fitted/scales.toml\"";
        let run = windtunnel(&scratch.0, &[&args[..], &[set]].concat());
        assert_eq!(run.status, 0, "{runs} runs: {}", run.text());
    }
}

#[test]
fn every_further_table_is_read_or_refused() {
    let scratch = checkout("extra", 2);
    fs::write(scratch.0.join("nothing.csv"), "a,b\n1,2\n").unwrap();
    fs::write(scratch.0.join("no-gpu.csv"), "iter_time_s,tp\n1.0,2\n").unwrap();
    let table = here().join("../../calibrate/data/collectives/nccl-tests.csv");
    let collectives = fs::read_to_string(table).unwrap();
    fs::write(scratch.0.join("nccl.csv"), &collectives).unwrap();
    let broken = collectives.replacen("time_us", "time_ms", 1);
    fs::write(scratch.0.join("broken.csv"), broken).unwrap();
    for (args, said) in [
        ("--only collectives --extra nowhere.csv", "nowhere.csv"),
        ("--only memory --extra nowhere.csv", "nowhere.csv"),
        ("--only kernels --extra nowhere.csv", "nowhere.csv"),
        ("--only runs --extra nothing.csv", "nothing.csv"),
        ("--only runs --extra no-gpu.csv", "gpu"),
        ("--only collectives --extra broken.csv", "no column time_us"),
        (
            "--only runs --extra nccl.csv",
            "this is a table of collectives",
        ),
        (
            "--only memory --extra calibrate/data/runs/training_runs.csv",
            "this is a table of runs",
        ),
    ] {
        let run = fit(&scratch, args);
        assert_eq!(run.status, 2, "{}", run.text());
        assert!(run.stdout.is_empty(), "{}", run.text());
        assert!(run.stderr.contains(said), "{}", run.text());
        assert!(run.stderr.contains("hint: "), "{}", run.text());
    }
}

#[test]
fn a_page_of_errors_needs_both_of_its_parts() {
    let scratch = checkout("page", 1);
    let run = fit(&scratch, "--only kernels --report docs");
    assert_eq!(run.status, 2, "{}", run.text());
    assert!(run.stderr.contains("--only collectives"), "{}", run.stderr);
}
