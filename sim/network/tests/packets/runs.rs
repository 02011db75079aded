//! Runs repeat, however they are polled; what cannot be is an error.

use cluster::Topology as _;
use network::packet::{Balancing, Config, Message, PacketError, Packets, Stage, Transport};
use units::{HostId, LinkId, Seconds, SimTime};

use crate::MIB;
use crate::net::{hosts, message, network, run};

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
