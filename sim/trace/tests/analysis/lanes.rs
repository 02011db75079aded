//! Breakdown, bubble, exposure, utilization and memory by hand.

use trace::{
    Breakdown, Bubble, Category, NO_INDEX, StreamKind, bottleneck, breakdown, breakdowns, bubble,
    bubbles, exposure, memory_peaks, memory_timeline, memory_timelines, utilization,
};
use units::{Bytes, LaneId};

use crate::fixtures::{COMPUTE, DP, PP, TP, at, lanes, push, two_stages, with_memory};

fn of(breakdown: &Breakdown, category: Category) -> u64 {
    breakdown.of(category).as_picos()
}

#[test]
fn each_instant_counts_for_the_first_active_category() {
    let mut trace = lanes(1);
    push(&mut trace, 0, TP, "reduce", (10, 40), NO_INDEX);
    push(&mut trace, 0, COMPUTE, "kernel", (0, 50), NO_INDEX);
    push(&mut trace, 0, DP, "reduce", (45, 80), NO_INDEX);
    push(&mut trace, 0, TP, "reduce", (70, 90), NO_INDEX);
    trace.end = at(100);
    let parts = breakdown(&trace, LaneId::new(0));
    assert_eq!(of(&parts, Category::Compute), 50);
    assert_eq!(of(&parts, Category::Tp), 20);
    assert_eq!(of(&parts, Category::Dp), 20);
    assert_eq!(parts.bubble, at(10));
    assert_eq!(parts.total(), trace.end);
}

#[test]
fn the_bottleneck_is_the_lane_with_the_least_bubble() {
    let trace = two_stages();
    let parts = breakdowns(&trace);
    assert_eq!(parts[0], breakdown(&trace, LaneId::new(0)));
    assert_eq!((parts[0].bubble, parts[1].bubble), (at(245), at(240)));
    assert_eq!(bottleneck(&parts), Some(LaneId::new(1)));
    assert_eq!(bottleneck(&[]), None);
}

#[test]
fn a_bubble_is_fill_drain_or_what_ended_it() {
    let trace = two_stages();
    let of_stage_0 = bubble(&trace, LaneId::new(0));
    assert_eq!(
        of_stage_0,
        Bubble {
            stage: at(245),
            ..Bubble::default()
        }
    );
    let of_stage_1 = bubble(&trace, LaneId::new(1));
    let expected = Bubble {
        fill: at(105),
        drain: at(135),
        ..Bubble::default()
    };
    assert_eq!(of_stage_1, expected);
    assert_eq!(bubbles(&trace), [of_stage_0, of_stage_1]);
}

#[test]
fn a_gap_that_a_peer_ends_is_told_from_a_gap_of_the_lane_itself() {
    let mut trace = lanes(2);
    let own = push(&mut trace, 0, COMPUTE, "kernel", (0, 10), NO_INDEX);
    let late = push(&mut trace, 1, COMPUTE, "kernel", (0, 30), NO_INDEX);
    let joined = push(&mut trace, 0, TP, "reduce", (30, 40), late);
    push(&mut trace, 1, TP, "reduce", (30, 40), late);
    push(&mut trace, 0, COMPUTE, "kernel", (45, 50), joined);
    let _ = own;
    let expected = Bubble {
        peer: at(20),
        own: at(5),
        ..Bubble::default()
    };
    assert_eq!(bubble(&trace, LaneId::new(0)), expected);
}

#[test]
fn communication_beside_kernels_is_hidden() {
    let trace = two_stages();
    let found = exposure(&trace, LaneId::new(0));
    let dp = Category::Dp.index();
    assert_eq!((found.hidden[dp], found.exposed[dp]), (at(15), at(15)));
    assert_eq!(found.active(Category::Dp), at(30));
    assert_eq!(found.exposed[Category::Pp.index()], at(20));
}

#[test]
fn a_stream_is_busy_while_any_of_its_spans_is() {
    let mut trace = lanes(1);
    push(&mut trace, 0, PP, "receive", (0, 40), NO_INDEX);
    push(&mut trace, 0, PP, "receive", (20, 60), NO_INDEX);
    push(&mut trace, 0, COMPUTE, "kernel", (50, 80), NO_INDEX);
    let found = utilization(&trace);
    let shown: Vec<_> = found
        .iter()
        .map(|one| (one.stream, one.busy, one.share))
        .collect();
    let expected = [
        (StreamKind::Compute, at(30), 0.375),
        (StreamKind::Pp, at(60), 0.75),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn memory_has_its_peak_at_its_first_moment_with_what_is_resident() {
    let trace = with_memory();
    let peaks = memory_peaks(&trace);
    assert_eq!((peaks[0].total(), peaks[0].time), (Bytes::new(18), at(50)));
    assert_eq!((peaks[1].total(), peaks[1].time), (Bytes::new(3), at(125)));
    let levels: Vec<_> = memory_timeline(&trace, LaneId::new(0))
        .iter()
        .map(|level| (level.time.as_picos(), level.total().as_u64()))
        .collect();
    assert_eq!(levels, [(0, 10), (0, 15), (50, 18), (465, 12)]);
    let all = memory_timelines(&trace);
    assert_eq!(all[0], memory_timeline(&trace, LaneId::new(0)));
    assert_eq!(all[1], memory_timeline(&trace, LaneId::new(1)));
    assert!(memory_timeline(&trace, LaneId::new(9)).is_empty());
}
