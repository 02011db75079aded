//! Tracks: the spans of a stream in rows that do not overlap, as viewers draw them.

use units::{LaneId, SimTime};

use crate::{SpanId, StreamKind, Trace};

/// One row of one stream of one lane.
///
/// Invariant: the spans are in order of their start, and none starts before the one ahead of it
/// has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The lane.
    pub lane: LaneId,
    /// The stream.
    pub stream: StreamKind,
    /// The row within the stream: 0 except where spans of the stream overlap.
    pub row: u32,
    /// Ids of the spans.
    pub spans: Vec<SpanId>,
}

/// Arranges all spans in tracks, by lane, stream and row. A span goes to the first row of its
/// stream that is free.
pub fn tracks(trace: &Trace) -> Vec<Track> {
    let mut order: Vec<SpanId> = (0..).zip(&trace.spans).map(|(id, _)| id).collect();
    order.sort_by_key(|&id| {
        let span = &trace.spans[id as usize];
        (span.lane, span.stream, span.start, span.end, id)
    });
    let same = |&a: &SpanId, &b: &SpanId| {
        let (a, b) = (&trace.spans[a as usize], &trace.spans[b as usize]);
        (a.lane, a.stream) == (b.lane, b.stream)
    };
    order
        .chunk_by(same)
        .flat_map(|stream| rows(trace, stream))
        .collect()
}

/// The rows of one stream, whose spans come in order of their start.
fn rows(trace: &Trace, stream: &[SpanId]) -> Vec<Track> {
    let mut rows: Vec<(SimTime, Track)> = Vec::new();
    for &id in stream {
        let span = &trace.spans[id as usize];
        let free = rows.iter_mut().find(|(end, _)| *end <= span.start);
        if let Some((end, track)) = free {
            *end = span.end;
            track.spans.push(id);
            continue;
        }
        let first = Track {
            lane: span.lane,
            stream: span.stream,
            row: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            spans: vec![id],
        };
        rows.push((span.end, first));
    }
    rows.into_iter().map(|(_, track)| track).collect()
}
