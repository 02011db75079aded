//! What lies in a range: how many spans of each kind, and for how long.

use std::collections::BTreeMap;

use trace::{Category, KindSum, Pass};
use units::SimTime;

use crate::key::TrackKey;
use crate::timeline::{SpanTrack, Timeline};

/// The spans of some tracks that a stretch of time touches, by kind, the longest first. Of spans
/// that reach beyond it only the part within counts.
pub fn range_sums(
    timeline: &Timeline,
    (from, to): (SimTime, SimTime),
    tracks: &[TrackKey],
) -> Vec<KindSum> {
    let mut sums: BTreeMap<(Category, Pass), (u64, u64)> = BTreeMap::new();
    for &key in tracks {
        let Some(track) = timeline.track(key) else {
            continue;
        };
        add_track(timeline, track, (from, to), &mut sums);
    }
    let sums = sums
        .into_iter()
        .map(|((category, pass), (count, time))| KindSum {
            category,
            pass,
            count,
            time: SimTime::from_picos(time),
        });
    let mut sums: Vec<_> = sums.collect();
    sums.sort_by_key(|sum| std::cmp::Reverse(sum.time));
    sums
}

fn add_track(
    timeline: &Timeline,
    track: &SpanTrack,
    (from, to): (SimTime, SimTime),
    sums: &mut BTreeMap<(Category, Pass), (u64, u64)>,
) {
    let places = track.spans.touching(from..to);
    let spans = track.spans.spans();
    for sum in track.kinds.of(timeline.trace(), spans, places.clone()) {
        let total = sums.entry((sum.category, sum.pass)).or_default();
        total.0 += sum.count;
        total.1 += sum.time.as_picos();
    }
    // Spans of a track do not overlap: only the first and the last reach beyond the range.
    let ends = [places.start, places.end.saturating_sub(1)];
    let ends = if ends[0] == ends[1] {
        &ends[..1]
    } else {
        &ends[..]
    };
    for &place in ends.iter().filter(|&&place| places.contains(&place)) {
        let Some(span) = timeline.span(spans[place]) else {
            continue;
        };
        let before = from.as_picos().saturating_sub(span.start.as_picos());
        let after = span.end.as_picos().saturating_sub(to.as_picos());
        if let Some(total) = sums.get_mut(&(span.category, span.pass)) {
            total.1 = total.1.saturating_sub(before + after);
        }
    }
}
