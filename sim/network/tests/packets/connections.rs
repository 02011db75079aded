//! Messages of a connection are sent in order, whole, and none is lost.

use crate::net::{hosts, message, network, run};
use network::packet::{Amount, Balancing, Buffer, Config, Transport};
use units::{Seconds, SimTime};

const MIB: u64 = 1 << 20;

/// When each of four messages from one host to another arrives, in picoseconds.
fn finishes(config: Config, is_one_connection: bool) -> Vec<u64> {
    let topology = hosts(2, 4, 4);
    let mut net = network(&topology, config);
    let mut submit = |_| {
        let message = message(0, 4, MIB);
        let id = if is_one_connection {
            net.submit_on(7, SimTime::ZERO, message)
        } else {
            net.submit(SimTime::ZERO, message)
        };
        id.expect("accepted")
    };
    let ids: Vec<_> = (0..4).map(&mut submit).collect();
    run(&mut net);
    let finish = |id| net.times(id).expect("known").finish.expect("arrived");
    ids.into_iter().map(|id| finish(id).as_picos()).collect()
}

#[test]
fn messages_of_a_connection_go_one_after_the_other_and_others_share() {
    let topology = hosts(2, 4, 4);
    for transport in Transport::ALL {
        let config = Config::new(transport, Balancing::SinglePath);
        let alone = {
            let mut net = network(&topology, config);
            let id = net.submit(SimTime::ZERO, message(0, 4, MIB)).unwrap();
            run(&mut net);
            net.times(id).unwrap().finish.unwrap().as_picos()
        };
        let name = transport.name();
        let queued = finishes(config, true);
        assert_eq!(queued[0], alone, "{name}");
        // The pipe stays full: the last comes after four times the bytes, and one latency.
        let bytes = MIB * u64::from(config.packet()) / u64::from(config.payload) * 80;
        for (before, finish) in queued.iter().zip(&queued[1..]) {
            let off = (finish - before) as f64 / bytes as f64 - 1.0;
            assert!(off.abs() < 0.03, "{name}: {off}");
        }
        let shared = finishes(config, false);
        assert!(2 * alone < shared[0], "{name}: {shared:?}");
    }
}

#[test]
fn connections_lose_no_byte_where_buffers_drop_packets() {
    let topology = hosts(4, 4, 4);
    for transport in [Transport::Uec, Transport::DcqcnSr, Transport::DcqcnGbn] {
        for balancing in [Balancing::Spray, Balancing::Ecmp, Balancing::EcmpK { k: 3 }] {
            let config = Config {
                trimming: false,
                pfc: None,
                buffer: Buffer::PerPort(Amount::Packets(6)),
                min_timeout: Seconds::from_micros(50.0),
                ..Config::new(transport, balancing)
            };
            let mut net = network(&topology, config);
            for src in 1..16 {
                for _ in 0..3 {
                    let message = message(src, 0, 150_000);
                    net.submit_on(src, SimTime::ZERO, message).unwrap();
                }
            }
            run(&mut net);
            assert!(0 < net.totals().dropped, "{config:?}");
            assert_eq!(net.totals().payload, 15 * 3 * 150_000, "{config:?}");
        }
    }
}
