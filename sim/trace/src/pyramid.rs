//! Level of detail: a track summarized for a window of a given width in pixels.
//!
//! ```text
//! level 2   ────────────────────────────────   a node per 256 spans: longest, busy time
//! level 1   ── ── ── ── ── ── ── ── ── ── ──   a node per 16 spans
//! spans     ▏▎▏▎▎▏▏▎▏▎▎▏▎▏▎▎▏▏▎▏▎▎▏▎▏▎▎▏▏▎▏▎
//! ```
//!
//! A query walks over the pixels and not over the spans: spans narrower than a pixel merge with
//! those that start in the same one, and what is merged is read off the nodes. Its work is
//! proportional to the bars that come out, times the logarithm of the spans.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use units::SimTime;

use crate::{Span, SpanId, Trace, Track};

const FACTOR: usize = 16;

/// One bar of a summary: a span, or several that are too narrow to be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// The start of the first span.
    pub start: SimTime,
    /// The end of the last span.
    pub end: SimTime,
    /// How many spans it stands for.
    pub count: u32,
    /// The sum of their durations: less than the bar's where there are gaps.
    pub busy: SimTime,
    /// The longest of them, the first of equals.
    pub longest: SpanId,
}

/// A track with the sums that make summaries fast.
#[derive(Clone, Debug)]
pub struct Pyramid {
    spans: Vec<SpanId>,
    starts: Vec<u64>,
    ends: Vec<u64>,
    /// From the finest: one node per `FACTOR` spans, then per `FACTOR` nodes.
    levels: Vec<Vec<Node>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    busy: u64,
    /// Index in the track.
    longest: usize,
    duration: u64,
}

impl Node {
    fn join(self, other: Self) -> Self {
        let longest = if self.duration < other.duration {
            other
        } else {
            self
        };
        Self {
            busy: self.busy + other.busy,
            ..longest
        }
    }
}

impl Pyramid {
    /// Builds the sums over a track.
    pub fn new(trace: &Trace, row: &Track) -> Self {
        Self::of_spans(trace, row.spans.clone())
    }

    /// Builds the sums over spans in order of their start that do not overlap.
    pub fn of_spans(trace: &Trace, spans: Vec<SpanId>) -> Self {
        let ends = |id: &SpanId| {
            let span: &Span = &trace.spans[*id as usize];
            (span.start.as_picos(), span.end.as_picos())
        };
        let (starts, ends) = spans.iter().map(ends).unzip();
        Self::of(spans, starts, ends)
    }

    /// Builds the sums over stretches of time that do not overlap, each with an id of the caller's,
    /// in order of their start.
    pub fn of_stretches(stretches: impl IntoIterator<Item = (SpanId, Range<SimTime>)>) -> Self {
        let mut spans = Vec::new();
        let mut starts = Vec::new();
        let mut ends = Vec::new();
        for (id, stretch) in stretches {
            spans.push(id);
            starts.push(stretch.start.as_picos());
            ends.push(stretch.end.as_picos());
        }
        Self::of(spans, starts, ends)
    }

    fn of(spans: Vec<SpanId>, starts: Vec<u64>, ends: Vec<u64>) -> Self {
        let mut levels = Vec::new();
        let mut level = finest(&starts, &ends);
        while 1 < level.len() {
            let next = coarser(&level);
            levels.push(level);
            level = next;
        }
        Self {
            spans,
            starts,
            ends,
            levels,
        }
    }

    /// The ids, in order of their start.
    pub fn spans(&self) -> &[SpanId] {
        &self.spans
    }

    /// The places of the spans that a window touches. Spans without duration count where they lie.
    pub fn touching(&self, window: Range<SimTime>) -> Range<usize> {
        let (from, to) = (window.start.as_picos(), window.end.as_picos());
        let mut first = self.starts.partition_point(|&start| start < from);
        if 0 < first && from < self.ends[first - 1] {
            first -= 1;
        }
        let stop = self.starts.partition_point(|&start| start < to);
        first..stop.max(first)
    }

    /// The bar that stands for the spans at some places, in constant time but for a logarithm;
    /// `None` for none.
    pub fn joined(&self, places: Range<usize>) -> Option<Bar> {
        let fits = places.start < places.end && places.end <= self.spans.len();
        fits.then(|| self.bar(places.start, places.end))
    }

    /// The bars of a window that is drawn `pixels` wide, in order of time: at most one merged
    /// bar and one wide span begin in each pixel. Bars at the edges keep their whole extent.
    pub fn summarize(&self, window: Range<SimTime>, pixels: u32) -> Vec<Bar> {
        let mut bars = Vec::new();
        self.each_bar(window, pixels, |bar| bars.push(bar));
        bars
    }

