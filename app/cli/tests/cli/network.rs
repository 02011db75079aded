//! Network workloads: `plan`, `export`, `import` and `explain` of them.

use std::fs;

use serde_json::Value;

use crate::command::{Scratch, json};
use crate::run::windtunnel;

const WORKLOAD: &str = "\
schema = 1
[workload]
collective = \"permutation\"
bytes = \"1 MiB\"
[cluster]
name = \"hosts\"
nodes = 32
[network]
load_balancing = \"ecmp\"
";

fn scratch(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    fs::write(scratch.0.join("scenario.toml"), WORKLOAD).unwrap();
    scratch
}

#[test]
fn plan_orders_load_balancings_and_says_what_each_needs() {
    let scratch = scratch("network-plan");
    let run = windtunnel(&scratch.0, &["plan", "."]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    for text in [
        "load balancing",
        "Yours      ecmp",
        "singlepath fewest",
        "NCCL_IB_QPS_PER_CONNECTION=8",
        "a flow table",
        "switches with adaptive routing",
        "every packet",
    ] {
        assert!(run.stdout.contains(text), "{text} in {}", run.stdout);
    }
}

#[test]
fn plans_in_json_have_the_keys_of_the_contract_and_each_can_be_exported() {
    let scratch = scratch("network-json");
    let run = windtunnel(&scratch.0, &["plan", ".", "--json", "-o", "plans.json"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let document = json(&fs::read_to_string(scratch.0.join("plans.json")).unwrap());
    for key in [
        "schema",
        "best",
        "plans",
        "pareto",
        "evaluated",
        "excluded",
        "partial",
    ] {
        assert!(document.get(key).is_some(), "{key}");
    }
    let plans = document["plans"].as_array().unwrap();
    assert_eq!(document["evaluated"], plans.len());
    for (rank, plan) in plans.iter().enumerate() {
        for key in [
            "policy",
            "split",
            "queue_pairs",
            "makespan_s",
            "makespan_worst_s",
            "max_congestion_s",
            "max_congestion_ideal_s",
            "extra_pieces",
            "needs",
            "scenario_toml",
            "scenario_base",
        ] {
            assert!(plan.get(key).is_some(), "{key}");
        }
        let rank = rank.to_string();
        let args = [
            "export",
            "plans.json",
            "--rank",
            &rank,
            "--to",
            "nccl",
            "-q",
        ];
        let nccl = windtunnel(&scratch.0, &args);
        assert_eq!(nccl.status, 0, "{}", nccl.stderr);
        let pairs = plan["queue_pairs"].as_u64().unwrap_or(1);
        let line = format!("\nNCCL_IB_QPS_PER_CONNECTION={pairs}\n");
        assert!(nccl.stdout.contains(&line), "{}", nccl.stdout);
    }
}

#[test]
fn what_plans_of_training_take_is_refused_for_network_workloads() {
    let scratch = scratch("network-options");
    for (args, message) in [
        (
            &["--baselines"][..],
            "--baselines belongs to plans of training",
        ),
        (
            &["--why-not", "tp=8"],
            "--why-not belongs to plans of training",
        ),
        (
            &["--table", "t.csv"],
            "--table belongs to plans of training",
        ),
        (&["--fix", "tp"], "--fix names `tp`"),
        (
            &["--engine", "analytic"],
            "the engine analytic runs no network workload",
        ),
    ] {
        let args = [&["plan", "."], args].concat();
        let run = windtunnel(&scratch.0, &args);
        assert_eq!(run.status, 2, "{}", run.text());
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[test]
fn a_time_limit_or_none_gives_the_same_first_plan() {
    let scratch = scratch("network-limit");
    let best = |more: &[&str]| {
        let args = [&["plan", ".", "--json"], more].concat();
        let run = windtunnel(&scratch.0, &args);
        assert_eq!(run.status, 0, "{}", run.stderr);
        json(&run.stdout)["plans"][0].clone()
    };
    assert_eq!(best(&["--time-limit", "600"]), best(&["--threads", "1"]));
}

#[test]
fn export_writes_a_network_workload_for_each_consumer() {
    let scratch = scratch("network-export");
    for (to, files) in [
        ("nccl", &["nccl.env"][..]),
        ("flow-table", &["flow_table.csv"]),
        ("simgrid", &["platform.xml", "flows.csv"]),
        ("htsim", &["fabric.topo", "flows.cm"]),
        ("chakra", &["rank.0.et", "rank.31.et"]),
    ] {
        let run = windtunnel(&scratch.0, &["export", ".", "--to", to, "-o", to, "-q"]);
        assert_eq!(
            (run.status, run.text().contains("error")),
            (0, false),
            "{}",
            run.text()
        );
        for file in files {
            assert!(scratch.0.join(to).join(file).is_file(), "{to} {file}");
        }
    }
    let binary = windtunnel(&scratch.0, &["export", ".", "--to", "chakra", "-q"]);
    assert_eq!(binary.status, 2);
    assert!(
        binary.stderr.contains("give --output DIR"),
        "{}",
        binary.stderr
    );
    let wrong = windtunnel(&scratch.0, &["export", ".", "--to", "slurm"]);
    assert_eq!(wrong.status, 2);
    assert!(
        wrong.stderr.contains("slurm starts training"),
        "{}",
        wrong.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_shell_reads_nccl_env() {
    let scratch = Scratch::new("nccl-env");
    let set = ["nccl.channels=4", "nccl.qps=2", "nccl.algo=ring"];
    let set = set.iter().flat_map(|field| ["--set", field]);
    let args = ["export", ".", "--to", "nccl", "-o", ".", "-q"];
    let args: Vec<&str> = args.into_iter().chain(set).collect();
    assert_eq!(windtunnel(&scratch.0, &args).status, 0);
    let shell = std::process::Command::new("/bin/sh")
        .args([
            "-c",
            "set -a; . ./nccl.env; set +a; env | grep ^NCCL | sort",
        ])
        .current_dir(&scratch.0)
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&shell.stdout),
        "NCCL_ALGO=Ring\nNCCL_IB_QPS_PER_CONNECTION=2\nNCCL_MAX_NCHANNELS=4\nNCCL_MIN_NCHANNELS=4\n"
    );
}

#[test]
fn training_is_no_network_workload() {
    let scratch = Scratch::new("network-training");
    for to in ["flow-table", "simgrid", "htsim", "chakra"] {
        let run = windtunnel(&scratch.0, &["export", ".", "--to", to]);
        assert_eq!(run.status, 2);
        let message = format!("{to} takes network workloads");
        assert!(run.stderr.contains(&message), "{}", run.stderr);
    }
}

#[test]
fn a_platform_is_imported_as_a_scenario_on_it() {
    let scratch = scratch("network-import");
    let export = ["export", ".", "--to", "simgrid", "-o", "there", "-q"];
    assert_eq!(windtunnel(&scratch.0, &export).status, 0);
    let import = [
        "import",
        "--from",
        "simgrid",
        "there/platform.xml",
        "--set",
        "workload.flows=flows.csv",
        "-o",
        "there/scenario.toml",
    ];
    let run = windtunnel(&scratch.0, &import);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("32 hosts"), "{}", run.stderr);
    assert!(
        run.stderr.contains("ignored: cluster speed"),
        "{}",
        run.stderr
    );
    let time = |scenario: &str, set: &str| {
        let args = ["simulate", scenario, "--set", set, "--json", "--no-flows"];
        json(&windtunnel(&scratch.0, &args).stdout)["makespan_s"].clone()
    };
    let own = time(".", "network.load_balancing=static");
    assert!(own.is_number());
    assert_eq!(time("there", "network.load_balancing=static"), own);
}

/// The explanation of the workload with further options.
fn explained(name: &str, more: &[&str]) -> (String, Value) {
    let scratch = scratch(name);
    let args = [&["explain", "."], more].concat();
    let run = windtunnel(&scratch.0, &args);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let document = windtunnel(&scratch.0, &[&args[..], &["--json"]].concat()).stdout;
    (run.stdout, json(&document)["explanation"].clone())
}

#[test]
fn explain_says_where_the_time_of_a_network_workload_goes() {
    let (text, of) = explained("network-explain", &[]);
    assert!(text.lines().count() <= 10, "{text}");
    for part in [
        "the workload takes",
        "fullest link: leaf",
        "load balancing ecmp: one way for each flow, by a hash, seed 1",
        "what would help",
        "rates and latencies are those of hosts",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let number = |of: &Value, key: &str| of[key].as_f64().unwrap();
    let chain = &of["chain"];
    let parts = ["late_start_s", "latency_s", "alone_s", "shared_s"];
    let sum: f64 = parts.iter().map(|part| number(chain, part)).sum();
    let whole = number(&of, "makespan_s");
    assert!((sum / whole - 1.0).abs() < 1e-9, "{chain}");
    // 1 MiB over 100 Gbit/s, four links of 1 us.
    assert!((number(chain, "alone_s") / 83.886_08e-6 - 1.0).abs() < 1e-9);
    assert!((number(chain, "latency_s") / 4e-6 - 1.0).abs() < 1e-9);
    // As many flows as the hash puts on one link, each as large as the other.
    let ratio = number(&of["fullest_link"], "over_ideal");
    assert!(
        (ratio - ratio.round()).abs() < 1e-9 && 1.0 < ratio,
        "{ratio}"
    );
    let saving = number(&of["remedies"][0], "saving_at_most_s");
    assert!(0.0 < saving && saving < whole);
}

#[test]
fn explain_tells_packets_and_queues() {
    let engine = ["--engine", "packet", "--transport", "dcqcn-sr"];
    let (text, of) = explained("network-explain-packets", &engine);
    assert!(text.contains("packets: 8,192 sent"), "{text}");
    assert!(text.contains("longest queue: "), "{text}");
    assert_eq!(of["transport"], "dcqcn-sr");
    assert!(0.0 < of["longest_queue"]["max_wait_s"].as_f64().unwrap());
}

#[test]
fn explain_takes_a_fabric_and_simulate_can_explain_too() {
    let scratch = scratch("network-explain-fabric");
    let workload = [
        "--fabric",
        "hosts",
        "--collective",
        "ring",
        "--bytes",
        "1 MiB",
    ];
    let run = windtunnel(&scratch.0, &[&["explain"], &workload[..]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[1].starts_with("the chain that ends last, 126 flows one after the other"));
    let simulate = [&["simulate", "--explain"], &workload[..]].concat();
    let simulated = windtunnel(&scratch.0, &simulate);
    assert_eq!(simulated.status, 0, "{}", simulated.stderr);
    assert!(
        simulated
            .stdout
            .contains(&format!("## What binds it\n\n- {}", lines[0]))
    );
    let timeline = windtunnel(&scratch.0, &["explain", "run.wtt", "--share", "cm02"]);
    assert_eq!(timeline.status, 2);
    assert!(timeline.stderr.contains("--share"), "{}", timeline.stderr);
}

#[test]
fn options_with_a_sweep_run_its_cases_and_refuse_what_only_one_run_has() {
    let scratch = scratch("network-sweep-options");
    let workload = [
        "simulate",
        "--fabric",
        "hosts",
        "--collective",
        "ring",
        "--set",
        "sweep={\"workload.bytes\"=[1024,1048576]}",
        "--bytes",
        "1",
    ];
    let run = windtunnel(&scratch.0, &[&workload[..], &["--json"]].concat());
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let rows = json(&run.stdout)["rows"].clone();
    let time = |case: usize| rows[case]["makespan_s"].as_f64().unwrap();
    assert!(time(0) < time(1), "{rows}");
    for option in [
        &["--links", "x.csv"][..],
        &["--trace", "x.json"],
        &["--explain"],
    ] {
        let run = windtunnel(&scratch.0, &[&workload[..], option].concat());
        assert_eq!(run.status, 2, "{}", run.text());
        let message = format!("{} belongs to one run", option[0]);
        assert!(run.stderr.contains(&message), "{}", run.stderr);
    }
}

#[test]
fn fields_and_options_in_vain_are_warnings_or_errors() {
    let scratch = scratch("network-vain");
    let warned = |more: &[&str], message: &str| {
        let run = windtunnel(&scratch.0, &[&["simulate", "."], more].concat());
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    };
    warned(
        &["--transport", "ndp"],
        "`network.transport` has no effect: this engine sees no packets",
    );
    warned(
        &["--engine", "packet", "--share", "cm02"],
        "`network.share` has no effect: only the flow engine shares links by rule",
    );
    warned(
        &["--set", "plan.tp=2"],
        "`plan` has no effect: it belongs to training, and [workload] stands in its place",
    );
    let training = Scratch::new("network-vain-training");
    let run = windtunnel(&training.0, &["simulate", ".", "--no-flows"]);
    assert_eq!(run.status, 2);
    assert!(
        run.stderr
            .contains("--no-flows belongs to network workloads"),
        "{}",
        run.stderr
    );
}

#[test]
fn threads_change_no_byte_of_a_sweep_or_a_plan() {
    let scratch = scratch("network-threads");
    let sweep = "sweep={\"network.load_balancing\"=[\"ecmp\",\"spray\",\"singlepath\"],\"workload.bytes\"=[1000,1000000]}";
    for args in [
        &["sweep", ".", "--set", sweep][..],
        &["plan", ".", "--json"],
    ] {
        let with = |threads| {
            let run = windtunnel(&scratch.0, &[args, &["--threads", threads]].concat());
            assert_eq!(run.status, 0, "{}", run.stderr);
            run.stdout
        };
        assert_eq!(with("1"), with("2"), "{args:?}");
    }
}

#[test]
fn threads_change_no_byte_of_a_plan_of_training() {
    let scratch = Scratch::new("training-threads");
    let with = |threads| {
        let run = windtunnel(&scratch.0, &["plan", ".", "--json", "--threads", threads]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        run.stdout
    };
    assert_eq!(with("1"), with("2"));
}
