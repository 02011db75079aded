//! A piece of a row, reduced to columns of pixels.
//!
//! Columns lie on a grid that begins at the start of the run, so that tiles stay right when the
//! window moves. What is narrower than a column merges with its neighbors in it.
//!
//! Invariant: the bits of a tile do not overlap and lie within its columns, so that there is at
//! most one per column.

use std::ops::Range;
use std::sync::Arc;

use trace::{Category, Pass, SpanId};
use units::math::mix;

use crate::columns::{Grid, Marks, cells, runs};
use crate::key::TrackKey;
use crate::round::{byte, column, picos};
use crate::timeline::{SpanTrack, Timeline};

/// Columns of a tile.
pub(crate) const TILE: u32 = 512;

/// Spans at least this wide, in columns, may carry text.
const LABELED: u32 = 24;
/// Idle stretches at least this wide are hatched.
const HATCHED: u32 = 4;

/// Picoseconds per column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale(pub(crate) f64);

impl Scale {
    /// The moment at which a column begins.
    pub(crate) fn edge(self, at: u64) -> u64 {
        picos(at as f64 * self.0)
    }

    /// The column that a moment lies in.
    pub(crate) fn column(self, at: u64) -> u64 {
        column(at as f64 / self.0)
    }

    /// The time of a tile.
    pub(crate) fn tile(self, tile: u64) -> Range<u64> {
        let first = tile.saturating_mul(u64::from(TILE));
        self.edge(first)..self.edge(first.saturating_add(u64::from(TILE)))
    }
}

/// What a tile is made from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// Spans of tracks, and the bubbles of a lane.
    Spans(Arc<[u32]>, Option<u32>),
    /// A counter.
    Counter(TrackKey),
}

impl Content {
    /// A number that stands for it.
    pub(crate) fn key(&self) -> u64 {
        let add = |sum: u64, part: u64| mix(sum ^ mix(part));
        match self {
            Self::Spans(tracks, lane) => {
                let lane = lane.map_or(0, |lane| u64::from(lane) + 1);
                let tracks = tracks.iter().map(|&track| u64::from(track));
                tracks.fold(add(1, lane), add)
            }
            Self::Counter(TrackKey::Memory { lane }) => add(2, u64::from(*lane)),
            Self::Counter(TrackKey::Link { link }) => add(3, u64::from(*link)),
            Self::Counter(TrackKey::Stream { lane, .. }) => add(4, u64::from(*lane)),
        }
    }
}

/// A run of columns of one color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bit {
    pub(crate) from: u16,
    pub(crate) width: u16,
    /// Category and pass, by [`style`].
    pub(crate) style: u8,
    /// How much of it is busy, or how high a counter is: 255 is all.
    pub(crate) level: u8,
    pub(crate) kind: BitKind,
    pub(crate) critical: bool,
}

/// What a bit stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BitKind {
    /// What is too narrow to be told apart.
    Merged,
    /// One span.
    Span {
        /// Whether its beginning lies in the tile.
        begins: bool,
        /// Whether its end does.
        ends: bool,
    },
}

/// Where text may stand, in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) from: u16,
    pub(crate) width: u16,
    pub(crate) span: SpanId,
}

/// A piece of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) bits: Vec<Bit>,
    pub(crate) labels: Vec<Label>,
    pub(crate) idle: Vec<(u16, u16)>,
}

/// A category and a pass as a byte.
pub(crate) fn style(category: Category, pass: Pass) -> u8 {
    u8::try_from(category.index() * 8 + pass.index()).unwrap_or(0)
}

impl Tile {
    /// Reduces a piece of a row.
    pub(crate) fn new(timeline: &Timeline, content: &Content, scale: Scale, tile: u64) -> Self {
        match content {
            Content::Counter(key) => counter(timeline, *key, scale, tile),
            Content::Spans(tracks, lane) => {
                let grid = Grid::of_tile(scale, tile);
                let mut made = match tracks.as_ref() {
                    [one] => single_track(timeline, &timeline.tracks()[*one as usize], &grid),
                    all => merged(timeline, all, &grid),
                };
                if let Some(idle) = lane.and_then(|lane| timeline.idle(lane)) {
                    made.idle = idle_stretches(idle, &grid);
                }
                made
            }
        }
    }
}

