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

    /// Builds the sums over starts and ends in picoseconds, which must be in order and must not
    /// overlap, each with an id.
    pub(crate) fn of(spans: Vec<SpanId>, starts: Vec<u64>, ends: Vec<u64>) -> Self {
        let mut levels = Vec::new();
        let mut level = finest(&starts, &ends);
        while 1 < level.len() {
            let next = coarser(&level);
            levels.push(level);
            level = next;
        }
        levels.push(level);
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
        let mut columns = Columns::new(from, to - from, u64::from(pixels));
        let Range {
            start: mut at,
            end: stop,
        } = self.touching(window);
        // Neighboring columns hold about as many spans.
        let mut guess = 1;
        while at < stop {
            let next = self.end_of_bar(&mut columns, at, stop, guess);
            visit(self.bar(at, next));
            guess = (next - at).next_power_of_two();
            at = next;
        }
    }

    /// One past the last span of the bar that begins at `at`.
    fn end_of_bar(&self, columns: &mut Columns, at: usize, stop: usize, guess: usize) -> usize {
        if columns.is_wide(self.ends[at] - self.starts[at]) {
            return at + 1;
        }
        let edge = columns.end_of_column(self.starts[at]);
        let next = first_from(&self.starts[..stop], at + 1, edge, guess);
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
    fn node(&self, from: usize, to: usize) -> Node {
        if to - from <= 2 * FACTOR {
            return joined_leaves(&self.starts, &self.ends, from..to);
        }
        let (first, last) = (from.next_multiple_of(FACTOR), to / FACTOR * FACTOR);
        let mut before = joined_leaves(&self.starts, &self.ends, from..first);
        let mut after = joined_leaves(&self.starts, &self.ends, last..to);
        let (mut from, mut to) = (first / FACTOR, last / FACTOR);
        for level in &self.levels {
            if to - from <= 2 * FACTOR {
                before = level[from..to]
                    .iter()
                    .fold(before, |sum, node| sum.join(*node));
                break;
            }
            let (first, last) = (from.next_multiple_of(FACTOR), to / FACTOR * FACTOR);
            before = level[from..first]
                .iter()
                .fold(before, |sum, node| sum.join(*node));
            after = level[last..to]
                .iter()
                .rfold(after, |sum, node| node.join(sum));
            (from, to) = (first / FACTOR, last / FACTOR);
        }
        before.join(after)
    }

    /// The stretch of time at a place.
    pub fn stretch(&self, place: usize) -> Option<Range<SimTime>> {
        let (start, end) = (*self.starts.get(place)?, *self.ends.get(place)?);
        Some(SimTime::from_picos(start)..SimTime::from_picos(end))
    }
}

/// The node of spans that lie side by side; the longest is the first of them where none has a
/// duration.
fn joined_leaves(starts: &[u64], ends: &[u64], places: Range<usize>) -> Node {
    let mut node = Node {
        busy: 0,
        longest: places.start,
        duration: 0,
    };
    let spans = starts[places.clone()].iter().zip(&ends[places.clone()]);
    for (place, (start, end)) in places.zip(spans) {
        let duration = end.saturating_sub(*start);
        node.busy = node.busy.wrapping_add(duration);
        if node.duration < duration {
            (node.longest, node.duration) = (place, duration);
        }
    }
    node
}

/// The first place from `at` on whose start is not before `edge`. It lies near: the steps grow
/// from there, beginning with a guess.
fn first_from(starts: &[u64], mut at: usize, edge: u64, guess: usize) -> usize {
    let mut step = guess.max(1);
    while let Some(&start) = starts.get(at + step - 1)
        && start < edge
    {
        at += step;
        step *= 2;
    }
    let end = (at + step - 1).min(starts.len());
    at + starts[at..end].partition_point(|&start| start < edge)
}

/// The finest level: a node per `FACTOR` spans.
fn finest(starts: &[u64], ends: &[u64]) -> Vec<Node> {
    let n = starts.len();
    let places = (0..n).step_by(FACTOR);
    places
        .map(|from| joined_leaves(starts, ends, from..(from + FACTOR).min(n)))
        .collect()
}

fn coarser(level: &[Node]) -> Vec<Node> {
    let join = |nodes: &[Node]| {
        nodes[1..]
            .iter()
            .fold(nodes[0], |sum, &node| sum.join(node))
    };
    level.chunks(FACTOR).map(join).collect()
}

/// The pixels of a window, walked from left to right.
///
/// Column `c` ends at `ceil((c + 1) · width / pixels)`. Dividing would take longer than all else
/// that a bar needs, so that the edge moves by additions.
struct Columns {
    from: u64,
    width: u64,
    pixels: u64,
    /// The shortest duration of at least one pixel.
    least: u64,
    /// Whole part and remainder of `(c + 1) · width / pixels`.
    edge: (u64, u64),
    /// The same of `width / pixels`.
    step: (u64, u64),
}

impl Columns {
    fn new(from: u64, width: u64, pixels: u64) -> Self {
        Self {
            from,
            width,
            pixels,
            least: width.div_ceil(pixels),
            edge: (width / pixels, width % pixels),
            step: (width / pixels, width % pixels),
        }
    }

    /// Whether a duration is at least one pixel.
    const fn is_wide(&self, duration: u64) -> bool {
        self.least <= duration
    }

    /// The first moment past the column in which a moment lies; past the first column for moments
    /// before the window. Moments come in order.
    fn end_of_column(&mut self, at: u64) -> u64 {
        const NEAR: u64 = 8;
        let offset = at.saturating_sub(self.from);
        if NEAR * self.least < offset.saturating_sub(self.edge.0) {
            self.jump(offset);
        }
        let (whole, rest) = self.step;
        while self.end() <= offset {
            self.edge.0 += whole;
            self.edge.1 += rest;
            if self.pixels <= self.edge.1 {
                self.edge.1 -= self.pixels;
                self.edge.0 += 1;
            }
        }
        self.from.saturating_add(self.end())
    }

    /// The end of the column, from the start of the window.
    fn end(&self) -> u64 {
        self.edge.0 + u64::from(self.edge.1 != 0)
    }

    /// Goes to the column of a moment that is far.
    fn jump(&mut self, offset: u64) {
        let (width, pixels) = (u128::from(self.width), u128::from(self.pixels));
        let column = u128::from(offset) * pixels / width;
        let edge = (column + 1) * width;
        let part = |part: u128| u64::try_from(part).unwrap_or(u64::MAX);
        self.edge = (part(edge / pixels), part(edge % pixels));
    }
}
