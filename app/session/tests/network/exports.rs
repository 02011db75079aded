//! Workloads for other programs.

use std::fs;

use formats::{chakra, flows_csv, simgrid};
use session::{
    Assignment, Existing, NetworkConsumer, Opened, Request, import_simgrid, open, open_plan,
    save_network_bundle,
};

use crate::scratch::{SCENARIO, Scratch};
use crate::{makespan, plan, text};

#[test]
fn a_flow_table_has_every_byte_once_and_pieces_load_the_spines_evenly() {
    let scratch = Scratch::new("flow-table");
    // Five flows between two leaves: the last is cut over both spines.
    fs::write(
        scratch.0.join("flows.csv"),
        "id,src,dst,bytes,start_s,after\n\
         a,n0,n4,1000,0,\n\"b,c\",n1,n5,1000,0,\nd,n2,n6,1000,0,\ne,n3,n7,1000,0,\nf,n0,n5,1000,0,\ng,n0,n0,5,0,\n",
    )
    .unwrap();
    let text_of = |set: &str| {
        let scenario = SCENARIO.replace(
            "collective = \"permutation\"\nbytes = \"1 MiB\"",
            "flows = \"flows.csv\"",
        );
        fs::write(scratch.0.join("scenario.toml"), scenario).unwrap();
        let opened = scratch.open(&[set]);
        let bundle = opened.export_network(NetworkConsumer::FlowTable).unwrap();
        text(&bundle, "flow_table.csv")
    };
    let table = text_of("network.load_balancing=\"singlepath\"");
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(
        rows[0], "flow,src,dst,piece,queue_pair,bytes,way,links",
        "{table}"
    );
    assert_eq!(rows.len(), 1 + 6 + 1, "{table}");
    assert!(table.contains("\n\"b,c\",n1,n5,0,0,1000,"));
    assert!(table.contains("\ng,n0,n0,0,0,5,0,\n"));
    let bytes = |spine: &str| -> u64 {
        let rows = rows.iter().filter(|row| row.contains(spine));
        let rows = rows.map(|row| {
            let plain = row.replace("\"b,c\"", "b");
            plain.split(',').nth(5).unwrap().parse::<u64>().unwrap()
        });
        rows.sum()
    };
    assert_eq!([bytes("spine0"), bytes("spine1")], [2500, 2500]);
    assert!(table.contains("\nf,n0,n5,1,1,500,"), "{table}");
    // Links are named as in the JSON: cable and direction.
    assert!(
        table.contains("leaf0->spine0 up;leaf1->spine0 down;"),
        "{table}"
    );
    assert_eq!(table, text_of("network.load_balancing=\"singlepath\""));
}

#[test]
fn a_table_refuses_what_chooses_ways_as_flows_run() {
    let scratch = Scratch::new("flow-table-spray");
    for policy in ["spray", "reps", "adaptive-flow"] {
        let opened = scratch.open(&[&format!("network.load_balancing=\"{policy}\"")]);
        let failures = opened
            .export_network(NetworkConsumer::FlowTable)
            .unwrap_err();
        assert!(failures[0].to_string().starts_with(policy), "{failures:?}");
    }
}

#[test]
fn nccl_is_told_of_queue_pairs_and_what_it_cannot_be_told_is_a_warning() {
    let scratch = Scratch::new("nccl");
    let env = |set: &[&str]| {
        let opened = scratch.open(set);
        let bundle = opened.export_network(NetworkConsumer::Nccl).unwrap();
        let text = text(&bundle, "nccl.env");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.filter(|line| !line.is_empty()).map(str::to_owned);
        (lines.collect::<Vec<String>>(), bundle.warnings)
    };
    let (lines, warnings) = env(&[
        "network.load_balancing=\"ecmp-k\"",
        "nccl.qps=8",
        "nccl.channels=4",
        "nccl.algo=\"ring\"",
        "nccl.proto=\"simple\"",
    ]);
    assert_eq!(
        lines,
        [
            "NCCL_IB_QPS_PER_CONNECTION=8",
            "NCCL_IB_SPLIT_DATA_ON_QPS=1",
            "NCCL_IB_ADAPTIVE_ROUTING=0",
            "NCCL_MIN_NCHANNELS=4",
            "NCCL_MAX_NCHANNELS=4",
            "NCCL_ALGO=Ring",
            "NCCL_PROTO=Simple",
        ]
    );
    assert!(warnings.is_empty());
    let (lines, warnings) = env(&["network.load_balancing=\"spray\""]);
    assert!(lines.contains(&"NCCL_IB_ADAPTIVE_ROUTING=1".to_owned()));
    assert!(warnings[0].contains("out of order"), "{warnings:?}");
    let (_, warnings) = env(&["network.load_balancing=\"singlepath\""]);
    assert!(warnings[0].contains("flow-table"), "{warnings:?}");
}

