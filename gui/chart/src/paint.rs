//! Drawing items with egui: in the window and for pictures.

use egui::epaint::{Mesh, Vertex};
use egui::{Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};
use look::Theme;

use crate::Symbol;
use crate::figure::Figure;
use crate::item::{Item, Mark, Measure, Pen, Text};
use crate::layout::{Ranges, Surface, layout};

/// Draws a figure as it is exported: with its caption, on its ground.
pub fn paint(painter: &Painter, rect: Rect, figure: &Figure, theme: &Theme) {
    let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    painter.rect_filled(rect, 0.0, theme.ground);
    let measure = Galleys(&painter);
    let drawing = layout(
        figure,
        Ranges::default(),
        Surface::Paper,
        rect.size(),
        theme,
        &measure,
    );
    items(&painter, rect.min.to_vec2(), &drawing.items);
}

/// Widths of text as egui draws it.
pub(crate) struct Galleys<'a>(pub(crate) &'a Painter);

impl Measure for Galleys<'_> {
    fn width(&self, text: &str, size: f32) -> f32 {
        let font = FontId::proportional(size);
        self.0
            .layout_no_wrap(text.to_owned(), font, Color32::BLACK)
            .size()
            .x
    }
}

/// Draws items.
pub(crate) fn items(painter: &Painter, offset: Vec2, all: &[Item]) {
    for item in all {
        match item {
            Item::Polyline { points, pen } => {
                let points: Vec<_> = points.iter().map(|&point| point + offset).collect();
                line(painter, &points, *pen);
            }
            Item::Segments { ends, pen } => {
                for end in ends {
                    line(painter, &end.map(|end| end + offset), *pen);
                }
            }
            Item::Strip { upper, lower, fill } => {
                painter.add(strip(upper, lower, offset, *fill));
            }
            Item::Rect { rect, fill } => {
                painter.rect_filled(rect.translate(offset), 0.0, *fill);
            }
            Item::Marks(marks) => {
                painter.add(mesh_of_marks(marks, offset, painter.pixels_per_point()));
            }
            Item::Text(text) => write(painter, offset, text),
            Item::Clip {
                rect,
                items: inside,
            } => {
                let clip = rect
                    .translate(offset)
                    .expand(0.5)
                    .intersect(painter.clip_rect());
                items(&painter.with_clip_rect(clip), offset, inside);
            }
        }
    }
}

fn line(painter: &Painter, points: &[Pos2], pen: Pen) {
    let stroke = Stroke::new(pen.width, pen.color);
    match (pen.dash.lengths(), points) {
        (None, [from, to]) => {
            painter.line_segment([*from, *to], stroke);
        }
        (None, _) => {
            painter.line(points.to_vec(), stroke);
        }
        (Some((dash, gap)), _) => {
            painter.extend(Shape::dashed_line(points, stroke, dash, gap));
        }
    }
}

fn write(painter: &Painter, offset: Vec2, text: &Text) {
    let font = FontId::proportional(text.size);
    let galley = painter.layout_no_wrap(text.words.clone(), font, text.color);
    let rect = text.anchor.anchor_size(text.at + offset, galley.size());
    painter.galley(rect.min, galley, text.color);
}

/// The area between two lines, as a mesh because it may be concave.
fn strip(upper: &[Pos2], lower: &[Pos2], offset: Vec2, fill: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    for (index, (above, below)) in upper.iter().zip(lower).enumerate() {
        mesh.colored_vertex(*above + offset, fill);
        mesh.colored_vertex(*below + offset, fill);
        if let (Ok(at), true) = (u32::try_from(index * 2), 0 < index) {
            mesh.add_triangle(at - 2, at - 1, at);
            mesh.add_triangle(at - 1, at, at + 1);
        }
    }
    mesh
}

/// All marks in one mesh, each with a rim, and with edges that fade over one pixel.
fn mesh_of_marks(marks: &[Mark], offset: Vec2, pixels_per_point: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let fade = 1.0 / pixels_per_point;
    let corners = Symbol::ALL.map(Symbol::corners);
    for mark in marks {
        let index = Symbol::ALL
            .iter()
            .position(|&symbol| symbol == mark.symbol)
            .unwrap_or(0);
        let at = mark.at + offset;
        fan(
            &mut mesh,
            at,
            &corners[index],
            mark.radius + 1.0,
            fade,
            mark.rim,
        );
        fan(&mut mesh, at, &corners[index], mark.radius, fade, mark.fill);
    }
    mesh
}

/// A polygon about a center, with an edge that fades from half a pixel inside to half a pixel outside.
fn fan(mesh: &mut Mesh, at: Pos2, corners: &[Vec2], radius: f32, fade: f32, color: Color32) {
    let (Ok(first), Ok(n)) = (
        u32::try_from(mesh.vertices.len()),
        u32::try_from(corners.len()),
    ) else {
        return;
    };
    let mut vertex = |pos: Pos2, color: Color32| {
        mesh.vertices.push(Vertex {
            pos,
            uv: egui::epaint::WHITE_UV,
            color,
        });
    };
    vertex(at, color);
    for corner in corners {
        vertex(at + *corner * (radius - fade / 2.0).max(0.0), color);
        vertex(at + *corner * (radius + fade / 2.0), Color32::TRANSPARENT);
    }
    for index in 0..n {
        let (inner, outer) = (first + 1 + 2 * index, first + 2 + 2 * index);
        let next = (index + 1) % n;
        let (next_inner, next_outer) = (first + 1 + 2 * next, first + 2 + 2 * next);
        mesh.add_triangle(first, inner, next_inner);
        mesh.add_triangle(inner, outer, next_outer);
        mesh.add_triangle(inner, next_outer, next_inner);
    }
}

/// A ring about a mark.
pub(crate) fn ring(painter: &Painter, bounds: Rect, stroke: Stroke) {
    let rect = bounds.expand(3.0);
    painter.rect_stroke(rect, 3.0, stroke, egui::StrokeKind::Outside);
}

/// A hairline through a plot at a place to the right.
pub(crate) fn hairline(painter: &Painter, plot: Rect, x: f32, color: Color32) {
    let ends = [pos2(x, plot.top()), pos2(x, plot.bottom())];
    painter.line_segment(ends, Stroke::new(1.0, color));
    let foot = Rect::from_center_size(ends[1], vec2(5.0, 2.0));
    painter.rect_filled(foot, 0.0, color);
}
