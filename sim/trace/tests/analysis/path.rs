//! The critical path by hand.

use trace::{Category, Causes, Link, NO_INDEX, PathTime, Segment, Stretch, Trace, critical_path};
use units::{LaneId, SimTime};

use crate::fixtures::{COMPUTE, PP, at, lanes, push, two_stages};

#[test]
fn the_path_follows_causes_across_lanes_and_names_the_gap() {
    let path = critical_path(&two_stages());
    let shown: Vec<_> = path
        .segments
        .iter()
        .map(|s| (s.stretch, s.span, s.start.as_picos(), s.end.as_picos()))
        .collect();
    assert_eq!(
        shown,
        [
            (Stretch::Work, 0, 0, 100),
            (Stretch::Work, 1, 100, 120),
            (Stretch::Wait, 2, 120, 125),
            (Stretch::Work, 2, 125, 225),
            (Stretch::Work, 3, 225, 345),
            (Stretch::Work, 4, 345, 365),
            (Stretch::Wait, 6, 365, 450),
            (Stretch::Work, 6, 450, 480),
        ]
    );
}

#[test]
fn totals_of_the_path_sum_to_the_end() {
    let trace = two_stages();
    let path = critical_path(&trace);
    assert_eq!(path.total(), trace.end);
    assert_eq!(path.waiting, at(90));
    assert_eq!(path.by_category[Category::Compute.index()], at(320));
    assert_eq!(path.by_category[Category::Pp.index()], at(40));
    assert_eq!(path.by_category[Category::Dp.index()], at(30));
    assert_eq!(
        path.by_lane,
        [(LaneId::new(1), at(240)), (LaneId::new(0), at(150))]
    );
    assert_eq!(path.by_stage, [(1, at(240)), (0, at(150))]);
    let names: Vec<_> = path
        .by_name
        .iter()
        .map(|&((name, _), time)| (trace.names.get(name), time))
        .collect();
    let expected = [
        ("forward", at(200)),
        ("backward", at(120)),
        ("receive", at(40)),
        ("reduce", at(30)),
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_transfer_that_starts_before_its_cause_ends_counts_only_past_it() {
    let mut trace = lanes(1);
    let first = push(&mut trace, 0, PP, "send", (0, 60), NO_INDEX);
    push(&mut trace, 0, PP, "send", (20, 90), first);
    let path = critical_path(&trace);
    let lengths: Vec<_> = path
        .segments
        .iter()
        .map(|s| (s.span, s.end.since(s.start).as_secs() * 1e12))
        .collect();
    assert_eq!(lengths.len(), 2);
    assert_eq!((lengths[0].0, lengths[1].0), (0, 1));
    assert_eq!(path.segments[1].start, at(60));
    assert_eq!(path.total(), at(90));
}

#[test]
fn a_trace_without_spans_is_one_wait() {
    let mut trace = lanes(1);
    trace.end = at(7);
    let wait = Segment {
        stretch: Stretch::Wait,
        span: NO_INDEX,
        start: SimTime::ZERO,
        end: at(7),
    };
    assert_eq!(critical_path(&trace).segments, [wait]);
    assert!(critical_path(&lanes(0)).segments.is_empty());
}

#[test]
fn what_follows_the_last_span_and_precedes_the_first_is_waiting() {
    let mut trace = lanes(1);
    push(&mut trace, 0, COMPUTE, "kernel", (10, 30), NO_INDEX);
    trace.end = at(35);
    let path = critical_path(&trace);
    assert_eq!(path.waiting, at(15));
    assert_eq!(path.by_category[Category::Compute.index()], at(20));
}

/// The causes of a trace, up to a limit.
fn causes(trace: &Trace, limit: usize) -> Causes {
    let mut causes = Causes::new(limit);
    for span in &trace.spans {
        causes.push(Link {
            start: span.start,
            end: span.end,
            cause: span.cause,
            category: span.category,
        });
    }
    causes
}

#[test]
fn causes_alone_give_the_time_of_the_path_and_none_past_their_limit() {
    let trace = two_stages();
    let whole = causes(&trace, trace.spans.len());
    let expected = PathTime::from(&critical_path(&trace));
    assert_eq!(whole.critical(trace.end), Some(expected));
    let cut = causes(&trace, trace.spans.len() - 1);
    assert_eq!((cut.critical(trace.end), cut.last_id()), (None, None));
}