fn single_track(timeline: &Timeline, track: &SpanTrack, grid: &Grid) -> Tile {
    let marks = Marks::new(track, grid);
    let mut tile = Tile::default();
    let mut free = 0;
    track.spans.each_bar(grid.window.clone(), TILE, |bar| {
        let (columns, wide) = grid.place(&bar);
        let from = columns.start.max(free);
        // What is left of it lies in a column that is taken already.
        if columns.end <= from || TILE <= from {
            return;
        }
        free = columns.end.min(TILE);
        let critical = if wide {
            timeline.is_critical(bar.longest)
        } else {
            marks.has(from)
        };
        tile.push(
            (timeline, grid),
            bar.longest,
            from..free,
            wide,
            critical,
            byte(bar.busy.as_picos() as f64 / grid.scale.0),
        );
    });
    tile
}

impl Tile {
    fn push(
        &mut self,
        (timeline, grid): (&Timeline, &Grid),
        id: SpanId,
        columns: Range<u32>,
        wide: bool,
        critical: bool,
        fill: u8,
    ) {
        let (from, width) = (short(columns.start), short(columns.end - columns.start));
        self.bits.push(Bit {
            from,
            width,
            style: timeline.style(id),
            level: if wide { 255 } else { fill },
            kind: if wide {
                // What is narrow lies far apart in memory, and there is much of it.
                let span = &timeline.trace().spans[id as usize];
                BitKind::Span {
                    begins: grid.window.start <= span.start,
                    ends: span.end <= grid.window.end,
                }
            } else {
                BitKind::Merged
            },
            critical,
        });
        if wide && (LABELED <= u32::from(width) || columns.start == 0 || columns.end == TILE) {
            self.labels.push(Label {
                from,
                width,
                span: id,
            });
        }
    }
}

fn short(columns: u32) -> u16 {
    u16::try_from(columns).unwrap_or(u16::MAX)
}

/// Several tracks in one.
fn merged(timeline: &Timeline, tracks: &[u32], grid: &Grid) -> Tile {
    let mut tile = Tile::default();
    for run in runs(&cells(timeline, tracks, grid)) {
        let fill = byte((run.cell.busy as f64 / grid.scale.0).min(1.0));
        tile.push(
            (timeline, grid),
            run.span,
            run.columns,
            run.cell.wide,
            run.cell.critical,
            fill,
        );
    }
    tile
}

fn idle_stretches(idle: &trace::Pyramid, grid: &Grid) -> Vec<(u16, u16)> {
    let mut stretches = Vec::new();
    idle.each_bar(grid.window.clone(), TILE, |bar| {
        let (columns, wide) = grid.place(&bar);
        let to = columns.end.min(TILE);
        let cut = columns.start == 0 || to == TILE;
        if wide && columns.start < to && (cut || HATCHED <= to - columns.start) {
            stretches.push((short(columns.start), short(to - columns.start)));
        }
    });
    stretches
}

/// The highest level in each column, equal ones joined.
fn counter(timeline: &Timeline, key: TrackKey, scale: Scale, tile: u64) -> Tile {
    let (levels, top) = match key {
        TrackKey::Memory { lane } => (timeline.memory(lane), timeline.memory_top()),
        TrackKey::Link { link } => (timeline.link(link), 1.0),
        TrackKey::Stream { .. } => (None, 1.0),
    };
    let Some(levels) = levels else {
        return Tile::default();
    };
    let first = tile.saturating_mul(u64::from(TILE));
    let end = timeline.end().as_picos();
    let mut bits: Vec<Bit> = Vec::new();
    for column in 0..TILE {
        let at = first.saturating_add(u64::from(column));
        let window = scale.edge(at)..scale.edge(at.saturating_add(1));
        if end <= window.start {
            break;
        }
        let level = byte(levels.most_in(window) / top.max(f64::MIN_POSITIVE));
        match bits.last_mut() {
            Some(last) if last.level == level => last.width += 1,
            _ => bits.push(Bit {
                from: short(column),
                width: 1,
                style: 0,
                level,
                kind: BitKind::Merged,
                critical: false,
            }),
        }
    }
    Tile {
        bits,
        ..Tile::default()
    }
}

#[cfg(test)]
mod tests;
