//! Sums by kind, slack, and what viewers ask pyramids for.

use proptest::prelude::*;
use trace::{KindSums, NO_INDEX, Pyramid, Stretch, critical_path, slacks, track_sums, tracks};
use units::SimTime;

use crate::fixtures::{COMPUTE, at, lanes, push, two_stages};
use crate::schedule::{programs, run};

#[test]
fn the_path_has_no_slack_and_what_hides_behind_it_has() {
    let mut trace = two_stages();
    trace.end = at(480);
    let slacks: Vec<u64> = slacks(&trace).iter().map(|time| time.as_picos()).collect();
    assert_eq!(
        slacks,
        [0, 0, 0, 0, 0, 15, 0],
        "the backward pass of stage 0 ends 15 early"
    );
}

#[test]
fn a_gap_of_the_stream_is_slack_of_the_span_before_it() {
    let mut trace = lanes(1);
    push(&mut trace, 0, COMPUTE, "first", (0, 10), NO_INDEX);
    push(&mut trace, 0, COMPUTE, "second", (13, 20), NO_INDEX);
    assert_eq!(slacks(&trace), [at(3), at(0)]);
}

#[test]
fn sums_of_a_long_track_are_those_of_its_spans() {
    let mut trace = lanes(1);
    for n in 0..1_000 {
        push(
            &mut trace,
            0,
            COMPUTE,
            "kernel",
            (2 * n, 2 * n + 1),
            NO_INDEX,
        );
    }
    let spans = &tracks(&trace)[0].spans;
    let sums = KindSums::new(&trace, spans);
    for places in [
        0..1_000,
        0..256,
        255..257,
        256..512,
        300..301,
        7..993,
        1_000..1_000,
    ] {
        let all = sums.of(&trace, spans, places.clone());
        let count: u64 = all.iter().map(|sum| sum.count).sum();
        let time: u64 = all.iter().map(|sum| sum.time.as_picos()).sum();
        assert_eq!(
            (count, time),
            (places.len() as u64, places.len() as u64),
            "{places:?}"
        );
    }
}

proptest! {
    #[test]
    fn tracks_with_sums_are_the_tracks(program in programs()) {
        let trace = run(&program, |_, time| time);
        let slow = tracks(&trace);
        let fast = track_sums(&trace);
        prop_assert_eq!(slow.len(), fast.len());
        for (slow, fast) in slow.iter().zip(&fast) {
            prop_assert_eq!((slow.lane, slow.stream, slow.row), (fast.lane, fast.stream, fast.row));
            prop_assert_eq!(&slow.spans, fast.spans.spans());
            let all = 0..slow.spans.len();
            let sums = KindSums::new(&trace, &slow.spans);
            prop_assert_eq!(
                sums.of(&trace, &slow.spans, all.clone()),
                fast.kinds.of(&trace, &slow.spans, all)
            );
        }
    }

    #[test]
    fn spans_of_the_path_have_no_slack(program in programs()) {
        let trace = run(&program, |_, time| time);
        let slacks = slacks(&trace);
        for segment in critical_path(&trace).segments {
            if segment.stretch == Stretch::Work {
                prop_assert_eq!(slacks[segment.span as usize], SimTime::ZERO);
            }
        }
    }

    #[test]
    fn every_span_of_a_window_lies_in_one_bar(
        program in programs(),
        (from, length) in (0_u64..200, 1_u64..200),
        pixels in 1_u32..50,
    ) {
        let trace = run(&program, |_, time| time);
        let window = at(from)..at(from + length);
        for track in tracks(&trace) {
            let pyramid = Pyramid::new(&trace, &track);
            let touching = pyramid.touching(window.clone());
            let bars = pyramid.summarize(window.clone(), pixels);
            let count: usize = bars.iter().map(|bar| bar.count as usize).sum();
            prop_assert_eq!(count, touching.len());
            let whole = pyramid.joined(touching.clone());
            prop_assert_eq!(whole.map_or(0, |bar| bar.count as usize), touching.len());
            let busy: u64 = bars.iter().map(|bar| bar.busy.as_picos()).sum();
            prop_assert_eq!(whole.map_or(0, |bar| bar.busy.as_picos()), busy);
        }
    }
}
