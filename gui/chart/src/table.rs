//! Tables with typed cells, so that sorting goes by number.

use std::cmp::Ordering;

use crate::axis::titled;
use crate::unit::{Unit, decimal};

/// Rows of typed cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What its rows are, such as "Plans".
    pub name: String,
    /// Where its numbers are from, for those who point at a cell; empty for none.
    pub about: String,
    /// From left to right.
    pub columns: Vec<Column>,
    /// From top to bottom, as they are shown.
    pub rows: Vec<Row>,
}

/// What the cells below each other are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// What it is called.
    pub label: String,
    /// What its numbers are.
    pub unit: Unit,
    /// Whether it holds numbers, which stand to the right.
    pub is_number: bool,
    /// What its cells mean and where they are from, for those who point at its label or at a cell.
    pub help: Option<&'static str>,
}

impl Column {
    /// A column of text.
    pub fn text(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// A column of numbers.
    pub fn number(label: impl Into<String>, unit: Unit) -> Self {
        Self {
            label: label.into(),
            unit,
            is_number: true,
            ..Self::default()
        }
    }

    /// The same with what its cells mean and where they are from.
    #[must_use]
    pub fn explained(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }
}

/// The cells beside each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Which thing they belong to.
    pub id: u64,
    /// One for each column.
    pub cells: Vec<Cell>,
}

impl Row {
    /// A row of cells.
    pub fn new(id: u64, cells: Vec<Cell>) -> Self {
        Self { id, cells }
    }
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number in the base unit of its column, written in the unit that fits the column.
    Number(f64),
    /// A number that is written in its own way and sorted by its value.
    Worded(f64, String),
    /// Nothing, always sorted last.
    #[default]
    Missing,
}

impl Cell {
    /// Its number, where it has a finite one.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Number(value) | Self::Worded(value, _) => value.is_finite().then_some(*value),
            Self::Text(_) | Self::Missing => None,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }
}

/// By which column rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Which column, counted from 0.
    pub column: usize,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl Sort {
    /// What a click on a column's header asks for: smallest first, then largest first.
    pub fn clicked(now: Option<Self>, column: usize) -> Self {
        let again = now.is_some_and(|now| now.column == column && !now.descending);
        Self {
            column,
            descending: again,
        }
    }
}

impl Table {
    /// A table without rows.
    pub fn new(name: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            name: name.into(),
            columns,
            ..Self::default()
        }
    }

    /// The same with where its numbers are from.
    #[must_use]
    pub fn explained(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// Sorts the rows; equal ones keep their order, and missing cells come last in both directions.
    pub fn sort(&mut self, sort: Sort) {
        let cell = |row: &Row| row.cells.get(sort.column).cloned().unwrap_or_default();
        self.rows.sort_by_cached_key(|row| Key {
            cell: cell(row),
            descending: sort.descending,
        });
    }

    /// The row of a thing, counted from 0.
    pub fn position(&self, id: u64) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id)
    }

    /// How a column is written; looks at every row.
    pub(crate) fn format(&self, column: usize) -> Format {
        let Some(of) = self.columns.get(column) else {
            return Format::Worded;
        };
        let cells = self
            .rows
            .iter()
            .filter_map(|row| match row.cells.get(column) {
                Some(Cell::Number(value)) if value.is_finite() => Some(*value),
                _ => None,
            });
        let (mut largest, mut smallest, mut whole) = (0.0_f64, f64::INFINITY, true);
        for value in cells {
            largest = largest.max(value.abs());
            if value != 0.0 {
                smallest = smallest.min(value.abs());
            }
            whole &= value.fract() == 0.0;
        }
        if smallest < largest * 1e-4 && !whole {
            return Format::Worded;
        }
        let shown = of.unit.shown(largest);
        let plain = shown.size.to_bits() == 1.0_f64.to_bits();
        let decimals = match largest / shown.size {
            _ if whole && plain => 0,
            size if 999.95 <= size => 0,
            size if 99.995 <= size => 1,
            size if 9.999_5 <= size => 2,
            _ => 3,
        };
        Format::Shared {
            size: shown.size,
            name: shown.name,
            decimals,
        }
    }
}

