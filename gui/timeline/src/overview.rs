//! The whole run in a strip, computed once.

use trace::{Category, Pass, SpanId, Trace};
use units::SimTime;

use crate::round::{byte, column, index};
use crate::timeline::SpanTrack;

/// Columns of the strip.
pub(crate) const COLUMNS: u32 = 1_024;
/// Rows of the strip at most; more lanes share rows.
const MOST_ROWS: usize = 24;

/// What a cell of the strip shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The span that takes most of it, where there is one.
    pub(crate) style: Option<(Category, Pass)>,
    /// How much of it is busy: 255 is all.
    pub(crate) busy: u8,
}

/// The whole run: rows of cells.
#[derive(Debug, Default)]
pub(crate) struct Overview {
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Overview {
    /// Of each lane the track of kernels, or its first; some lanes share a row.
    pub(crate) fn new(trace: &Trace, tracks: &[SpanTrack], first_track: &[usize]) -> Self {
        let lanes: Vec<usize> = first_track
            .windows(2)
            .filter(|pair| pair[0] < pair[1])
            .map(|pair| pair[0])
            .collect();
        let per_row = lanes.len().div_ceil(MOST_ROWS).max(1);
        let rows = lanes.chunks(per_row);
        let rows = rows.map(|lanes| {
            let own: Vec<_> = lanes.iter().map(|&at| &tracks[at]).collect();
            row(trace, &own)
        });
        Self {
            rows: rows.collect(),
        }
    }
}

fn row(trace: &Trace, tracks: &[&SpanTrack]) -> Vec<Cell> {
    let width = trace.end.as_picos() as f64 / f64::from(COLUMNS);
    let mut cells = vec![(0.0_f64, 0.0_f64, None::<SpanId>); COLUMNS as usize];
    for track in tracks {
        track
            .spans
            .each_bar(SimTime::ZERO..trace.end, COLUMNS, |bar| {
                let (start, end) = (bar.start.as_picos() as f64, bar.end.as_picos() as f64);
                let fill = bar.busy.as_picos() as f64 / (end - start).max(1.0);
                let (from, to) = (column(start / width), column(end / width));
                for at in from..=to.min(u64::from(COLUMNS - 1)) {
                    let left = at as f64 * width;
                    let part = (end.min(left + width) - start.max(left)).max(0.0) * fill;
                    let Some(cell) = usize::try_from(at).ok().and_then(|at| cells.get_mut(at))
                    else {
                        continue;
                    };
                    cell.0 += part;
                    if cell.1 < part {
                        (cell.1, cell.2) = (part, Some(bar.longest));
                    }
                }
            });
    }
    let all = width * tracks.len().max(1) as f64;
    cells
        .into_iter()
        .map(|(busy, _, longest)| Cell {
            style: longest.map(|id| {
                let span = &trace.spans[id as usize];
                (span.category, span.pass)
            }),
            busy: byte(busy / all),
        })
        .collect()
}

/// Calls `visit(from, columns, cell)` for stretches of equal cells.
pub(crate) fn runs(row: &[Cell], mut visit: impl FnMut(u32, u32, Cell)) {
    let mut from = 0;
    for run in row.chunk_by(|a, b| a.style == b.style && a.busy.abs_diff(b.busy) < 24) {
        visit(from, index(run.len()), run[run.len() / 2]);
        from += index(run.len());
    }
}
