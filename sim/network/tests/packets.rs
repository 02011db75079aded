//! The packet engine against closed forms, conservation, Little's law and the other engines.

#[path = "packets/mod.rs"]
mod net;

use cluster::Topology as _;
use net::{hosts, last, message, network, run};
use network::packet::{
    Amount, Balancing, Buffer, Config, Control, Message, PacketError, Packets, Stage, Transport,
};
use units::{Bytes, BytesPerSec, HostId, LinkId, Seconds, SimTime};

const MIB: u64 = 1 << 20;

/// Every transport with every policy.
fn all_configs() -> Vec<Config> {
    let policies = [
        Balancing::Ecmp,
        Balancing::EcmpK { k: 3 },
        Balancing::Flowlet {
            gap: Seconds::from_micros(50.0),
        },
        Balancing::AdaptiveFlow,
        Balancing::AdaptivePacket,
        Balancing::Spray,
        Balancing::Oblivious,
        Balancing::Reps,
        Balancing::Bitmap,
        Balancing::Mixed,
        Balancing::SinglePath,
    ];
    let with = |transport| policies.map(|policy| Config::new(transport, policy));
    Transport::ALL.into_iter().flat_map(with).collect()
}

#[test]
fn a_flow_on_an_idle_path_takes_its_bytes_and_its_hops_exactly() {
    let topology = hosts(2, 4, 4);
    for config in all_configs() {
        let mut net = network(&topology, config);
        let packets = 256;
        let bytes = u64::from(config.payload) * packets;
        let id = net.submit(SimTime::ZERO, message(0, 4, bytes)).unwrap();
        run(&mut net);
        // 80 ps a byte at 100 Gbit/s, 4 hops of 1 µs.
        let packet = u64::from(config.packet()) * 80;
        let expected = packets * packet + 4 * (1_000_000 + packet) - packet;
        let finish = net.times(id).unwrap().finish.unwrap().as_picos();
        // A part of ECMP with three queue pairs ends in a short packet of its own.
        if matches!(config.balancing, Balancing::EcmpK { .. }) {
            assert!(finish.abs_diff(expected) <= 4 * packet, "{config:?}");
            continue;
        }
        let limited = config.transport != Transport::Uec;
        let slack = if limited { 0 } else { packet };
        assert!(
            finish.abs_diff(expected) <= slack,
            "{} {}: {finish} against {expected}",
            config.transport.name(),
            config.balancing.name()
        );
    }
}

#[test]
fn every_payload_byte_arrives_once_under_every_transport_and_policy() {
    let topology = hosts(4, 4, 4);
    for config in all_configs() {
        let mut net = network(&topology, config);
        let mut total = 0;
        for src in 1..16 {
            let bytes = 100_000 + 7_777 * u64::from(src);
            net.submit(SimTime::ZERO, message(src, 0, bytes)).unwrap();
            net.submit(SimTime::ZERO, message(src, (src + 8) % 16, bytes))
                .unwrap();
            total += 2 * bytes;
        }
        run(&mut net);
        assert_eq!(net.totals().payload, total, "{config:?}");
        assert_eq!(net.next_event(), None);
    }
}

#[test]
fn bytes_are_conserved_where_small_buffers_drop_them() {
    let topology = hosts(4, 4, 4);
    for transport in [Transport::Uec, Transport::DcqcnSr, Transport::DcqcnGbn] {
        let config = Config {
            trimming: false,
            pfc: None,
            buffer: Buffer::PerPort(Amount::Packets(6)),
            min_timeout: Seconds::from_micros(50.0),
            ..Config::new(transport, Balancing::Spray)
        };
        let mut net = network(&topology, config);
        for src in 1..12 {
            net.submit(SimTime::ZERO, message(src, 0, 200_000)).unwrap();
        }
        run(&mut net);
        assert_eq!(net.totals().payload, 11 * 200_000);
        assert!(0 < net.totals().dropped, "{transport:?} lost nothing");
        assert!(0 < net.totals().resent);
    }
}

