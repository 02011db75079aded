//! Why there is no placement.

/// Why there is no placement, or no matrix to place by.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum PlacementError {
    #[error("the matrix has {entries} entries, which is not the square of its {servers} servers")]
    NotSquare { servers: usize, entries: usize },
    #[error("from server {from} to {to} the {what} is {value}")]
    Link {
        what: &'static str,
        from: usize,
        to: usize,
        value: f64,
    },
    #[error("line {line}: {message}")]
    Text { line: u64, message: String },
    #[error("{pp} stages do not divide {servers} servers")]
    DoesNotTile { pp: usize, servers: usize },
    #[error("{field} is {value}, but must be finite and {must}")]
    Value {
        field: &'static str,
        value: f64,
        must: &'static str,
    },
    #[error("{field} has {given} entries instead of {needed}")]
    Length {
        field: &'static str,
        given: usize,
        needed: usize,
    },
    #[error("there are {servers} servers, but {limit} are the most")]
    TooMany { servers: usize, limit: usize },
    #[error("an order of {given} places does not name each of {servers} servers once")]
    Order { given: usize, servers: usize },
    #[error("{field} of the objectives differ")]
    Differ { field: &'static str },
}

impl PlacementError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::DoesNotTile { servers, .. } => {
                let fits: Vec<_> = (1..=*servers).filter(|pp| servers % pp == 0).collect();
                Some(format!("the pipeline can have {fits:?} stages"))
            }
            Self::Link { what, .. } if *what == "bandwidth" => {
                Some("every pair of servers needs a measured rate, in each direction".to_owned())
            }
            Self::Text { .. } => Some(
                "a matrix is either rows of numbers in MB/s, or a table with the columns \
                 matrix_key, host_row, host_col and MBps"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
