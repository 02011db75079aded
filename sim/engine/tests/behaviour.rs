//! What the engine promises, on graphs small enough to check by hand.

use engine::{Contention, EngineError, Lists, Options, Phase, Pricing, Run, run};
use network::{Analytic, Flow, Network, Path, Share};
use profile::CollectiveKind;
use task::{
    Block, Channel, Effect, Fragment, Group, LaneSetup, Lanes, MemoryEffect, Program, SendPrice,
    Signal, Step, Work,
};
use trace::{Category, MemoryKind, StreamKind};
use units::{Bytes, BytesPerSec, ClassId, Control, GroupId, LaneId, Seconds, SimTime};

/// Every collective takes a second, whatever its size.
struct OneSecond;

impl Pricing for OneSecond {
    fn phases(&self, _: u32, _: CollectiveKind, _: Bytes) -> Vec<Phase> {
        vec![Phase {
            delay: secs(1.0),
            transfers: Vec::new(),
        }]
    }
}

/// Every collective sends its bytes over path 0.
struct OverPath;

impl Pricing for OverPath {
    fn phases(&self, _: u32, _: CollectiveKind, bytes: Bytes) -> Vec<Phase> {
        vec![Phase {
            delay: Seconds::ZERO,
            transfers: vec![(0, bytes)],
        }]
    }
}

fn secs(secs: f64) -> Seconds {
    Seconds::from_secs(secs)
}

fn at(secs: f64) -> SimTime {
    SimTime::ZERO
        .after(Seconds::from_secs(secs))
        .expect("inside the range")
}

fn lane(program: u32) -> LaneSetup {
    LaneSetup {
        class: ClassId::new(program),
        program,
        name: format!("lane {program}"),
        stage: program,
        ranks: vec![program],
        speed: 1.0,
        groups: Vec::new(),
        channels: Vec::new(),
        resident: [0; MemoryKind::ALL.len()],
    }
}

fn fragment(block: u32, micro_batch: u32) -> Fragment {
    Fragment {
        block,
        micro_batch,
        stage: 0,
    }
}

fn block(steps: Vec<Step>) -> Block {
    Block {
        name: "block".to_owned(),
        steps,
    }
}

fn program(blocks: Vec<Block>) -> Program {
    Program {
        blocks,
        n_signals: 1,
    }
}

fn collective(group: u16, stream: StreamKind, category: Category, after: Vec<u16>) -> Step {
    let work = Work::Collective {
        group,
        kind: CollectiveKind::AllReduce,
        bytes: Bytes::new(8),
    };
    Step::new("all-reduce", stream, category, work, after)
}

fn run_all(
    programs: &[Program],
    lanes: &Lanes,
    lists: &[Vec<Fragment>],
    options: &Options,
) -> Result<Run, EngineError> {
    let list_of = (0..lanes.lanes.len())
        .map(|lane| u32::try_from(lane).expect("few lanes"))
        .collect();
    let mut driver = Lists::new(lists, list_of);
    let mut network = Analytic::new(&[]);
    run(
        programs,
        lanes,
        &mut driver,
        &mut network,
        &OneSecond,
        options,
        &Control::new(),
    )
}

#[test]
fn a_stream_runs_in_order_and_streams_run_beside_each_other() {
    let steps = vec![
        Step::compute("a", secs(2.0), vec![]),
        Step::new(
            "copy",
            StreamKind::Offload,
            Category::Offload,
            Work::Delay(secs(5.0)),
            vec![0],
        ),
        Step::compute("b", secs(2.0), vec![]),
        Step::compute("c", secs(1.0), vec![1]),
    ];
    let lanes = Lanes {
        lanes: vec![lane(0)],
        ..Lanes::default()
    };
    let programs = [program(vec![block(steps)])];
    let run = run_all(
        &programs,
        &lanes,
        &[vec![fragment(0, 0)]],
        &Options::default(),
    )
    .unwrap();
    assert_eq!(run.end, at(8.0));
    let totals = &run.lanes[0];
    assert_eq!(totals.by_category[Category::Compute.index()], at(5.0));
    assert_eq!(totals.by_category[Category::Offload.index()], at(3.0));
    assert_eq!(totals.idle, SimTime::ZERO);
    assert_eq!(totals.communication[Category::Offload.index()], at(5.0));
}

