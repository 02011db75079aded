//! Rows as rectangles.

use egui::Color32;
use look::{Theme, palette};
use trace::{Category, Pass};

use crate::quad::Quad;
use crate::round::pixels;
use crate::rows::{Row, Shows};
use crate::tile::{Bit, BitKind, Scale, Tile, style};

/// Shades of a color by how busy a column is.
const SHADES: usize = 16;

/// The colors of bits, looked up and not computed.
pub(crate) struct Shade {
    of_style: Vec<[Color32; SHADES]>,
    memory: Color32,
    load: [Color32; SHADES],
    critical: Color32,
    outlined: Option<u8>,
    limit: Color32,
}

impl Shade {
    pub(crate) fn new(theme: Theme) -> Self {
        let mut of_style = vec![[theme.faint; SHADES]; Category::ALL.len() * 8];
        for category in Category::ALL {
            for pass in Pass::ALL {
                let full = palette::span(category, pass);
                let shades = &mut of_style[usize::from(style(category, pass))];
                for (shade, color) in (0_u8..).zip(shades) {
                    let busy = f32::from(shade) / (SHADES - 1) as f32;
                    *color = theme.ground.lerp_to_gamma(full, 0.3 + 0.7 * busy);
                }
            }
        }
        let mut load = [theme.faint; SHADES];
        for (shade, color) in (0_u8..).zip(&mut load) {
            *color = palette::load(f32::from(shade) / (SHADES - 1) as f32, theme.dark);
        }
        Self {
            of_style,
            memory: theme.ground.lerp_to_gamma(theme.accent, 0.4),
            load,
            critical: theme.critical,
            outlined: (!theme.dark).then(|| style(Category::Pp, Pass::None)),
            limit: theme.line,
        }
    }

    /// The color of a column of a kind, by how busy it is: 255 is all.
    pub(crate) fn of(&self, style: u8, level: u8) -> Color32 {
        self.of_style[usize::from(style)][usize::from(level) * (SHADES - 1) / 255]
    }

    /// Whether spans of a kind are too light for the ground.
    fn needs_outline(&self, style: u8) -> bool {
        self.outlined
            .is_some_and(|outlined| outlined / 8 == style / 8)
    }
}

/// Where a row stands, in physical pixels from the top left of the lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Band {
    pub(crate) top: f32,
    pub(crate) height: f32,
    /// What is outside is not drawn.
    pub(crate) clip: (f32, f32),
}

impl Band {
    /// Top and height of a part of it, cut.
    fn cut(self, top: f32, height: f32) -> Option<(u16, u16)> {
        let from = (self.top + top).max(self.clip.0).round();
        let to = (self.top + top + height).min(self.clip.1).round();
        (from < to).then(|| (pixels(from), pixels(to - from)))
    }
}

/// From columns of a tile to pixels of the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretching {
    /// Where the first column of the tile stands.
    pub(crate) origin: f64,
    /// Pixels per column: 1 except where an old tile stands in.
    pub(crate) factor: f64,
    /// The width of the window.
    pub(crate) width: f32,
}

impl Stretching {
    /// For a tile of a scale in a window of another.
    pub(crate) fn new(tile: u64, of: Scale, first_column: u64, scale: Scale, width: f32) -> Self {
        let factor = of.0 / scale.0;
        let tile_column = tile as f64 * f64::from(crate::tile::TILE);
        Self {
            origin: tile_column * factor - first_column as f64,
            factor,
            width,
        }
    }

    /// Left edge and width of some columns, cut to the window and set on pixels.
    pub(crate) fn place(self, from: u16, width: u16) -> Option<(f32, f32)> {
        let left = self.origin + f64::from(from) * self.factor;
        let right = left + f64::from(width) * self.factor;
        let left = crate::round::single(left.round()).max(0.0);
        let right = crate::round::single(right.round()).min(self.width);
        (left < self.width && 0.0 < right).then(|| (left, (right - left).max(1.0)))
    }
}

