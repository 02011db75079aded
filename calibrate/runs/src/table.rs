//! A CSV of runs, cell by cell, with errors that name file, line and column.

mod alike;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

pub use alike::Likeness;

use crate::RunsError;

/// A table of runs.
#[derive(Clone, Debug)]
pub struct Table {
    /// The path, as the user wrote it.
    pub path: Arc<str>,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, in the order of the file.
    pub records: Vec<Record>,
    /// Rows that are alike, by [`Likeness`]; found when first asked for.
    indexes: [OnceLock<alike::Index>; 2],
}

/// One row: the cells that are not empty, by column.
#[derive(Clone, Debug)]
pub struct Record {
    path: Arc<str>,
    /// The line of the file, counted from 1.
    pub line: u64,
    cells: BTreeMap<String, String>,
}

impl Table {
    /// Reads a table from a file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, is no CSV, or has no rows.
    pub fn read(path: &Path) -> Result<Self, RunsError> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| RunsError::Unreadable {
            path: name.clone(),
            source,
        })?;
        Self::parse(&name, &bytes)
    }

    /// Reads a table from bytes.
    ///
    /// * `name` — what errors call it.
    ///
    /// # Errors
    ///
    /// Where it is no CSV, or has no rows.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, RunsError> {
        let path: Arc<str> = Arc::from(name);
        let broken = |source| RunsError::NotCsv {
            path: name.to_owned(),
            source,
        };
        let mut reader = csv::Reader::from_reader(bytes);
        let headers = reader.headers().map_err(broken)?;
        let columns: Vec<String> = headers.iter().map(|name| name.trim().to_owned()).collect();
        let mut records = Vec::new();
        for row in reader.records() {
            let row = row.map_err(broken)?;
            let line = row.position().map_or(0, csv::Position::line);
            let cells = (columns.iter().zip(row.iter()))
                .filter(|(_, cell)| !cell.trim().is_empty())
                .map(|(column, cell)| (column.clone(), cell.trim().to_owned()));
            records.push(Record {
                path: Arc::clone(&path),
                line,
                cells: cells.collect(),
            });
        }
        if records.is_empty() {
            return Err(RunsError::Empty {
                path: name.to_owned(),
            });
        }
        Ok(Self {
            path,
            columns,
            records,
            indexes: [OnceLock::new(), OnceLock::new()],
        })
    }

    /// The rows that are like a row, itself among them, in the order of the file.
    pub fn alike(&self, likeness: Likeness, record: &Record) -> impl Iterator<Item = &Record> {
        let index = &self.indexes[likeness as usize];
        let index = index.get_or_init(|| likeness.index(&self.records));
        let places = index.get(&likeness.key(record));
        let places = places.map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.records[*place])
    }

    /// Whether the table has a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known == column)
    }

    /// Refuses a table without a column.
    ///
    /// # Errors
    ///
    /// [`RunsError::NoColumn`].
    pub fn need(&self, column: &'static str) -> Result<(), RunsError> {
        if self.has(column) {
            return Ok(());
        }
        Err(RunsError::NoColumn {
            path: self.path.to_string(),
            column,
        })
    }
}

impl Record {
    /// What the row is called: its `row_id`, or its line.
    pub fn id(&self) -> String {
        self.text("row_id")
            .map_or_else(|| self.line.to_string(), str::to_owned)
    }

    /// The path of the table that the row is from.
    pub const fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// A cell, unless empty.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    /// A cell, or nothing as text.
    pub fn or_empty(&self, column: &str) -> &str {
        self.text(column).unwrap_or_default()
    }

    /// A positive number, unless the cell is empty.
    ///
    /// # Errors
    ///
    /// [`RunsError::BadCell`] where it is no such number.
    pub fn number(&self, column: &str) -> Result<Option<f64>, RunsError> {
        let Some(text) = self.text(column) else {
            return Ok(None);
        };
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() && 0.0 <= value => Ok(Some(value)),
            _ => Err(self.bad(column, "a number of 0 or more")),
        }
    }

    /// A whole number of 1 or more, unless the cell is empty. `8.0` is one, too.
    ///
    /// # Errors
    ///
    /// [`RunsError::BadCell`] where it is no such number.
    pub fn count(&self, column: &str) -> Result<Option<u64>, RunsError> {
        let Some(value) = self.number(column)? else {
            return Ok(None);
        };
        let whole = value.round();
        if (value - whole).abs() < 1e-9 && (1.0..=1e15).contains(&whole) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole, positive and small"
            )]
            let whole = whole as u64;
            return Ok(Some(whole));
        }
        Err(self.bad(column, "a whole number of 1 or more"))
    }

    /// The error of a cell.
    pub fn bad(&self, column: &str, expected: &'static str) -> RunsError {
        RunsError::BadCell {
            path: self.path.to_string(),
            line: self.line,
            column: column.to_owned(),
            found: self.or_empty(column).to_owned(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_by_column_and_blamed_by_line() {
        let table = Table::parse("runs.csv", b"row_id,tp,pp\n7,8,\n9,eight,2.0\n").unwrap();
        let [first, second] = &table.records[..] else {
            panic!("two rows");
        };
        assert_eq!(
            (first.id().as_str(), first.count("tp").unwrap()),
            ("7", Some(8))
        );
        assert_eq!(first.count("pp").unwrap(), None);
        assert_eq!(second.count("pp").unwrap(), Some(2));
        let error = second.count("tp").unwrap_err();
        assert_eq!(
            error.to_string(),
            "runs.csv:3: `tp` is \"eight\", not a number of 0 or more"
        );
        assert!(error.hint().is_some());
    }

    #[test]
    fn a_table_without_rows_or_columns_is_refused() {
        assert!(
            Table::parse("x", b"a,b\n")
                .unwrap_err()
                .to_string()
                .contains("no rows")
        );
        let table = Table::parse("x", b"a\n1\n").unwrap();
        let error = table.need("gpu").unwrap_err();
        assert_eq!(error.to_string(), "x has no column \"gpu\"");
        assert_eq!(table.records[0].id(), "2");
    }
}
