//! Fields of network workloads: what is given in vain, and what is wrong with them.

use std::fs;
use std::path::Path;

use format::scenario_fields;
use session::{Failure, Keep, Opened, open};
use traffic::Kind;
use units::Control;

use crate::scratch::Scratch;

/// Two leaves with two hosts each, and two spines.
const SCENARIO: &str = "\
schema = 1
[workload]
collective = \"permutation\"
bytes = \"1 MiB\"
[cluster]
nodes = [{ kind = \"host-100g\", count = 4 }]
fabric = { name = \"two\", kind = \"leaf-spine\", nodes_per_leaf = 2, spines = 2, link_latency = \"1 us\", switch_latency = \"0 ns\", source = \"a test\" }
";

/// Two hosts behind a fat pipe, and one that nothing leads to.
const PLATFORM: &str = "\
<?xml version='1.0'?>
<platform version=\"4.1\"><zone id=\"z\" routing=\"Full\">
  <host id=\"a\" speed=\"1Gf\"/><host id=\"b\" speed=\"1Gf\"/><host id=\"c\" speed=\"1Gf\"/>
  <link id=\"fat\" bandwidth=\"1GBps\" latency=\"0us\" sharing_policy=\"FATPIPE\"/>
  <route src=\"a\" dst=\"b\"><link_ctn id=\"fat\"/></route>
</zone></platform>
";

const PACKETS: &str = "settings.engine=\"packet\"";

impl Scratch {
    fn opened(&self, scenario: &str, set: &[&str]) -> Result<Opened, Vec<Failure>> {
        fs::write(self.0.join("scenario.toml"), scenario).unwrap();
        open(&self.request(set))
    }

    fn warnings(&self, set: &[&str]) -> Vec<String> {
        let opened = self.opened(SCENARIO, set).unwrap();
        opened.traffic().unwrap().warnings
    }

    /// Field, message and hint of the only failure.
    fn failure(&self, scenario: &str, set: &[&str]) -> [String; 3] {
        let opened = self.opened(scenario, set);
        let Err(failures) = opened.and_then(|opened| opened.traffic().map(|_| ())) else {
            panic!("{set:?} is right");
        };
        assert_eq!(failures.len(), 1, "{failures:?}");
        let failure = &failures[0];
        let place = failure.place.is_some();
        assert!(place, "{failure} has no place");
        let hint = failure.hint().unwrap_or_default();
        [failure.field.clone(), failure.to_string(), hint]
    }

    /// The failure of a list of flows.
    fn of_flows(&self, rows: &str) -> [String; 3] {
        fs::write(self.0.join("flows.csv"), rows).unwrap();
        let scenario = SCENARIO.replace("collective = \"permutation\"", "flows = \"flows.csv\"");
        let scenario = scenario.replace("bytes = \"1 MiB\"\n", "");
        self.failure(&scenario, &[])
    }
}

#[test]
fn a_field_that_its_engine_does_not_look_at_is_a_warning() {
    let scratch = Scratch::new("fields-engine");
    assert_eq!(scratch.warnings(&[]), [""; 0]);
    assert_eq!(scratch.warnings(&[PACKETS]), [""; 0]);
    for (set, engine, field, reason) in [
        (
            "network.transport=\"uec\"",
            "flow",
            "network.transport",
            "no packets",
        ),
        ("network.pfc=true", "flow", "network.pfc", "no packets"),
        (
            "network.flowlet_gap=\"1 us\"",
            "flow",
            "network.flowlet_gap",
            "no packets",
        ),
        (
            "network.share=\"cm02\"",
            "packet",
            "network.share",
            "flow engine",
        ),
        (
            "network.split=\"equal\"",
            "flow",
            "network.split",
            "`singlepath`",
        ),
        (
            "network.split=\"equal\"",
            "packet",
            "network.split",
            "`singlepath`",
        ),
        (
            "network.flowlet_gap=\"1 us\"",
            "packet",
            "network.flowlet_gap",
            "`flowlet`",
        ),
        (
            "settings.jitter=0.1",
            "flow",
            "settings.jitter",
            "`workload.jitter`",
        ),
        ("plan.tp=2", "flow", "plan", "training"),
        ("training.seq_len=2048", "flow", "training", "training"),
    ] {
        let engine = format!("settings.engine=\"{engine}\"");
        let mut all = vec![set, &engine];
        if set.starts_with("training") {
            all.push("training.global_batch=1");
        }
        let warnings = scratch.warnings(&all);
        let begin = format!("`{field}` has no effect: ");
        assert_eq!(warnings.len(), 1, "{set}: {warnings:?}");
        let fits = warnings[0].starts_with(&begin) && warnings[0].contains(reason);
        assert!(fits, "{set}: {warnings:?}");
    }
}

#[test]
fn a_field_that_its_transport_does_not_look_at_is_a_warning() {
    let scratch = Scratch::new("fields-transport");
    for (transport, set, warns) in [
        ("dcqcn-gbn", "network.window=9", true),
        ("dcqcn-sr", "network.control=\"both\"", true),
        ("dcqcn-sr", "network.entropies=9", true),
        ("ideal", "network.window=9", true),
        ("ideal", "network.trimming=true", true),
        ("ideal", "network.ecn_kmin=\"1 kB\"", true),
        ("ndp", "network.ecn_kmin=\"1 kB\"", true),
        ("eqds", "network.ecn_pmax=0.5", true),
        ("ndp", "network.control=\"both\"", true),
        ("ndp", "network.window=9", false),
        ("eqds", "network.entropies=9", false),
        ("uec", "network.control=\"both\"", false),
        ("uec", "network.entropies=9", false),
        ("dcqcn-sr", "network.ecn_pmax=0.5", false),
        ("ideal", "network.payload=\"1 kB\"", false),
    ] {
        let named = format!("network.transport=\"{transport}\"");
        let warnings = scratch.warnings(&[PACKETS, &named, set]);
        let field = set.split('=').next().unwrap();
        let begin = format!("`{field}` has no effect: ");
        let found = warnings.iter().any(|warning| warning.starts_with(&begin));
        assert_eq!(
            (found, warnings.len()),
            (warns, usize::from(warns)),
            "{transport} {set}"
        );
    }
}

#[test]
fn a_policy_of_packets_says_what_it_is_in_the_flow_engine() {
    let scratch = Scratch::new("fields-policy");
    let with = |policy: &str, engine: &str| {
        let policy = format!("network.load_balancing=\"{policy}\"");
        scratch.warnings(&[&policy, engine])
    };
    let flows = "settings.engine=\"flow\"";
    assert_eq!(
        with("reps", flows),
        [
            "`network.load_balancing = \"reps\"` runs as `spray` in the flow engine: it sees no packets"
        ]
    );
    assert!(with("flowlet", flows)[0].contains("runs as `ecmp`"));
    assert_eq!(with("reps", PACKETS), [""; 0]);
    assert_eq!(with("adaptive-flow", flows), [""; 0]);
}

#[test]
fn what_belongs_to_one_candidate_of_a_plan_is_not_given_in_vain() {
    let scratch = Scratch::new("fields-plan");
    let set = ["network.split=\"equal\""];
    let opened = scratch.opened(SCENARIO, &set).unwrap();
    let plans = opened.plan_network(&[], &Control::new()).unwrap();
    assert_eq!(plans.warnings, [""; 0]);
}

#[test]
fn the_front_of_plans_gets_fewer_pieces_for_more_time() {
    let scratch = Scratch::new("fields-pareto");
    let opened = scratch.opened(SCENARIO, &[]).unwrap();
    let found = opened.plan_network(&[], &Control::new()).unwrap();
    assert_eq!(found.pareto[0], 0);
    let pieces = |at: usize| found.plans[at].extra_pieces.unwrap_or(u64::MAX);
    for pair in found.pareto.windows(2) {
        assert!(pieces(pair[1]) < pieces(pair[0]));
    }
    for (at, plan) in found.plans.iter().enumerate() {
        let mut front = found.pareto.iter().map(|kept| &found.plans[*kept]);
        let covered = front.any(|kept| {
            kept.makespan.as_secs() <= plan.makespan.as_secs() * 1.005
                && kept.extra_pieces.unwrap_or(u64::MAX) <= pieces(at)
        });
        assert!(covered, "{at}");
    }
}

#[test]
fn numbers_out_of_range_name_field_and_range() {
    let scratch = Scratch::new("fields-range");
    let dcqcn = "network.transport=\"dcqcn-gbn\"";
    for (set, field, message, hint) in [
        (
            &["network.entropies=4294967295"][..],
            "network.entropies",
            "`network.entropies` is 4294967295, expected a whole number from 1 to 65536",
            "give a whole number from 1 to 65536",
        ),
        (
            &["network.payload=0"],
            "network.payload",
            "`network.payload` is 0 B, expected a size from 1 B to 65471 B",
            "give a size from 1 B to 65471 B",
        ),
        (
            &["network.payload=\"1 MiB\""],
            "network.payload",
            "`network.payload` is 1 MiB, expected a size from 1 B to 65471 B",
            "give a size from 1 B to 65471 B",
        ),
        (
            &["nccl.qps=5000"],
            "nccl.qps",
            "`nccl.qps` is 5000, expected a whole number from 1 to 4096",
            "give a whole number from 1 to 4096",
        ),
        (
            &["network.ecn_kmin=\"2 MiB\"", "network.ecn_kmax=\"1 MiB\""],
            "network.ecn_kmin",
            "`ecn_kmin` is 2 MiB, more than `ecn_kmax`, which is 1 MiB",
            "marking begins at `ecn_kmin` and is certain at `ecn_kmax`",
        ),
        (
            &[PACKETS, dcqcn, "network.ecn_kmin=\"2 MiB\""],
            "network.ecn_kmin",
            "marking begins at 2 MiB and is certain at 1.53 MiB, which is less (`ecn_kmin`)",
            "give `ecn_kmax`, too: the other end of the range",
        ),
        (
            &[PACKETS, "workload.bytes=\"900 TiB\""],
            "workload.bytes",
            "a message of 900 TiB is longer than 8.00 TiB, 2³¹ packets",
            "send less, or use engine = \"flow\"",
        ),
    ] {
        let expected = [field, message, hint].map(str::to_owned);
        assert_eq!(scratch.failure(SCENARIO, set), expected);
    }
}

#[test]
fn hints_about_flows_are_about_what_is_wrong() {
    let scratch = Scratch::new("fields-flows");
    let header = "id,src,dst,bytes,start_s,after\n";
    for (rows, hint) in [
        ("a,n0,n1,8,0,b\nb,n1,n0,8,0,a\n", "take a flow out"),
        ("a,n0,n1,8,0,\na,n1,n0,8,0,\n", "an id of its own"),
        ("a,n0,n1,8,soon,\n", "write seconds"),
        ("\"a,n0,n1,8,0,\n", "close the quote"),
        ("a,n0,n1,8,0,\n\nb,n0,n1,8,0,\n", "leave out lines"),
        ("a,n0,n1,8,0,c\n", "ids of this list"),
        ("a,n0,n1,many,0,\n", "in digits"),
        ("a,n0,n9,8,0,\n", "hosts are nodes n0 to n3"),
        ("a,n0,n1,8\n", "join several ids"),
    ] {
        let [field, message, found] = scratch.of_flows(&format!("{header}{rows}"));
        assert_eq!(field, "workload.flows");
        assert!(message.contains("flows.csv: line "), "{message}");
        assert!(found.contains(hint), "{message}: {found}");
    }
}

#[test]
fn a_platform_in_two_parts_says_which_hosts_and_what_to_do() {
    let scratch = Scratch::new("fields-platform");
    fs::write(scratch.0.join("platform.xml"), PLATFORM).unwrap();
    fs::write(scratch.0.join("flows.csv"), "id,src,dst,bytes\n0,a,c,8\n").unwrap();
    let scenario = "schema = 1\n[workload]\nfabric = \"platform.xml\"\nflows = \"flows.csv\"\n";
    let [field, message, hint] = scratch.failure(scenario, &[]);
    assert_eq!(field, "workload.fabric");
    assert!(
        message.starts_with("no way leads from `a` to `c`"),
        "{message}"
    );
    assert!(hint.contains("give the platform a route"), "{hint}");
}

#[test]
fn a_fat_pipe_has_bytes_and_no_share_of_use() {
    let scratch = Scratch::new("fields-fat");
    fs::write(scratch.0.join("platform.xml"), PLATFORM).unwrap();
    let flows = "id,src,dst,bytes\n0,a,b,1000000\n1,a,b,1000000\n";
    fs::write(scratch.0.join("flows.csv"), flows).unwrap();
    let scenario = "schema = 1\n[workload]\nfabric = \"platform.xml\"\nflows = \"flows.csv\"\n";
    let traffic = scratch.opened(scenario, &[]).unwrap().traffic().unwrap();
    let answer = traffic.run(Keep::Totals, &Control::new()).unwrap();
    let mut text = Vec::new();
    let more = serde_json::json!({});
    answer.write_json(&traffic, &more, &mut text).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let link = &document["links"][0];
    assert_eq!(
        (&link["name"], &link["bytes"]),
        (&"fat".into(), &2_000_000.0.into())
    );
    assert!(link["utilisation"].is_null(), "{link}");
    assert_eq!(document["makespan_s"], 0.001);
}

fn docs(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    fs::read_to_string(docs.join(name)).unwrap()
}

#[test]
fn the_examples_of_the_docs_are_scenarios() {
    let scratch = Scratch::new("fields-docs");
    fs::write(scratch.0.join("platform.xml"), PLATFORM).unwrap();
    fs::write(scratch.0.join("flows.csv"), "id,src,dst,bytes\n0,a,b,8\n").unwrap();
    let mut n_examples = 0;
    for name in ["network.md", "network-reference.md"] {
        let text = docs(name);
        for block in text.split("```toml\n").skip(1) {
            let example = block.split("```").next().unwrap();
            n_examples += 1;
            let opened = scratch.opened(example, &[]).unwrap();
            if opened.is_traffic() {
                let traffic = opened.traffic().unwrap();
                let idle = |warning: &&String| warning.contains("has no effect");
                assert_eq!(traffic.warnings.iter().find(idle), None, "{example}");
                let answer = traffic.run(Keep::Totals, &Control::new()).unwrap();
                assert!(0 < answer.makespan.as_picos(), "{example}");
            } else {
                let ready = opened.ready().unwrap();
                assert_eq!(ready.scenario.beside.len(), 1, "{example}");
            }
        }
    }
    assert_eq!(n_examples, 4);
}

#[test]
fn the_reference_names_every_field_and_every_collective() {
    let text = docs("network-reference.md");
    let sections = scenario_fields();
    for section in ["workload", "network", "background"] {
        let field = sections.iter().find(|field| field.key == section).unwrap();
        let schema = format!("{:?}", field.kind);
        let keys = schema.split("key: \"").skip(1);
        let keys: Vec<&str> = keys.map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(3 < keys.len(), "{section}");
        for key in keys {
            assert!(text.contains(&format!("`{key}`")), "{section}.{key}");
        }
    }
    for kind in Kind::ALL {
        assert!(
            text.contains(&format!("\n| `{}` | ", kind.name())),
            "{}",
            kind.name()
        );
    }
}
