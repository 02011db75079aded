//! All tracks with their sums, in one pass over a large trace.
//!
//! Spans lie in the order in which they ended, so that the spans of a track are far apart in
//! memory. One pass copies what sums need of them into columns, stream by stream; all else reads
//! these.

use units::LaneId;

use crate::kind_sums::{Kind, KindSums};
use crate::{Pyramid, SpanId, StreamKind, Trace};

/// A track with its sums: as [`Track`](crate::Track), ready for viewers.
#[derive(Clone, Debug)]
pub struct TrackSums {
    /// The lane.
    pub lane: LaneId,
    /// The stream.
    pub stream: StreamKind,
    /// The row within the stream: 0 except where spans of the stream overlap.
    pub row: u32,
    /// Its spans with their level of detail.
    pub spans: Pyramid,
    /// Its sums by kind.
    pub kinds: KindSums,
}

/// The spans of a stream or a row in columns.
#[derive(Clone, Debug, Default)]
struct Columns {
    ids: Vec<SpanId>,
    starts: Vec<u64>,
    ends: Vec<u64>,
    kinds: Vec<Kind>,
}

impl Columns {
    fn push(&mut self, id: SpanId, start: u64, end: u64, kind: Kind) {
        self.ids.push(id);
        self.starts.push(start);
        self.ends.push(end);
        self.kinds.push(kind);
    }

    /// Whether each span begins where the one before it has ended.
    fn is_one_row(&self) -> bool {
        let begins = self.starts.iter().skip(1);
        self.ends
            .iter()
            .zip(begins)
            .all(|(end, start)| end <= start)
            && self.starts.is_sorted()
    }

    /// The rows of a stream, as [`tracks`](crate::tracks) makes them.
    fn rows(self) -> Vec<Self> {
        if self.is_one_row() {
            return vec![self];
        }
        let mut order: Vec<usize> = (0..self.ids.len()).collect();
        order.sort_by_key(|&at| (self.starts[at], self.ends[at], self.ids[at]));
        let mut rows: Vec<Self> = Vec::new();
        for at in order {
            let (start, end) = (self.starts[at], self.ends[at]);
            let is_free = |row: &&mut Self| row.ends.last().is_none_or(|&end| end <= start);
            let place = rows.iter_mut().find(is_free);
            if let Some(row) = place {
                row.push(self.ids[at], start, end, self.kinds[at]);
                continue;
            }
            let mut row = Self::default();
            row.push(self.ids[at], start, end, self.kinds[at]);
            rows.push(row);
        }
        rows
    }
}

/// Arranges all spans in tracks with their sums, by lane, stream and row.
pub fn track_sums(trace: &Trace) -> Vec<TrackSums> {
    let n_streams = StreamKind::ALL.len();
    let mut streams = vec![Columns::default(); trace.lanes.len() * n_streams];
    for (id, span) in (0..).zip(&trace.spans) {
        let place = span.lane.index() * n_streams + span.stream.index();
        if let Some(stream) = streams.get_mut(place) {
            let (start, end) = (span.start.as_picos(), span.end.as_picos());
            stream.push(id, start, end, Kind::of(span));
        }
    }
    let mut tracks = Vec::new();
    let lanes = (0..).map(LaneId::new);
    for (lane, streams) in lanes.zip(streams.chunks_mut(n_streams)) {
        for (stream, columns) in StreamKind::ALL.into_iter().zip(streams) {
            let columns = std::mem::take(columns);
            if columns.ids.is_empty() {
                continue;
            }
            tracks.extend((0..).zip(columns.rows()).map(|(row, columns)| TrackSums {
                lane,
                stream,
                row,
                kinds: KindSums::of_columns(&columns.kinds, &columns.starts, &columns.ends),
                spans: Pyramid::of(columns.ids, columns.starts, columns.ends),
            }));
        }
    }
    tracks
}
