//! Pauses: deadlocks that they cause, and what buffers hold under them.

#![expect(
    clippy::unwrap_used,
    reason = "a message that is refused fails the test"
)]

use crate::net::{hosts, last, message, network, run};
use cluster::{
    AttachSpec, CableSpec, Cluster, ClusterNetwork, FabricKind, FabricSpec, GraphSpec,
    Topology as _, example,
};
use network::packet::{
    Amount, Balancing, Buffer, Config, Headroom, PacketError, PacketNetwork, Stage, Transport,
};
use network::{Network as _, Transfer};
use units::{Bytes, LinkId, Seconds, SimTime};

const MIB: u64 = 1 << 20;

/// A ring of five switches with four hosts each: routes over two cables close a circle.
fn ring() -> ClusterNetwork {
    let name = |index: usize| format!("s{index}");
    let cables = (0..5).map(|at| CableSpec {
        ends: [name(at), name((at + 1) % 5)],
        count: 1,
        rate: None,
        latency: None,
    });
    let switches: Vec<String> = (0..5).map(name).collect();
    let spec = example::hosts(5, 4, 1, 100.0);
    let fabric = FabricSpec {
        graph: GraphSpec {
            cables: cables.collect(),
            attach: vec![AttachSpec {
                switches: switches.clone(),
                nodes_per_switch: 4,
                first_node: None,
                nic: None,
            }],
            switches,
        },
        ..example::fabric(FabricKind::Graph)
    };
    let spec = cluster::ClusterSpec { fabric, ..spec };
    ClusterNetwork::new(Cluster::build(&spec).expect("a ring"))
}

/// A lossless network that never slows down.
fn unmarked(transport: Transport) -> Config {
    Config {
        ecn: None,
        buffer: Buffer::Shared {
            pool: Amount::Bytes(1_000_000),
            alpha: 1.0,
        },
        ..Config::new(transport, Balancing::SinglePath)
    }
}

#[test]
fn a_circle_of_pauses_is_an_error_that_names_who_waits_for_whom() {
    let topology = ring();
    for transport in [Transport::DcqcnGbn, Transport::DcqcnSr] {
        let mut net = network(&topology, unmarked(transport));
        for src in 0..20 {
            for step in 1..20 {
                net.submit(SimTime::ZERO, message(src, (src + step) % 20, MIB))
                    .unwrap();
            }
        }
        let error = net.run(&mut Vec::new()).unwrap_err();
        let PacketError::Deadlock {
            messages, circle, ..
        } = &error
        else {
            panic!("{error}");
        };
        assert!(0 < *messages && *messages <= 380);
        let links: Vec<&str> = circle.split(" waits for ").collect();
        assert_eq!(links.last(), Some(&"the first"), "{circle}");
        assert_eq!(links.len(), 6, "{circle}");
        assert!(
            links[..5].iter().all(|link| link.starts_with('s')),
            "{circle}"
        );
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("network.pfc"))
        );
    }
}

#[test]
fn a_deadlock_ends_transfers_and_sampling_with_the_same_error() {
    let topology = ring();
    let config = Config {
        sample_every: Some(Seconds::from_micros(100.0)),
        ..unmarked(Transport::DcqcnGbn)
    };
    let mut net = PacketNetwork::new(&topology, config).unwrap();
    for src in 0..20 {
        for step in 1..20 {
            let message = message(src, (src + step) % 20, MIB);
            let path = net.add_parts(&[network::packet::Part {
                src: message.src,
                dst: message.dst,
                way: None,
                share: 1.0,
            }]);
            let transfer = Transfer {
                path,
                bytes: Bytes::new(MIB),
                latency: Seconds::ZERO,
            };
            net.submit(SimTime::ZERO, transfer).unwrap();
        }
    }
    let mut finished = Vec::new();
    let error = loop {
        assert!(net.next_event().is_some(), "nothing to come, and no error");
        if let Err(error) = net.advance_to_end(None, &mut finished) {
            break error;
        }
    };
    assert!(error.to_string().contains("deadlock of pauses"), "{error}");
    assert!(finished.len() < 380);
}

#[test]
fn routes_that_go_up_and_then_down_never_lock_up() {
    let topology = hosts(4, 4, 4);
    let mut net = network(&topology, unmarked(Transport::DcqcnGbn));
    for src in 0..16 {
        for step in 1..16 {
            net.submit(SimTime::ZERO, message(src, (src + step) % 16, MIB))
                .unwrap();
        }
    }
    let end = last(&run(&mut net), Stage::Delivered);
    assert_eq!(net.totals().payload, 240 * MIB);
    // 15 MiB a host at 100 Gbit/s, without headers.
    assert!((1258.0..5000.0).contains(&end), "{end}");
}

/// What an incast of all hosts into one leaves behind: the longest queue, pauses, losses.
fn incast(transport: Transport, buffer: Buffer) -> (u64, u64, u64) {
    let topology = hosts(4, 8, 8);
    let mut config = Config {
        buffer,
        ..unmarked(transport)
    };
    if let Some(pfc) = &mut config.pfc {
        pfc.headroom = Headroom::Within;
    }
    let mut net = network(&topology, config);
    for src in 1..32 {
        net.submit(SimTime::ZERO, message(src, 0, MIB)).unwrap();
    }
    run(&mut net);
    assert_eq!(net.totals().payload, 31 * MIB);
    let links = (0..topology.n_links()).map(|link| net.link(LinkId::new(link)).unwrap());
    let links: Vec<_> = links.collect();
    let longest = links.iter().map(|link| link.longest).max().unwrap();
    let paused = links.iter().map(|link| link.paused).sum();
    (longest, paused, net.totals().dropped)
}

#[test]
fn queues_under_pauses_stay_within_the_buffer_and_lose_nothing() {
    // 16 links into a leaf, 33 KB under way on each.
    let shared = |bytes| Buffer::Shared {
        pool: Amount::Bytes(bytes),
        alpha: 1.0,
    };
    let per_port = |bytes| Buffer::PerPort(Amount::Bytes(bytes));
    let mut queues = Vec::new();
    for bytes in [600_000, 1_000_000, 4_000_000] {
        for buffer in [shared(bytes), per_port(bytes)] {
            let (longest, paused, dropped) = incast(Transport::DcqcnGbn, buffer);
            assert!(longest <= bytes, "{buffer:?}: {longest}");
            assert!(0 < paused, "{buffer:?}");
            assert_eq!(dropped, 0, "{buffer:?}");
            queues.push(longest);
        }
    }
    // A larger buffer takes in more before it pauses.
    assert!(queues[0] < queues[2] && queues[2] < queues[4], "{queues:?}");
    assert!(queues[1] < queues[3] && queues[3] < queues[5], "{queues:?}");
}

#[test]
fn a_buffer_without_room_for_what_is_under_way_loses_packets_under_pauses() {
    let buffer = Buffer::PerPort(Amount::Bytes(32_000));
    let (longest, paused, dropped) = incast(Transport::DcqcnSr, buffer);
    assert!(longest <= 32_000 + 4160, "{longest}");
    assert!(0 < paused && 0 < dropped);
}