/// Adds the rectangles of a tile.
pub(crate) fn tile_quads(
    quads: &mut Vec<Quad>,
    shade: &Shade,
    (row, tile): (&Row, &Tile),
    (band, at): (Band, Stretching),
    critical: bool,
) {
    match row.shows {
        Shows::Title => {}
        Shows::Counter(key) => {
            let is_link = matches!(key, crate::key::TrackKey::Link { .. });
            counter_quads(quads, shade, tile, (band, at), is_link);
        }
        Shows::Spans(_) => {
            let inset = if band.height < 12.0 {
                0.0
            } else {
                (band.height / 12.0).floor()
            };
            let Some(rows) = band.cut(inset, band.height - 2.0 * inset) else {
                return;
            };
            for bit in &tile.bits {
                if let Some(place) = at.place(bit.from, bit.width) {
                    span_quads(quads, shade, bit, place, rows);
                    if critical && bit.critical {
                        critical_quads(quads, shade.critical, bit.kind, place, rows);
                    }
                }
            }
        }
    }
}

fn span_quads(
    quads: &mut Vec<Quad>,
    shade: &Shade,
    bit: &Bit,
    (x, mut width): (f32, f32),
    (top, height): (u16, u16),
) {
    // Spans that follow each other must not look like one.
    if matches!(bit.kind, BitKind::Span { ends: true, .. }) && 3.0 <= width {
        width -= 1.0;
    }
    let color = shade.of(bit.style, bit.level);
    if !shade.needs_outline(bit.style) {
        quads.push(Quad::new(x, width, top, height, color));
        return;
    }
    let has_room = 3.0 <= width && 3 <= height;
    // Without room for both the rim would be all that is seen.
    let rim = palette::scaled(color, if has_room { 0.55 } else { 0.8 });
    quads.push(Quad::new(x, width, top, height, rim));
    if has_room {
        quads.push(Quad::new(x + 1.0, width - 2.0, top + 1, height - 2, color));
    }
}

/// The outline of a span on the critical path; where it is narrow, a line below.
fn critical_quads(
    quads: &mut Vec<Quad>,
    color: Color32,
    kind: BitKind,
    (x, width): (f32, f32),
    (top, height): (u16, u16),
) {
    let line = if height < 10 { 1 } else { 2 };
    if height < 3 * line {
        return;
    }
    let (begins, ends) = match kind {
        BitKind::Span { begins, ends } => (begins, ends),
        BitKind::Merged => (false, false),
    };
    let width = if ends && 3.0 <= width {
        width - 1.0
    } else {
        width
    };
    quads.push(Quad::new(x, width, top + height - line, line, color));
    if kind == BitKind::Merged || width < 6.0 {
        return;
    }
    let side = f32::from(line);
    quads.push(Quad::new(x, width, top, line, color));
    if begins {
        quads.push(Quad::new(x, side, top, height, color));
    }
    if ends {
        quads.push(Quad::new(x + width - side, side, top, height, color));
    }
}

fn counter_quads(
    quads: &mut Vec<Quad>,
    shade: &Shade,
    tile: &Tile,
    (band, at): (Band, Stretching),
    is_link: bool,
) {
    let full = band.height - 3.0;
    for bit in &tile.bits {
        let Some((x, width)) = at.place(bit.from, bit.width) else {
            continue;
        };
        let height = (f32::from(bit.level) / 255.0 * full).ceil();
        let color = if is_link {
            shade.load[usize::from(bit.level) * (SHADES - 1) / 255]
        } else {
            shade.memory
        };
        if let Some((top, height)) = band.cut(band.height - 1.0 - height, height) {
            quads.push(Quad::new(x, width, top, height, color));
        }
    }
    if let Some((top, _)) = band.cut(band.height - 1.0, 1.0) {
        quads.push(Quad::new(0.0, at.width, top, 1, shade.limit));
    }
}
