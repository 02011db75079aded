//! A run of any size to draw.

use trace::{Category, Lane, NO_INDEX, Pass, Span, StreamKind, Trace};
use units::{ClassId, LaneId, SimTime};

/// Kernels and reductions on so many lanes, of lengths that differ.
pub(crate) fn run(n_spans: u32, n_lanes: u32) -> Trace {
    let mut trace = Trace::default();
    let names: Vec<u32> = (0..40)
        .map(|name| trace.names.intern(&format!("kernel {name}")))
        .collect();
    for lane in 0..n_lanes {
        trace.lanes.push(Lane {
            class: ClassId::new(lane),
            name: format!("stage {lane}"),
            stage: lane / 4,
            ranks: vec![lane],
            resident: [0; 7],
        });
    }
    for id in 0..n_spans {
        let (turn, lane) = (u64::from(id / n_lanes), id % n_lanes);
        let length = 3_000_000 + units::math::mix(u64::from(id)) % 6_500_000;
        let start = turn * 10_000_000;
        let reduces = turn % 4 == 3;
        trace.spans.push(Span {
            lane: LaneId::new(lane),
            stream: StreamKind::Compute,
            category: if reduces {
                Category::Tp
            } else {
                Category::Compute
            },
            pass: if turn % 8 < 4 {
                Pass::Forward
            } else {
                Pass::Backward
            },
            name: names[(turn % 40) as usize],
            start: SimTime::from_picos(start),
            end: SimTime::from_picos(start + length),
            micro_batch: 0,
            stage: lane,
            cause: NO_INDEX,
            detail: NO_INDEX,
        });
        trace.end = trace.end.max(SimTime::from_picos(start + length));
    }
    // Traces have spans in the order in which they end; each is released by the one before it.
    trace.spans.sort_by_key(|span| (span.end, span.lane));
    let mut last = vec![NO_INDEX; n_lanes as usize];
    for (id, span) in (0..).zip(&mut trace.spans) {
        span.cause = std::mem::replace(&mut last[span.lane.index()], id);
    }
    trace
}
