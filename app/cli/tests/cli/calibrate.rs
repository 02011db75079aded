//! `windtunnel calibrate fit` from outside: what is written where, and what is refused.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

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

/// What nccl-tests prints of all-reduces on nodes of eight H100, which take 300 µs and 10 µs a MB.
fn log_of(nodes: u32) -> String {
    let mut log = String::from("# Collective test starting: all_reduce_perf\n");
    for rank in 0..8 * nodes {
        let (node, gpu) = (rank / 8, rank % 8);
        let _ = writeln!(
            log,
            "#  Rank {rank} Group 0 Pid 1 on node{node} device {gpu} [0000:0f:00] NVIDIA H100 80GB HBM3"
        );
    }
    log.push_str("# size count type redop root time algbw busbw #wrong time algbw busbw #wrong\n");
    for exponent in 12..31 {
        let bytes = f64::from(1_u32 << exponent);
        let micros = 300.0 + bytes / 1e5;
        let (count, algbw) = (bytes / 4.0, bytes / micros / 1e3);
        let _ = writeln!(
            log,
            "{bytes} {count} float sum -1 {micros:.2} {algbw:.2} 0.00 0 N/A N/A N/A N/A"
        );
    }
    log.push_str("# Avg bus bandwidth : 1\n");
    log
}

const CLUSTER: &str = "schema = 1\nname = \"mine\"\n\
    collectives = \"profiles/mine-collectives.toml\"\n\
    [[nodes]]\nkind = \"dgx-h100\"\ncount = 4\n\
    [fabric]\nname = \"mine\"\nkind = \"single\"\nnetwork = \"mine\"\n\
    link_latency = \"1 us\"\nswitch_latency = \"0 ns\"\n";

/// The last figure of a list in a profile.
fn last_of(profile: &str, key: &str) -> f64 {
    let (_, reached) = profile.split_once("[comm.network.reached]").unwrap();
    let line = reached.lines().find(|line| line.starts_with(key)).unwrap();
    let figures = line.trim_end_matches(']').rsplit([',', '[']).next();
    figures.unwrap().trim().parse().unwrap()
}

#[test]
fn a_fabric_that_was_fitted_is_what_predictions_on_its_cluster_take() {
    let scratch = Scratch::new("fabric");
    fs::write(scratch.0.join("mine.toml"), CLUSTER).unwrap();
    for nodes in [2, 4] {
        fs::write(scratch.0.join(format!("{nodes}.log")), log_of(nodes)).unwrap();
    }
    let args = "--only collectives --nccl-tests 2.log 4.log --cluster mine.toml --output . --json";
    let run = fit(&scratch, args);
    assert_eq!(run.status, 0, "{}", run.text());
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["network"], "mine");
    assert_eq!(answer["errors"][3]["left_out"], "nodes");
    let large = &answer["errors"][0]["from_1_mib"]["median_ape"];
    // A straight line is not quite what NCCL would take; `calibrate/fit/tests/fabric.rs` has better.
    assert!(large.as_f64().unwrap() < 0.2, "{large}");
    let profile = fs::read_to_string(scratch.0.join("profiles/mine-collectives.toml")).unwrap();

    let args = "collective all_reduce --cluster mine.toml --bytes 256M";
    let run = windtunnel(&scratch.0, &args.split(' ').collect::<Vec<_>>());
    assert!(
        run.text().contains("# Constants: mine, interpolated"),
        "{}",
        run.text()
    );
    assert!(!run.text().contains("# Extrapolated"), "{}", run.text());
    let args = "collective alltoall --cluster mine.toml --bytes 256M";
    let run = windtunnel(&scratch.0, &args.split(' ').collect::<Vec<_>>());
    assert!(
        run.text()
            .contains("# Extrapolated: alltoall was not measured"),
        "{}",
        run.text()
    );

    // Six steps of a ring over four nodes, each a message over each of eight NICs of 50 GB/s.
    let args = "simulate --fabric mine.toml --collective ring --bytes 67108864 --json --no-flows";
    let run = windtunnel(&scratch.0, &args.split(' ').collect::<Vec<_>>());
    assert_eq!(run.status, 0, "{}", run.text());
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let rate = last_of(&profile, "ring") * 50e9;
    let hop = last_of(&profile, "hop_us") * 1e-6;
    let expected = 6.0 * (16_777_216.0 / (8.0 * rate) + hop);
    let makespan = answer["makespan_s"].as_f64().unwrap();
    assert!(
        (makespan / expected - 1.0).abs() < 1e-6,
        "{makespan} {expected}"
    );
    let nominal = ["--set", "workload.rates=\"nominal\""];
    let args: Vec<&str> = args.split(' ').chain(nominal).collect();
    let run = windtunnel(&scratch.0, &args);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    // Two links of 1 us, and one from each GPU to its NIC.
    let expected = 6.0 * (16_777_216.0 / 400e9 + 3.2e-6);
    let makespan = answer["makespan_s"].as_f64().unwrap();
    assert!(
        (makespan / expected - 1.0).abs() < 1e-6,
        "{makespan} {expected}"
    );
}

#[test]
fn logs_of_a_fabric_that_cannot_be_fitted_are_refused() {
    let scratch = Scratch::new("fabric-refused");
    fs::write(scratch.0.join("mine.toml"), CLUSTER).unwrap();
    let log = log_of(2);
    let wrong = log.replacen(" 0 N/A", " 7 N/A", 1);
    let many = log_of(8);
    for (log, part, of) in [
        (&log, "runs", "--nccl-tests fits collectives alone"),
        (
            &wrong,
            "collectives",
            "line 19: 7 results are wrong: bad.log",
        ),
        (
            &many,
            "collectives",
            "the table ran on 8 nodes, but the cluster has 4",
        ),
    ] {
        fs::write(scratch.0.join("bad.log"), log).unwrap();
        let args = format!("--only {part} --nccl-tests bad.log --cluster mine.toml --output .");
        let run = fit(&scratch, &args);
        assert_eq!(run.status, 2, "{}", run.text());
        assert!(run.text().contains(of), "{}", run.text());
    }
    assert!(!scratch.0.join("profiles").exists());
    let run = fit(&scratch, "--nccl-tests bad.log");
    assert!(run.text().contains("--cluster"), "{}", run.text());
}
