//! What senders choose and how much they send: ways, windows, timeouts, and what is counted of it.

#![expect(
    clippy::unwrap_used,
    reason = "a message that is refused fails the test"
)]

use std::collections::BTreeSet;

use crate::net::{hosts, last, message, network, run};
use cluster::{Cluster, ClusterNetwork, Topology as _, example};
use network::packet::{Balancing, Config, Stage, Transport};
use units::{HostId, Seconds, SimTime};

const MIB: u64 = 1 << 20;

/// The last arrival in microseconds where every host of the first leaf, or of all, sends one
/// message; each of them so many picoseconds after the one before.
fn takes(config: Config, [leaves, per_leaf, senders]: [u32; 3], apart: u64) -> f64 {
    let topology = hosts(leaves, per_leaf, per_leaf);
    let mut net = network(&topology, config);
    let n = leaves * per_leaf;
    for src in 0..senders {
        let at = SimTime::from_picos(u64::from(src) * apart);
        net.submit(at, message(src, (src + n / 2) % n, 4 * MIB))
            .unwrap();
    }
    last(&run(&mut net), Stage::Delivered)
}

#[test]
fn flows_that_choose_the_calmest_way_do_not_meet() {
    for transport in [Transport::Ideal, Transport::DcqcnGbn, Transport::Ndp] {
        for (shape, apart) in [([4, 8, 32], 0), ([2, 16, 16], 5_000_000)] {
            let spray = takes(
                Config::new(Transport::Ideal, Balancing::Spray),
                shape,
                apart,
            );
            let time = |balancing| {
                let with = |seed| Config {
                    seed,
                    ..Config::new(transport, balancing)
                };
                (1..=3)
                    .map(|seed| takes(with(seed), shape, apart))
                    .fold(0.0, f64::max)
            };
            let (calm, hashed) = (time(Balancing::AdaptiveFlow), time(Balancing::Ecmp));
            // Acknowledgements of several flows may share a way with one flow.
            assert!(calm < 1.08 * spray, "{transport:?}: {calm} over {spray}");
            assert!(1.3 * calm < hashed, "{transport:?}: {hashed} by a hash");
        }
    }
}

#[test]
fn a_flow_that_has_arrived_counts_no_longer() {
    let topology = hosts(2, 4, 2);
    let config = Config::new(Transport::Ideal, Balancing::AdaptiveFlow);
    let mut net = network(&topology, config);
    // Two short flows take one way each; of the two that come later each finds one free.
    for src in 0..2 {
        net.submit(SimTime::ZERO, message(src, 4 + src, 8192))
            .unwrap();
    }
    let late = SimTime::from_picos(100_000_000);
    for src in 2..4 {
        net.submit(late, message(src, 4 + src, MIB)).unwrap();
    }
    run(&mut net);
    let packets = |way| {
        let mut links = Vec::new();
        topology.way(HostId::new(0), HostId::new(4), way, &mut links);
        net.link(links[1]).unwrap().packets
    };
    assert_eq!([packets(0), packets(1)], [258, 258]);
}

#[test]
fn the_seed_decides_between_ways_that_are_equally_calm() {
    let topology = hosts(2, 4, 4);
    let way_of = |seed| {
        let config = Config {
            seed,
            ..Config::new(Transport::Ideal, Balancing::AdaptiveFlow)
        };
        let mut net = network(&topology, config);
        net.submit(SimTime::ZERO, message(0, 4, MIB)).unwrap();
        run(&mut net);
        let used = (0..4).filter(|&way| {
            let mut links = Vec::new();
            topology.way(HostId::new(0), HostId::new(4), way, &mut links);
            0 < net.link(links[1]).unwrap().packets
        });
        used.collect::<Vec<_>>()
    };
    let ways: BTreeSet<Vec<u32>> = (1..=16).map(way_of).collect();
    assert_eq!(ways.len(), 4);
    assert!(ways.iter().all(|ways| ways.len() == 1));
    assert_eq!(way_of(3), way_of(3));
}

#[test]
fn nothing_is_sent_again_over_long_links_that_lose_nothing() {
    for micros in [1.0, 100.0, 1000.0] {
        let mut spec = example::hosts(2, 4, 4, 100.0);
        spec.fabric.link_latency = Seconds::from_micros(micros);
        let topology = ClusterNetwork::new(Cluster::build(&spec).unwrap());
        for transport in Transport::ALL {
            let mut net = network(&topology, Config::new(transport, Balancing::SinglePath));
            for src in 0..4 {
                net.submit(SimTime::ZERO, message(src, 4 + src, 4 * MIB))
                    .unwrap();
            }
            run(&mut net);
            let totals = net.totals();
            let again = (totals.resent, totals.timed_out, totals.duplicates);
            assert_eq!(again, (0, 0, 0), "{transport:?} over {micros} us");
        }
    }
}

#[test]
fn default_windows_fill_fast_and_long_ways() {
    for (gbits, micros) in [(100.0, 1.0), (400.0, 1.0), (400.0, 50.0)] {
        let mut spec = example::hosts(2, 4, 4, gbits);
        spec.fabric.link_latency = Seconds::from_micros(micros);
        let topology = ClusterNetwork::new(Cluster::build(&spec).unwrap());
        let time = |transport| {
            let mut net = network(&topology, Config::new(transport, Balancing::SinglePath));
            for src in 0..4 {
                net.submit(SimTime::ZERO, message(src, 4 + src, 64 * MIB))
                    .unwrap();
            }
            last(&run(&mut net), Stage::Delivered)
        };
        let ideal = time(Transport::Ideal);
        for transport in Transport::ALL {
            let ratio = time(transport) / ideal;
            assert!(
                (0.99..1.03).contains(&ratio),
                "{transport:?} at {gbits} Gbit/s and {micros} us: {ratio}"
            );
        }
    }
}

#[test]
fn reordering_is_counted_where_the_receiver_drops_what_comes_early() {
    let topology = hosts(2, 8, 8);
    let counts = |transport, balancing| {
        let mut net = network(&topology, Config::new(transport, balancing));
        // What shares the way of some packets delays them.
        for src in 0..8 {
            net.submit(SimTime::ZERO, message(src, 8 + (src + src % 2) % 8, MIB))
                .unwrap();
        }
        run(&mut net);
        let totals = net.totals();
        (totals.reordered, totals.depth, totals.early)
    };
    for transport in [Transport::DcqcnGbn, Transport::DcqcnSr] {
        let (late, depth, early) = counts(transport, Balancing::Oblivious);
        assert!(0 < late && 0 < depth, "{transport:?}");
        assert_eq!(0 < early, transport == Transport::DcqcnGbn);
        assert_eq!(counts(transport, Balancing::SinglePath), (0, 0, 0));
    }
}
