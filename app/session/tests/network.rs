//! Planning and exporting network workloads.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot be read fails the test"
)]

use std::fs;
use std::path::PathBuf;

use formats::{chakra, flows_csv, simgrid};
use session::{
    Assignment, CaseResult, Existing, Keep, NetworkBundle, NetworkConsumer, NetworkField,
    NetworkPlanError, NetworkPlans, Opened, Request, Rules, import_simgrid, open, open_plan,
    open_sweep, save_network_bundle,
};
use units::Control;

/// Two leaves with four hosts each, and two spines.
const SCENARIO: &str = "\
schema = 1
[workload]
collective = \"permutation\"
bytes = \"1 MiB\"
[cluster]
nodes = [{ kind = \"host-100g\", count = 8 }]
fabric = { name = \"two\", kind = \"leaf-spine\", nodes_per_leaf = 4, spines = 2, oversubscription = 2, link_latency = \"1 us\", switch_latency = \"0 ns\", source = \"a test\" }
";

/// A folder of its own with a scenario, which goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("windtunnel-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("scenario.toml"), SCENARIO).unwrap();
        Self(path)
    }

    fn request(&self, set: &[&str]) -> Request {
        Request {
            scenario: self.0.clone(),
            above: set
                .iter()
                .map(|text| Assignment::new("--set", *text))
                .collect(),
            ..Request::default()
        }
    }

    fn open(&self, set: &[&str]) -> Opened {
        open(&self.request(set)).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn plan(opened: &Opened, fixed: &[NetworkField]) -> NetworkPlans {
    opened.plan_network(fixed, &Control::new()).unwrap()
}

fn text(bundle: &NetworkBundle, name: &str) -> String {
    let file = bundle.files.iter().find(|file| file.name == name);
    let mut text = Vec::new();
    file.unwrap().write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// When the last byte of all arrives, in picoseconds.
fn makespan(opened: &Opened) -> u64 {
    let traffic = opened.traffic().unwrap();
    let answer = traffic.run(Keep::Totals, &Control::new()).unwrap();
    answer.makespan.as_picos()
}

fn policies(plans: &NetworkPlans) -> Vec<&'static str> {
    let plans = plans.plans.iter();
    plans.map(|plan| plan.candidate.policy).collect()
}

#[test]
fn the_best_plan_loads_links_as_spraying_does_and_the_order_is_that_of_times() {
    let scratch = Scratch::new("plan-order");
    let plans = plan(&scratch.open(&[]), &[]);
    let ideal = plans.ideal.unwrap().as_secs();
    let best = &plans.plans[0];
    assert!(best.makespan.as_secs() <= ideal * 1.005);
    assert!((best.congestion / plans.ideal_congestion - 1.0).abs() < 1e-6);
    assert_eq!(best.extra_pieces, Some(0));
    for pair in plans.plans.windows(2) {
        assert!(pair[0].makespan.as_secs() <= pair[1].makespan.as_secs() * 1.005);
    }
    assert_eq!(plans.plans.len(), 12);
    assert!(!plans.partial && plans.excluded.is_empty());
}

#[test]
fn plans_do_not_depend_on_the_number_of_threads() {
    let scratch = Scratch::new("plan-threads");
    let opened = scratch.open(&["network.load_balancing=\"ecmp\""]);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let plans = pool.build().unwrap().install(|| plan(&opened, &[]));
        format!("{plans:?}")
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn policies_that_hash_show_their_median_and_their_worst_run() {
    let scratch = Scratch::new("plan-seeds");
    let plans = plan(&scratch.open(&[]), &[]);
    for plan in &plans.plans {
        let hashes = matches!(plan.candidate.policy, "ecmp" | "ecmp-k" | "flowlet");
        assert_eq!(plan.runs, if hashes { 5 } else { 1 });
        assert!(plan.makespan.as_secs() <= plan.worst.as_secs());
    }
    let ecmp = plans
        .plans
        .iter()
        .find(|plan| plan.candidate.policy == "ecmp");
    assert!(ecmp.unwrap().makespan.as_secs() < ecmp.unwrap().worst.as_secs());
}

#[test]
fn the_scenario_of_a_plan_runs_to_the_time_of_the_plan() {
    let scratch = Scratch::new("plan-again");
    let plans = plan(&scratch.open(&[]), &[]);
    for plan in plans.plans.iter().filter(|plan| plan.runs == 1) {
        fs::write(scratch.0.join("scenario.toml"), &plan.scenario).unwrap();
        let again = makespan(&scratch.open(&[]));
        let of_plan = units::SimTime::ZERO.after(plan.makespan).unwrap();
        assert!(
            again.abs_diff(of_plan.as_picos()) <= 1,
            "{:?}",
            plan.candidate
        );
    }
}

#[test]
fn what_the_scenario_says_is_compared_with_and_can_be_fixed() {
    let scratch = Scratch::new("plan-own");
    let set = ["network.load_balancing=\"ecmp-k\"", "nccl.qps=3"];
    let plans = plan(&scratch.open(&set), &[]);
    let own = plans.plans.iter().filter(|plan| plan.is_own);
    let own: Vec<_> = own.map(|plan| plan.candidate.queue_pairs).collect();
    assert_eq!(own, [Some(3)]);
    let fixed = plan(&scratch.open(&set), &[NetworkField::LoadBalancing]);
    assert_eq!(policies(&fixed), ["ecmp-k"; 5]);
    assert!(
        fixed.ideal.is_some(),
        "spraying is what all are compared with"
    );
}

#[test]
fn one_way_leaves_nothing_to_choose() {
    let scratch = Scratch::new("plan-one-way");
    let single = "cluster.fabric={ name = \"one\", kind = \"single\", source = \"a test\" }";
    let plans = plan(&scratch.open(&[single]), &[]);
    assert_eq!(policies(&plans), ["static", "spray"]);
    assert_eq!(plans.excluded[0].1, 10);
}

#[test]
fn packets_are_planned_with_the_transport_of_the_scenario() {
    let scratch = Scratch::new("plan-packets");
    let set = [
        "settings.engine=\"packet\"",
        "network.transport=\"uec\"",
        "workload.bytes=100000",
    ];
    let plans = plan(&scratch.open(&set), &[]);
    let policies = policies(&plans);
    for policy in ["adaptive-packet", "oblivious", "reps", "mixed"] {
        assert!(policies.contains(&policy), "{policy}");
    }
    assert!(
        plans
            .plans
            .iter()
            .all(|plan| 0.0 < plan.congestion.as_secs())
    );
}

#[test]
fn a_search_that_is_stopped_before_a_run_ended_has_no_result() {
    let scratch = Scratch::new("plan-stopped");
    let control = Control::new();
    control.cancel();
    let error = scratch.open(&[]).plan_network(&[], &control).unwrap_err();
    assert_eq!(error.to_string(), "interrupted before a run had ended");
}

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

/// Four nodes with eight GPUs and eight NICs each.
const RAILS: &str = "\
schema = 1
[workload]
collective = \"all_gather\"
bytes = \"1 GiB\"
ends = \"gpus\"
[cluster]
name = \"dgx-h100\"
nodes = 4
";

/// What was assumed of a field.
fn assumed(opened: &Opened, field: &str) -> Option<String> {
    let traffic = opened.traffic().unwrap();
    let mut all = traffic.assumptions.into_iter();
    all.find(|assumed| assumed.field == field)
        .map(|assumed| assumed.value)
}

#[test]
fn what_nccl_chooses_is_among_the_assumptions_and_what_is_given_is_not() {
    let scratch = Scratch::new("nccl-chosen");
    fs::write(scratch.0.join("scenario.toml"), RAILS).unwrap();
    let value = |set: &[&str], field| assumed(&scratch.open(set), field);
    assert_eq!(value(&[], "nccl.algo").unwrap(), "ring");
    assert_eq!(value(&[], "nccl.proto").unwrap(), "simple");
    assert_eq!(value(&[], "nccl.channels").unwrap(), "16");
    assert_eq!(value(&["nccl.channels=8"], "nccl.channels"), None);
    let small = ["workload.bytes=\"64 KiB\""];
    assert_eq!(value(&small, "nccl.proto").unwrap(), "ll");
    let nodes = [
        "workload.ends=\"nodes\"",
        "workload.collective=\"alltoall\"",
    ];
    assert_eq!(value(&nodes, "nccl.algo"), None);
}

#[test]
fn what_of_nccl_has_no_effect_is_a_warning() {
    let scratch = Scratch::new("nccl-unheeded");
    fs::write(scratch.0.join("scenario.toml"), RAILS).unwrap();
    let warnings = |set: &[&str]| scratch.open(set).traffic().unwrap().warnings.join("\n");
    assert_eq!(
        warnings(&["nccl.channels=8", "nccl.algo=\"ring\"", "nccl.proto=\"ll\""]),
        ""
    );
    let told = warnings(&["nccl.algo=\"pat\"", "nccl.channels=1000"]);
    assert!(
        told.contains("`nccl.algo` = \"pat\" has no effect"),
        "{told}"
    );
    assert!(told.contains("counts as 64"), "{told}");
    let reduce = [
        "workload.collective=\"all_reduce\"",
        "nccl.algo=\"nvls-tree\"",
    ];
    let told = warnings(&[reduce[0], reduce[1], "nccl.proto=\"ll\"", "nccl.channels=4"]);
    assert!(told.contains("nccl."), "{told}");
    let pairs = [
        "workload.collective=\"alltoall\"",
        "nccl.algo=\"ring\"",
        "nccl.proto=\"ll\"",
    ];
    let told = warnings(&[pairs[0], pairs[1], pairs[2], "nccl.channels=4"]);
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn collectives_over_nodes_take_what_all_of_their_nics_take() {
    let scratch = Scratch::new("all-nics");
    fs::write(scratch.0.join("scenario.toml"), RAILS).unwrap();
    for kind in ["all_gather", "ring", "broadcast", "permutation"] {
        let kind = format!("workload.collective=\"{kind}\"");
        let time = makespan(&scratch.open(&[&kind, "workload.ends=\"nodes\""]));
        // 1 GiB, or twice or once three quarters of it, over eight NICs of 50 GB/s.
        let share = time as f64 * 1e-12 / ((1_u64 << 30) as f64 / 400e9);
        assert!((0.75..1.6).contains(&share), "{kind}: {share}");
    }
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

/// A ring of five switches with four hosts each: routes over two cables close a circle.
const RING: &str = "\
schema = 1
[workload]
collective = \"alltoall\"
bytes = \"2 MiB\"
[cluster]
nodes = [{ kind = \"host-100g\", count = 20 }]
[cluster.fabric]
name = \"ring\"
kind = \"graph\"
switches = [\"s[0-4]\"]
link_rate = \"100 Gbit/s\"
link_latency = \"1 us\"
source = \"a test\"
cables = [{ ends = [\"s0\", \"s1\"] }, { ends = [\"s1\", \"s2\"] }, { ends = [\"s2\", \"s3\"] }, { ends = [\"s3\", \"s4\"] }, { ends = [\"s4\", \"s0\"] }]
attach = [{ switches = [\"s[0-4]\"], nodes_per_switch = 4 }]
[network]
transport = \"dcqcn-gbn\"
ecn = false
[settings]
engine = \"packet\"
";

#[test]
fn a_deadlock_of_pauses_is_no_plan_and_no_time_of_a_case() {
    let scratch = Scratch::new("deadlock");
    fs::write(scratch.0.join("scenario.toml"), RING).unwrap();
    let opened = scratch.open(&[]);
    let error = opened.plan_network(&[], &Control::new()).unwrap_err();
    let NetworkPlanError::Nothing(text, hint) = error else {
        panic!("{error}");
    };
    assert!(text.contains("static: deadlock of pauses"), "{text}");
    assert!(hint.is_some_and(|hint| hint.contains("network.pfc")));
    let opened = scratch.open(&["network.transport=\"uec\""]);
    let plans = plan(&opened, &[]);
    assert!(plans.failed.is_empty() && !plans.plans.is_empty());
    let sweep = format!("{RING}[sweep]\n\"network.transport\" = [\"dcqcn-sr\", \"uec\"]\n");
    fs::write(scratch.0.join("scenario.toml"), sweep).unwrap();
    let cases = open_sweep(&scratch.request(&[]))
        .unwrap()
        .run(&Control::new());
    let [CaseResult::Failed(errors), CaseResult::Traffic(_)] = &cases[..] else {
        panic!("{cases:?}");
    };
    assert!(errors[0].contains("deadlock of pauses (PFC)"), "{errors:?}");
    assert!(errors[0].contains("hint: "), "{errors:?}");
}

#[test]
fn buffers_are_shared_or_per_port_and_hold_something() {
    use network::packet::{Amount, Buffer, Headroom};
    let scratch = Scratch::new("buffers");
    let config = |set: &[&str]| {
        let mut all = vec!["settings.engine=\"packet\""];
        all.extend(set);
        match scratch.open(&all).traffic().unwrap().rules {
            Rules::Packet { config, .. } => config,
            rules @ Rules::Flow { .. } => panic!("{rules:?}"),
        }
    };
    let lossless = "network.transport=\"dcqcn-sr\"";
    let usual = config(&[lossless]);
    assert!(matches!(usual.pfc.unwrap().headroom, Headroom::Beyond(_)));
    let named = config(&[lossless, "network.buffer=\"4 MB\""]);
    let shared = |pool| Buffer::Shared { pool, alpha: 1.0 };
    assert_eq!(named.buffer, shared(Amount::Bytes(4_000_000)));
    assert_eq!(named.pfc.unwrap().headroom, Headroom::Within);
    let kind = "network.buffer_kind=\"per-port\"";
    let ports = config(&[lossless, "network.buffer=\"4 MB\"", kind]);
    assert_eq!(ports.buffer, Buffer::PerPort(Amount::Bytes(4_000_000)));
    assert_eq!(config(&["network.transport=\"uec\"", kind]).buffer, {
        config(&["network.transport=\"uec\""]).buffer
    });
    let failures = open(&scratch.request(&["network.buffer=0"])).unwrap_err();
    let text = failures[0].to_string();
    assert!(
        text.contains("network.buffer") && text.contains("above 0"),
        "{text}"
    );
}

#[test]
fn every_answer_compares_its_fullest_link_with_ideal_spraying() {
    let scratch = Scratch::new("congestion");
    let ratio = |set: &[&str]| {
        let traffic = scratch.open(set).traffic().unwrap();
        let answer = traffic.run(Keep::Totals, &Control::new()).unwrap();
        let [own, ideal] = answer.congestion.map(|time| time.unwrap().as_secs());
        own / ideal
    };
    let packet = "settings.engine=\"packet\"";
    let one_way = "network.load_balancing=\"static\"";
    let even = "network.load_balancing=\"singlepath\"";
    assert!(ratio(&[one_way]) >= 1.0);
    assert!((ratio(&[even]) - 1.0).abs() < 1e-9);
    // Headers of 64 bytes in 4,160, and acknowledgements.
    let packets = ratio(&[packet, even]);
    assert!((1.015..1.04).contains(&packets), "{packets}");
    assert!((ratio(&[packet, one_way]) / ratio(&[one_way]) / packets - 1.0).abs() < 0.02);
}

#[test]
fn packets_whose_ways_chance_decides_run_with_several_seeds() {
    let scratch = Scratch::new("packet-seeds");
    let plans = plan(&scratch.open(&["settings.engine=\"packet\""]), &[]);
    let of = |policy| {
        let plan = plans
            .plans
            .iter()
            .find(|plan| plan.candidate.policy == policy);
        plan.unwrap()
    };
    assert_eq!([of("adaptive-flow").runs, of("singlepath").runs], [5, 1]);
    assert!(of("adaptive-flow").worst.as_secs() < 1.05 * of("spray").makespan.as_secs());
}
