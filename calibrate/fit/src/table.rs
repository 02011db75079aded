//! Measured tables as they lie in `calibrate/data`: gzip'd CSV with a header.
//!
//! A table is read by the names of its columns. What is wrong with a file is said with its line,
//! the field, what was found there, and what to do.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// Why a table cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum TableError {
    #[error("the table cannot be read: {reason}: {}", path.display())]
    Unreadable { reason: String, path: PathBuf },
    #[error("the header has no column `{column}`, but {found:?}: {}, line 1", path.display())]
    NoColumn {
        column: &'static str,
        found: Vec<String>,
        path: PathBuf,
    },
    #[error("the row has {found} cells for {expected} columns: {}, line {line}", path.display())]
    Cells {
        found: usize,
        expected: usize,
        line: usize,
        path: PathBuf,
    },
    #[error("`{field}` is {found:?}, but {expected} is needed: {}, line {line}", path.display())]
    Value {
        field: String,
        found: String,
        expected: &'static str,
        line: usize,
        path: PathBuf,
    },
    #[error("the table has no row: {}", path.display())]
    Empty { path: PathBuf },
}

impl TableError {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some(
                "`--data` names the folder that holds `kernels/`, such as calibrate/data"
                    .to_owned(),
            ),
            Self::NoColumn { column, .. } => Some(format!(
                "name a column `{column}`: the SOURCE.md beside the table lists what is read"
            )),
            Self::Cells { .. } => Some("quote cells that contain commas".to_owned()),
            Self::Value { expected, .. } => Some(format!("write {expected}, or leave the row out")),
            Self::Empty { .. } => Some("add rows, or restore the committed table".to_owned()),
        }
    }
}

/// A table in memory.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    /// Reads a table, unpacked where its name ends in `.gz`.
    ///
    /// # Errors
    ///
    /// A file that is not there or is no table, or that has no rows.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let unreadable = |error: std::io::Error| TableError::Unreadable {
            reason: error.to_string(),
            path: path.to_owned(),
        };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        let read = if path.extension().is_some_and(|ending| ending == "gz") {
            MultiGzDecoder::new(file).read_to_string(&mut text)
        } else {
            let mut file = file;
            file.read_to_string(&mut text)
        };
        read.map_err(unreadable)?;
        Self::parse(path, &text)
    }

    /// Reads a table from its text; the path is for messages.
    ///
    /// # Errors
    ///
    /// Rows with more or fewer cells than the header, and no rows at all.
    pub fn parse(path: &Path, text: &str) -> Result<Self, TableError> {
        let mut lines = text.lines().enumerate();
        let header = lines.next().map(|(_, line)| cells(line));
        let header = header.unwrap_or_default();
        let mut rows = Vec::new();
        for (at, line) in lines {
            let cells = cells(line);
            if cells.len() != header.len() {
                return Err(TableError::Cells {
                    found: cells.len(),
                    expected: header.len(),
                    line: at + 1,
                    path: path.to_owned(),
                });
            }
            rows.push((at + 1, cells));
        }
        if rows.is_empty() {
            let path = path.to_owned();
            return Err(TableError::Empty { path });
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            rows,
        })
    }

    /// The rows with these columns, in the order of the file.
    ///
    /// # Errors
    ///
    /// A column that is not there.
    pub fn rows<const N: usize>(
        &self,
        columns: [&'static str; N],
    ) -> Result<Vec<Cells<'_, N>>, TableError> {
        let mut places = [0; N];
        for (place, column) in places.iter_mut().zip(columns) {
            let found = self.header.iter().position(|name| name == column);
            *place = found.ok_or_else(|| TableError::NoColumn {
                column,
                found: self.header.clone(),
                path: self.path.clone(),
            })?;
        }
        Ok((self.rows.iter())
            .map(|(line, cells)| Cells {
                columns,
                texts: places.map(|at| cells[at].as_str()),
                line: *line,
                path: &self.path,
            })
            .collect())
    }
}

