//! Which span a column of pixels shows: one rule for what is drawn, pointed at and exported.
//!
//! Columns lie on a grid that begins at the start of the run. Of several tracks a column shows the span
//! that takes most of it; of those that take as much one on the critical path, and else that of the first
//! track.

use std::ops::Range;

use trace::{Bar, SpanId};
use units::SimTime;

use crate::round::{index, picos};
use crate::tile::{Scale, TILE};
use crate::timeline::{SpanTrack, Timeline};

/// Some columns of the grid.
pub(crate) struct Grid {
    pub(crate) scale: Scale,
    /// The first of them, counted from the start of the run.
    pub(crate) first: u64,
    /// How many there are.
    pub(crate) n: u32,
    pub(crate) window: Range<SimTime>,
}

impl Grid {
    /// Some columns from one on.
    pub(crate) fn new(scale: Scale, first: u64, n: u32) -> Self {
        let edge = |at: u64| SimTime::from_picos(scale.edge(at));
        Self {
            scale,
            first,
            n,
            window: edge(first)..edge(first.saturating_add(u64::from(n))),
        }
    }

    /// The columns of a tile.
    pub(crate) fn of_tile(scale: Scale, tile: u64) -> Self {
        Self::new(scale, tile.saturating_mul(u64::from(TILE)), TILE)
    }

    /// When a column begins, from the first one on.
    pub(crate) fn edge(&self, column: u32) -> SimTime {
        let at = self.first.saturating_add(u64::from(column));
        SimTime::from_picos(self.scale.edge(at))
    }

    /// The column of a moment, from the first one on; cut to the edges.
    pub(crate) fn column(&self, at: SimTime) -> u32 {
        let column = self.scale.column(at.as_picos()).saturating_sub(self.first);
        u32::try_from(column).unwrap_or(self.n).min(self.n)
    }

    /// The columns of a bar, and whether it is a span that is wider than one.
    pub(crate) fn place(&self, bar: &Bar) -> (Range<u32>, bool) {
        let from = self.column(bar.start);
        let duration = bar.end.as_picos().saturating_sub(bar.start.as_picos());
        if 1 < bar.count || (duration as f64) < self.scale.0 {
            return (from..from + 1, false);
        }
        (from..self.column(bar.end).max(from + 1), true)
    }
}

/// Which columns hold spans of the critical path.
pub(crate) struct Marks(Vec<u64>);

impl Marks {
    pub(crate) fn new(track: &SpanTrack, grid: &Grid) -> Self {
        let mut marks = vec![0; (grid.n as usize).div_ceil(64)];
        let last = grid.n.saturating_sub(1);
        track.critical.each_bar(grid.window.clone(), grid.n, |bar| {
            let from = grid.column(bar.start).min(last);
            marks[from as usize / 64] |= 1 << (from % 64);
        });
        Self(marks)
    }

    pub(crate) fn has(&self, column: u32) -> bool {
        let word = self.0.get(column as usize / 64);
        word.is_some_and(|word| word >> (column % 64) & 1 == 1)
    }
}

/// What a column of several tracks shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Picoseconds of all spans in it.
    pub(crate) busy: u64,
    /// How many spans lie in it.
    pub(crate) count: u32,
    /// The span that it shows.
    pub(crate) span: Option<SpanId>,
    /// Whether that is wider than the column, so that it stands for itself.
    pub(crate) wide: bool,
    /// Whether the span is on the critical path; of narrow ones, whether any is.
    pub(crate) critical: bool,
    most: u64,
    crossed: bool,
}

impl Cell {
    fn add(&mut self, bar: &Bar, (part, wide, critical): (u64, bool, bool)) {
        self.busy += part;
        self.count = self.count.saturating_add(bar.count);
        self.crossed |= critical;
        let wins = self.most < part || (self.most == part && critical && !self.critical);
        if wins || self.span.is_none() {
            (self.most, self.span, self.wide) = (part, Some(bar.longest), wide);
            self.critical = critical;
        }
        self.critical |= self.crossed && !self.wide;
    }
}

/// What each column of several tracks shows.
pub(crate) fn cells(timeline: &Timeline, tracks: &[u32], grid: &Grid) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); grid.n as usize];
    let whole = picos(grid.scale.0).max(1);
    for &at in tracks {
        let track = &timeline.tracks()[at as usize];
        let marks = Marks::new(track, grid);
        track.spans.each_bar(grid.window.clone(), grid.n, |bar| {
            let (columns, wide) = grid.place(&bar);
            let on_path = wide && timeline.is_critical(bar.longest);
            let part = if wide {
                whole
            } else {
                bar.busy.as_picos().min(whole)
            };
            for column in columns.start..columns.end.min(grid.n) {
                let critical = on_path || (!wide && marks.has(column));
                cells[column as usize].add(&bar, (part, wide, critical));
            }
        });
    }
    cells
}

/// What one column of several tracks shows, as in the tile that it lies in.
pub(crate) fn cell_at(timeline: &Timeline, tracks: &[u32], scale: Scale, column: u64) -> Cell {
    // What began in the column before must not count for this one.
    let before = u32::from(!column.is_multiple_of(u64::from(TILE)));
    let grid = Grid::new(scale, column - u64::from(before), before + 1);
    let cells = cells(timeline, tracks, &grid);
    cells.last().copied().unwrap_or_default()
}

/// Columns that are drawn as one.
pub(crate) struct Run {
    pub(crate) columns: Range<u32>,
    pub(crate) span: SpanId,
    /// The first of them.
    pub(crate) cell: Cell,
}

/// Columns in a row that show one wide span are one; each narrow one stands alone.
pub(crate) fn runs(cells: &[Cell]) -> impl Iterator<Item = Run> {
    let same = |a: &Cell, b: &Cell| {
        a.span == b.span && a.critical == b.critical && (a.span.is_none() || a.wide && b.wide)
    };
    let mut from = 0;
    let chunks = cells.chunk_by(same).map(move |run| {
        let columns = from..from + index(run.len());
        from = columns.end;
        (columns, run[0])
    });
    chunks.filter_map(|(columns, cell)| {
        Some(Run {
            span: cell.span?,
            columns,
            cell,
        })
    })
}