#[test]
fn bytes_are_conserved_where_a_spine_fails_and_returns() {
    let topology = hosts(4, 4, 4);
    for balancing in [
        Balancing::Ecmp,
        Balancing::Spray,
        Balancing::Reps,
        Balancing::Mixed,
    ] {
        for transport in Transport::ALL {
            let mut config = Config::new(transport, balancing);
            config.min_timeout = Seconds::from_micros(60.0);
            let mut net = network(&topology, config);
            for src in 0..16 {
                net.submit(SimTime::ZERO, message(src, (src + 8) % 16, MIB))
                    .unwrap();
            }
            let mut links = Vec::new();
            topology.way(HostId::new(0), HostId::new(8), 1, &mut links);
            let middle = [links[1], links[2]];
            for link in middle {
                net.fail(SimTime::from_picos(20_000_000), link).unwrap();
                net.restore(SimTime::from_picos(400_000_000), link).unwrap();
            }
            run(&mut net);
            let name = (transport, balancing.name());
            assert_eq!(net.totals().payload, 16 * MIB, "{name:?}");
            assert!(0 < net.totals().dropped, "{name:?} lost nothing");
        }
    }
}

#[test]
fn a_message_over_a_dead_link_is_an_error_in_bounded_time() {
    let topology = hosts(2, 2, 2);
    for transport in Transport::ALL {
        let mut net = network(&topology, Config::new(transport, Balancing::Ecmp));
        net.submit(SimTime::ZERO, message(0, 2, MIB)).unwrap();
        let mut links = Vec::new();
        topology.way(HostId::new(0), HostId::new(2), 0, &mut links);
        net.fail(SimTime::from_picos(10_000_000), links[3]).unwrap();
        let outcome = net.run(&mut Vec::new());
        let Err(PacketError::Stuck { src, dst, .. }) = outcome else {
            panic!("{transport:?}: {outcome:?}");
        };
        assert_eq!([src, dst], ["n0", "n2"]);
    }
}

#[test]
fn little_s_law_holds_in_every_queue() {
    let topology = hosts(4, 4, 4);
    for config in all_configs() {
        let mut net = network(&topology, config);
        for src in 0..16 {
            for step in 1..16 {
                net.submit(SimTime::ZERO, message(src, (src + step) % 16, 100_000))
                    .unwrap();
            }
        }
        run(&mut net);
        let now = net.now().as_seconds().as_secs();
        let mut waited = 0.0;
        for link in 0..topology.n_links() {
            let stats = net.link(LinkId::new(link)).unwrap();
            let [left, right] = [stats.average * now, stats.waited];
            assert!(
                (left - right).abs() <= 1e-9 * right.max(1e-6),
                "{config:?}: {stats:?}"
            );
            waited += right;
        }
        assert!(0.0 < waited);
    }
}

#[test]
fn pauses_lose_nothing_where_the_same_buffer_without_them_does() {
    let topology = hosts(4, 8, 4);
    let incast = |config: Config| {
        let mut net = network(&topology, config);
        for src in 1..32 {
            net.submit(SimTime::ZERO, message(src, 0, MIB)).unwrap();
        }
        run(&mut net);
        assert_eq!(net.totals().payload, 31 * MIB);
        let links = (0..topology.n_links()).map(|link| net.link(LinkId::new(link)).unwrap());
        let paused: u64 = links.map(|link| link.paused).sum();
        (net.totals().dropped, paused)
    };
    let lossless = Config {
        buffer: Buffer::Shared {
            pool: Amount::Bytes(1_000_000),
            alpha: 1.0,
        },
        ..Config::new(Transport::DcqcnGbn, Balancing::Ecmp)
    };
    let lossy = Config {
        pfc: None,
        ..lossless
    };
    let (dropped, paused) = incast(lossless);
    assert_eq!(dropped, 0);
    assert!(0 < paused);
    let (dropped, paused) = incast(lossy);
    assert!(0 < dropped);
    assert_eq!(paused, 0);
}

