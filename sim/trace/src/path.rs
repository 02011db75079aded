//! The critical path: the chain of causes that ends last.
//!
//! ```text
//! lane 1            ┌ receive ┐┌ forward ┐
//! lane 0  ┌ forward ┐ ▲ cause            ▲ ends last
//!         └─────────┴─────────┴┴─────────┘  segments, back to back from 0 to the end
//! ```
//!
//! Invariant: the segments cover the time from 0 to the end of the trace without gaps and
//! overlaps, so that they sum to its end in picoseconds. Time on the path in which the span that
//! waits has not begun, though its cause has ended, is a segment of its own.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use units::{LaneId, SimTime};

use crate::causes::Link;
use crate::{Category, NO_INDEX, NameId, Pass, Span, SpanId, Trace};

/// What a stretch of the critical path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stretch {
    /// The span was under way.
    Work,
    /// The span had not begun, though what released it had ended; without a span, what follows
    /// the last span.
    Wait,
}

/// One stretch of the critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// What it is.
    pub stretch: Stretch,
    /// The span that was under way or waited, or [`NO_INDEX`].
    pub span: SpanId,
    /// Its start.
    pub start: SimTime,
    /// Its end.
    pub end: SimTime,
}

/// The chain of causes that ends last, with what its time is spent on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriticalPath {
    /// The stretches, in order of time.
    pub segments: Vec<Segment>,
    /// Time under way by [`Category::index`].
    pub by_category: [SimTime; Category::ALL.len()],
    /// Time of stretches in which the next span had not begun.
    pub waiting: SimTime,
    /// Time under way by name and pass, the longest first.
    pub by_name: Vec<((NameId, Pass), SimTime)>,
    /// Time under way by lane, the longest first.
    pub by_lane: Vec<(LaneId, SimTime)>,
    /// Time under way by pipeline stage of the lane, the longest first.
    pub by_stage: Vec<(u32, SimTime)>,
}

impl CriticalPath {
    /// The length of the path: the end of the trace.
    pub fn total(&self) -> SimTime {
        let under_way: u64 = self.by_category.iter().map(|time| time.as_picos()).sum();
        SimTime::from_picos(under_way + self.waiting.as_picos())
    }
}

/// Walks back over causes from the span that ends last.
pub fn critical_path(trace: &Trace) -> CriticalPath {
    let mut segments = walk(trace);
    segments.reverse();
    let mut totals = Totals::default();
    for segment in &segments {
        totals.add(trace, segment);
    }
    CriticalPath {
        segments,
        by_category: totals.by_category.map(SimTime::from_picos),
        waiting: SimTime::from_picos(totals.waiting),
        by_name: longest_first(totals.by_name),
        by_lane: longest_first(totals.by_lane),
        by_stage: longest_first(totals.by_stage),
    }
}

/// The span that released another, if it was recorded before it.
pub(crate) fn cause_of(trace: &Trace, id: SpanId) -> Option<(SpanId, &Span)> {
    let cause = trace.spans[id as usize].cause;
    (cause < id)
        .then(|| trace.spans.get(cause as usize))
        .flatten()
        .map(|span| (cause, span))
}

fn walk(trace: &Trace) -> Vec<Segment> {
    walk_links(trace.spans.len(), trace.end, |id| {
        let span = &trace.spans[id as usize];
        Link {
            start: span.start,
            end: span.end,
            cause: span.cause,
            category: span.category,
        }
    })
}

/// The segments of the path over `n` links that belong to a run of that end, the last first.
pub(crate) fn walk_links(n: usize, end: SimTime, link: impl Fn(SpanId) -> Link) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut push = |stretch, span, start: SimTime, end: SimTime| {
        if start < end {
            segments.push(Segment {
                stretch,
                span,
                start,
                end,
            });
        }
    };
    let ids = 0..SpanId::try_from(n).unwrap_or(NO_INDEX);
    let mut current = ids.max_by_key(|&id| link(id).end);
    let mut now = current.map_or(SimTime::ZERO, |id| link(id).end).min(end);
    push(Stretch::Wait, NO_INDEX, now, end);
    while let Some(id) = current {
        let Link { start, cause, .. } = link(id);
        let cause = (cause < id).then_some(cause);
        let released = cause.map_or(SimTime::ZERO, |cause| link(cause).end.min(now));
        let begun = start.clamp(released, now);
        push(Stretch::Work, id, begun, now);
        push(Stretch::Wait, id, released, begun);
        now = released;
        current = cause;
    }
    segments
}

#[derive(Default)]
struct Totals {
    by_category: [u64; Category::ALL.len()],
    waiting: u64,
    by_name: BTreeMap<(NameId, Pass), u64>,
    by_lane: BTreeMap<LaneId, u64>,
    by_stage: BTreeMap<u32, u64>,
}

impl Totals {
    fn add(&mut self, trace: &Trace, segment: &Segment) {
        let time = segment.end.as_picos() - segment.start.as_picos();
        let span = trace.spans.get(segment.span as usize);
        let (Stretch::Work, Some(span)) = (segment.stretch, span) else {
            self.waiting += time;
            return;
        };
        self.by_category[span.category.index()] += time;
        *self.by_name.entry((span.name, span.pass)).or_default() += time;
        *self.by_lane.entry(span.lane).or_default() += time;
        if let Some(lane) = trace.lanes.get(span.lane.index()) {
            *self.by_stage.entry(lane.stage).or_default() += time;
        }
    }
}

fn longest_first<K: Ord + Copy>(totals: BTreeMap<K, u64>) -> Vec<(K, SimTime)> {
    let mut list: Vec<_> = totals
        .into_iter()
        .map(|(key, time)| (key, SimTime::from_picos(time)))
        .collect();
    list.sort_by_key(|&(key, time)| (Reverse(time), key));
    list
}
