//! Rows of bars along an axis of time.

use crate::Ink;
use crate::axis::Axis;

/// Rows of bars along an axis of time, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gantt {
    /// From when to when, in seconds; bars are cut to a fixed range.
    pub time: Axis,
    /// The rows.
    pub rows: Vec<GanttRow>,
    /// What the colors of bars stand for; bars name them by their place.
    pub kinds: Vec<GanttKind>,
    /// What an outline of a bar stands for; empty where no bar has one.
    pub outline: String,
    /// A moment that stands out.
    pub playhead: Option<f64>,
}

/// A row: bars, or a heading where it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GanttRow {
    /// What it is called, below the rows above it.
    pub title: String,
    /// What a table calls it; empty for its title.
    pub name: String,
    /// How far its title is moved to the right, in steps.
    pub depth: u8,
    /// Its bars, in the order in which they are drawn.
    pub bars: Vec<GanttBar>,
}

/// A stretch of time in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct GanttBar {
    /// When it begins, in seconds.
    pub from: f64,
    /// When it ends.
    pub to: f64,
    /// What it is called: written on it where it fits.
    pub name: String,
    /// Its kind, counted from 0.
    pub kind: usize,
    /// How many things it stands for.
    pub count: u32,
    /// How high it is as a share of its row.
    pub level: f32,
    /// Whether it has an outline; a narrow one has a line below.
    pub outlined: bool,
}

impl Default for GanttBar {
    fn default() -> Self {
        Self {
            from: 0.0,
            to: 0.0,
            name: String::new(),
            kind: 0,
            count: 1,
            level: 1.0,
            outlined: false,
        }
    }
}

/// What a color stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GanttKind {
    /// What it is called.
    pub name: String,
    /// Its color.
    pub ink: Ink,
    /// The letter that stands for it in the legend.
    pub letter: Option<char>,
}

impl GanttRow {
    /// What a table calls it.
    pub(crate) fn full_name(&self) -> &str {
        if self.name.is_empty() {
            &self.title
        } else {
            &self.name
        }
    }
}

impl Gantt {
    /// The bars with their places: row, and place in it. Their ids count them all.
    pub(crate) fn bars(&self) -> impl Iterator<Item = (u64, (usize, usize), &GanttBar)> {
        let rows = self.rows.iter().enumerate();
        let bars =
            rows.flat_map(|(row, of)| (0..).zip(&of.bars).map(move |(bar, of)| ((row, bar), of)));
        (0..).zip(bars).map(|(id, (place, of))| (id, place, of))
    }

    /// What a kind is called.
    pub(crate) fn kind_name(&self, kind: usize) -> &str {
        self.kinds.get(kind).map_or("", |kind| kind.name.as_str())
    }
}