#[test]
fn a_collective_starts_when_its_last_lane_comes() {
    let group = |after| vec![after, collective(0, StreamKind::Tp, Category::Tp, vec![0])];
    let programs = [
        program(vec![block(group(Step::compute(
            "short",
            secs(1.0),
            vec![],
        )))]),
        program(vec![block(group(Step::compute("long", secs(4.0), vec![])))]),
    ];
    let bound = |program| LaneSetup {
        groups: vec![GroupId::new(0)],
        ..lane(program)
    };
    let lanes = Lanes {
        lanes: vec![bound(0), bound(1)],
        groups: vec![Group {
            members: vec![LaneId::new(0), LaneId::new(1)],
            price: 0,
        }],
        channels: Vec::new(),
    };
    let lists = [vec![fragment(0, 0)], vec![fragment(0, 0)]];
    let options = Options {
        record: true,
        ..Options::default()
    };
    let run = run_all(&programs, &lanes, &lists, &options).unwrap();
    assert_eq!(run.end, at(5.0));
    assert_eq!(run.lanes[0].idle, at(3.0));
    assert_eq!(run.lanes[1].idle, SimTime::ZERO);
    let trace = run.trace.unwrap();
    let waits = trace
        .spans
        .iter()
        .filter(|span| span.category == Category::Tp);
    for span in waits {
        let cause = &trace.spans[span.cause as usize];
        assert_eq!((span.start, cause.lane), (at(4.0), LaneId::new(1)));
    }
}

#[test]
fn the_critical_path_is_the_same_with_and_without_a_trace() {
    let price = SendPrice {
        latency: secs(0.5),
        rate: BytesPerSec::new(10.0),
        path: None,
    };
    let (programs, lanes) = sender_and_receiver(price, 20);
    let lists = [vec![fragment(0, 0)], vec![fragment(0, 0)]];
    let with = |record, causes| {
        let options = Options {
            record,
            causes,
            ..Options::default()
        };
        run_all(&programs, &lanes, &lists, &options).unwrap()
    };
    let (traced, linked) = (with(true, false), with(false, true));
    let path = linked.path.unwrap();
    assert_eq!(traced.path, Some(path));
    assert_eq!((linked.trace, with(false, false).path), (None, None));
    // A second before the message, its latency and two seconds of bytes, then what it released.
    assert_eq!(path.by_category[Category::Pp.index()], at(2.5));
    assert_eq!(path.waiting, SimTime::ZERO);
    let parts = path.by_category.iter().map(|time| time.as_picos());
    assert_eq!(parts.sum::<u64>(), linked.end.as_picos());
}

/// Lane 0 computes for a second and sends; lane 1 receives and computes.
fn sender_and_receiver(price: SendPrice, bytes: u64) -> (Vec<Program>, Lanes) {
    let send = Work::Send {
        channel: 0,
        bytes: Bytes::new(bytes),
    };
    let receive = Work::Receive { channel: 0 };
    let programs = vec![
        program(vec![block(vec![
            Step::compute("produce", secs(1.0), vec![]),
            Step::new("send", StreamKind::Pp, Category::Pp, send, vec![0]),
        ])]),
        program(vec![block(vec![
            Step::new("receive", StreamKind::Pp, Category::Pp, receive, vec![]),
            Step::compute("consume", secs(1.0), vec![0]),
        ])]),
    ];
    let bound = |program| LaneSetup {
        channels: vec![0],
        ..lane(program)
    };
    let lanes = Lanes {
        lanes: vec![bound(0), bound(1)],
        groups: Vec::new(),
        channels: vec![Channel {
            from: LaneId::new(0),
            to: LaneId::new(1),
            price,
        }],
    };
    (programs, lanes)
}