/// How the numbers of a column are written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Format {
    /// Each with the unit that fits it, because they differ too much.
    Worded,
    /// All in one unit with one number of decimals, so that they compare at a glance.
    Shared {
        size: f64,
        name: String,
        decimals: usize,
    },
}

impl Format {
    /// The label of a column with its unit.
    pub(crate) fn title(&self, column: &Column) -> String {
        match self {
            Self::Shared { name, .. } if column.is_number => titled(&column.label, name),
            _ => column.label.clone(),
        }
    }

    /// A cell as text.
    pub(crate) fn text(&self, column: &Column, cell: &Cell) -> String {
        match (cell, self) {
            (Cell::Text(text) | Cell::Worded(_, text), _) => text.clone(),
            (Cell::Number(value), _) if !value.is_finite() => "–".to_owned(),
            (Cell::Number(value), Self::Shared { size, decimals, .. }) => {
                decimal(value / size, *decimals)
            }
            (Cell::Number(value), Self::Worded) => column.unit.text(*value),
            (Cell::Missing, _) => "–".to_owned(),
        }
    }
}

/// A cell in the order of a sort.
struct Key {
    cell: Cell,
    descending: bool,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let turned = |order: Ordering| {
            if self.descending {
                order.reverse()
            } else {
                order
            }
        };
        match (
            self.cell.value(),
            other.cell.value(),
            &self.cell,
            &other.cell,
        ) {
            (Some(a), Some(b), ..) => turned(a.total_cmp(&b)),
            (_, _, Cell::Text(a), Cell::Text(b)) => {
                turned(a.to_lowercase().cmp(&b.to_lowercase()).then(a.cmp(b)))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Key {
    /// Numbers, then words, then nothing.
    fn rank(&self) -> u8 {
        match &self.cell {
            cell if cell.value().is_some() => 0,
            Cell::Text(_) => 1,
            _ => 2,
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(values: &[Cell]) -> Table {
        let mut table = Table::new("Plans", vec![Column::number("Time", Unit::Seconds)]);
        table.rows = (0..)
            .zip(values)
            .map(|(id, cell)| Row::new(id, vec![cell.clone()]))
            .collect();
        table
    }

    fn order(table: &Table) -> Vec<u64> {
        table.rows.iter().map(|row| row.id).collect()
    }

    #[test]
    fn numbers_sort_by_value_and_missing_ones_come_last_both_ways() {
        let mut table = times(&[
            10.0.into(),
            Cell::Missing,
            9.0.into(),
            f64::NAN.into(),
            9.0.into(),
        ]);
        let column = 0;
        table.sort(Sort {
            column,
            descending: false,
        });
        assert_eq!(order(&table), [2, 4, 0, 1, 3]);
        table.sort(Sort {
            column,
            descending: true,
        });
        assert_eq!(order(&table), [0, 2, 4, 1, 3]);
        table.sort(Sort {
            column: 9,
            descending: true,
        });
        assert_eq!(order(&table), [0, 2, 4, 1, 3]);
    }

    #[test]
    fn words_sort_without_regard_to_case() {
        let mut table = times(&["b".into(), "A".into(), "C".into()]);
        table.sort(Sort {
            column: 0,
            descending: false,
        });
        assert_eq!(order(&table), [1, 0, 2]);
    }

    #[test]
    fn a_column_has_one_unit_unless_its_numbers_differ_too_much() {
        let shown = |cells: &[Cell]| {
            let table = times(cells);
            let format = table.format(0);
            let texts = cells
                .iter()
                .map(|cell| format.text(&table.columns[0], cell));
            (
                format.title(&table.columns[0]),
                texts.collect::<Vec<_>>().join(" "),
            )
        };
        let near = shown(&[1.5.into(), 12.345.into(), Cell::Missing]);
        assert_eq!(near, ("Time (s)".to_owned(), "1.50 12.35 –".to_owned()));
        let far = shown(&[1.5.into(), 2e-6.into()]);
        assert_eq!(far, ("Time".to_owned(), "1.500 s 2.000 µs".to_owned()));
    }

    #[test]
    fn a_second_click_turns_the_order() {
        let first = Sort::clicked(None, 3);
        assert!(!first.descending);
        assert!(Sort::clicked(Some(first), 3).descending);
        assert!(!Sort::clicked(Some(first), 2).descending);
    }
}
