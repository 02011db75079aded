//! How much shorter the run could get: upper bounds by replaying the trace with something faster.
//!
//! A trace records for each span the cause that released it last, and streams keep their order.
//! These are dependencies that any faster run still has, so that replaying only them gives a
//! time that the faster run cannot beat:
//!
//! ```text
//! end'(s) = max( end'(cause) + gap + time'(s after its cause),  end'(previous of its stream) + time'(s) )
//! bound   = end − max over s of end'(s)
//! ```
//!
//! What the trace does not know (causes that were ready earlier) can only make the faster run
//! longer: the saving is at most the bound, and often less. Gaps between a cause and the start of
//! what it releases stay, and kernels keep the times that they had beside communication. The idea of asking
//! what a virtual speedup would bring is Coz's (Curtsinger and Berger, SOSP 2015).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use units::{LaneId, SimTime};

use crate::path::cause_of;
use crate::{Breakdown, Category, Span, SpanId, StreamKind, Trace, bottleneck, breakdowns};

/// Something that would make the run shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// A category takes no time.
    Free(Category),
    /// A category takes half the time.
    Halve(Category),
    /// All lanes compute as long as their mean, weighted by ranks.
    Balance,
    /// No lane ever waits: the bottleneck's bubble goes.
    NoBubble,
}

/// By how much a remedy shortens the run at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The remedy.
    pub remedy: Remedy,
    /// The time that it saves at most.
    pub saving: SimTime,
    /// That time over the end of the trace.
    pub share: f64,
}

/// Bounds of all remedies that could help, the largest first: communication, offloading and host
/// time for free, compute and optimizer twice as fast, compute in balance, no bubble.
pub fn bounds(trace: &Trace) -> Vec<Bound> {
    bounds_of(trace, &breakdowns(trace))
}

pub(crate) fn bounds_of(trace: &Trace, breakdowns: &[Breakdown]) -> Vec<Bound> {
    let before = previous_of_stream(trace);
    let mut bounds = Vec::new();
    for category in Category::ALL {
        let remedy = match category {
            Category::Compute | Category::Optimizer => Remedy::Halve(category),
            _ => Remedy::Free(category),
        };
        let end = replay(trace, &before, |span, time| match remedy {
            _ if span.category != category => time,
            Remedy::Halve(_) => time / 2,
            _ => 0,
        });
        bounds.push(bound(trace, remedy, end));
    }
    bounds.push(bound(
        trace,
        Remedy::Balance,
        balanced(trace, &before, breakdowns),
    ));
    if let Some(lane) = bottleneck(breakdowns) {
        let busy = breakdowns[lane.index()].busy();
        bounds.push(bound(trace, Remedy::NoBubble, busy.as_picos()));
    }
    bounds.retain(|bound| bound.saving != SimTime::ZERO);
    bounds.sort_by_key(|bound| (Reverse(bound.saving), bound.remedy));
    bounds
}

fn bound(trace: &Trace, remedy: Remedy, end: u64) -> Bound {
    let saving = trace.end.as_picos().saturating_sub(end);
    Bound {
        remedy,
        saving: SimTime::from_picos(saving),
        share: saving as f64 / (trace.end.as_picos() as f64).max(1.0),
    }
}

/// The end when every lane computes as long as the mean over ranks.
fn balanced(trace: &Trace, before: &[Option<SpanId>], breakdowns: &[Breakdown]) -> u64 {
    let work = |lane: usize| breakdowns[lane].of(Category::Compute).as_picos() as f64;
    let ranks = |lane: usize| trace.lanes[lane].ranks.len().max(1) as f64;
    let lanes = 0..trace.lanes.len();
    let total: f64 = lanes.clone().map(|lane| work(lane) * ranks(lane)).sum();
    let mean = total / lanes.clone().map(ranks).sum::<f64>().max(1.0);
    let factors: Vec<f64> = lanes.map(|lane| mean / work(lane).max(1.0)).collect();
    replay(trace, before, |span, time| {
        let factor = factors.get(span.lane.index());
        match factor {
            Some(factor) if span.category == Category::Compute => scale(time, *factor),
            _ => time,
        }
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a picosecond more or less and saturation do no harm in a bound of a share"
)]
fn scale(time: u64, factor: f64) -> u64 {
    (time as f64 * factor) as u64
}

/// The end of the run, in picoseconds, when each span takes `time(span, picoseconds)` instead.
/// With the times as they are, it is the end of the trace.
fn replay(trace: &Trace, before: &[Option<SpanId>], time: impl Fn(&Span, u64) -> u64) -> u64 {
    let mut ends: Vec<u64> = Vec::with_capacity(trace.spans.len());
    let (mut latest, mut latest_now) = (0, 0);
    for ((id, span), previous) in (0..).zip(&trace.spans).zip(before) {
        let (start, end) = (span.start.as_picos(), span.end.as_picos());
        let cause = cause_of(trace, id);
        let released = cause.map_or(0, |(_, cause)| cause.end.as_picos().min(end));
        let begun = start.max(released);
        let gap = begun - released;
        let from = cause
            .map_or(0, |(id, _)| ends[id as usize])
            .saturating_add(gap);
        let mut until = from.saturating_add(time(span, end.saturating_sub(begun)));
        if let Some(previous) = previous {
            let from = ends[*previous as usize];
            until = until.max(from.saturating_add(time(span, end.saturating_sub(start))));
        }
        ends.push(until);
        latest = latest.max(until);
        latest_now = latest_now.max(end);
    }
    let tail = trace.end.as_picos().saturating_sub(latest_now);
    latest.saturating_add(tail)
}

/// The span that ran on the same stream of the same lane before each span, where streams keep
/// their order and the spans do not overlap.
fn previous_of_stream(trace: &Trace) -> Vec<Option<SpanId>> {
    let mut last: BTreeMap<(LaneId, StreamKind), SpanId> = BTreeMap::new();
    (0..)
        .zip(&trace.spans)
        .map(|(id, span)| {
            let previous = last.insert((span.lane, span.stream), id)?;
            let ended = trace.spans[previous as usize].end <= span.start;
            (ended && span.stream != StreamKind::Pp).then_some(previous)
        })
        .collect()
}
