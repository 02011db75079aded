//! What can be wrong with a table of runs.

/// Why a table of runs cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum RunsError {
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        path: String,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    NotCsv { path: String, source: csv::Error },
    #[error("{path} has no column {column:?}")]
    NoColumn { path: String, column: &'static str },
    #[error("{path} has two columns {column:?}")]
    RepeatedColumn { path: String, column: String },
    #[error("{path}:{line}: the row has {cells} cell{}, but there are {columns} columns", if *cells == 1 { "" } else { "s" })]
    Ragged {
        path: String,
        line: u64,
        cells: usize,
        columns: usize,
    },
    #[error("{path}:{line}: `{column}` is {found:?}, not {expected}")]
    BadCell {
        path: String,
        line: u64,
        column: String,
        found: String,
        expected: &'static str,
    },
    #[error("{path} has no row {row:?}")]
    NoRow { path: String, row: String },
    #[error("{path} has no rows")]
    Empty { path: String },
}

impl RunsError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Some("the path starts from the folder that you are in".to_owned())
            }
            Self::Unreadable { .. } => None,
            Self::NotCsv { .. } => {
                Some("a table of runs is CSV with one header line, one row a run".to_owned())
            }
            Self::NoColumn { column, .. } => Some(format!(
                "add a column `{column}`; docs/measured-runs.md lists what each column means"
            )),
            Self::RepeatedColumn { .. } => {
                Some("rename one of them, or take it out: a cell is found by its column".to_owned())
            }
            Self::Ragged { cells, columns, .. } if columns < cells => Some(
                "a cell with a comma in it stands in quotes; behind the last column stands nothing"
                    .to_owned(),
            ),
            Self::Ragged { .. } => Some(
                "write a comma for each cell that is empty, at the end of the row, too".to_owned(),
            ),
            Self::BadCell { .. } => {
                Some("correct the cell, or leave it empty: what is empty is inferred".to_owned())
            }
            Self::NoRow { .. } => Some(
                "a row is named by its `row_id`, or by its line where the table has none"
                    .to_owned(),
            ),
            Self::Empty { .. } => Some("one row a run, below the header line".to_owned()),
        }
    }

    /// The file, and where the error has a place in it: line, column and what stands there.
    pub fn place(&self) -> (&str, Option<(u64, &str, &str)>) {
        match self {
            Self::BadCell {
                path,
                line,
                column,
                found,
                ..
            } => (path, Some((*line, column, found))),
            Self::Ragged { path, line, .. } => (path, Some((*line, "", ""))),
            Self::RepeatedColumn { path, .. }
            | Self::Unreadable { path, .. }
            | Self::NotCsv { path, .. }
            | Self::NoColumn { path, .. }
            | Self::NoRow { path, .. }
            | Self::Empty { path } => (path, None),
        }
    }
}