/// What the files for `SimGrid` take when they are read back, in picoseconds, and the warnings.
fn there(scratch: &Scratch, opened: &Opened) -> (u64, Vec<String>) {
    let bundle = opened.export_network(NetworkConsumer::SimGrid).unwrap();
    save_network_bundle(&scratch.0, Existing::Replace, &bundle).unwrap();
    let scenario = scratch.0.join("there.toml");
    let text = "schema = 1\n[workload]\nfabric = \"platform.xml\"\nflows = \"flows.csv\"\n";
    fs::write(&scenario, text).unwrap();
    let there = open(&Request {
        scenario,
        ..Request::default()
    });
    (makespan(&there.unwrap()), bundle.warnings)
}

/// Whether a warning says that the files take another time.
fn is_told(warnings: &[String]) -> bool {
    warnings
        .iter()
        .any(|text| text.contains("under way at once share"))
}

/// Checks that every kind takes the same time by its files, or that a warning says what they take.
/// The kinds that differ.
fn differing(scratch: &Scratch, more: &[&str]) -> Vec<&'static str> {
    let mut differing = Vec::new();
    for kind in traffic::Kind::ALL {
        let name = format!("workload.collective=\"{}\"", kind.name());
        let set: Vec<&str> = std::iter::once(name.as_str())
            .chain(more.iter().copied())
            .collect();
        let opened = scratch.open(&set);
        let (listed, warnings) = there(scratch, &opened);
        let own = makespan(&opened);
        let off = listed as f64 / own as f64 - 1.0;
        let traffic = opened.traffic().unwrap();
        let mut streams = traffic.program.streams().iter();
        let overlaps = streams.any(|stream| 1 < stream.window && 1 < stream.steps);
        if is_told(&warnings) {
            let text = warnings.join(" ");
            let [listed, own] = [listed, own].map(|picos| picos as f64 * 1e-6);
            let said = format!("takes {listed:.3} us in place of {own:.3} us");
            assert!(text.contains(&said), "{name}: {text}, not {said}");
            assert!(overlaps && off.abs() < 0.2, "{name}: {off}");
            differing.push(kind.name());
        } else {
            assert!(off.abs() < 1e-6, "{name}: {off}");
        }
    }
    differing
}

#[test]
fn simgrid_runs_the_same_workload_to_the_same_time_or_a_warning_says_what_it_takes() {
    let scratch = Scratch::new("to-simgrid");
    let opened = scratch.open(&["workload.collective=\"ring\""]);
    assert_eq!(there(&scratch, &opened).0, makespan(&opened));
    let platform = fs::read_to_string(scratch.0.join("platform.xml")).unwrap();
    let platform = simgrid::read(&platform).unwrap().platform;
    assert_eq!(cluster::Topology::n_hosts(&platform), 8);
    // Chunks of one connection overlap: flows cannot go one after the other while latencies pass.
    let large = differing(&scratch, &["workload.bytes=\"16 MiB\""]);
    for kind in ["broadcast", "reduce", "double_tree"] {
        assert!(large.contains(&kind), "{large:?}");
    }
    let small = differing(&scratch, &["workload.bytes=\"4 KiB\""]);
    assert_eq!(small, Vec::<&str>::new());
}

#[test]
fn exported_flows_of_gpus_say_what_they_take_too() {
    let scratch = Scratch::new("to-simgrid-gpus");
    let set = [
        "cluster.nodes=2",
        "cluster.name=\"dgx-h100\"",
        "workload.ends=\"gpus\"",
        "workload.collective=\"all_reduce\"",
        "workload.bytes=\"4 MiB\"",
    ];
    let text = "schema = 1\n[workload]\ncollective = \"ring\"\nbytes = \"1 MiB\"\n[cluster]\nname = \"dgx-h100\"\n";
    fs::write(scratch.0.join("scenario.toml"), text).unwrap();
    let opened = scratch.open(&set);
    let (listed, warnings) = there(&scratch, &opened);
    let off = listed as f64 / makespan(&opened) as f64 - 1.0;
    assert_eq!(is_told(&warnings), 1e-6 < off.abs(), "{off}: {warnings:?}");
}

#[test]
fn traces_hold_a_flow_for_every_step() {
    let scratch = Scratch::new("to-chakra");
    for (ends, ranks) in [("nodes", 8), ("gpus", 8)] {
        let ends = format!("workload.ends=\"{ends}\"");
        let opened = scratch.open(&["workload.collective=\"ring\"", &ends]);
        let bundle = opened.export_network(NetworkConsumer::Chakra).unwrap();
        assert_eq!(bundle.files.len(), ranks);
        assert!(bundle.files.iter().all(|file| !file.is_text));
        let mut traces = Vec::new();
        for file in &bundle.files {
            let mut bytes = Vec::new();
            file.write(&mut bytes).unwrap();
            traces.push(chakra::read(&file.name, &mut bytes.as_slice()).unwrap());
        }
        let flows = chakra::flows(&traces).unwrap().flows;
        // Flows from a rank to itself only join what others wait for.
        let messages = flows.iter().filter(|(_, flow)| flow.src != flow.dst);
        assert_eq!(messages.count(), 8 * 14);
    }
}

