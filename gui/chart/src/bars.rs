//! Bars of groups: on top of each other, or side by side.

use crate::Ink;
use crate::axis::Axis;
use crate::xy::Limit;

/// One bar for each group, made of one part for each series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// Where the bars go.
    pub direction: Direction,
    /// How parts of one group lie.
    pub grouping: Grouping,
    /// What the bars measure.
    pub value: Axis,
    /// From top to bottom, or from left to right.
    pub groups: Vec<Group>,
    /// From the base outward, or from first to last.
    pub series: Vec<Series>,
    /// Lines across all bars.
    pub limits: Vec<Limit>,
}

/// Where bars go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// To the right, with room for long labels.
    #[default]
    Horizontal,
    /// Upward.
    Vertical,
}

/// How parts of one group lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// One after the other: they add up.
    #[default]
    Stacked,
    /// Side by side from the base: they compare.
    Grouped,
}

/// What one bar stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Which thing it is.
    pub id: u64,
    /// What it is called.
    pub label: String,
    /// Its color, where it is not that of the series.
    pub ink: Option<Ink>,
}

impl Group {
    /// A group with its label.
    pub fn new(id: u64, label: impl Into<String>) -> Self {
        Self {
            id,
            label: label.into(),
            ink: None,
        }
    }

    /// The same in a color of its own.
    #[must_use]
    pub const fn with_ink(mut self, ink: Ink) -> Self {
        self.ink = Some(ink);
        self
    }
}

/// One part of every bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Its color.
    pub ink: Ink,
    /// The letter that stands for it where there is room.
    pub letter: Option<char>,
    /// Whether it is hatched.
    pub hatched: bool,
    /// One value for each group, in the base unit; what is not finite is left out.
    pub values: Vec<f64>,
}

impl Series {
    /// The value of a group, where there is one.
    pub(crate) fn value(&self, group: usize) -> Option<f64> {
        self.values
            .get(group)
            .copied()
            .filter(|value| value.is_finite())
    }
}

impl Bars {
    /// The ends of every part in the unit of the axis: group, series, from, to.
    pub(crate) fn parts(&self) -> Vec<(usize, usize, f64, f64)> {
        let mut parts = Vec::new();
        for group in 0..self.groups.len() {
            let (mut above, mut below) = (0.0, 0.0);
            for (index, series) in self.series.iter().enumerate() {
                let Some(value) = series.value(group) else {
                    continue;
                };
                let base = match self.grouping {
                    Grouping::Grouped => &mut 0.0,
                    Grouping::Stacked if value < 0.0 => &mut below,
                    Grouping::Stacked => &mut above,
                };
                parts.push((group, index, *base, *base + value));
                *base += value;
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacked_parts_begin_where_the_last_one_ended() {
        let series = |values: &[f64]| Series {
            values: values.to_vec(),
            ..Series::default()
        };
        let mut bars = Bars {
            groups: vec![Group::new(7, "A")],
            series: vec![
                series(&[2.0]),
                series(&[f64::NAN]),
                series(&[-1.0]),
                series(&[3.0]),
            ],
            ..Bars::default()
        };
        assert_eq!(
            bars.parts(),
            [(0, 0, 0.0, 2.0), (0, 2, 0.0, -1.0), (0, 3, 2.0, 5.0)]
        );
        bars.grouping = Grouping::Grouped;
        assert_eq!(
            bars.parts(),
            [(0, 0, 0.0, 2.0), (0, 2, 0.0, -1.0), (0, 3, 0.0, 3.0)]
        );
    }
}
