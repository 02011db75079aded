//! How much later a span could end before the run ends later.
//!
//! ```text
//! slack(s) = min( end of the run − end(s),
//!                 slack(e)                          for each e that s released,
//!                 slack(n) + start(n) − end(s)      for the next n of its stream )
//! ```
//!
//! As in [`bounds`](crate::bounds), a trace knows of each span only the cause that released it
//! last: a span may have waited for others as well, so that what comes out is the most that the
//! slack can be. Spans of the critical path have none.

use units::SimTime;

use crate::path::cause_of;
use crate::{Span, StreamKind, Trace};

/// The slack of each span, by its id.
pub fn slacks(trace: &Trace) -> Vec<SimTime> {
    let end = trace.end.as_picos();
    let left = |span: &Span| end.saturating_sub(span.end.as_picos());
    let mut slacks: Vec<u64> = trace.spans.iter().map(left).collect();
    let n_streams = StreamKind::ALL.len();
    let mut next: Vec<Option<usize>> = vec![None; trace.lanes.len() * n_streams];
    for (id, span) in trace.spans.iter().enumerate().rev() {
        let stream = span.lane.index() * n_streams + span.stream.index();
        if let Some(place) = next.get_mut(stream) {
            if let Some(next) = *place
                && span.stream != StreamKind::Pp
                && span.end <= trace.spans[next].start
            {
                let gap = trace.spans[next].start.as_picos() - span.end.as_picos();
                slacks[id] = slacks[id].min(slacks[next].saturating_add(gap));
            }
            *place = Some(id);
        }
        let cause = u32::try_from(id).ok().and_then(|id| cause_of(trace, id));
        if let Some((cause, _)) = cause {
            slacks[cause as usize] = slacks[cause as usize].min(slacks[id]);
        }
    }
    slacks.into_iter().map(SimTime::from_picos).collect()
}
