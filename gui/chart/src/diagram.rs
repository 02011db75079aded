//! Boxes and the lines between them.

use egui::{Pos2, Rect};

use crate::Ink;
use crate::table::Table;

/// Boxes and the lines between them, in units of the drawing, which fills its room.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagram {
    /// Frames behind everything.
    pub frames: Vec<DiagramBox>,
    /// Lines, the last on top.
    pub lines: Vec<DiagramLine>,
    /// Boxes in front of lines.
    pub boxes: Vec<DiagramBox>,
    /// Words at the left edge, at heights of the drawing.
    pub levels: Vec<(f32, String)>,
    /// What colors of lines stand for.
    pub legend: Vec<(String, Ink)>,
    /// The numbers of the lines: the twin of the drawing.
    pub table: Table,
}

/// A box or a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagramBox {
    /// Where it is.
    pub rect: Rect,
    /// What is written on it, the longest first: the first that fits is.
    pub names: Vec<String>,
    /// Whether it stands out: an outline in the color of warnings.
    pub warns: bool,
}

/// A straight line.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagramLine {
    /// The row of the table that tells of it.
    pub id: u64,
    /// From where to where.
    pub ends: [Pos2; 2],
    /// Its width in units of the drawing.
    pub width: f32,
    /// Its color.
    pub ink: Ink,
    /// Whether it is dashed.
    pub dashed: bool,
    /// What is written on it; empty for nothing.
    pub label: String,
}

impl Diagram {
    /// Around everything that has a place.
    pub(crate) fn bounds(&self) -> Option<Rect> {
        let boxes = self.frames.iter().chain(&self.boxes).map(|of| of.rect);
        let lines = self.lines.iter();
        let lines = lines.map(|line| Rect::from_two_pos(line.ends[0], line.ends[1]));
        let all = boxes.chain(lines).filter(Rect::is_finite);
        all.reduce(Rect::union)
    }

    /// What a line says: its row of the table.
    pub(crate) fn row(&self, id: u64) -> Option<&crate::table::Row> {
        self.table.rows.iter().find(|row| row.id == id)
    }
}
