//! Answers of the packet engine.

use std::fs;

use session::{CaseResult, Keep, NetworkPlanError, Rules, open, open_sweep};
use units::Control;

use crate::plan;
use crate::scratch::Scratch;

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