#[test]
fn messages_keep_their_order_and_pay_latency_beside_each_other() {
    let rate = BytesPerSec::new(10.0);
    let price = SendPrice {
        latency: secs(0.5),
        rate,
        path: None,
    };
    let (programs, lanes) = sender_and_receiver(price, 20);
    let lists = [
        (0..3).map(|m| fragment(0, m)).collect(),
        (0..3).map(|m| fragment(0, m)).collect(),
    ];
    let run = run_all(&programs, &lanes, &lists, &Options::default()).unwrap();
    // Produced at 1, 2, 3; on the wire 1-3, 3-5, 5-7; there at 3.5, 5.5, 7.5.
    assert_eq!(run.end, at(8.5));
    assert_eq!(run.lanes[1].by_category[Category::Pp.index()], at(4.5));
    assert_eq!(run.lanes[1].idle, at(1.0));
}

#[test]
fn a_message_over_an_idle_network_path_takes_as_long_as_its_price_says() {
    let rate = BytesPerSec::new(10.0);
    let closed = SendPrice {
        latency: secs(0.5),
        rate,
        path: None,
    };
    let (programs, mut lanes) = sender_and_receiver(closed, 20);
    let lists = [vec![fragment(0, 0)], vec![fragment(0, 0)]];
    let analytic = run_all(&programs, &lanes, &lists, &Options::default()).unwrap();
    lanes.channels[0].price.path = Some(0);
    let mut network = Flow::new(&[rate.unwrap()], Share::EQUAL);
    network.add_path(&Path::over([0])).unwrap();
    let mut driver = Lists::new(&lists, vec![0, 1]);
    let options = Options::default();
    let control = Control::new();
    let flow = run(
        &programs,
        &lanes,
        &mut driver,
        &mut network,
        &OverPath,
        &options,
        &control,
    )
    .unwrap();
    assert_eq!(flow.end, analytic.end);
    assert_eq!(flow.end, at(4.5));
}

#[test]
fn channels_over_one_path_share_it_and_each_keeps_its_order() {
    let rate = BytesPerSec::new(10.0);
    let price = SendPrice {
        latency: secs(0.5),
        rate,
        path: Some(0),
    };
    let (mut programs, mut lanes) = sender_and_receiver(price, 20);
    // Two channels from lane 0 to lane 1, a message on each a second, three seconds long.
    let again = |block: &mut Block, at: usize, after: Vec<u16>| {
        let mut step = block.steps[at].clone();
        step.after = after;
        step.work = match step.work {
            Work::Send { bytes, .. } => Work::Send { channel: 1, bytes },
            _ => Work::Receive { channel: 1 },
        };
        block.steps.push(step);
    };
    again(&mut programs[0].blocks[0], 1, vec![0]);
    again(&mut programs[1].blocks[0], 0, vec![]);
    lanes.channels.push(lanes.channels[0]);
    for lane in &mut lanes.lanes {
        lane.channels = vec![0, 1];
    }
    let lists = [
        (0..2).map(|m| fragment(0, m)).collect::<Vec<_>>(),
        (0..2).map(|m| fragment(0, m)).collect(),
    ];
    let mut network = Flow::new(&[rate.unwrap()], Share::EQUAL);
    network.add_path(&Path::over([0])).unwrap();
    let run = run(
        &programs,
        &lanes,
        &mut Lists::new(&lists, vec![0, 1]),
        &mut network,
        &OverPath,
        &Options::default(),
        &Control::new(),
    )
    .unwrap();
    // The first two share the path from 1 to 5, the second two from 5 to 9: there at 9.5.
    assert_eq!(run.lanes[1].by_category[Category::Pp.index()], at(7.5));
    assert_eq!(run.end, at(10.5));
}

