//! A trace with everything that makes drawing and asking fast, built once.

use std::sync::Arc;

use trace::{
    CriticalPath, KindSums, NO_INDEX, Pyramid, Span, SpanId, StreamKind, Stretch, Trace, TrackSums,
    critical_path, memory_timelines, slacks, track_sums,
};
use units::SimTime;

use crate::counter::Counter;
use crate::effects::Effects;
use crate::idle::idle_of_lane;
use crate::key::{Fold, Grouping, Placement, TrackKey, numbers_text};
use crate::names::NameIndex;
use crate::overview::Overview;
use crate::round::index;
use crate::tile::style;

/// The slack of spans is kept of traces with so many at most: it takes 8 bytes each.
const MOST_SLACKS: usize = 4 << 20;

/// A row of spans that do not overlap.
#[derive(Clone, Debug)]
pub struct SpanTrack {
    /// Its lane.
    pub lane: u32,
    /// Its stream.
    pub stream: StreamKind,
    /// Its row within the stream.
    pub row: u32,
    /// Its spans.
    pub spans: Pyramid,
    /// Those of them that lie on the critical path.
    pub critical: Pyramid,
    /// Their sums by kind.
    pub kinds: KindSums,
}

/// A trace with everything that makes drawing and asking fast.
///
/// It never changes: share it, and build the next one beside it.
#[derive(Debug)]
pub struct Timeline {
    trace: Arc<Trace>,
    placement: Placement,
    tracks: Vec<SpanTrack>,
    /// Of each lane, its first track; and one past the last.
    first_track: Vec<usize>,
    idle: Vec<Pyramid>,
    memory: Vec<Counter>,
    links: Vec<Counter>,
    path: CriticalPath,
    is_critical: Vec<u64>,
    effects: Effects,
    slacks: Vec<SimTime>,
    names: NameIndex,
    styles: Vec<u8>,
    overview: Overview,
}

/// Lanes that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What folds them.
    pub fold: Fold,
    /// What they are called.
    pub title: String,
    /// The lanes.
    pub lanes: Vec<u32>,
}

