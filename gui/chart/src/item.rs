//! Drawing items: what the layout says and both screen and paper draw.

use egui::{Align2, Color32, Pos2, Rect};

use crate::{Dash, Symbol};

/// One thing to draw. Places are in points from the upper left corner of the figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// A line through points.
    Polyline { points: Vec<Pos2>, pen: Pen },
    /// Many separate lines of one pen.
    Segments { ends: Vec<[Pos2; 2]>, pen: Pen },
    /// The area between two lines with the same places to the right.
    Strip {
        upper: Vec<Pos2>,
        lower: Vec<Pos2>,
        fill: Color32,
    },
    /// A filled rectangle.
    Rect { rect: Rect, fill: Color32 },
    /// Marks of one kind.
    Marks(Vec<Mark>),
    /// A line of text.
    Text(Text),
    /// Items of which only what is inside a rectangle is drawn.
    Clip { rect: Rect, items: Vec<Item> },
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pen {
    pub(crate) width: f32,
    pub(crate) color: Color32,
    pub(crate) dash: Dash,
}

impl Pen {
    /// A solid pen.
    pub(crate) const fn new(width: f32, color: Color32) -> Self {
        Self {
            width,
            color,
            dash: Dash::Solid,
        }
    }
}

/// The mark of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) at: Pos2,
    pub(crate) radius: f32,
    pub(crate) symbol: Symbol,
    pub(crate) fill: Color32,
    /// Around it, so that it stands apart from what is behind.
    pub(crate) rim: Color32,
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) at: Pos2,
    /// Which corner, edge or middle of the text lies at the place.
    pub(crate) anchor: Align2,
    pub(crate) words: String,
    pub(crate) size: f32,
    pub(crate) color: Color32,
}

/// How wide text is.
pub(crate) trait Measure {
    /// The width of a line of text in points.
    fn width(&self, text: &str, size: f32) -> f32;
}

/// Widths of a plain sans-serif font, as a reader's machine is likely to have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EmWidths;

impl Measure for EmWidths {
    fn width(&self, text: &str, size: f32) -> f32 {
        let em = |letter: char| match letter {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '·' => 0.28,
            ' ' | 'f' | 't' | 'r' | '(' | ')' | '/' | '-' | 'I' => 0.34,
            'm' | 'M' | 'w' | 'W' | '%' | '@' => 0.88,
            'A'..='Z' => 0.69,
            _ => 0.57,
        };
        text.chars().map(em).sum::<f32>() * size
    }
}

/// Lines at 45 degrees inside a polygon, which may be concave.
pub(crate) fn hatching(corners: &[Pos2], apart: f32) -> Vec<[Pos2; 2]> {
    const MOST: f32 = 2_000.0;
    let along = |at: Pos2| at.x + at.y;
    let (low, high) = corners
        .iter()
        .fold((f32::MAX, f32::MIN), |(low, high), &corner| {
            (low.min(along(corner)), high.max(along(corner)))
        });
    let mut ends = Vec::new();
    if apart <= 0.0 || high <= low || MOST < (high - low) / apart {
        return ends;
    }
    let mut offset = (low / apart).ceil() * apart + apart * 0.37;
    while offset < high {
        let mut crossings = crossings(corners, offset);
        crossings.sort_by(f32::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let at = |x: f32| Pos2::new(x, offset - x);
            ends.push([at(pair[0]), at(pair[1])]);
        }
        offset += apart;
    }
    ends
}

/// Where the edges of a polygon cross the line `x + y = offset`.
fn crossings(corners: &[Pos2], offset: f32) -> Vec<f32> {
    let next = corners.iter().skip(1).chain(corners.first());
    let edges = corners.iter().zip(next);
    edges
        .filter_map(|(a, b)| {
            let (from, to) = (a.x + a.y - offset, b.x + b.y - offset);
            ((from < 0.0) != (to < 0.0)).then(|| a.x + (b.x - a.x) * from / (from - to))
        })
        .collect()
}

/// The corners of a rectangle.
pub(crate) fn corners_of(rect: Rect) -> [Pos2; 4] {
    [
        rect.left_top(),
        rect.right_top(),
        rect.right_bottom(),
        rect.left_bottom(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hatching_stays_inside_a_rectangle() {
        let rect = Rect::from_min_max(Pos2::new(10.0, 5.0), Pos2::new(40.0, 25.0));
        let ends = hatching(&corners_of(rect), 6.0);
        assert!(5 < ends.len());
        let around = rect.expand(0.01);
        assert!(ends.iter().flatten().all(|&end| around.contains(end)));
    }
}
