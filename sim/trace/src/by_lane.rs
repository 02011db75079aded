//! The spans of each lane.

use crate::{SpanId, Trace};

/// The ids of the spans of each lane, in the order in which they ended.
pub(crate) fn spans_by_lane(trace: &Trace) -> Vec<Vec<SpanId>> {
    let mut lanes = vec![Vec::new(); trace.lanes.len()];
    for (id, span) in (0..).zip(&trace.spans) {
        if let Some(lane) = lanes.get_mut(span.lane.index()) {
            lane.push(id);
        }
    }
    lanes
}