impl Timeline {
    /// Builds everything; of ten million spans it takes seconds, so that large traces are built
    /// on a worker.
    pub fn new(trace: Arc<Trace>, placement: Placement) -> Self {
        let (rows, indices) = std::thread::scope(|scope| {
            // Indices on one thread and tracks on the other take about as long.
            let indices = scope.spawn(|| Indices::new(&trace));
            let rows = Rows::new(&trace);
            let indices = indices.join();
            (
                rows,
                indices.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        });
        Self::of(trace, placement, rows, indices)
    }

    fn of(trace: Arc<Trace>, placement: Placement, rows: Rows, indices: Indices) -> Self {
        let memory = memory_timelines(&trace);
        Self {
            memory: memory
                .iter()
                .map(|levels| Counter::of_memory(levels))
                .collect(),
            links: trace.links.iter().map(Counter::of_link).collect(),
            effects: indices.effects,
            names: indices.names,
            slacks: indices.slacks,
            styles: indices.styles,
            overview: Overview::new(&trace, &rows.tracks, &rows.first_track),
            trace,
            placement,
            tracks: rows.tracks,
            first_track: rows.first_track,
            idle: rows.idle,
            path: rows.path,
            is_critical: rows.is_critical,
        }
    }

    /// The trace.
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// Where its ranks run.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// The end of the run.
    pub fn end(&self) -> SimTime {
        self.trace.end
    }

    /// All rows of spans, by lane, stream and row.
    pub fn tracks(&self) -> &[SpanTrack] {
        &self.tracks
    }

    /// A row of spans by its name.
    pub fn track(&self, key: TrackKey) -> Option<&SpanTrack> {
        let TrackKey::Stream { lane, .. } = key else {
            return None;
        };
        let own = &self.tracks[self.tracks_of_lane(lane)];
        own.iter().find(|track| track.key() == key)
    }

    /// How much later a span could end at most before the run ends later, where that is known.
    pub fn slack(&self, id: SpanId) -> Option<SimTime> {
        self.slacks.get(id as usize).copied()
    }

    /// The places of a lane's tracks among all.
    pub fn tracks_of_lane(&self, lane: u32) -> std::ops::Range<usize> {
        match (
            self.first_track.get(lane as usize),
            self.first_track.get(lane as usize + 1),
        ) {
            (Some(&from), Some(&to)) => from..to,
            _ => 0..0,
        }
    }

    /// A span.
    pub fn span(&self, id: SpanId) -> Option<&Span> {
        self.trace.spans.get(id as usize)
    }

    /// The name of a span.
    pub fn name(&self, span: &Span) -> &str {
        self.trace.names.get(span.name)
    }

    /// The place of the track that a span lies on.
    pub fn track_of(&self, id: SpanId) -> Option<usize> {
        let span = self.span(id)?;
        self.tracks_of_lane(span.lane.get()).find(|&at| {
            let track = &self.tracks[at];
            track.stream == span.stream && place_in(track, id, span).is_some()
        })
    }

    /// The neighbor of a span on its track: the one after it, or before it.
    pub fn neighbor(&self, id: SpanId, after: bool) -> Option<SpanId> {
        let track = &self.tracks[self.track_of(id)?];
        let at = place_in(track, id, self.span(id)?)?;
        let next = if after { at + 1 } else { at.checked_sub(1)? };
        track.spans.spans().get(next).copied()
    }

    /// The span whose end released a span.
    pub fn cause(&self, id: SpanId) -> Option<SpanId> {
        let cause = self.span(id)?.cause;
        (cause != NO_INDEX && cause < id).then_some(cause)
    }

    /// What a span released, in the order in which they ended.
    pub fn effects(&self, id: SpanId) -> &[SpanId] {
        self.effects.of(id)
    }

    /// The causes behind a span, the nearest first, at most so many.
    pub fn chain(&self, id: SpanId, most: usize) -> Vec<SpanId> {
        std::iter::successors(self.cause(id), |&id| self.cause(id))
            .take(most)
            .collect()
    }

    /// Whether a span lies on the critical path.
    pub fn is_critical(&self, id: SpanId) -> bool {
        let word = self.is_critical.get(id as usize / 64);
        word.is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// The critical path.
    pub fn path(&self) -> &CriticalPath {
        &self.path
    }

    /// The stretches in which nothing runs on a lane.
    pub fn idle(&self, lane: u32) -> Option<&Pyramid> {
        self.idle.get(lane as usize)
    }

    /// What a lane holds, in bytes.
    pub fn memory(&self, lane: u32) -> Option<&Counter> {
        self.memory.get(lane as usize)
    }

    /// The share of its rate that a link carries.
    pub fn link(&self, link: u32) -> Option<&Counter> {
        self.links.get(link as usize)
    }

    /// The most that any lane holds, or what a GPU holds where that is known and more.
    pub fn memory_top(&self) -> f64 {
        let most = self.memory.iter().map(Counter::most).fold(0.0, f64::max);
        self.placement
            .memory_limit
            .map_or(most, |limit| most.max(limit as f64))
    }

    /// Where names are.
    pub fn names(&self) -> &NameIndex {
        &self.names
    }

    /// Category and pass of a span in a byte.
    pub(crate) fn style(&self, id: SpanId) -> u8 {
        self.styles[id as usize]
    }

    /// The whole run, small.
    pub(crate) fn overview(&self) -> &Overview {
        &self.overview
    }

    /// Whether lanes have ranks, by which they can be grouped: hosts of a network workload have none.
    pub fn has_ranks(&self) -> bool {
        self.trace.lanes.iter().any(|lane| !lane.ranks.is_empty())
    }

    /// The ranks of a lane as text; its name where it is a host without ranks.
    pub fn ranks(&self, lane: u32) -> String {
        match self.trace.lanes.get(lane as usize) {
            Some(lane) if lane.ranks.is_empty() => lane.name.clone(),
            Some(lane) => numbers_text("rank", &lane.ranks),
            None => numbers_text("rank", &[]),
        }
    }

    /// What a stream of a lane is called: hosts without ranks have flows.
    pub(crate) fn stream_name(&self, lane: u32, stream: StreamKind) -> &'static str {
        let lane = self.trace.lanes.get(lane as usize);
        if lane.is_some_and(|lane| lane.ranks.is_empty()) {
            "flows"
        } else {
            stream.name()
        }
    }

    /// What a track is called: `rank 3, stream compute`.
    pub fn title(&self, track: TrackKey) -> String {
        match track {
            TrackKey::Stream { lane, stream, row } => {
                let row = if row == 0 {
                    String::new()
                } else {
                    format!(" row {}", row + 1)
                };
                let name = self.stream_name(lane, stream);
                if name == stream.name() {
                    format!("{}, stream {name}{row}", self.ranks(lane))
                } else {
                    format!("{}, {name}{row}", self.ranks(lane))
                }
            }
            TrackKey::Memory { lane } => format!("{}, memory", self.ranks(lane)),
            TrackKey::Link { link } => {
                let link = self.trace.links.get(link as usize);
                link.map_or_else(String::new, |link| {
                    let like = if 1 < link.count {
                        format!(" and {} like it", link.count - 1)
                    } else {
                        String::new()
                    };
                    format!("link {}{like}", link.name)
                })
            }
        }
    }

    /// The lanes in groups.
    pub fn groups(&self, grouping: Grouping) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (lane, setup) in (0..).zip(&self.trace.lanes) {
            let rank = setup.ranks.first().copied().unwrap_or(0) as usize;
            let of_rank = |list: &[u32]| list.get(rank).copied();
            let (fold, title) = match grouping {
                _ if setup.ranks.is_empty() => (Fold::All, "Hosts".to_owned()),
                Grouping::Stage => (Fold::Stage(setup.stage), format!("Stage {}", setup.stage)),
                Grouping::None => (Fold::All, "All lanes".to_owned()),
                Grouping::Node => {
                    let places = &self.placement.node_of_rank;
                    let fold = of_rank(places).map_or(Fold::All, Fold::Node);
                    (fold, places_text("Node", setup, places))
                }
                Grouping::Replica => {
                    let places = &self.placement.replica_of_rank;
                    let fold = of_rank(places).map_or(Fold::All, Fold::Replica);
                    (fold, places_text("Replica", setup, places))
                }
            };
            match groups.iter_mut().find(|group| group.fold == fold) {
                Some(group) => group.lanes.push(lane),
                None => groups.push(Group {
                    fold,
                    title,
                    lanes: vec![lane],
                }),
            }
        }
        groups.sort_by_key(|group| group.fold);
        groups
    }
}

