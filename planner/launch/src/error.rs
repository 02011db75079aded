//! Why a plan cannot be exported, or a file not imported.

/// Why a plan cannot be exported to a consumer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ExportError {
    #[error("{consumer} has no way to say {what}")]
    Unsupported {
        consumer: &'static str,
        /// The field of the scenario.
        field: &'static str,
        what: String,
        hint: Option<String>,
    },
    #[error("{consumer} does not run {what}")]
    NotRun {
        consumer: &'static str,
        /// The field of the scenario.
        field: &'static str,
        what: String,
        hint: String,
    },
    #[error(
        "torchrun numbers the ranks of a node in a row, but this plan puts ranks {first} and {second} on node n{node} and others between them elsewhere"
    )]
    Scattered { node: u32, first: u32, second: u32 },
    #[error("{consumer} {version} is not known; known are {known}")]
    Version {
        consumer: &'static str,
        version: String,
        known: &'static str,
    },
}

impl ExportError {
    /// The field of the scenario that is at fault.
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Unsupported { field, .. } | Self::NotRun { field, .. } => Some(field),
            Self::Scattered { .. } => Some("plan.rank_gpus"),
            Self::Version { .. } => None,
        }
    }

    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported { hint, .. } => hint.clone(),
            Self::NotRun { hint, .. } => Some(hint.clone()),
            Self::Scattered { .. } => Some("`--to slurm` places every rank by itself".to_owned()),
            Self::Version { .. } => {
                Some("leave `--for-version` out for the newest known".to_owned())
            }
        }
    }
}

/// Why a file cannot be imported.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ImportError {
    #[error("{producer}: {what} is missing")]
    Missing {
        producer: &'static str,
        what: &'static str,
    },
    #[error("{producer}: {name} is {value:?}, but {expected} is needed")]
    Value {
        producer: &'static str,
        name: String,
        value: String,
        expected: &'static str,
    },
    #[error("{producer}: {message}")]
    Syntax {
        producer: &'static str,
        message: String,
    },
    #[error("{producer}: `{key}` is not a key of a {producer} file")]
    UnknownKey { producer: &'static str, key: String },
}

impl ImportError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { what, .. } => Some(format!("give {what} in the file")),
            Self::Value { .. } | Self::Syntax { .. } => None,
            Self::UnknownKey { producer, .. } => Some(format!(
                "{producer} itself would ignore it without a word: correct or remove it"
            )),
        }
    }
}
