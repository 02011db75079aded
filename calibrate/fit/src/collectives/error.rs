//! Why tables cannot be fitted.

use std::path::PathBuf;

/// Why tables cannot be fitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum CollectivesError {
    #[error("cannot read it: {reason}: {}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("`{column}` is {found:?} in line {line}: {}", path.display())]
    Cell {
        path: PathBuf,
        line: u64,
        column: &'static str,
        found: String,
    },
    #[error("{error}: {}", path.display())]
    Log {
        path: PathBuf,
        error: formats::ImportError,
    },
    #[error("{what}; {table}: {}", path.display())]
    Untold {
        path: PathBuf,
        table: String,
        what: &'static str,
    },
    #[error("{hardware:?} stands for the cluster {cluster:?}, which cannot be built: {reason}")]
    Cluster {
        hardware: String,
        cluster: String,
        reason: String,
    },
}

impl CollectivesError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some(
                "the folder is calibrate/data/collectives of a checkout; its SOURCE.md names every \
                 file"
                .to_owned(),
            ),
            Self::Cell { .. } => {
                Some("calibrate/data/collectives/SOURCE.md explains the columns".to_owned())
            }
            Self::Untold { .. } => Some(
                "keep the lines above the table: the command, and a line for every rank".to_owned(),
            ),
            Self::Log { .. } | Self::Cluster { .. } => None,
        }
    }
}
