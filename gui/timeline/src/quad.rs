//! Rectangles of one color, as graphics cards take them, and who draws them.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Painter, Pos2, Rect, Shape, pos2};

/// A rectangle in physical pixels from the top left of its batch; its edges lie on pixels.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Quad {
    /// Its left edge.
    pub x: f32,
    /// Its width.
    pub width: f32,
    /// Its top in the low and its height in the high 16 bits.
    pub rows: u32,
    /// Its color: red, green, blue and alpha, premultiplied, red in the lowest byte.
    pub color: u32,
}

impl Quad {
    /// A rectangle.
    pub const fn new(x: f32, width: f32, top: u16, height: u16, color: Color32) -> Self {
        Self {
            x,
            width,
            rows: top as u32 | (height as u32) << 16,
            color: u32::from_le_bytes(color.to_array()),
        }
    }

    /// Its top.
    pub const fn top(self) -> u16 {
        let [low, high, ..] = self.rows.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// Its height.
    pub const fn height(self) -> u16 {
        let [.., low, high] = self.rows.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// Its color.
    pub const fn color(self) -> Color32 {
        let [r, g, b, a] = self.color.to_le_bytes();
        Color32::from_rgba_premultiplied(r, g, b, a)
    }
}

/// Which rectangles of a timeline a batch holds; each kind is drawn once a frame at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The strip with the whole run.
    Overview,
    /// The lanes.
    Lanes,
    /// The strip of the run that is compared.
    OtherOverview,
    /// The lanes of the run that is compared.
    OtherLanes,
}

/// Rectangles to draw.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What they show.
    pub layer: Layer,
    /// The rectangles, in the order in which they are drawn.
    pub quads: Arc<[Quad]>,
    /// Changes when they do.
    pub generation: u64,
}

/// Draws batches.
pub trait QuadSink {
    /// Draws a batch over a rectangle, nothing of it outside.
    fn quads(&mut self, painter: &Painter, rect: Rect, batch: &Batch);
}

/// Draws batches by egui's own means.
#[derive(Clone, Debug, Default)]
pub struct MeshSink {
    kept: Vec<(Layer, u64, Rect, f32, Arc<Mesh>)>,
}

impl QuadSink for MeshSink {
    fn quads(&mut self, painter: &Painter, rect: Rect, batch: &Batch) {
        let scale = painter.pixels_per_point();
        let same = |kept: &&(Layer, u64, Rect, f32, Arc<Mesh>)| {
            let like = (kept.0, kept.1, kept.2) == (batch.layer, batch.generation, rect);
            like && kept.3.to_bits() == scale.to_bits()
        };
        let mesh = if let Some(kept) = self.kept.iter().find(same) {
            Arc::clone(&kept.4)
        } else {
            let mesh = Arc::new(mesh(rect.min, scale, &batch.quads));
            self.kept.retain(|kept| kept.0 != batch.layer);
            self.kept.push((
                batch.layer,
                batch.generation,
                rect,
                scale,
                Arc::clone(&mesh),
            ));
            mesh
        };
        painter.with_clip_rect(rect).add(Shape::Mesh(mesh));
    }
}

fn mesh(origin: Pos2, pixels_per_point: f32, quads: &[Quad]) -> Mesh {
    let mut mesh = Mesh::default();
    mesh.vertices.reserve_exact(4 * quads.len());
    mesh.indices.reserve_exact(6 * quads.len());
    let point = pixels_per_point.recip();
    for (first, quad) in (0..).step_by(4).zip(quads) {
        let left = origin.x + quad.x * point;
        let right = left + quad.width * point;
        let top = origin.y + f32::from(quad.top()) * point;
        let bottom = top + f32::from(quad.height()) * point;
        let color = quad.color();
        let corner = |x: f32, y: f32| Vertex {
            pos: pos2(x, y),
            uv: WHITE_UV,
            color,
        };
        mesh.vertices.extend([
            corner(left, top),
            corner(right, top),
            corner(right, bottom),
            corner(left, bottom),
        ]);
        mesh.indices
            .extend([0, 1, 2, 0, 2, 3].map(|corner: u32| first + corner));
    }
    mesh
}