#[test]
fn equal_seeds_give_equal_runs_and_other_seeds_others() {
    let topology = hosts(4, 8, 8);
    let times = |seed| {
        let config = Config {
            seed,
            ..Config::new(Transport::Uec, Balancing::Mixed)
        };
        let mut net = network(&topology, config);
        for src in 0..32 {
            net.submit(SimTime::ZERO, message(src, (src + 16) % 32, MIB))
                .unwrap();
        }
        (run(&mut net), *net.totals())
    };
    assert_eq!(times(7), times(7));
    assert_ne!(times(7).0, times(8).0);
}

#[test]
fn the_pace_of_polling_changes_nothing() {
    let topology = hosts(4, 4, 4);
    let start = || {
        let mut net = network(&topology, Config::new(Transport::Uec, Balancing::Reps));
        for src in 0..16 {
            net.submit(SimTime::ZERO, message(src, (src + 8) % 16, 300_000))
                .unwrap();
        }
        net
    };
    let whole = run(&mut start());
    let (mut net, mut polled) = (start(), Vec::new());
    while let Some(next) = net.next_event() {
        net.advance(next, &mut polled).unwrap();
    }
    assert_eq!(whole, polled);
    let (mut net, mut reported) = (start(), Vec::new());
    while net.next_event().is_some() {
        net.advance_to_report(SimTime::from_picos(1 << 60), &mut reported)
            .unwrap();
    }
    assert_eq!(whole, reported);
}

#[test]
fn what_happens_before_a_message_is_submitted_is_not_lost() {
    let topology = hosts(2, 4, 4);
    let mut net = network(&topology, Config::new(Transport::Uec, Balancing::Mixed));
    let first = net.submit(SimTime::ZERO, message(0, 4, 8172)).unwrap();
    let late = SimTime::from_picos(500_000_000);
    let second = net.submit(late, message(1, 5, 8172)).unwrap();
    assert_eq!(net.next_event(), Some(late));
    let mut reports = Vec::new();
    net.advance(late, &mut reports).unwrap();
    let ids: Vec<_> = reports
        .iter()
        .map(|report| (report.id, report.stage))
        .collect();
    assert_eq!(ids, [(first, Stage::Delivered), (first, Stage::Acked)]);
    assert!(reports[1].at < late);
    run(&mut net);
    let [first, second] = [first, second].map(|id| net.times(id).unwrap());
    let took = |times: network::packet::Times| {
        times.finish.unwrap().as_picos() - times.released.as_picos()
    };
    assert_eq!(took(first), took(second));
}

#[test]
fn go_back_n_sends_all_from_the_gap_and_selective_repeat_what_was_lost() {
    let topology = hosts(2, 4, 4);
    let resent = |transport| {
        let config = Config {
            pfc: None,
            ecn: None,
            buffer: Buffer::PerPort(Amount::Packets(30)),
            ..Config::new(transport, Balancing::SinglePath)
        };
        let mut net = network(&topology, config);
        for src in [1, 4] {
            net.submit(SimTime::ZERO, message(src, 0, MIB)).unwrap();
        }
        run(&mut net);
        let totals = *net.totals();
        assert!(0 < totals.dropped);
        (totals.resent, totals.dropped, totals.early)
    };
    let (again, lost, early) = resent(Transport::DcqcnSr);
    assert_eq!(again, lost, "selective repeat sends what was lost");
    assert_eq!(early, 0);
    let (again, lost, early) = resent(Transport::DcqcnGbn);
    assert!(lost + early <= again && 0 < early, "{again} {lost} {early}");
}

#[test]
fn trimmed_packets_are_asked_for_and_no_timer_runs_out() {
    let topology = hosts(4, 4, 4);
    let mut net = network(&topology, Config::new(Transport::Ndp, Balancing::Oblivious));
    for src in 1..16 {
        net.submit(SimTime::ZERO, message(src, 0, 500_000)).unwrap();
    }
    run(&mut net);
    let totals = net.totals();
    assert!(0 < totals.trimmed);
    assert_eq!(totals.resent, totals.trimmed);
    assert_eq!((totals.dropped, totals.timed_out), (0, 0));
}

