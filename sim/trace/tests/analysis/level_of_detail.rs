//! Tracks and their summaries by hand.

use trace::{NO_INDEX, Pyramid, Trace, tracks};
use units::SimTime;

use crate::fixtures::{COMPUTE, PP, at, lanes, push};

fn shown(trace: &Trace, window: std::ops::Range<u64>, pixels: u32) -> Vec<(u64, u64, u32, u64)> {
    let row = &tracks(trace)[0];
    let bars = Pyramid::new(trace, row).summarize(at(window.start)..at(window.end), pixels);
    bars.iter()
        .map(|bar| {
            (
                bar.start.as_picos(),
                bar.end.as_picos(),
                bar.count,
                bar.busy.as_picos(),
            )
        })
        .collect()
}

#[test]
fn overlapping_spans_of_a_stream_get_rows_of_their_own() {
    let mut trace = lanes(1);
    push(&mut trace, 0, PP, "receive", (0, 40), NO_INDEX);
    push(&mut trace, 0, PP, "receive", (20, 60), NO_INDEX);
    push(&mut trace, 0, PP, "receive", (40, 70), NO_INDEX);
    let rows: Vec<_> = tracks(&trace)
        .into_iter()
        .map(|row| (row.row, row.spans))
        .collect();
    assert_eq!(rows, [(0, vec![0, 2]), (1, vec![1])]);
}

#[test]
fn spans_of_no_time_lie_between_their_neighbors() {
    let mut trace = lanes(1);
    let before = push(&mut trace, 0, COMPUTE, "kernel", (0, 40), NO_INDEX);
    let closing = push(&mut trace, 0, COMPUTE, "host", (40, 40), before);
    push(&mut trace, 0, COMPUTE, "kernel", (40, 60), closing);
    let rows: Vec<_> = tracks(&trace)
        .into_iter()
        .map(|row| (row.row, row.spans))
        .collect();
    assert_eq!(rows, [(0, vec![0, 1, 2])]);
}

#[test]
fn spans_narrower_than_a_pixel_merge_and_wide_ones_stay() {
    let mut trace = lanes(1);
    for start in [0, 2, 5] {
        push(
            &mut trace,
            0,
            COMPUTE,
            "small",
            (start, start + 1),
            NO_INDEX,
        );
    }
    push(&mut trace, 0, COMPUTE, "wide", (8, 45), NO_INDEX);
    push(&mut trace, 0, COMPUTE, "small", (95, 96), NO_INDEX);
    let bars = shown(&trace, 0..100, 10);
    assert_eq!(bars, [(0, 6, 3, 3), (8, 45, 1, 37), (95, 96, 1, 1)]);
}

#[test]
fn a_window_shows_what_it_touches() {
    let mut trace = lanes(1);
    for start in [0, 10, 20, 30] {
        push(
            &mut trace,
            0,
            COMPUTE,
            "kernel",
            (start, start + 10),
            NO_INDEX,
        );
    }
    assert_eq!(
        shown(&trace, 15..30, 1000),
        [(10, 20, 1, 10), (20, 30, 1, 10)]
    );
    assert!(shown(&trace, 40..90, 10).is_empty());
    assert!(shown(&trace, 30..30, 10).is_empty());
    assert!(shown(&trace, 0..40, 0).is_empty());
}

#[test]
fn a_merged_bar_names_its_longest_span() {
    let mut trace = lanes(1);
    let mut now = 0;
    for id in 0..1000_u64 {
        let length = if id == 617 { 9 } else { 1 + id % 3 };
        push(
            &mut trace,
            0,
            COMPUTE,
            "kernel",
            (now, now + length),
            NO_INDEX,
        );
        now += length;
    }
    let row = &tracks(&trace)[0];
    let bars = Pyramid::new(&trace, row).summarize(SimTime::ZERO..trace.end, 1);
    assert_eq!(bars.len(), 1);
    assert_eq!(
        (bars[0].count, bars[0].longest, bars[0].busy),
        (1000, 617, trace.end)
    );
}
