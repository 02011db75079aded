//! Where a lane's time goes, and which lane binds the run.
//!
//! ```text
//! compute  ████░░████░░░░████░░░░
//! tp       ░░░░███░░░░░░░░░░░░░░░
//! pp       ░░░░░░░░░░███░░░░░░░░░
//! counts   ccccttccccpppbccccbbbb      c compute, t tp, p pp, b bubble
//! ```
//!
//! Invariant: the parts of a breakdown sum to the end of the trace, in picoseconds.

use serde::{Deserialize, Serialize};
use units::{LaneId, SimTime};

use crate::by_lane::spans_by_lane;
use crate::sweep::sweep;
use crate::{Category, Span, Trace};

/// The time of one lane by what it was spent on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakdown {
    /// Time by [`Category::index`]: each instant counts for the first category, in the order
    /// of [`Category::ALL`], that is active on the lane.
    pub by_category: [SimTime; Category::ALL.len()],
    /// Time in which nothing was active.
    pub bubble: SimTime,
}

impl Breakdown {
    /// Time that counts for a category.
    pub fn of(&self, category: Category) -> SimTime {
        self.by_category[category.index()]
    }

    /// Time in which anything was active.
    pub fn busy(&self) -> SimTime {
        let picos = self.by_category.iter().map(|time| time.as_picos()).sum();
        SimTime::from_picos(picos)
    }

    /// All time: the end of the trace.
    pub fn total(&self) -> SimTime {
        SimTime::from_picos(self.busy().as_picos() + self.bubble.as_picos())
    }

    fn of_spans<'a>(spans: impl Iterator<Item = &'a Span>, end: SimTime) -> Self {
        let mut by_category = [0; Category::ALL.len()];
        let mut bubble = 0;
        sweep(spans, end.as_picos(), |from, to, active| {
            match active.first() {
                Some(category) => by_category[category.index()] += to - from,
                None => bubble += to - from,
            }
        });
        Self {
            by_category: by_category.map(SimTime::from_picos),
            bubble: SimTime::from_picos(bubble),
        }
    }
}

/// The breakdown of one lane; all bubble for a lane that the trace does not know.
pub fn breakdown(trace: &Trace, lane: LaneId) -> Breakdown {
    let spans = trace.spans.iter().filter(|span| span.lane == lane);
    Breakdown::of_spans(spans, trace.end)
}

/// The breakdowns of all lanes, in one pass over the spans.
pub fn breakdowns(trace: &Trace) -> Vec<Breakdown> {
    spans_by_lane(trace)
        .iter()
        .map(|ids| {
            let spans = ids.iter().map(|&id| &trace.spans[id as usize]);
            Breakdown::of_spans(spans, trace.end)
        })
        .collect()
}

/// The lane that binds the run: the one with the least bubble, the first of equals. A lane that
/// waits for others has slack; the one that others wait for has none.
pub fn bottleneck(breakdowns: &[Breakdown]) -> Option<LaneId> {
    let least = (0..)
        .zip(breakdowns)
        .min_by_key(|(_, breakdown)| breakdown.bubble)?;
    Some(LaneId::new(least.0))
}
