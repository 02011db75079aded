//! The command as people and programs meet it: help, exit status, streams, files.

use std::fs;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use crate::run::interrupted;
use crate::run::{command, finish, windtunnel};
use serde_json::Value;

/// A case that runs in a moment.
const SMALL: &str = "\
schema = 1
[model]
config = \"llama3-8b\"
layers = 2
[cluster]
name = \"dgx-h100\"
nodes = 1
[training]
global_batch = 8
seq_len = 1024
[plan]
tp = 2
[settings]
engine = \"analytic\"
";

/// A folder of its own for a test, removed afterwards.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("windtunnel-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("scenario.toml"), SMALL).unwrap();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn json_is_one_document_on_standard_output_with_the_keys_of_the_contract() {
    let scratch = Scratch::new("json");
    let run = windtunnel(&scratch.0, &["simulate", ".", "--json"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let document = json(&run.stdout);
    for key in [
        "schema",
        "iteration_time_s",
        "iteration_time_p10_s",
        "iteration_time_p90_s",
        "tokens_per_s",
        "tokens_per_s_per_gpu",
        "model_tflops_per_gpu",
        "hardware_tflops_per_gpu",
        "mfu",
        "peak_allocated_bytes",
        "peak_allocated_bytes_by_class",
        "peak_reserved_bytes",
        "device_used_bytes",
        "fits",
        "breakdown",
        "plan",
        "assumptions",
        "seed",
        "scenario_toml",
        "scenario_base",
        "windtunnel",
    ] {
        assert!(document.get(key).is_some(), "{key} is missing");
    }
    let parts = [
        "compute_s",
        "tp_s",
        "pp_s",
        "dp_s",
        "cp_s",
        "ep_s",
        "bubble_s",
        "optimizer_s",
        "other_s",
    ];
    let sum: f64 = parts
        .iter()
        .map(|part| document["breakdown"][part].as_f64().unwrap())
        .sum();
    let time = document["iteration_time_s"].as_f64().unwrap();
    assert!((sum - time).abs() < 1e-9 * time, "{sum} is not {time}");
}

#[test]
fn equal_calls_give_equal_bytes_whatever_the_threads() {
    let scratch = Scratch::new("bytes");
    let one = windtunnel(&scratch.0, &["simulate", ".", "--json", "--threads", "1"]);
    let two = windtunnel(&scratch.0, &["simulate", ".", "--json", "--threads", "7"]);
    assert_eq!(one.status, 0, "{}", one.stderr);
    assert_eq!(one.stdout, two.stdout);
}

#[test]
fn errors_are_json_where_json_was_asked_for() {
    let run = finish(
        command(here(), &["simulate", "-", "--json"]),
        &[],
        "[plan]\ntp = 0\n",
    );
    assert_eq!(run.status, 2);
    let document = json(&run.stdout);
    let error = document["errors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["field"] == "plan.tp")
        .unwrap();
    assert_eq!(error["file"], "<stdin>");
    assert_eq!(error["line"], 2);
    assert_eq!(error["column"], 6);
    assert_eq!(error["value"], "0");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("expected a whole number from 1")
    );
    assert!(run.stderr.contains("error: "));
}

#[test]
fn a_scenario_comes_from_a_file_a_folder_or_standard_input() {
    let scratch = Scratch::new("input");
    let of_file = windtunnel(
        &scratch.0,
        &["simulate", "scenario.toml", "--print-scenario"],
    );
    let of_folder = windtunnel(&scratch.0, &["simulate", ".", "--print-scenario"]);
    let args = ["simulate", "-", "--print-scenario"];
    let of_stdin = finish(command(&scratch.0, &args), &args, SMALL);
    assert_eq!(
        (of_file.status, of_folder.status, of_stdin.status),
        (0, 0, 0)
    );
    assert_eq!(
        of_stdin.stdout.lines().count(),
        of_file.stdout.lines().count()
    );
    assert!(
        of_file.stdout.contains("nodes = 1  # scenario.toml:7\n"),
        "{}",
        of_file.stdout
    );
}

#[test]
fn flags_win_over_set_over_environment_over_the_scenario_over_the_users_settings() {
    let scratch = Scratch::new("layers");
    let settings = scratch.0.join("home/windtunnel");
    fs::create_dir_all(&settings).unwrap();
    fs::write(
        settings.join("config.toml"),
        "[settings]\nseed = 1\njitter = 0.0\n",
    )
    .unwrap();
    let args = [
        "simulate",
        ".",
        "--print-scenario",
        "--set",
        "settings.seed=3",
        "--set",
        "plan.tp=4",
    ];
    let mut with_flag = args.to_vec();
    with_flag.extend(["--seed", "4"]);
    let run = |args: &[&str]| {
        let mut command = command(&scratch.0, args);
        command.env("XDG_CONFIG_HOME", scratch.0.join("home"));
        command
            .env("WINDTUNNEL_SETTINGS_SEED", "2")
            .env("WINDTUNNEL_PLAN_TP", "1");
        finish(command, args, "").stdout
    };
    assert!(run(&with_flag).contains("seed = 4  # --seed\n"));
    let text = run(&args);
    assert!(text.contains("seed = 3  # --set\n"), "{text}");
    assert!(text.contains("tp = 4  # --set\n"));
    assert!(text.contains("config.toml:3\n"));
    assert!(run(&args[..3]).contains("seed = 2  # WINDTUNNEL_SETTINGS_SEED\n"));
}

#[test]
fn a_misspelt_variable_is_a_warning() {
    let scratch = Scratch::new("variable");
    let args = ["simulate", ".", "--print-scenario"];
    let mut command = command(&scratch.0, &args);
    command.env("WINDTUNNEL_SETTINGS_SED", "2");
    let run = finish(command, &args, "");
    assert_eq!(run.status, 0);
    assert!(
        run.stderr
            .contains("did you mean WINDTUNNEL_SETTINGS_SEED?"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_is_printed_reads_back_as_the_same_scenario() {
    let scratch = Scratch::new("printed");
    let printed = windtunnel(&scratch.0, &["simulate", ".", "--print-scenario"]).stdout;
    fs::write(scratch.0.join("again.toml"), printed).unwrap();
    let first = windtunnel(&scratch.0, &["simulate", "scenario.toml", "--json"]).stdout;
    let again = windtunnel(&scratch.0, &["simulate", "again.toml", "--json"]).stdout;
    let without_name = |text: &str| {
        let mut document = json(text);
        document["scenario"] = Value::Null;
        document
    };
    assert_eq!(without_name(&first), without_name(&again));
}

#[test]
fn files_are_refused_where_they_are_there_already() {
    let scratch = Scratch::new("output");
    let args = ["simulate", ".", "--json", "--output", "x.json"];
    let first = windtunnel(&scratch.0, &args);
    assert_eq!(
        (first.status, first.stdout.as_str()),
        (0, ""),
        "{}",
        first.stderr
    );
    let second = windtunnel(&scratch.0, &args);
    assert_eq!(second.status, 2);
    assert!(second.stderr.contains("x.json is there already"));
    let mut forced = args.to_vec();
    forced.push("--force");
    assert_eq!(windtunnel(&scratch.0, &forced).status, 0);
    json(&fs::read_to_string(scratch.0.join("x.json")).unwrap());
}

#[test]
fn a_timeline_is_written_and_explained() {
    let scratch = Scratch::new("trace");
    for name in ["run.wtt", "run.json", "run.json.gz"] {
        let run = windtunnel(&scratch.0, &["simulate", ".", "--trace", name, "-q"]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(100 < fs::metadata(scratch.0.join(name)).unwrap().len());
    }
    json(&fs::read_to_string(scratch.0.join("run.json")).unwrap());
    let of_trace = windtunnel(&scratch.0, &["explain", "run.wtt"]);
    let of_scenario = windtunnel(&scratch.0, &["explain", "."]);
    assert_eq!(of_trace.status, 0, "{}", of_trace.stderr);
    assert_eq!(of_trace.stdout, of_scenario.stdout);
    assert!(of_trace.stdout.lines().count() <= 10);
    let unnamed = windtunnel(&scratch.0, &["simulate", ".", "--trace", "run.txt"]);
    assert_eq!(unnamed.status, 2);
    let set = ["explain", "run.wtt", "--set", "plan.tp=4", "--unfold"];
    let refused = windtunnel(&scratch.0, &set);
    assert_eq!(
        (refused.status, refused.stderr.as_str()),
        (
            2,
            "error: run.wtt is the timeline of a run that is over, which --set, --unfold cannot \
             change\nhint: explain the scenario with these options instead\n"
        )
    );
    let exported = windtunnel(&scratch.0, &["explain", "run.json.gz"]);
    assert_eq!(exported.status, 2);
    assert!(
        exported.stderr.contains("run.json.gz is gzip"),
        "{}",
        exported.stderr
    );
    assert_eq!(exported.stderr.lines().count(), 2);
}

#[test]
fn the_report_holds_the_critical_path_beside_one_rank_and_says_why_they_differ() {
    let scratch = Scratch::new("path");
    let report = windtunnel(&scratch.0, &["simulate", "."]).stdout;
    assert!(report.contains("| Critical path |"), "{report}");
    assert!(report.contains("\nCritical path: ") && report.contains("\nOne rank: of stage 0"));
    let closed = ["simulate", ".", "--engine", "estimate"];
    let estimate = windtunnel(&scratch.0, &closed).stdout;
    assert!(!estimate.contains("Critical path"), "{estimate}");
    let document = json(&windtunnel(&scratch.0, &["simulate", ".", "--json"]).stdout);
    let path = document["critical_path"].as_object().unwrap();
    let sum: f64 = path.values().map(|part| part.as_f64().unwrap()).sum();
    let time = document["iteration_time_s"].as_f64().unwrap();
    assert!((sum - time).abs() < 1e-9 * time, "{sum} is not {time}");
}

#[test]
fn every_rank_is_simulated_where_that_is_asked_for() {
    let scratch = Scratch::new("unfold");
    let lanes = |args: &[&str]| windtunnel(&scratch.0, args).stderr;
    let folded = lanes(&["simulate", ".", "-vv"]);
    let unfolded = lanes(&["simulate", ".", "-vv", "--unfold"]);
    assert!(folded.contains(" on 1 lane in "), "{folded}");
    assert!(unfolded.contains(" on 8 lanes"), "{unfolded}");
}

#[test]
fn the_report_begins_with_the_answer_and_every_number_has_a_unit() {
    let scratch = Scratch::new("report");
    let run = windtunnel(&scratch.0, &["simulate", "."]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let headings: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with('#'))
        .collect();
    let order = [
        "## Where the time goes",
        "## Memory at the peak",
        "## What the figures are worth",
        "## Assumptions",
    ];
    assert_eq!(headings[1..], order);
    let rows: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    for (row, unit) in [
        ("Iteration time", " ms"),
        ("Throughput of one GPU", " tokens/s"),
        ("Model FLOPs of one GPU", " TFLOP/s"),
        ("MFU", " %"),
        ("Memory (fits)", " GiB"),
    ] {
        let line = rows
            .iter()
            .find(|line| line.starts_with(&format!("| {row}")))
            .unwrap();
        assert!(line.contains(unit), "{line}");
    }
    assert!(!run.stdout.contains('\u{1b}'), "no colors in a pipe");
    let quiet = windtunnel(&scratch.0, &["simulate", ".", "-q"]).stdout;
    assert!(quiet.lines().count() < 20, "{quiet}");
}

#[test]
fn a_printed_schedule_is_a_schedule_file() {
    let case = here().join("../../scenarios/cases/llama3-70b-dgx-h100");
    let case = case.to_str().unwrap();
    let scratch = Scratch::new("schedule");
    let csv = scratch.0.join("schedule.csv");
    let out = csv.to_str().unwrap();
    let printed = ["simulate", case, "--print-schedule", "-o", out];
    let run = windtunnel(&scratch.0, &printed);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let given = fs::read_to_string(format!("{case}/scenario.toml")).unwrap();
    let named = given.replace("schedule = \"1f1b\"", "schedule_file = \"schedule.csv\"");
    assert_ne!(given, named);
    fs::write(scratch.0.join("scenario.toml"), named).unwrap();
    let time = |scenario| {
        let run = windtunnel(&scratch.0, &["simulate", scenario, "--json"]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        json(&run.stdout)["iteration_time_s"].as_f64().unwrap()
    };
    let ratio = time(".") / time(case);
    assert!((ratio - 1.0).abs() < 1e-9, "{ratio}");
}

#[test]
fn color_is_used_when_asked_for_and_not_otherwise() {
    let colored = windtunnel(here(), &["simulate", "nowhere.toml", "--color", "always"]);
    assert!(colored.stderr.contains("\u{1b}[1;31merror"));
    let mut forced = command(here(), &["simulate", "nowhere.toml"]);
    forced.env("CLICOLOR_FORCE", "1");
    assert!(finish(forced, &[], "").stderr.contains('\u{1b}'));
    let plain = windtunnel(here(), &["simulate", "nowhere.toml"]);
    assert!(!plain.stderr.contains('\u{1b}'));
}

#[test]
fn values_have_their_origins_in_json_too() {
    let scratch = Scratch::new("origins");
    let args = ["simulate", ".", "--print-scenario", "--json"];
    let run = windtunnel(&scratch.0, &[&args[..], &["--set", "plan.tp=1"]].concat());
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    let values = printed["values"].as_array().unwrap();
    let origin = |field: &str| {
        let found = values.iter().find(|value| value["field"] == field);
        found.map(|value| value["origin"].as_str().unwrap().to_owned())
    };
    assert_eq!(origin("plan.tp").as_deref(), Some("--set"));
    let of_file = origin("cluster.name").unwrap();
    assert!(of_file.starts_with("scenario.toml:"), "{of_file}");
    assert!(printed["assumptions"].is_array());
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    use std::process::Stdio;

    let mut child = command(here(), &["schema"]);
    child
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn large_and_missing_files_are_refused_at_once() {
    let scratch = Scratch::new("large");
    let large = fs::File::create(scratch.0.join("large.toml")).unwrap();
    large.set_len(100 << 20).unwrap();
    let run = windtunnel(&scratch.0, &["simulate", "large.toml"]);
    assert_eq!(run.status, 2);
    assert!(
        run.stderr
            .contains("large.toml has more than 4194304 bytes"),
        "{}",
        run.stderr
    );
    let run = windtunnel(&scratch.0, &["simulate", "scenaro.toml"]);
    assert_eq!(
        run.stderr,
        "error: scenaro.toml is not there\nhint: did you mean scenario.toml?\n"
    );
    fs::write(
        scratch.0.join("deep.toml"),
        format!("a = {}", "[".repeat(100_000)),
    )
    .unwrap();
    let run = windtunnel(&scratch.0, &["simulate", "deep.toml"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("nested more deeply"), "{}", run.stderr);
    fs::write(scratch.0.join("bytes.toml"), b"a = \"\xff\"\n").unwrap();
    let run = windtunnel(&scratch.0, &["simulate", "bytes.toml"]);
    assert!(
        run.stderr
            .contains("bytes.toml is not UTF-8 text: byte 0xff of line 1"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_plan_that_does_not_fit_is_simulated_all_the_same() {
    let args = [
        "simulate",
        "-",
        "--json",
        "--set",
        "model.layers=32",
        "--set",
        "plan.tp=1",
        "--set",
        "plan.dp=1",
        "--set",
        "training.global_batch=1",
    ];
    let run = finish(command(here(), &args), &args, SMALL);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(json(&run.stdout)["fits"], false);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_long_run_with_status_130_and_no_half_written_file() {
    let scratch = Scratch::new("interrupt");
    let case = here().join("../../scenarios/cases/llama3-405b-16384-h100");
    let case = case.to_str().unwrap();
    // Jitter makes every one of the 16,384 ranks a lane of its own: a run of minutes.
    let args = [
        "simulate",
        case,
        "--set",
        "settings.jitter=0.02",
        "--no-progress",
        "--output",
        "x.txt",
    ];
    let run = interrupted(&scratch.0, &args);
    assert_eq!(run.status, 130, "{}", run.stderr);
    assert_eq!(run.stderr, "error: interrupted; nothing was written\n");
    assert_eq!(
        fs::read_dir(&scratch.0).unwrap().count(),
        1,
        "only the scenario is there"
    );
}

#[test]
fn a_fit_without_its_tables_names_the_one_that_is_missing() {
    let run = windtunnel(
        here(),
        &["calibrate", "fit", "--only", "kernels", "--data", "nowhere"],
    );
    assert_eq!(run.status, 2);
    assert!(run.stdout.is_empty());
    assert!(
        run.stderr
            .contains("nowhere/kernels/simumax/operators.csv.gz"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("`--data` names the folder"),
        "{}",
        run.stderr
    );
}
