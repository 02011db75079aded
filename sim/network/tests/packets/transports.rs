//! What transports do about losses, and policies about ways.

use cluster::Topology as _;
use network::packet::{Amount, Balancing, Buffer, Config, Message, Stage, Transport};
use units::{BytesPerSec, HostId, SimTime};

use crate::MIB;
use crate::net::{hosts, last, message, network, run};

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
