//! Why a description is not a model.

/// Why a model cannot be read or cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ModelError {
    #[error("the text is not JSON: {reason} (line {line}, column {column})")]
    NotJson {
        reason: String,
        line: usize,
        column: usize,
    },
    #[error("the text has {bytes} bytes, but a config.json has at most {limit}")]
    TooLong { bytes: usize, limit: usize },
    #[error("the text is {found}, but a config.json is an object")]
    NotAnObject { found: &'static str },
    #[error("{field} is missing, and nothing else tells the architecture")]
    NoType { field: String, near: Option<String> },
    #[error("{field} is \"{found}\", which is no architecture known here")]
    UnknownType {
        field: String,
        found: String,
        near: Option<String>,
    },
    #[error("{field} is missing, which {family} needs")]
    Missing {
        field: String,
        family: String,
        near: Option<String>,
    },
    #[error("{field} is {found}, but {expected} is needed")]
    Wrong {
        field: String,
        found: String,
        expected: String,
    },
    #[error("{field} is {found}, which does not go with {other} = {other_found}: {reason}")]
    Contradiction {
        field: String,
        found: String,
        other: String,
        other_found: String,
        reason: String,
    },
    #[error("{field} is {found}, but {family} has no such field to override")]
    Override {
        field: String,
        found: String,
        family: String,
        near: Option<String>,
        known: Box<str>,
    },
    #[error("{field} is {found}, which is not modeled")]
    Unsupported {
        field: String,
        found: String,
        supported: String,
    },
    #[error("the model has more than {limit} parameters")]
    TooLarge { limit: u64 },
}

/// The reason of a contradiction between a number and its limit.
pub(crate) const AT_MOST: &str = "the first is at most the second";

impl ModelError {
    /// The field at fault, as the description names it; `None` where the text as a whole is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::NotJson { .. }
            | Self::TooLong { .. }
            | Self::NotAnObject { .. }
            | Self::TooLarge { .. } => None,
            Self::NoType { field, .. }
            | Self::UnknownType { field, .. }
            | Self::Missing { field, .. }
            | Self::Wrong { field, .. }
            | Self::Contradiction { field, .. }
            | Self::Override { field, .. }
            | Self::Unsupported { field, .. } => Some(field),
        }
    }

    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotJson { .. } | Self::NotAnObject { .. } => {
                Some("give the config.json that lies beside a model's weights".to_owned())
            }
            Self::TooLong { .. } => Some("is this the file of the weights?".to_owned()),
            Self::NoType { near, .. } | Self::UnknownType { near, .. } => {
                Some(near.as_deref().map_or_else(known_types, did_you_mean))
            }
            Self::Missing { near, .. } => near
                .as_deref()
                .map(|near| format!("there is a field `{near}`; did you mean it to be this one?")),
            Self::Override { near, known, .. } => Some(
                near.as_deref()
                    .map_or_else(|| format!("known fields: {known}"), did_you_mean),
            ),
            Self::Unsupported { supported, .. } => Some(format!("known are {supported}")),
            Self::Wrong { found, .. } if found.starts_with('"') => {
                Some("write it without quotes, unless it is a text".to_owned())
            }
            Self::Contradiction {
                found,
                other_found,
                reason,
                ..
            } => contradiction(found, other_found, reason),
            Self::Wrong { expected, .. } => Some(format!("give {expected}")),
            Self::TooLarge { .. } => Some("look for a digit too many".to_owned()),
        }
    }
}

/// What the second number may be where it has to divide the first, or the first where it is at
/// most the second.
fn contradiction(found: &str, other: &str, reason: &str) -> Option<String> {
    let (found, other): (u64, u64) = (found.parse().ok()?, other.parse().ok()?);
    if reason.contains("at most") {
        return Some(format!("give at most {other}"));
    }
    if found % other.max(1) == 0 || 1 << 24 < found {
        return None;
    }
    let all: Vec<String> = (1..=found.min(4_096))
        .filter(|divisor| found.is_multiple_of(*divisor))
        .map(|divisor| divisor.to_string())
        .collect();
    Some(format!("{found} is a multiple of {}", all.join(", ")))
}

/// Names the nearest spelling.
fn did_you_mean(near: &str) -> String {
    format!("did you mean \"{near}\"?")
}

/// Lists the architectures.
fn known_types() -> String {
    format!("known are {}", crate::config::model_types().join(", "))
}
