//! What can go wrong on the way from tables to rows.

use runs::RunsError;

/// Why memory cannot be fitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum MemoryError {
    #[error(transparent)]
    Runs(#[from] RunsError),
    #[error("row {row} cannot be predicted: {reason}")]
    Refused { row: String, reason: String },
    #[error("stopped before the end")]
    Interrupted,
    #[error("there is no row with measured memory")]
    NoRows,
}

impl MemoryError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Runs(error) => error.hint(),
            Self::Refused { row, .. } => Some(format!(
                "print the scenario of row {row}, and mend the rule that wrote it"
            )),
            Self::Interrupted => None,
            Self::NoRows => Some("tables need a column of memory: `mem_gib` with `mem_kind`, or `mem_max_allocated_bytes`".to_owned()),
        }
    }
}
