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
    let n_streams = StreamKind::ALL.len();
    let mut streams = vec![Vec::new(); trace.lanes.len() * n_streams];
    for (id, span) in (0..).zip(&trace.spans) {
        if span.lane.index() < trace.lanes.len() {
            streams[span.lane.index() * n_streams + span.stream.index()].push(id);
        }
    }
    let mut tracks = Vec::new();
    for stream in &mut streams {
        // Spans come in the order in which they ended, which is nearly that of their starts.
        stream.sort_by_key(|&id: &SpanId| {
            let span = &trace.spans[id as usize];
            (span.start, span.end, id)
        });
        tracks.extend(rows(trace, stream));
    }
    tracks
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
