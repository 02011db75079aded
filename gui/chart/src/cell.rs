//! Cells of a table: how wide they are and what is written in them.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2, vec2};

use crate::table::{Format, Row, Table};

/// Between a cell's edge and its text, in points.
pub(crate) const PAD: f32 = 8.0;
/// The size of text.
pub(crate) const TEXT: f32 = 12.5;

/// How wide a column must be for its label and its longest text among a sample of the rows.
pub(crate) fn width(painter: &Painter, table: &Table, format: &Format, column: usize) -> f32 {
    const SAMPLE: usize = 64;
    let of = &table.columns[column];
    let stride = table.rows.len().div_ceil(SAMPLE).max(1);
    let sampled = table.rows.iter().step_by(stride);
    let largest = table.rows.iter().max_by(|a, b| {
        let size = |row: &Row| {
            row.cells
                .get(column)
                .and_then(crate::Cell::value)
                .map_or(0.0, f64::abs)
        };
        size(a).total_cmp(&size(b))
    });
    let cells = sampled
        .chain(largest)
        .filter_map(|row| row.cells.get(column));
    let longest = cells
        .map(|cell| format.text(of, cell))
        .max_by_key(|text| text.chars().count());
    let wide = |text: String| {
        let font = FontId::proportional(TEXT);
        painter.layout_no_wrap(text, font, Color32::BLACK).size().x
    };
    let head = wide(format.title(of)) + 12.0;
    let body = longest.map_or(0.0, wide) + 2.0;
    (head.max(body) + 2.0 * PAD).clamp(40.0, 340.0).round()
}

/// Text in a cell, cut with an ellipsis where it is too long.
pub(crate) fn write(painter: &Painter, rect: Rect, text: &str, color: Color32, right: bool) {
    let inside = rect.shrink2(vec2(PAD, 0.0));
    let mut job = LayoutJob::simple_singleline(text.to_owned(), FontId::proportional(TEXT), color);
    job.wrap = TextWrapping::truncate_at_width(inside.width());
    let galley = painter.layout_job(job);
    let (at, anchor) = if right {
        (inside.right_center(), Align2::RIGHT_CENTER)
    } else {
        (inside.left_center(), Align2::LEFT_CENTER)
    };
    let place = anchor.anchor_size(at, galley.size());
    painter.galley(place.min, galley, color);
}

/// A small triangle: down for the largest first.
pub(crate) fn arrow(painter: &Painter, at: Pos2, down: bool, color: Color32) {
    let tip = if down { 3.0 } else { -3.0 };
    let corners =
        [vec2(-4.0, -tip), vec2(4.0, -tip), vec2(0.0, tip)].map(|corner: Vec2| at + corner);
    painter.add(Shape::convex_polygon(corners.to_vec(), color, Stroke::NONE));
}