#[test]
fn communication_beside_compute_slows_it_down() {
    let steps = vec![
        collective(0, StreamKind::Dp, Category::Dp, vec![]),
        Step::compute("a", secs(2.0), vec![]),
    ];
    let mut lanes = Lanes {
        lanes: vec![lane(0)],
        ..Lanes::default()
    };
    lanes.lanes[0].groups.push(GroupId::new(0));
    lanes.groups.push(Group {
        members: vec![LaneId::new(0)],
        price: 0,
    });
    let mut contention = Contention::NONE;
    contention.compute_beside[Category::Dp.index()] = 0.5;
    let options = Options {
        contention,
        ..Options::default()
    };
    let programs = [program(vec![block(steps)])];
    let run = run_all(&programs, &lanes, &[vec![fragment(0, 0)]], &options).unwrap();
    // Half speed for one second, then a second and a half of work is left.
    assert_eq!(run.end, at(2.5));
}

#[test]
fn a_message_that_arrives_gives_compute_its_speed_back() {
    let price = SendPrice {
        latency: Seconds::ZERO,
        rate: BytesPerSec::new(10.0),
        path: None,
    };
    let (mut programs, lanes) = sender_and_receiver(price, 20);
    let consume = &mut programs[1].blocks[0].steps[1];
    consume.after.clear();
    consume.work = Work::Compute(secs(4.0));
    let mut contention = Contention::NONE;
    contention.compute_beside[Category::Pp.index()] = 0.5;
    let options = Options {
        contention,
        ..Options::default()
    };
    let lists = [vec![fragment(0, 0)], vec![fragment(0, 0)]];
    let run = run_all(&programs, &lanes, &lists, &options).unwrap();
    // Alone for a second, at half speed beside the message for two, alone for the last two.
    assert_eq!(run.end, at(5.0));
}

#[test]
fn a_signal_holds_a_later_fragment_back() {
    let mut waits = Step::compute("waits", secs(1.0), vec![]);
    waits.wait = Some(Signal { id: 0, count: 2 });
    let work = Work::Delay(secs(3.0));
    let mut raises = Step::new("copy", StreamKind::Offload, Category::Offload, work, vec![]);
    raises.raise = Some(0);
    let programs = [program(vec![block(vec![raises]), block(vec![waits])])];
    let lanes = Lanes {
        lanes: vec![lane(0)],
        ..Lanes::default()
    };
    let list = vec![fragment(0, 0), fragment(0, 1), fragment(1, 0)];
    let run = run_all(&programs, &lanes, &[list], &Options::default()).unwrap();
    assert_eq!(run.end, at(7.0));
}

#[test]
fn a_reduction_holds_back_nobody_who_does_not_wait_for_it() {
    let reduce = Work::Delay(secs(5.0));
    let with_reduction = block(vec![
        Step::compute("a", secs(1.0), vec![]),
        Step::new("reduce", StreamKind::Dp, Category::Dp, reduce, vec![0]),
    ]);
    let plain = block(vec![Step::compute("b", secs(1.0), vec![])]);
    let programs = [program(vec![with_reduction, plain])];
    let lanes = Lanes {
        lanes: vec![lane(0)],
        ..Lanes::default()
    };
    let list = (0..4).map(|m| fragment(u32::from(m != 0), m)).collect();
    let run = run_all(&programs, &lanes, &[list], &Options::default()).unwrap();
    assert_eq!(run.end, at(6.0));
    assert_eq!(run.lanes[0].by_category[Category::Compute.index()], at(4.0));
    assert_eq!(run.lanes[0].by_category[Category::Dp.index()], at(2.0));
}

