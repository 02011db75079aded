//! One line of a log.

use super::{Row, Timing, not};
use crate::import_error::ImportError;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Size,
    Count,
    Type,
    Redop,
    Root,
    Time,
    AlgBw,
    BusBw,
    Wrong,
    Other,
}

/// The columns of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns(Vec<Column>);

impl Columns {
    /// The columns that a header names; `None` where the line is no header.
    pub(super) fn of_header(line: &str) -> Option<Self> {
        let (_, said) = line.split_once('#')?;
        let mut words = said.split_whitespace().peekable();
        words.next_if(|word| *word == "size")?;
        let mut columns = vec![Column::Size];
        columns.extend(words.take(62).map(|word| match word {
            "count" => Column::Count,
            "type" => Column::Type,
            "redop" => Column::Redop,
            "root" => Column::Root,
            "time" => Column::Time,
            "algbw" => Column::AlgBw,
            "busbw" => Column::BusBw,
            "#wrong" | "error" => Column::Wrong,
            _ => Column::Other,
        }));
        let has = |column| columns.contains(&column);
        (has(Column::Time) && has(Column::AlgBw) && has(Column::BusBw)).then_some(Self(columns))
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// A row with as many cells as there are columns.
    pub(super) fn row(&self, line: u64, cells: &[&str]) -> Result<Row, ImportError> {
        let mut row = Row {
            line,
            ..Row::default()
        };
        // The first time belongs to two buffers, the second to one.
        let mut timings: Vec<Option<Timing>> = Vec::new();
        for (column, cell) in self.0.iter().zip(cells) {
            let number = |expected| number(line, *column, cell, expected);
            match column {
                Column::Size => row.bytes = whole(line, "size", cell)?,
                Column::Count => row.count = Some(whole(line, "count", cell)?),
                Column::Type => (*cell).clone_into(&mut row.dtype),
                Column::Redop => row.redop = (*cell != "none").then(|| (*cell).to_owned()),
                // No root is written as -1.
                Column::Root => row.root = cell.parse().ok(),
                Column::Time => {
                    let micros = number("a time in microseconds")?;
                    timings.push(micros.map(|micros| Timing {
                        micros,
                        ..Timing::default()
                    }));
                }
                Column::AlgBw => set(&mut timings, number("a rate")?, |t, v| t.algbw = v),
                Column::BusBw => set(&mut timings, number("a rate")?, |t, v| t.busbw = v),
                Column::Wrong => {
                    let wrong = number("a number of wrong results")?;
                    set(&mut timings, wrong, |t, v| t.wrong = Some(v));
                }
                Column::Other => {}
            }
        }
        let mut timings = timings.into_iter();
        row.out_of_place = timings.next().flatten();
        row.in_place = timings.next().flatten();
        Ok(row)
    }
}

fn set(timings: &mut [Option<Timing>], value: Option<f64>, to: impl Fn(&mut Timing, f64)) {
    if let (Some(Some(timing)), Some(value)) = (timings.last_mut(), value) {
        to(timing, value);
    }
}

fn whole(line: u64, column: &str, cell: &str) -> Result<u64, ImportError> {
    let number = cell.parse();
    number.map_err(|_| not(line, column, cell, "a whole number"))
}

/// A number of 0 and more; none for `N/A`.
fn number(
    line: u64,
    column: Column,
    cell: &str,
    expected: &'static str,
) -> Result<Option<f64>, ImportError> {
    if cell == "N/A" {
        return Ok(None);
    }
    let name = match column {
        Column::Time => "time",
        Column::AlgBw => "algbw",
        Column::BusBw => "busbw",
        _ => "#wrong",
    };
    let number: Result<f64, _> = cell.parse();
    match number {
        Ok(number) if number.is_finite() && 0.0 <= number => Ok(Some(number)),
        // Wrong results can be infinitely far off.
        Ok(number) if column == Column::Wrong => Ok(Some(number)),
        _ => Err(not(line, name, cell, expected)),
    }
}

/// A rank and where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Device<'l> {
    pub(super) host: &'l str,
    pub(super) gpu: &'l str,
}

impl<'l> Device<'l> {
    /// `Rank 0 Group 0 Pid 1 on host device 0 [0000:0f:00] NVIDIA H100`; earlier releases have no
    /// group.
    pub(super) fn of(said: &'l str) -> Option<Self> {
        let rest = said.strip_prefix("Rank")?;
        let (_, rest) = rest.split_once(" on ")?;
        let (host, rest) = rest.trim_start().split_once(" device ")?;
        let gpu = rest.split_once(']').map_or("", |(_, gpu)| gpu);
        Some(Self {
            host: host.trim(),
            gpu: gpu.trim(),
        })
    }
}

/// What stands before the `#` of a header: a label of a log collector.
pub(super) fn label(line: &str) -> &str {
    line.split('#').next().unwrap_or("")
}

/// Words without the quotes around them.
pub(super) fn words_of(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| c.is_whitespace() || "\"'`:".contains(c));
    words.filter(|word| word.contains("_perf"))
}