#[test]
fn ideal_spraying_uses_ways_in_proportion_to_their_capacity() {
    let topology = hosts(2, 4, 4);
    let mut net = network(&topology, Config::new(Transport::Ideal, Balancing::Spray));
    let mut ways = Vec::new();
    for way in 0..4 {
        let mut links = Vec::new();
        topology.way(HostId::new(0), HostId::new(4), way, &mut links);
        ways.push(links[1]);
    }
    let half = BytesPerSec::from_gbits(50.0).unwrap();
    net.set_rate(SimTime::ZERO, ways[2], half).unwrap();
    net.advance(SimTime::from_picos(200_000_000), &mut Vec::new())
        .unwrap();
    net.submit(net.now(), message(0, 4, 7 * 100 * 4096))
        .unwrap();
    run(&mut net);
    let packets: Vec<u64> = ways
        .iter()
        .map(|&way| net.link(way).unwrap().packets)
        .collect();
    assert_eq!(packets, [200, 200, 100, 200]);
    assert_eq!(net.totals().sent, 700);
}

#[test]
fn single_path_takes_the_way_that_the_message_names() {
    let topology = hosts(2, 4, 4);
    let mut net = network(
        &topology,
        Config::new(Transport::DcqcnGbn, Balancing::SinglePath),
    );
    let named = Message {
        way: Some(3),
        ..message(0, 4, 409_600)
    };
    net.submit(SimTime::ZERO, named).unwrap();
    run(&mut net);
    for way in 0..4 {
        let mut links = Vec::new();
        topology.way(HostId::new(0), HostId::new(4), way, &mut links);
        let packets = net.link(links[1]).unwrap().packets;
        assert_eq!(packets, if way == 3 { 100 } else { 0 });
    }
    assert_eq!(net.totals().reordered, 0);
}

#[test]
fn adaptive_packets_avoid_the_ways_of_others() {
    let topology = hosts(2, 4, 4);
    let time = |balancing| {
        let mut net = network(&topology, Config::new(Transport::Ideal, balancing));
        for src in 0..4 {
            net.submit(SimTime::ZERO, message(src, 4 + src, MIB))
                .unwrap();
        }
        last(&run(&mut net), Stage::Delivered)
    };
    let ideal = time(Balancing::Spray);
    let adaptive = time(Balancing::AdaptivePacket);
    assert!(adaptive < ideal * 1.05, "{adaptive} against {ideal}");
}

#[test]
fn reordering_is_counted_where_ways_differ_and_only_there() {
    let topology = hosts(2, 8, 4);
    let reordered = |balancing| {
        let mut net = network(&topology, Config::new(Transport::Uec, balancing));
        for src in 0..8 {
            net.submit(SimTime::ZERO, message(src, 8 + src, MIB))
                .unwrap();
        }
        run(&mut net);
        (net.totals().reordered, net.totals().depth)
    };
    assert_eq!(reordered(Balancing::SinglePath), (0, 0));
    let (count, depth) = reordered(Balancing::Oblivious);
    assert!(0 < count && 0 < depth);
}

#[test]
fn samples_follow_the_queue_of_an_incast() {
    let topology = hosts(2, 8, 8);
    let config = Config {
        sample_every: Some(Seconds::from_micros(2.0)),
        ..Config::new(Transport::Uec, Balancing::Mixed)
    };
    let mut net = network(&topology, config);
    for src in 8..16 {
        net.submit(SimTime::ZERO, message(src, 0, MIB)).unwrap();
    }
    run(&mut net);
    let mut links = Vec::new();
    topology.way(HostId::new(8), HostId::new(0), 0, &mut links);
    let down = links[3];
    let samples: Vec<_> = net.samples().unwrap().of(down.get()).collect();
    let most = samples
        .iter()
        .map(|sample| u64::from(sample.queued))
        .max()
        .unwrap();
    let longest = net.link(down).unwrap().longest;
    assert!(longest / 2 < most && most <= longest, "{most} of {longest}");
    assert!(samples.is_sorted_by_key(|sample| (sample.at, sample.bytes)));
    assert_eq!(
        samples[1].at.as_picos() - samples[0].at.as_picos(),
        2_000_000
    );
}

