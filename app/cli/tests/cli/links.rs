//! What links carried when: `--links`, the timeline, and jobs beside each other.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::command::{Scratch, json};
use crate::run::windtunnel;

/// A model on four nodes, for both jobs.
const COMMON: &str = "\
schema = 1
model = { config = \"llama3-8b\", layers = 2 }
cluster.name = \"dgx-h100\"
cluster.nodes = 4
training = { global_batch = 4, seq_len = 1024 }
plan.tp = 8
";

/// One node of the first job; the second crosses the links between two leaves, and so does an
/// all-to-all.
const BESIDE: &str = "\
plan.dp = 1
[cluster.fabric]
name = \"two leaves\"
kind = \"leaf-spine\"
nodes_per_leaf = 2
spines = 1
oversubscription = 4
link_rate = \"400 Gbit/s\"
link_latency = \"1 us\"
[[background]]
scenario = \"other.toml\"
first_gpu = 8
[[background]]
collective = \"alltoall\"
bytes = \"8 MiB\"
ends = [\"n0\", \"n3\"]
every = \"1 ms\"
";

fn jobs(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    let [own, other] = [BESIDE, "plan.dp = 2\n"].map(|more| COMMON.to_owned() + more);
    fs::write(scratch.0.join("scenario.toml"), own).unwrap();
    fs::write(scratch.0.join("other.toml"), other).unwrap();
    scratch
}

/// The rows of a table of links, by column.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap()
}

/// Bytes of every link, by its name and direction.
fn bytes_by_link(rows: &[BTreeMap<String, String>]) -> BTreeMap<(String, String), f64> {
    let mut by: BTreeMap<_, f64> = BTreeMap::new();
    for row in rows {
        let link = (row["link"].clone(), row["direction"].clone());
        *by.entry(link).or_default() += number(row, "bytes");
    }
    by
}

/// Compares a table with the `links` of a document of JSON.
fn check(rows: &[BTreeMap<String, String>], document: &Value) {
    let by = bytes_by_link(rows);
    let links = document["links"].as_array().unwrap();
    assert_eq!(by.len(), links.len());
    for link in links {
        let key = ["name", "direction"].map(|key| link[key].as_str().unwrap().to_owned());
        let [own, all] = [by[&key.clone().into()], link["bytes"].as_f64().unwrap()];
        // Rows round to whole bytes.
        assert!(
            (own - all).abs() < 1e-6 * all + 1e4,
            "{key:?}: {own}, {all}"
        );
    }
    for row in rows {
        let span = number(row, "to_s") - number(row, "from_s");
        let (rate, bytes) = (number(row, "rate_bytes_per_s"), number(row, "bytes"));
        assert!((rate * span - bytes).abs() < 1e-3 * bytes + 2.0, "{row:?}");
    }
}

#[test]
fn links_of_jobs_are_told_by_job_and_kind_and_hold_their_bytes() {
    let scratch = jobs("links-jobs");
    for engine in ["flow", "packet"] {
        let table = format!("{engine}.csv");
        let args = [
            "simulate", ".", "--engine", engine, "--links", &table, "--json",
        ];
        let run = windtunnel(&scratch.0, &args);
        assert_eq!(run.status, 0, "{}", run.stderr);
        let text = fs::read_to_string(scratch.0.join(&table)).unwrap();
        let header = "link,direction,from_s,to_s,bytes,rate_bytes_per_s,job,what,links";
        assert_eq!(text.lines().next(), Some(header));
        let rows = rows(&text);
        check(&rows, &json(&run.stdout));
        let has = |job: &str, what: &str| {
            let of = |row: &BTreeMap<_, String>| row["job"].contains(job) && row["what"] == what;
            rows.iter().any(of)
        };
        assert!(has("other", "dp"), "{engine}");
        assert!(has("alltoall", "background"), "{engine}");
        assert!(
            !rows
                .iter()
                .any(|row| row["link"].starts_with("n0nic") && row["what"] == "dp")
        );
    }
}

#[test]
fn jobs_beside_each_other_are_told_with_their_times_alone() {
    let scratch = jobs("links-report");
    let run = windtunnel(&scratch.0, &["simulate", "."]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    for part in ["## Jobs on the cluster", "| other ", "## Busiest links"] {
        assert!(run.stdout.contains(part), "{part} in {}", run.stdout);
    }
    let document = json(&windtunnel(&scratch.0, &["simulate", ".", "--json"]).stdout);
    let jobs = document["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2);
    let [own, other] = [&jobs[0], &jobs[1]];
    assert_eq!((&own["gpus"], &other["gpus"]), (&8.into(), &16.into()));
    let longer = |job: &Value| {
        let [time, alone] = ["iteration_time_s", "alone_s"].map(|key| job[key].as_f64().unwrap());
        time / alone
    };
    // One job stays inside its node, the other crosses leaves beside the all-to-all.
    assert!((longer(own) - 1.0).abs() < 1e-9, "{own}");
    assert!(1.001 < longer(other) && longer(other) < 2.0, "{other}");
}

/// The counters of the process `network` of a timeline: values by name and key, in order.
fn counters(text: &str) -> BTreeMap<(String, String), Vec<f64>> {
    let document = json(text);
    let events = document["traceEvents"].as_array().unwrap();
    let named =
        |event: &&Value| event["name"] == "process_name" && event["args"]["name"] == "network";
    let pid = &events.iter().find(named).expect("links have a process")["pid"];
    let mut counters: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|event| event["ph"] == "C" && event["pid"] == *pid)
    {
        for (key, value) in event["args"].as_object().unwrap() {
            let name = (event["name"].as_str().unwrap().to_owned(), key.clone());
            counters
                .entry(name)
                .or_default()
                .push(value.as_f64().unwrap());
        }
    }
    counters
}

#[test]
fn the_timeline_shows_the_busiest_links_and_no_more_than_asked_for() {
    let scratch = jobs("links-timeline");
    for (engine, slack) in [("flow", 1e-2), ("packet", 5.0)] {
        let file = format!("{engine}.json");
        let args = ["simulate", ".", "-q", "--engine", engine, "--trace", &file];
        let run = windtunnel(&scratch.0, &[&args[..], &["--trace-links", "2"]].concat());
        assert_eq!(run.status, 0, "{}", run.stderr);
        let counters = counters(&fs::read_to_string(scratch.0.join(&file)).unwrap());
        let totals = counters.iter().filter(|((_, key), _)| key == "percent");
        assert_eq!(totals.clone().count(), 2, "{engine}: {:?}", counters.keys());
        for ((name, _), levels) in totals {
            assert!(name.contains("->") && (name.contains(" up") || name.contains(" down")));
            assert!(
                levels
                    .iter()
                    .all(|level| (0.0..=100.0 + slack).contains(level)),
                "{name}"
            );
            assert!(
                levels.iter().any(|level| 1.0 < *level),
                "{name}: {levels:?}"
            );
        }
    }
    let none = [
        "simulate",
        ".",
        "-q",
        "--trace",
        "none.json",
        "--trace-links",
        "0",
    ];
    assert_eq!(windtunnel(&scratch.0, &none).status, 0);
    let text = fs::read_to_string(scratch.0.join("none.json")).unwrap();
    assert!(!text.contains("\"network\""));
}

#[test]
fn a_network_workload_tells_its_links_in_the_same_ways() {
    let scratch = Scratch::new("links-workload");
    for engine in [&["flow"][..], &["packet", "--transport", "uec"]] {
        let options = [
            "simulate",
            "--fabric",
            "hosts",
            "--collective",
            "permutation",
            "--bytes",
            "1 MiB",
            "--links",
            "links.csv",
            "--trace",
            "run.json",
            "--json",
            "--no-flows",
            "--force",
            "--engine",
        ];
        let run = windtunnel(&scratch.0, &[&options[..], engine].concat());
        assert_eq!(run.status, 0, "{}", run.stderr);
        let document = json(&run.stdout);
        let rows = rows(&fs::read_to_string(scratch.0.join("links.csv")).unwrap());
        let carried = |row: &BTreeMap<String, String>| number(row, "bytes") * number(row, "links");
        let told: f64 = rows.iter().map(carried).sum();
        let links = document["links"].as_array().unwrap();
        let all: f64 = links
            .iter()
            .map(|link| link["bytes"].as_f64().unwrap())
            .sum();
        assert!((told / all - 1.0).abs() < 1e-3, "{told}, {all}");
        assert!(
            rows.iter()
                .all(|row| row["what"] == "flow" && row["job"] == "network")
        );
        let counters = counters(&fs::read_to_string(scratch.0.join("run.json")).unwrap());
        assert!((1..=16).contains(&counters.len()), "{:?}", counters.keys());
        let most = counters.values().flatten().copied().fold(0.0, f64::max);
        assert!((90.0..106.0).contains(&most), "{most}");
    }
}

#[test]
fn what_has_no_links_or_no_ranks_says_so() {
    let scratch = jobs("links-refused");
    let analytic = [
        "simulate", ".", "--engine", "analytic", "--links", "x.csv", "-q",
    ];
    let run = windtunnel(&scratch.0, &analytic);
    assert_eq!(run.status, 2);
    assert!(
        run.stderr.contains("the engine analytic knows no links"),
        "{}",
        run.stderr
    );
    let workload = [
        "simulate",
        "--fabric",
        "hosts",
        "--collective",
        "ring",
        "--bytes",
        "1",
        "--trace",
        "run.wtt",
    ];
    let run = windtunnel(&scratch.0, &workload);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("no ranks for .wtt"), "{}", run.stderr);
    let alone = windtunnel(&scratch.0, &["simulate", ".", "--trace-links", "3"]);
    assert_eq!(alone.status, 2);
    assert!(alone.stderr.contains("--trace <FILE>"), "{}", alone.stderr);
}
