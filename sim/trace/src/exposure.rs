//! How much communication hides behind compute, and how busy each stream is.

use serde::{Deserialize, Serialize};
use units::{LaneId, SimTime};

use crate::sweep::sweep;
use crate::{Category, Span, StreamKind, Trace, tracks};

/// The active time of each category on one lane, split by whether kernels ran meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// Time beside kernels ([`Category::Compute`] or [`Category::Optimizer`]), by
    /// [`Category::index`].
    pub hidden: [SimTime; Category::ALL.len()],
    /// Time in which no kernel ran, by [`Category::index`]. Two categories that are exposed at
    /// once both count, unlike in a [`Breakdown`](crate::Breakdown).
    pub exposed: [SimTime; Category::ALL.len()],
}

impl Exposure {
    /// Time in which a category was active, hidden or not.
    pub fn active(&self, category: Category) -> SimTime {
        let index = category.index();
        SimTime::from_picos(self.hidden[index].as_picos() + self.exposed[index].as_picos())
    }
}

/// How busy one stream of one lane is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Utilization {
    /// The lane.
    pub lane: LaneId,
    /// The stream.
    pub stream: StreamKind,
    /// Time in which at least one span of the stream was active.
    pub busy: SimTime,
    /// That time over the end of the trace.
    pub share: f64,
}

/// The exposure of every category on one lane. Compute itself counts as hidden.
pub fn exposure(trace: &Trace, lane: LaneId) -> Exposure {
    exposure_of(
        trace.spans.iter().filter(|span| span.lane == lane),
        trace.end,
    )
}

pub(crate) fn exposure_of<'a>(spans: impl Iterator<Item = &'a Span>, end: SimTime) -> Exposure {
    let mut exposure = Exposure::default();
    sweep(spans, end.as_picos(), |from, to, active| {
        let side = if active.computes() {
            &mut exposure.hidden
        } else {
            &mut exposure.exposed
        };
        for category in Category::ALL {
            if active.has(category) {
                let time = &mut side[category.index()];
                *time = SimTime::from_picos(time.as_picos() + to - from);
            }
        }
    });
    exposure
}

/// How busy the streams of all lanes are, by lane and stream; streams without spans are left out.
pub fn utilization(trace: &Trace) -> Vec<Utilization> {
    let tracks = tracks(trace);
    tracks
        .chunk_by(|a, b| (a.lane, a.stream) == (b.lane, b.stream))
        .map(|rows| {
            let ids = rows.iter().flat_map(|row| &row.spans);
            let spans = ids.map(|&id| &trace.spans[id as usize]);
            let mut busy = 0;
            sweep(spans, trace.end.as_picos(), |from, to, active| {
                busy += if active.is_idle() { 0 } else { to - from };
            });
            Utilization {
                lane: rows[0].lane,
                stream: rows[0].stream,
                busy: SimTime::from_picos(busy),
                share: busy as f64 / (trace.end.as_picos() as f64).max(1.0),
            }
        })
        .collect()
}
