//! What links carried over time adds up to what they carried, and chains to what runs take.

use cluster::{Cluster, ClusterNetwork, Topology, example};
use network::Share;
use network::packet::{Balancing, Config, Transport};
use traffic::{
    Curve, Keep, Kind, Policy, Program, Split, balance, chain, collective, run, run_folded,
    run_packets,
};
use units::{Bytes, Control, HostId, Seconds};

/// 32 hosts under four leaves at 100 Gbit/s, 1 µs a link, with half the spines that they need.
fn leaf_spine() -> ClusterNetwork {
    ClusterNetwork::new(Cluster::build(&example::hosts(4, 8, 4, 100.0)).expect("valid"))
}

fn program(kind: Kind, bytes: u64) -> Program {
    let hosts: Vec<HostId> = (0..32).map(HostId::new).collect();
    collective(kind, &hosts, Bytes::new(bytes))
}

const POLICIES: [Policy; 5] = [
    Policy::Static,
    Policy::Ecmp,
    Policy::AdaptiveFlow,
    Policy::Spray,
    Policy::SinglePath(Split::Fewest),
];

fn check(curves: &[Curve], link_bytes: &[f64], network: &ClusterNetwork) {
    let used = link_bytes.iter().filter(|bytes| 0.0 < **bytes).count();
    let told: u32 = curves.iter().map(|curve| curve.count).sum();
    assert_eq!(told as usize, used);
    for curve in curves {
        let (own, all) = (curve.bytes(), link_bytes[curve.link.index()]);
        assert!((own / all - 1.0).abs() < 1e-6, "{own} of {all}");
        let most = network.wire(curve.link).rate.as_f64() * (1.0 + 1e-6);
        let stretches = curve.stretches(1e-9);
        assert!(stretches.iter().all(|(_, _, rate)| *rate <= most));
        assert!(stretches.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        let sum: f64 = stretches
            .iter()
            .map(|(from, to, rate)| rate * to.since(*from).as_secs())
            .sum();
        assert!((sum / all - 1.0).abs() < 1e-6, "{sum} of {all}");
    }
}

#[test]
fn curves_of_the_flow_engine_hold_the_bytes_of_every_link_folded_or_not() {
    let (network, control) = (leaf_spine(), Control::new());
    for kind in [
        Kind::Ring,
        Kind::AllToAll,
        Kind::Permutation,
        Kind::DoubleTree,
    ] {
        for policy in POLICIES {
            let program = balance(&network, &program(kind, 300_000), policy, 7).program;
            let keep = Keep::Loads;
            let alone = run(&network, &program, Share::EQUAL, keep, &control).expect("runs");
            check(&alone.curves, &alone.link_bytes, &network);
            let folded = run_folded(&network, &program, Share::EQUAL, keep, &control);
            let folded = folded.expect("runs");
            check(&folded.curves, &folded.link_bytes, &network);
            assert_eq!(alone.makespan, folded.makespan);
        }
    }
}

#[test]
fn what_is_kept_changes_nothing_else() {
    let (network, control) = (leaf_spine(), Control::new());
    let program = balance(&network, &program(Kind::AllToAll, 50_000), Policy::Ecmp, 7).program;
    let of = |keep| {
        let outcome = run(&network, &program, Share::EQUAL, keep, &control).expect("runs");
        (outcome.makespan, outcome.link_bytes)
    };
    assert_eq!(of(Keep::Totals), of(Keep::Loads));
    let plain = Config::new(Transport::DcqcnSr, Balancing::Ecmp);
    let sampled = Config {
        sample_every: Some(Seconds::from_micros(1.0)),
        ..plain
    };
    let of = |config| {
        let keep = Keep::Messages;
        let outcome = run_packets(&network, &program, config, keep, &control).expect("runs");
        (outcome.times, outcome.totals, outcome.curves)
    };
    let (plain, sampled) = (of(plain), of(sampled));
    assert_eq!((plain.0, plain.1), (sampled.0, sampled.1));
    assert!(plain.2.is_empty() && !sampled.2.is_empty());
}

#[test]
fn curves_of_the_packet_engine_hold_the_bytes_of_every_link() {
    let network = leaf_spine();
    let program = program(Kind::Permutation, 200_000);
    let config = Config {
        sample_every: Some(Seconds::from_micros(1.0)),
        ..Config::new(Transport::Uec, Balancing::Mixed)
    };
    let outcome = run_packets(&network, &program, config, Keep::Totals, &Control::new());
    let outcome = outcome.expect("runs");
    let bytes: Vec<f64> = outcome
        .links
        .iter()
        .map(|stats| stats.bytes as f64)
        .collect();
    let told = outcome.curves.iter().map(Curve::bytes);
    let used = bytes.iter().copied().filter(|bytes| 0.0 < *bytes);
    assert!(told.eq(used));
    for curve in &outcome.curves {
        let most = network.wire(curve.link).rate.as_f64();
        // A packet counts whole when the link begins to send it.
        let slack = 1.0 + 5_000.0 / (most * 1e-6);
        let stretches = curve.stretches(0.01);
        assert!(stretches.iter().all(|(_, _, rate)| *rate <= most * slack));
    }
}

#[test]
fn the_parts_of_a_chain_sum_to_the_time_of_the_run() {
    let (network, control) = (leaf_spine(), Control::new());
    for kind in [
        Kind::Ring,
        Kind::AllToAll,
        Kind::DoubleTree,
        Kind::HalvingDoubling,
    ] {
        for policy in POLICIES {
            let program = balance(&network, &program(kind, 300_000), policy, 7).program;
            let keep = Keep::Messages;
            let outcome = run_folded(&network, &program, Share::EQUAL, keep, &control);
            let outcome = outcome.expect("runs");
            let found = chain(&network, &program, &outcome.times, &Share::EQUAL);
            let sum = found.before + found.latency + found.alone + found.shared;
            let whole = outcome.makespan.as_seconds();
            assert!((sum / whole - 1.0).abs() < 1e-9, "{kind:?}: {found:?}");
        }
    }
}

#[test]
fn a_ring_alone_is_a_chain_of_all_its_steps_that_shares_nothing() {
    let network = leaf_spine();
    let program = program(Kind::Ring, 3_200_000);
    let keep = Keep::Messages;
    let outcome = run(&network, &program, Share::EQUAL, keep, &Control::new()).expect("runs");
    let found = chain(&network, &program, &outcome.times, &Share::EQUAL);
    // 2 (32 - 1) steps of 100 kB at 12.5 GB/s, the slowest over four links of 1 us.
    assert_eq!(found.n_messages, 62);
    assert!((found.alone.as_micros() - 62.0 * 8.0).abs() < 1e-6);
    assert!(found.latency.as_micros() <= 62.0 * 4.0);
    assert!(found.shared.as_micros() < 1e-3, "{found:?}");
}