/// Some cells of a row.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a, const N: usize> {
    columns: [&'static str; N],
    texts: [&'a str; N],
    line: usize,
    path: &'a Path,
}

impl<'a, const N: usize> Cells<'a, N> {
    /// The text of the column at that place of the columns asked for.
    pub fn text(&self, at: usize) -> &'a str {
        self.texts[at]
    }

    /// A whole number of 1 and more.
    ///
    /// # Errors
    ///
    /// Any other text.
    pub fn count(&self, at: usize) -> Result<u64, TableError> {
        let read = self.texts[at].parse().ok().filter(|value| 0 < *value);
        read.ok_or_else(|| self.refused(at, "a whole number of 1 and more"))
    }

    /// A number above 0.
    ///
    /// # Errors
    ///
    /// Any other text.
    pub fn positive(&self, at: usize) -> Result<f64, TableError> {
        let read = self.texts[at].parse::<f64>().ok();
        let read = read.filter(|value| value.is_finite() && 0.0 < *value);
        read.ok_or_else(|| self.refused(at, "a number above 0"))
    }

    /// What to say of a cell that is not what is needed.
    pub fn refused(&self, at: usize, expected: &'static str) -> TableError {
        self.wrong(self.columns[at], self.texts[at], expected)
    }

    /// What to say of a part of a cell that is not what is needed.
    pub fn wrong(&self, field: &str, found: &str, expected: &'static str) -> TableError {
        TableError::Value {
            field: field.to_owned(),
            found: found.to_owned(),
            expected,
            line: self.line,
            path: self.path.to_owned(),
        }
    }
}

/// The cells of a line; a quoted cell may contain commas.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(letter);
                }
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, TableError> {
        Table::parse(Path::new("gemm.csv"), text)
    }

    #[test]
    fn quoted_cells_keep_their_commas() {
        let table = table("key_path,value\n\"a > b=1, m=2\",0.5\n").unwrap();
        let rows = table.rows(["value", "key_path"]).unwrap();
        assert_eq!(rows[0].text(1), "a > b=1, m=2");
        assert_eq!(rows[0].positive(0), Ok(0.5));
    }

    #[test]
    fn a_missing_column_is_named_with_those_that_there_are() {
        let error = table("m,n\n1,2\n").unwrap().rows(["us"]).unwrap_err();
        let text = "the header has no column `us`, but [\"m\", \"n\"]: gemm.csv, line 1";
        assert_eq!(error.to_string(), text);
        assert!(error.hint().unwrap().contains("name a column `us`"));
    }

    #[test]
    fn a_bad_number_is_named_with_line_field_and_what_was_found() {
        let table = table("m,us\n128,4.5\n128,fast\n").unwrap();
        let rows = table.rows(["m", "us"]).unwrap();
        let error = rows[1].positive(1).unwrap_err();
        let text = "`us` is \"fast\", but a number above 0 is needed: gemm.csv, line 3";
        assert_eq!(error.to_string(), text);
        assert_eq!(
            error.hint().as_deref(),
            Some("write a number above 0, or leave the row out")
        );
        for bad in ["0", "-1", "1.5", ""] {
            let text = format!("m\n{bad}\n");
            let table = Table::parse(Path::new("x"), &text).unwrap();
            assert!(table.rows(["m"]).unwrap()[0].count(0).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_row_with_other_cells_than_the_header_is_refused() {
        let error = table("m,us\n128\n").unwrap_err();
        let text = "the row has 1 cells for 2 columns: gemm.csv, line 2";
        assert_eq!(error.to_string(), text);
        assert!(matches!(table("m,us\n"), Err(TableError::Empty { .. })));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Table::read(Path::new("nowhere/gemm.csv.gz")).unwrap_err();
        assert!(error.to_string().ends_with("nowhere/gemm.csv.gz"));
        assert!(error.hint().unwrap().contains("--data"));
    }
}
