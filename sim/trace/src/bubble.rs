//! Why a lane is idle.
//!
//! ```text
//! ├ fill ┤forward│ stage │forward│back│ own │back│ peer │reduce├ drain ┤
//! ```
//!
//! Invariant: the parts sum to the bubble of the lane's breakdown, in picoseconds.

use serde::{Deserialize, Serialize};
use units::{LaneId, SimTime};

use crate::by_lane::spans_by_lane;
use crate::path::cause_of;
use crate::sweep::sweep;
use crate::{Category, NO_INDEX, Span, SpanId, Trace};

/// The bubble of one lane by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bubble {
    /// Before the lane's first micro-batch: the pipeline fills.
    pub fill: SimTime,
    /// After the lane's last micro-batch: the pipeline drains.
    pub drain: SimTime,
    /// In between, until a message of another stage set out: that stage is late.
    pub stage: SimTime,
    /// In between, until the last peer had come to a collective.
    pub peer: SimTime,
    /// In between, after work of the lane itself: gaps between kernels, and what no cause explains.
    pub own: SimTime,
}

impl Bubble {
    /// The sum: the lane's bubble.
    pub fn total(&self) -> SimTime {
        let parts = [self.fill, self.drain, self.stage, self.peer, self.own];
        SimTime::from_picos(parts.iter().map(|time| time.as_picos()).sum())
    }
}

/// The bubble of one lane by cause.
pub fn bubble(trace: &Trace, lane: LaneId) -> Bubble {
    let ids = (0..).zip(&trace.spans);
    let own = ids.filter(|(_, span)| span.lane == lane);
    bubble_of(trace, own.map(|(id, _)| id).collect())
}

/// The bubbles of all lanes by cause, in one pass over the spans.
pub fn bubbles(trace: &Trace) -> Vec<Bubble> {
    spans_by_lane(trace)
        .into_iter()
        .map(|ids| bubble_of(trace, ids))
        .collect()
}

fn bubble_of(trace: &Trace, mut ids: Vec<SpanId>) -> Bubble {
    let span = |id: SpanId| &trace.spans[id as usize];
    let (first, last) = micro_batches(&ids.iter().map(|&id| span(id)), trace.end);
    ids.sort_by_key(|&id| (span(id).start, id));
    let mut next = 0;
    let mut bubble = Bubble::default();
    let lane = ids.iter().map(|&id| span(id));
    sweep(lane, trace.end.as_picos(), |from, to, active| {
        if !active.is_idle() {
            return;
        }
        while next < ids.len() && span(ids[next]).start.as_picos() < to {
            next += 1;
        }
        let part = if to <= first {
            &mut bubble.fill
        } else if last <= from {
            &mut bubble.drain
        } else {
            of_gap(trace, &ids[next..], to, &mut bubble)
        };
        *part = SimTime::from_picos(part.as_picos() + to - from);
    });
    bubble
}

/// The part of the bubble that a gap in the middle belongs to: what released the spans that end
/// it. A cause on another lane explains more than one on the lane itself.
fn of_gap<'b>(
    trace: &Trace,
    following: &[SpanId],
    end: u64,
    bubble: &'b mut Bubble,
) -> &'b mut SimTime {
    let starts_here = |&&id: &&SpanId| trace.spans[id as usize].start.as_picos() == end;
    let waits_for_another = following.iter().take_while(starts_here).find(|&&id| {
        let lane = trace.spans[id as usize].lane;
        cause_of(trace, id).is_some_and(|(_, cause)| cause.lane != lane)
    });
    match waits_for_another {
        Some(&id) if trace.spans[id as usize].category == Category::Pp => &mut bubble.stage,
        Some(_) => &mut bubble.peer,
        None => &mut bubble.own,
    }
}

/// The start of the first and the end of the last kernel of a micro-batch; of the first and last
/// span where there is none.
fn micro_batches<'a>(spans: &(impl Iterator<Item = &'a Span> + Clone), end: SimTime) -> (u64, u64) {
    let of_micro_batch =
        |span: &&Span| span.category == Category::Compute && span.micro_batch != NO_INDEX;
    let bounds = |spans: &mut dyn Iterator<Item = &'a Span>| {
        spans.fold(None, |bounds, span| {
            let (start, end) = (span.start.as_picos(), span.end.as_picos());
            let (first, last) = bounds.unwrap_or((start, end));
            Some((first.min(start), last.max(end)))
        })
    };
    bounds(&mut spans.clone().filter(of_micro_batch))
        .or_else(|| bounds(&mut spans.clone()))
        .unwrap_or((end.as_picos(), end.as_picos()))
}