impl SpanTrack {
    /// Its name that stays.
    pub const fn key(&self) -> TrackKey {
        TrackKey::Stream {
            lane: self.lane,
            stream: self.stream,
            row: self.row,
        }
    }
}

/// Where the ranks of a lane are: a lane may stand for those of many nodes or replicas.
fn places_text(noun: &str, lane: &trace::Lane, places: &[u32]) -> String {
    let known = lane.ranks.iter();
    let known = known.filter_map(|rank| places.get(*rank as usize).copied());
    let mut known: Vec<u32> = known.collect();
    known.sort_unstable();
    known.dedup();
    if known.is_empty() {
        return format!("{noun}s unknown");
    }
    numbers_text(noun, &known)
}

/// The place of a span on a track, if it lies there.
fn place_in(track: &SpanTrack, id: SpanId, span: &Span) -> Option<usize> {
    let end = SimTime::from_picos(span.start.as_picos() + 1).max(span.end);
    let places = track.spans.touching(span.start..end);
    places.into_iter().find(|&at| track.spans.spans()[at] == id)
}

fn span_track(row: TrackSums, is_critical: impl Fn(SpanId) -> bool) -> SpanTrack {
    let ids = row.spans.spans().iter().copied().enumerate();
    let on_path = ids
        .filter(|&(_, id)| is_critical(id))
        .filter_map(|(place, id)| Some((id, row.spans.stretch(place)?)));
    SpanTrack {
        lane: row.lane.get(),
        stream: row.stream,
        row: row.row,
        critical: Pyramid::of_stretches(on_path),
        kinds: row.kinds,
        spans: row.spans,
    }
}

/// Where spans are, by what people ask for.
struct Indices {
    effects: Effects,
    names: NameIndex,
    slacks: Vec<SimTime>,
    styles: Vec<u8>,
}

impl Indices {
    fn new(trace: &Trace) -> Self {
        Self {
            effects: Effects::new(trace),
            names: NameIndex::new(trace),
            styles: trace
                .spans
                .iter()
                .map(|span| style(span.category, span.pass))
                .collect(),
            slacks: if trace.spans.len() <= MOST_SLACKS {
                slacks(trace)
            } else {
                Vec::new()
            },
        }
    }
}

/// Spans in rows, and what lies on the critical path.
struct Rows {
    path: CriticalPath,
    is_critical: Vec<u64>,
    tracks: Vec<SpanTrack>,
    first_track: Vec<usize>,
    idle: Vec<Pyramid>,
}

impl Rows {
    fn new(trace: &Trace) -> Self {
        let path = critical_path(trace);
        let is_critical = marked(&path, trace.spans.len());
        let has = |id: SpanId| is_critical[id as usize / 64] >> (id % 64) & 1 == 1;
        let tracks = track_sums(trace).into_iter();
        let tracks: Vec<SpanTrack> = tracks.map(|track| span_track(track, has)).collect();
        let lanes = 0..=index(trace.lanes.len());
        let first_track: Vec<usize> = lanes
            .map(|lane| tracks.partition_point(|track| track.lane < lane))
            .collect();
        let of_lane = first_track.windows(2).map(|pair| &tracks[pair[0]..pair[1]]);
        let idle = of_lane
            .map(|tracks| idle_of_lane(trace.end, tracks))
            .collect();
        Self {
            path,
            is_critical,
            tracks,
            first_track,
            idle,
        }
    }
}

/// A bit for each span of the path.
fn marked(path: &CriticalPath, n: usize) -> Vec<u64> {
    let mut bits = vec![0; n.div_ceil(64)];
    for segment in &path.segments {
        if segment.stretch == Stretch::Work && segment.span != NO_INDEX {
            bits[segment.span as usize / 64] |= 1 << (segment.span % 64);
        }
    }
    bits
}
