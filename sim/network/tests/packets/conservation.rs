//! Every byte arrives once, whatever is lost on the way.

use cluster::Topology as _;
use network::packet::{Amount, Balancing, Buffer, Config, PacketError, Transport};
use units::{HostId, LinkId, Seconds, SimTime};

use crate::net::{hosts, message, network, run};
use crate::{MIB, all_configs};

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
