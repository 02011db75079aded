//! What can be wrong with a file of another tool.

/// Why a file of another tool was not understood. Lines count from 1; 0 is the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ImportError {
    #[error("the file has no {what}")]
    Without { what: &'static str },
    #[error("line {line}: {what}")]
    Syntax { line: u64, what: String },
    #[error("line {line}, `{field}`: {found:?} is not {expected}")]
    Not {
        line: u64,
        field: String,
        found: String,
        expected: &'static str,
    },
    #[error("line {line}: {element} has no `{field}`")]
    Missing {
        line: u64,
        element: String,
        field: String,
    },
    #[error("line {line}: {what} {name:?} is not in the file")]
    Unknown {
        line: u64,
        what: &'static str,
        name: String,
    },
    #[error("line {line}: {what} {name:?} was there before, on line {first}")]
    Repeated {
        line: u64,
        what: &'static str,
        name: String,
        first: u64,
    },
    #[error("line {line}: {what}")]
    Contradiction { line: u64, what: String },
    #[error("line {line}: elements are nested more than {limit} deep")]
    Deep { line: u64, limit: usize },
    #[error("line {line}: more than {limit} {what}")]
    Many {
        line: u64,
        what: &'static str,
        limit: usize,
    },
    #[error("{name}: the file ends inside a message at byte {offset}")]
    Truncated { name: String, offset: u64 },
    #[error("{name}, message {message}: {what}")]
    Message {
        name: String,
        message: u64,
        what: String,
    },
    #[error("{0}")]
    CannotSay(String),
}

impl ImportError {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Many { .. } | Self::Deep { .. } => {
                Some("cut the file to what is to be read, if it is genuine".to_owned())
            }
            Self::Truncated { .. } => Some("write the file again".to_owned()),
            _ => None,
        }
    }

    /// A value that is not what its field may hold.
    pub(crate) fn not(line: u64, field: &str, found: &str, expected: &'static str) -> Self {
        Self::Not {
            line,
            field: field.to_owned(),
            found: shown(found),
            expected,
        }
    }
}

/// The beginning of a text, for a message.
pub(crate) fn shown(text: &str) -> String {
    const LIMIT: usize = 60;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
