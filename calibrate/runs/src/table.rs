//! A CSV of runs, cell by cell, with errors that name file, line and column.

mod alike;
mod cell;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

pub use alike::Likeness;
pub(crate) use cell::{MOST_GPUS, MOST_LAYERS};

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
    /// The number of its cells, where that is not the number of columns.
    ragged: Option<Ragged>,
}

/// A line with more or fewer cells than there are columns: nobody can say which cell is which.
#[derive(Clone, Copy, Debug)]
struct Ragged {
    cells: usize,
    columns: usize,
}

impl Table {
    /// Reads a table from a file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, is no CSV, has no rows, or two columns of one name.
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
    /// Where it is no CSV, has no rows, or two columns of one name.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, RunsError> {
        let path: Arc<str> = Arc::from(name);
        let broken = |source| RunsError::NotCsv {
            path: name.to_owned(),
            source,
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let headers = reader.byte_headers().map_err(broken)?;
        let columns: Vec<String> = headers.iter().map(|name| cell(name).into_owned()).collect();
        refuse_repeated(name, &columns)?;
        let mut records = Vec::new();
        for row in reader.byte_records() {
            records.push(Record::new(&path, &columns, &row.map_err(broken)?));
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
    fn new(path: &Arc<str>, columns: &[String], row: &csv::ByteRecord) -> Self {
        let cells = (columns.iter().zip(row.iter()))
            .map(|(column, text)| (column.clone(), cell(text).into_owned()))
            .filter(|(column, text)| !column.is_empty() && !text.is_empty());
        // What stands behind the last column may be as empty as it likes.
        let behind = row.iter().skip(columns.len());
        let is_ragged =
            row.len() < columns.len() || behind.into_iter().any(|text| !cell(text).is_empty());
        Self {
            path: Arc::clone(path),
            line: row.position().map_or(0, csv::Position::line),
            cells: cells.collect(),
            ragged: is_ragged.then_some(Ragged {
                cells: row.len(),
                columns: columns.len(),
            }),
        }
    }

    /// Refuses a row whose cells do not stand under the columns.
    ///
    /// # Errors
    ///
    /// [`RunsError::Ragged`].
    pub fn refuse_ragged(&self) -> Result<(), RunsError> {
        self.ragged.map_or(Ok(()), |Ragged { cells, columns }| {
            Err(RunsError::Ragged {
                path: self.path.to_string(),
                line: self.line,
                cells,
                columns,
            })
        })
    }

    /// Whether its cells stand under the columns, so that other rows can learn from it.
    pub(crate) const fn is_whole(&self) -> bool {
        self.ragged.is_none()
    }
}

/// The text of a cell; bytes that are no UTF-8 show as such.
fn cell(bytes: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn refuse_repeated(path: &str, columns: &[String]) -> Result<(), RunsError> {
    for (at, column) in columns.iter().enumerate() {
        if !column.is_empty() && columns[..at].contains(column) {
            return Err(RunsError::RepeatedColumn {
                path: path.to_owned(),
                column: column.clone(),
            });
        }
    }
    Ok(())
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
            "runs.csv:3: `tp` is \"eight\", not a whole number from 1 to 1,048,576"
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

    #[test]
    fn a_ragged_line_is_its_own_error_alone() {
        let table = Table::parse("x", b"gpu,gbs\nA100,8\nA100\nA100,8,9\nA100,8,\n").unwrap();
        let refused: Vec<Option<String>> = (table.records.iter())
            .map(|record| record.refuse_ragged().err().map(|error| error.to_string()))
            .collect();
        let few = "x:3: the row has 1 cell, but there are 2 columns".to_owned();
        let many = "x:4: the row has 3 cells, but there are 2 columns".to_owned();
        assert_eq!(refused, [None, Some(few), Some(many), None]);
        let error = table.records[1].refuse_ragged().unwrap_err();
        assert_eq!(error.place().1, Some((3, "", "")));
        assert!(error.hint().is_some());
    }

    #[test]
    fn columns_have_names_of_their_own() {
        let error = Table::parse("x", b"gpu,gbs,gpu\n1,2,3\n").unwrap_err();
        assert_eq!(error.to_string(), "x has two columns \"gpu\"");
        assert!(Table::parse("x", b"gpu,,\n1,,\n").is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_spoil_no_table() {
        let table = Table::parse("x", b"gpu,notes\nA100,caf\xe9\n").unwrap();
        assert_eq!(table.records[0].text("gpu"), Some("A100"));
    }
}