#[test]
fn empty_messages_take_their_latency() {
    let topology = hosts(2, 4, 4);
    let mut net = network(&topology, Config::new(Transport::Uec, Balancing::Mixed));
    let far = net.submit(SimTime::ZERO, message(0, 4, 0)).unwrap();
    let own = net.submit(SimTime::ZERO, message(3, 3, 1000)).unwrap();
    run(&mut net);
    let finish = |id| net.times(id).unwrap().finish.unwrap().as_picos();
    assert_eq!((finish(far), finish(own)), (4_000_000, 0));
}

#[test]
fn what_cannot_be_is_an_error() {
    let topology = hosts(2, 4, 4);
    let named = |balancing| Config::new(Transport::Uec, balancing);
    let mut net = network(&topology, named(Balancing::SinglePath));
    let submit = |net: &mut Packets<_>, message| net.submit(SimTime::ZERO, message).unwrap_err();
    let error = submit(&mut net, message(0, 99, 1));
    assert!(matches!(error, PacketError::UnknownHost { host: 99, .. }));
    let way = Message {
        way: Some(4),
        ..message(0, 4, 1)
    };
    let error = submit(&mut net, way);
    assert_eq!(
        error.to_string(),
        "way 4 does not exist: 4 ways lead from host 0 to host 4"
    );
    let error = submit(&mut net, message(0, 4, u64::MAX));
    assert!(matches!(error, PacketError::TooLong { .. }));
    let error = net.fail(SimTime::ZERO, LinkId::new(9999)).unwrap_err();
    assert!(matches!(error, PacketError::UnknownLink { link: 9999, .. }));
    net.advance(SimTime::from_picos(5), &mut Vec::new())
        .unwrap();
    let error = submit(&mut net, message(0, 4, 1));
    assert!(matches!(error, PacketError::Past { asked: 0, clock: 5 }));
    let config = Config {
        payload: 0,
        ..named(Balancing::Mixed)
    };
    let error = Packets::new(&topology, config).unwrap_err();
    assert!(matches!(
        error,
        PacketError::BadConfig {
            field: "payload",
            ..
        }
    ));
}

#[test]
fn a_ring_without_contention_takes_what_the_flow_engine_says() {
    use network::{Flow, Network as _, Path, Share, Transfer};
    let topology = hosts(4, 4, 4);
    let ring = (0..16).map(|src| message(src, (src + 1) % 16, 4 * MIB));
    let rates: Vec<_> = (0..topology.n_links())
        .map(|link| topology.wire(LinkId::new(link)).rate)
        .collect();
    let mut flow = Flow::new(&rates, Share::EQUAL);
    for message in ring.clone() {
        let mut links = Vec::new();
        let way = topology.static_way(message.src, message.dst);
        topology.way(message.src, message.dst, way, &mut links);
        let path = flow
            .add_path(&Path::over(links.iter().map(|link| link.get())))
            .unwrap();
        let latency = topology.latency(message.src, message.dst, way);
        let transfer = Transfer {
            path,
            bytes: message.bytes,
            latency,
        };
        flow.submit(SimTime::ZERO, transfer).unwrap();
    }
    while let Some(next) = flow.next_event() {
        flow.advance(next, &mut Vec::new()).unwrap();
    }
    let fluid = flow.now().as_seconds().as_micros();
    for transport in Transport::ALL {
        let mut net = network(&topology, Config::new(transport, Balancing::SinglePath));
        for message in ring.clone() {
            net.submit(SimTime::ZERO, message).unwrap();
        }
        let packets = last(&run(&mut net), Stage::Delivered);
        let ratio = packets / fluid;
        assert!(
            (1.0..1.06).contains(&ratio),
            "{transport:?}: {packets} against {fluid}"
        );
    }
}