    /// Calls `visit` for each bar of [`Pyramid::summarize`].
    pub fn each_bar(&self, window: Range<SimTime>, pixels: u32, mut visit: impl FnMut(Bar)) {
        let (from, to) = (window.start.as_picos(), window.end.as_picos());
        if to <= from || pixels == 0 {
            return;
        }
        let columns = Columns {
            from,
            width: to - from,
            pixels: u64::from(pixels),
        };
        let Range {
            start: mut at,
            end: stop,
        } = self.touching(window);
        while at < stop {
            let next = self.end_of_bar(&columns, at, stop);
            visit(self.bar(at, next));
            at = next;
        }
    }

    /// One past the last span of the bar that begins at `at`.
    fn end_of_bar(&self, columns: &Columns, at: usize, stop: usize) -> usize {
        if columns.is_wide(self.ends[at] - self.starts[at]) {
            return at + 1;
        }
        let edge = columns.end_of_column(self.starts[at]);
        let next = first_from(&self.starts[..stop], at + 1, edge);
        let last = next - 1;
        let wide = columns.is_wide(self.ends[last] - self.starts[last]);
        if at < last && wide { last } else { next }
    }

    fn bar(&self, from: usize, to: usize) -> Bar {
        let node = self.node(from, to);
        Bar {
            start: SimTime::from_picos(self.starts[from]),
            end: SimTime::from_picos(self.ends[to - 1]),
            count: u32::try_from(to - from).unwrap_or(u32::MAX),
            busy: SimTime::from_picos(node.busy),
            longest: self.spans[node.longest],
        }
    }

    /// The joined node of a range of spans that is not empty.
    fn node(&self, mut from: usize, mut to: usize) -> Node {
        let mut before = None;
        let mut after = None;
        let join = |a: Option<Node>, b: Option<Node>| match (a, b) {
            (Some(a), Some(b)) => Some(a.join(b)),
            (a, b) => a.or(b),
        };
        let mut level = 0;
        while from < to {
            let at = |index: usize| self.at(level, index);
            let last = self.levels.len() == level;
            while from < to && (last || !from.is_multiple_of(FACTOR)) {
                before = join(before, Some(at(from)));
                from += 1;
            }
            while from < to && !to.is_multiple_of(FACTOR) {
                to -= 1;
                after = join(Some(at(to)), after);
            }
            (from, to) = (from / FACTOR, to / FACTOR);
            level += 1;
        }
        join(before, after).unwrap_or_default()
    }

    fn at(&self, level: usize, index: usize) -> Node {
        if let Some(above) = level.checked_sub(1) {
            return self.levels[above][index];
        }
        leaf(&self.starts, &self.ends, index)
    }
}

/// The first place from `at` on whose start is not before `edge`. It lies near: the steps grow
/// from there.
fn first_from(starts: &[u64], mut at: usize, edge: u64) -> usize {
    let mut step = 1;
    while let Some(&start) = starts.get(at + step - 1)
        && start < edge
    {
        at += step;
        step *= 2;
    }
    let end = (at + step - 1).min(starts.len());
    at + starts[at..end].partition_point(|&start| start < edge)
}

/// The finest level above the spans; they themselves where they are few.
fn finest(starts: &[u64], ends: &[u64]) -> Vec<Node> {
    let n = starts.len();
    let places = (0..n).step_by(FACTOR);
    places
        .map(|from| {
            let rest = from + 1..(from + FACTOR).min(n);
            rest.fold(leaf(starts, ends, from), |sum, at| {
                sum.join(leaf(starts, ends, at))
            })
        })
        .collect()
}

fn leaf(starts: &[u64], ends: &[u64], index: usize) -> Node {
    let duration = ends[index].saturating_sub(starts[index]);
    Node {
        busy: duration,
        longest: index,
        duration,
    }
}

fn coarser(level: &[Node]) -> Vec<Node> {
    let join = |nodes: &[Node]| {
        nodes[1..]
            .iter()
            .fold(nodes[0], |sum, &node| sum.join(node))
    };
    level.chunks(FACTOR).map(join).collect()
}

/// The pixels of a window.
struct Columns {
    from: u64,
    width: u64,
    pixels: u64,
}

impl Columns {
    /// Whether a duration is at least one pixel.
    fn is_wide(&self, duration: u64) -> bool {
        u128::from(self.width) <= u128::from(duration) * u128::from(self.pixels)
    }

    /// The first moment past the pixel in which a moment lies; past the first pixel for moments
    /// before the window.
    fn end_of_column(&self, at: u64) -> u64 {
        let offset = u128::from(at.saturating_sub(self.from));
        let (width, pixels) = (u128::from(self.width), u128::from(self.pixels));
        let column = offset * pixels / width + 1;
        let end = (column * width).div_ceil(pixels);
        u64::try_from(end).map_or(u64::MAX, |end| self.from.saturating_add(end))
    }
}
