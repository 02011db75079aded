//! When nothing runs on a lane.

use trace::{NO_INDEX, Pyramid};
use units::SimTime;

use crate::timeline::SpanTrack;

/// The stretches of the run in which no track of a lane has a span under way.
///
/// The tracks of a lane are few, so that merging them looks at the head of each.
pub(crate) fn idle_of_lane(end: SimTime, tracks: &[SpanTrack]) -> Pyramid {
    let mut heads = vec![0; tracks.len()];
    let mut idle = Vec::new();
    let mut busy_until = SimTime::ZERO;
    loop {
        let next = (0..tracks.len())
            .filter_map(|at| Some((tracks[at].spans.stretch(heads[at])?, at)))
            .min_by_key(|(span, _)| span.start);
        let Some((span, at)) = next else { break };
        heads[at] += 1;
        if busy_until < span.start {
            idle.push((NO_INDEX, busy_until..span.start));
        }
        busy_until = busy_until.max(span.end);
    }
    if busy_until < end {
        idle.push((NO_INDEX, busy_until..end));
    }
    Pyramid::of_stretches(idle)
}
