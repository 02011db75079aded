//! What can be wrong with a list of flows.

use super::Column;

/// Why a text is no list of flows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum FlowsCsvError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the file is empty")]
    Empty,
    #[error("line 1 has no column `{column}`")]
    MissingColumn { column: &'static str },
    #[error("line 1 has the column {found:?}, which flows do not have")]
    UnknownColumn { found: String },
    #[error("line 1 has the column `{column}` twice")]
    RepeatedColumn { column: &'static str },
    #[error("line {line} is not UTF-8")]
    NotUtf8 { line: u64 },
    #[error("line {line} is longer than {limit} bytes")]
    LongLine { line: u64, limit: u64 },
    #[error("line {line} is empty")]
    EmptyLine { line: u64 },
    #[error("line {line} has a quote that does not close its cell")]
    Quote { line: u64 },
    #[error("line {line} has {found} cells, line 1 has {columns}")]
    Cells {
        line: u64,
        found: usize,
        columns: usize,
    },
    #[error("line {line}, `bytes`: {found:?} is not a whole number of bytes below 2⁶⁴")]
    NotBytes { line: u64, found: String },
    #[error("line {line}, `start_s`: {found:?} is not a time from 0 to 18,446,744 seconds")]
    NotSeconds { line: u64, found: String },
    #[error("line {line}, `{column}`: no host is named {found:?}")]
    UnknownHost {
        line: u64,
        column: &'static str,
        found: String,
    },
    #[error(
        "line {line}, `id`: {found:?} is no id: one has characters, but no `;` and no blanks around it"
    )]
    NotAnId { line: u64, found: String },
    #[error("line {line}, `id`: {found:?} is the id of line {first}, too")]
    RepeatedId {
        line: u64,
        found: String,
        first: u64,
    },
    #[error("line {line}, `after`: no flow has the id {found:?}")]
    UnknownFlow { line: u64, found: String },
    #[error("line {line}, `after`: flow {id:?} waits for itself{}", through(*.length))]
    Cycle {
        line: u64,
        id: String,
        length: usize,
    },
    #[error("line {line}: a list holds at most {limit} {what}")]
    TooMany {
        line: u64,
        limit: u64,
        what: &'static str,
    },
}

impl FlowsCsvError {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Empty
            | Self::MissingColumn { .. }
            | Self::UnknownColumn { .. }
            | Self::RepeatedColumn { .. } => return Some(format!("begin with `{}`", header())),
            Self::Io(_) => "check that you may read it",
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::LongLine { .. } => "begin a line for each flow",
            Self::EmptyLine { .. } => "leave out lines without a flow",
            Self::Quote { .. } => "close the quote, and write a quote inside a cell twice",
            Self::Cells { .. } => {
                "join several ids in `after` by `;`, and quote a cell with a comma"
            }
            Self::NotBytes { .. } => "write it in digits, such as 65536",
            Self::NotSeconds { .. } => "write seconds, such as 0.000001 or 1e-6",
            Self::UnknownHost { .. } => {
                "hosts of a cluster are `n0` to the last node, or GPUs such as `n0g0`"
            }
            Self::NotAnId { .. } => "use letters and digits, such as `a1`",
            Self::RepeatedId { .. } => "give every flow an id of its own",
            Self::UnknownFlow { .. } => "`after` holds ids of this list, joined by `;`",
            Self::Cycle { .. } => "take a flow out of an `after` on the way",
            Self::TooMany { .. } => "split the list",
        };
        Some(hint.to_owned())
    }
}

/// The header that every list may have.
pub(super) fn header() -> String {
    Column::ALL.map(Column::name).join(",")
}

fn through(length: usize) -> String {
    match length {
        0 | 1 => String::new(),
        2 => " through 1 other".to_owned(),
        _ => format!(" through {} others", length - 1),
    }
}
