//! Parallel coordinates: one axis for each property, one line for each thing.

use crate::Ink;
use crate::axis::Axis;

/// One axis for each property, one line for each thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parallel {
    /// From left to right.
    pub axes: Vec<ParallelAxis>,
    /// One for each thing, from back to front.
    pub lines: Vec<ParallelLine>,
}

/// One of the axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParallelAxis {
    /// What is measured along it.
    pub axis: Axis,
    /// The names of categories; a line's value is then the index of one. Empty for numbers.
    pub categories: Vec<String>,
    /// What is let through, in the base unit; `None` for everything.
    pub brush: Option<(f64, f64)>,
}

impl ParallelAxis {
    /// An axis of numbers.
    pub fn numbers(axis: Axis) -> Self {
        Self {
            axis,
            ..Self::default()
        }
    }

    /// An axis of categories, the first at the bottom.
    pub fn categories(label: impl Into<String>, categories: Vec<String>) -> Self {
        Self {
            axis: Axis::new(label, crate::Unit::Plain),
            categories,
            brush: None,
        }
    }

    /// A value as text.
    pub fn text(&self, value: f64) -> String {
        if self.categories.is_empty() {
            return self.axis.unit.text(value);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast saturates, and beyond the last category there is none"
        )]
        let index = value.round() as usize;
        let name = value
            .is_finite()
            .then(|| self.categories.get(index))
            .flatten();
        name.cloned().unwrap_or_else(|| "–".to_owned())
    }

    fn lets_through(&self, value: f64) -> bool {
        self.brush
            .is_none_or(|(low, high)| low <= value && value <= high)
    }
}

/// The values of one thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParallelLine {
    /// Which thing it is.
    pub id: u64,
    /// What it is called.
    pub label: String,
    /// Its color.
    pub ink: Ink,
    /// One value for each axis, in the base unit or as the index of a category.
    pub values: Vec<f64>,
}

impl Parallel {
    /// Whether a line passes every brush.
    pub fn passes(&self, line: &ParallelLine) -> bool {
        let value = |axis: usize| line.values.get(axis).copied().unwrap_or(f64::NAN);
        self.axes
            .iter()
            .enumerate()
            .all(|(at, axis)| axis.lets_through(value(at)))
    }

    /// The ids that pass every brush, in order.
    pub fn passing(&self) -> Vec<u64> {
        self.lines
            .iter()
            .filter(|line| self.passes(line))
            .map(|line| line.id)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    #[test]
    fn brushes_on_several_axes_are_joined_by_and() {
        let mut axis = ParallelAxis::numbers(Axis::new("TP", Unit::Count));
        axis.brush = Some((2.0, 4.0));
        let names = vec!["1F1B".to_owned(), "ZB-H1".to_owned()];
        let mut schedule = ParallelAxis::categories("Schedule", names);
        schedule.brush = Some((0.5, 1.5));
        let line = |id, values: [f64; 2]| ParallelLine {
            id,
            values: values.to_vec(),
            ..ParallelLine::default()
        };
        let figure = Parallel {
            axes: vec![axis, schedule],
            lines: vec![
                line(1, [2.0, 1.0]),
                line(2, [8.0, 1.0]),
                line(3, [4.0, 0.0]),
                line(4, [f64::NAN, 1.0]),
            ],
        };
        assert_eq!(figure.passing(), [1]);
        assert_eq!(figure.axes[1].text(1.0), "ZB-H1");
        assert_eq!(figure.axes[1].text(9.0), "–");
    }
}