/// Rows of htsim (csg-htsim 841d9e7, uet-htsim 40ccb05) with the median of some seeds of the last
/// acknowledgement: ten for 64 hosts, three for 128. Ten of all, and the long ones, are in
/// `examples/htsim_rows.rs`.
#[test]
fn permutations_and_all_to_all_take_what_htsim_says() {
    const KIB: u64 = 1 << 10;
    let uec = |balancing, control| Config {
        control,
        payload: 4086,
        ..Config::new(Transport::Uec, balancing)
    };
    let sender = |balancing| uec(balancing, Control::Sender);
    let eqds = Config {
        payload: 4032,
        ..Config::new(Transport::Eqds, Balancing::Bitmap)
    };
    let ndp = Config::new(Transport::Ndp, Balancing::Oblivious);
    let rows = [
        (4, 4 * MIB, sender(Balancing::Mixed), 379.371, 0.05),
        (8, 4 * MIB, sender(Balancing::Mixed), 380.255, 0.05),
        (8, 4 * MIB, sender(Balancing::Reps), 387.258, 0.05),
        (8, 4 * MIB, sender(Balancing::Oblivious), 449.953, 0.08),
        (
            8,
            4 * MIB,
            uec(Balancing::Oblivious, Control::Receiver),
            393.797,
            0.08,
        ),
        (8, 4 * MIB, eqds, 381.161, 0.05),
        (8, 4 * MIB, ndp, 359.693, 0.05),
        (4, 64 * KIB, sender(Balancing::Mixed), 440.289, 0.05),
    ];
    for (leaves, bytes, config, htsim, within) in rows {
        let topology = hosts(leaves, 16, 16);
        let n = leaves * 16;
        let mut times = Vec::new();
        let seeds = if leaves == 4 { 10 } else { 3 };
        for seed in 1..=seeds {
            let mut net = network(&topology, Config { seed, ..config });
            let steps = if bytes < MIB { 1..n } else { n / 2..n / 2 + 1 };
            for step in steps {
                for src in 0..n {
                    net.submit(SimTime::ZERO, message(src, (src + step) % n, bytes))
                        .unwrap();
                }
            }
            times.push(last(&run(&mut net), Stage::Acked));
        }
        times.sort_by(f64::total_cmp);
        let middle = [(times.len() - 1) / 2, times.len() / 2].map(|place| times[place]);
        let off = f64::midpoint(middle[0], middle[1]) / htsim - 1.0;
        assert!(off.abs() <= within, "{off:+.3} of {htsim}: {config:?}");
    }
}

#[test]
fn one_uec_flow_is_acknowledged_after_349_8_us() {
    let topology = hosts(4, 16, 16);
    let config = Config {
        payload: 4086,
        ..Config::new(Transport::Uec, Balancing::Mixed)
    };
    let mut net = network(&topology, config);
    net.submit(SimTime::ZERO, message(0, 32, 4 * MIB)).unwrap();
    let acked = last(&run(&mut net), Stage::Acked);
    assert!((acked - 349.8).abs() < 0.1, "{acked}");
    assert_eq!(Bytes::new(net.totals().payload), Bytes::new(4 * MIB));
}

#[test]
fn gpus_of_every_fabric_reach_each_other_with_every_byte() {
    use cluster::{Cluster, ClusterNetwork, FabricKind, example};
    for kind in FabricKind::ALL {
        let fabric = cluster::FabricSpec {
            nodes_per_leaf: 2,
            groups_per_pod: (kind == FabricKind::FatTree).then_some(2),
            ..example::fabric(kind)
        };
        let spec = example::cluster(example::dgx_h100(), 8, fabric);
        let topology = ClusterNetwork::new(Cluster::build(&spec).unwrap());
        for balancing in [
            Balancing::Mixed,
            Balancing::AdaptivePacket,
            Balancing::Spray,
        ] {
            for transport in Transport::ALL {
                let mut net = network(&topology, Config::new(transport, balancing));
                let (first, gpus) = (topology.n_nodes(), 64);
                for gpu in 0..gpus {
                    for step in [1, 8, 13, 32] {
                        let [src, dst] = [gpu, (gpu + step) % gpus].map(|gpu| first + gpu);
                        net.submit(SimTime::ZERO, message(src, dst, 150_000))
                            .unwrap();
                    }
                }
                run(&mut net);
                assert_eq!(
                    net.totals().payload,
                    256 * 150_000,
                    "{kind:?} {transport:?}"
                );
            }
        }
    }
}
