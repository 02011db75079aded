//! Marks on two axes: points, lines, areas, columns and what they are held against.

use crate::axis::Axis;
use crate::{Dash, Ink, Symbol};

/// Two axes and what is drawn on them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Xy {
    /// To the right.
    pub x: Axis,
    /// Upward.
    pub y: Axis,
    /// From back to front.
    pub layers: Vec<Layer>,
    /// Both axes show the same range, so that the diagonal goes from corner to corner.
    pub equal: bool,
}

impl Xy {
    /// Two axes without anything on them.
    pub fn new(x: Axis, y: Axis) -> Self {
        Self {
            x,
            y,
            ..Self::default()
        }
    }

    /// The same with another layer in front.
    #[must_use]
    pub fn with(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// The same with one range on both axes.
    #[must_use]
    pub fn equal(mut self) -> Self {
        self.equal = true;
        self
    }
}

/// One kind of marks.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Points with their ids.
    Points(Points),
    /// A line through samples.
    Line(Line),
    /// Areas on top of each other.
    Areas(Areas),
    /// Columns of a histogram.
    Columns(Columns),
    /// A line at one value of an axis.
    Limit(Limit),
    /// The line where both axes agree.
    Diagonal(Diagonal),
}

macro_rules! layer_from {
    ($($kind:ident),*) => {$(
        impl From<$kind> for Layer {
            fn from(layer: $kind) -> Self {
                Self::$kind(layer)
            }
        }
    )*};
}
layer_from!(Points, Line, Areas, Columns, Limit, Diagonal);

/// Points of one series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// What they are, for the legend; empty for none.
    pub name: String,
    /// Their color.
    pub ink: Ink,
    /// Their shape.
    pub symbol: Symbol,
    /// The points.
    pub points: Vec<Point>,
}

/// A point that can be clicked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Which thing it stands for.
    pub id: u64,
    /// In the base unit of the axis.
    pub x: f64,
    /// In the base unit of the axis.
    pub y: f64,
    /// From where to where `y` may lie.
    pub interval: Option<(f64, f64)>,
    /// What it is called.
    pub label: String,
    /// A few letters that are written beside it; empty for none.
    pub tag: String,
    /// How much larger than others it is drawn.
    pub size: f32,
}

impl Point {
    /// A point of the usual size without an interval.
    pub fn new(id: u64, x: f64, y: f64, label: impl Into<String>) -> Self {
        Self {
            id,
            x,
            y,
            interval: None,
            label: label.into(),
            tag: String::new(),
            size: 1.0,
        }
    }
}

/// How samples are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Path {
    /// By straight lines.
    #[default]
    Straight,
    /// Each value holds until the next sample.
    Steps,
}

/// A line through samples; a sample that is not finite breaks it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// What it is, for the legend; empty for none.
    pub name: String,
    /// Its color.
    pub ink: Ink,
    /// How it is broken.
    pub dash: Dash,
    /// How samples are joined.
    pub path: Path,
    /// `x` and `y` in base units, `x` rising.
    pub samples: Vec<(f64, f64)>,
}

/// Areas on top of each other over shared samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Areas {
    /// In the base unit, rising.
    pub x: Vec<f64>,
    /// From bottom to top.
    pub bands: Vec<Band>,
    /// How samples are joined.
    pub path: Path,
}

/// One of the areas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    /// What it is.
    pub name: String,
    /// Its color.
    pub ink: Ink,
    /// The letter that stands for it where there is room.
    pub letter: Option<char>,
    /// Whether it is hatched.
    pub hatched: bool,
    /// One value for each sample, in the base unit; missing ones count as 0.
    pub values: Vec<f64>,
}

/// Columns of a histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// What they count, for the legend; empty for none.
    pub name: String,
    /// Their color.
    pub ink: Ink,
    /// Where the columns begin, and where the last one ends.
    pub edges: Vec<f64>,
    /// How high they are.
    pub heights: Vec<f64>,
}

/// Counts values in bins of equal width; values that are not finite are left out.
pub fn histogram(name: impl Into<String>, ink: Ink, values: &[f64], bins: u32) -> Columns {
    let finite = || values.iter().copied().filter(|value| value.abs() <= 1e300);
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let mut columns = Columns {
        name: name.into(),
        ink,
        ..Columns::default()
    };
    if bins == 0 || high < low {
        return columns;
    }
    let width = if low < high {
        (high - low) / f64::from(bins)
    } else {
        1.0
    };
    columns.edges = (0..=bins).map(|bin| low + width * f64::from(bin)).collect();
    columns.heights = vec![0.0; columns.edges.len() - 1];
    for value in finite() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and held below the number of bins"
        )]
        let bin = ((value - low) / width) as usize;
        let last = columns.heights.len() - 1;
        columns.heights[bin.min(last)] += 1.0;
    }
    columns
}

/// A line at one value, across the whole figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What lies there; written beside the line.
    pub name: String,
    /// In the base unit of its axis.
    pub value: f64,
    /// Of which axis.
    pub of: Along,
    /// Its color.
    pub ink: Ink,
}

impl Limit {
    /// A limit of what is measured upward, or of the value of bars.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self {
            name: name.into(),
            value,
            of: Along::Y,
            ink: Ink::Bad,
        }
    }

    /// A mark on the axis to the right.
    pub fn across_x(name: impl Into<String>, value: f64) -> Self {
        Self {
            of: Along::X,
            ..Self::new(name, value)
        }
    }

    /// The same in another color.
    #[must_use]
    pub fn ink(mut self, ink: Ink) -> Self {
        self.ink = ink;
        self
    }
}

/// One of two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// To the right.
    X,
    /// Upward.
    Y,
}

/// The line where both axes agree, with a band about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagonal {
    /// What the band means, such as "±10 %"; empty for no legend.
    pub name: String,
    /// By which share `y` may differ from `x` inside the band; 0 for no band.
    pub band: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_every_finite_value_once() {
        let values = [1.0, 2.0, 2.5, 4.0, f64::NAN, f64::INFINITY];
        let columns = histogram("Errors", Ink::Text, &values, 3);
        assert_eq!(columns.edges, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(columns.heights, [1.0, 2.0, 1.0]);
        assert!(histogram("", Ink::Text, &[], 3).heights.is_empty());
        assert_eq!(histogram("", Ink::Text, &[7.0, 7.0], 2).heights, [2.0, 0.0]);
    }
}