#[test]
fn htsim_gets_rings_whose_steps_wait_for_what_they_receive() {
    let scratch = Scratch::new("to-htsim");
    let opened = scratch.open(&["workload.collective=\"ring\""]);
    let bundle = opened.export_network(NetworkConsumer::Htsim).unwrap();
    let matrix = text(&bundle, "flows.cm");
    assert!(matrix.starts_with("Nodes 8\nConnections 112\nTriggers 104\n"));
    assert!(text(&bundle, "fabric.topo").contains("Oversubscribed 2"));
    let told = bundle.warnings.join("\n");
    assert!(told.contains("fire one trigger"), "{told}");
}

#[test]
fn htsim_refuses_failed_links_and_platforms() {
    let scratch = Scratch::new("htsim-refuses");
    let slow = "stragglers=[{ link = \"leaf0->spine1\", rate = 0.5 }]";
    let failures = scratch
        .open(&[slow])
        .export_network(NetworkConsumer::Htsim)
        .unwrap_err();
    assert!(failures[0].to_string().contains("slow and failed links"));
}

#[test]
fn a_platform_becomes_a_scenario_that_names_it() {
    let scratch = Scratch::new("from-simgrid");
    let opened = scratch.open(&[]);
    let bundle = opened.export_network(NetworkConsumer::SimGrid).unwrap();
    save_network_bundle(&scratch.0, Existing::Replace, &bundle).unwrap();
    let set = ["workload.collective=ring", "workload.bytes=8000"];
    let set = set.map(|text| Assignment::new("--set", text));
    let path = scratch.0.join("platform.xml");
    let imported = import_simgrid(&path, Some(&scratch.0), &set).unwrap();
    assert!(imported.text.contains("fabric = \"platform.xml\""));
    assert!(
        imported.notes[0].contains("8 hosts"),
        "{:?}",
        imported.notes
    );
    assert!(
        !imported.ignored.is_empty(),
        "hosts of a platform have a speed"
    );
    fs::write(scratch.0.join("scenario.toml"), &imported.text).unwrap();
    assert!(0 < makespan(&scratch.open(&[])));
    let other = scratch.0.join("platform.txt");
    fs::copy(&path, &other).unwrap();
    assert!(import_simgrid(&other, None, &[]).is_err());
}

#[test]
fn files_that_are_there_with_the_same_contents_stay_and_others_are_not_replaced() {
    let scratch = Scratch::new("export-again");
    let opened = scratch.open(&[]);
    let bundle = opened.export_network(NetworkConsumer::SimGrid).unwrap();
    let save = |existing| save_network_bundle(&scratch.0, existing, &bundle);
    save(Existing::Refuse).unwrap();
    save(Existing::Refuse).unwrap();
    let list = scratch.0.join("flows.csv");
    let whole = fs::read_to_string(&list).unwrap();
    for other in [&whole[..whole.len() - 1], &format!("{whole}x")] {
        fs::write(&list, other).unwrap();
        assert!(save(Existing::Refuse).is_err());
    }
    save(Existing::Replace).unwrap();
    assert_eq!(fs::read_to_string(&list).unwrap(), whole);
}

#[test]
fn a_plan_is_exported_from_the_answer_of_a_search() {
    let scratch = Scratch::new("plan-export");
    let plans = plan(&scratch.open(&[]), &[]);
    let entries = plans.plans.iter().map(|plan| {
        serde_json::json!({
            "scenario_toml": plan.scenario,
            "scenario_base": scratch.0,
            "scenario": plans.name,
        })
    });
    let entries: Vec<_> = entries.collect();
    let document = serde_json::json!({ "schema": 1, "best": 0, "plans": entries });
    let file = scratch.0.join("plans.json");
    fs::write(&file, document.to_string()).unwrap();
    let request = Request {
        scenario: file,
        ..Request::default()
    };
    for (rank, plan) in plans.plans.iter().enumerate() {
        let opened = open_plan(&request, Some(rank)).unwrap();
        assert_eq!(
            opened.spec.network.load_balancing,
            Some(plan.candidate.policy)
        );
        let flows = opened.export_network(NetworkConsumer::SimGrid).unwrap();
        let list = text(&flows, "flows.csv");
        let host = |name: &str| {
            let place = name.strip_prefix('n')?.parse().ok()?;
            Some(units::HostId::new(place))
        };
        assert_eq!(
            flows_csv::read(list.as_bytes(), host).unwrap().flows.len(),
            8
        );
    }
}