#[test]
fn the_peak_counts_what_is_held_at_once() {
    let effect = |kind, effect, bytes| MemoryEffect {
        kind,
        effect,
        bytes: Bytes::new(bytes),
    };
    let mut forward = Step::compute("forward", secs(1.0), vec![]);
    forward
        .memory
        .push(effect(MemoryKind::Activations, Effect::Take, 10));
    forward
        .memory
        .push(effect(MemoryKind::Workspace, Effect::Borrow, 5));
    let mut backward = Step::compute("backward", secs(1.0), vec![]);
    backward
        .memory
        .push(effect(MemoryKind::Activations, Effect::Free, 10));
    let programs = [program(vec![block(vec![forward]), block(vec![backward])])];
    let mut lanes = Lanes {
        lanes: vec![lane(0)],
        ..Lanes::default()
    };
    lanes.lanes[0].resident[MemoryKind::Weights.index()] = 100;
    let list = vec![
        fragment(0, 0),
        fragment(0, 1),
        fragment(1, 0),
        fragment(1, 1),
    ];
    let run = run_all(&programs, &lanes, &[list], &Options::default()).unwrap();
    let peak = run.lanes[0].peak;
    assert_eq!((peak.bytes, peak.time), (Bytes::new(125), at(1.0)));
    assert_eq!(
        peak.by_kind[MemoryKind::Activations.index()],
        Bytes::new(20)
    );
}

#[test]
fn a_run_that_waits_for_itself_says_where() {
    let (programs, lanes) = sender_and_receiver(
        SendPrice {
            latency: Seconds::ZERO,
            rate: None,
            path: None,
        },
        0,
    );
    let lists = [vec![fragment(0, 0)], vec![fragment(0, 1)]];
    let error = run_all(&programs, &lanes, &lists, &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the run is stuck at 1 s: lane 1 waits in block for receive, which nothing will release"
    );
    assert!(error.hint().is_some());
}

#[test]
fn jitter_depends_on_the_seed_and_on_nothing_else() {
    let programs = [program(vec![block(vec![Step::compute(
        "a",
        secs(1.0),
        vec![],
    )])])];
    let lanes = Lanes {
        lanes: vec![lane(0)],
        ..Lanes::default()
    };
    let lists = [(0..50).map(|m| fragment(0, m)).collect::<Vec<_>>()];
    let end = |seed| {
        let options = Options {
            jitter: 0.1,
            seed,
            ..Options::default()
        };
        run_all(&programs, &lanes, &lists, &options).unwrap().end
    };
    assert_eq!(end(1), end(1));
    assert_ne!(end(1), end(2));
    let mean = end(3).as_seconds().as_secs() / 50.0;
    assert!((0.95..1.05).contains(&mean), "{mean}");
}

#[test]
fn a_cancelled_run_stops() {
    let programs = [program(vec![block(vec![Step::compute(
        "a",
        secs(1e-6),
        vec![],
    )])])];
    let lanes = Lanes {
        lanes: vec![lane(0)],
        ..Lanes::default()
    };
    let lists = [(0..100_000).map(|m| fragment(0, m)).collect::<Vec<_>>()];
    let mut driver = Lists::new(&lists, vec![0]);
    let control = Control::new();
    control.cancel();
    let mut network = Analytic::new(&[]);
    let options = Options::default();
    let run = run(
        &programs,
        &lanes,
        &mut driver,
        &mut network,
        &OneSecond,
        &options,
        &control,
    );
    assert!(matches!(run, Err(EngineError::Interrupted(_))));
}

#[test]
fn a_fragment_without_steps_takes_no_time() {
    let programs = [program(vec![
        block(vec![]),
        block(vec![Step::compute("a", secs(1.0), vec![])]),
    ])];
    let lanes = Lanes {
        lanes: vec![lane(0)],
        ..Lanes::default()
    };
    let list = vec![
        fragment(0, 0),
        fragment(1, 0),
        fragment(0, 1),
        fragment(0, 2),
    ];
    let run = run_all(&programs, &lanes, &[list], &Options::default()).unwrap();
    assert_eq!(run.end, at(1.0));
}
