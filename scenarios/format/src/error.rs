//! What is wrong with a file, where, and what to write instead.
//!
//! Errors are data: a front end renders them. All errors of a file are collected before anybody
//! stops, up to [`MAX_ERRORS`].

use std::fmt::Write as _;

use units::QuantityError;

use crate::nearest::{nearest, similar};
use crate::source::Place;

/// Errors of one file that are kept; a file with more is not a file with typing errors.
pub const MAX_ERRORS: usize = 100;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    /// What is wrong.
    pub problem: Problem,
    /// The field, as a path of keys; empty for a file as a whole.
    pub field: String,
    /// Where, if the file has such a place.
    pub place: Option<Place>,
}

impl Failure {
    /// A failure at a place that is no field.
    pub const fn at(place: Place, problem: Problem) -> Self {
        Self {
            problem,
            field: String::new(),
            place: Some(place),
        }
    }

    /// A failure of a file as a whole.
    pub const fn of_file(problem: Problem) -> Self {
        Self {
            problem,
            field: String::new(),
            place: None,
        }
    }

    /// What to write instead, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match &self.problem {
            Problem::NoSuchFile { similar, .. } if similar.is_empty() && !self.field.is_empty() => {
                Some("a path in a scenario starts from the folder of the scenario".to_owned())
            }
            problem => problem.hint(),
        }
    }

    /// What stands at the place, if it is short: for machines that read errors.
    pub fn found(&self) -> Option<&str> {
        let text = self.place.as_ref()?.text();
        (!text.is_empty() && text.len() <= 200).then_some(text)
    }
}

/// Keeps a failure, up to the limit of one file.
pub(crate) fn push(failures: &mut Vec<Failure>, failure: Failure) {
    if failures.len() < MAX_ERRORS {
        failures.push(failure);
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Problem {
    #[error("{path} is not there")]
    NoSuchFile { path: String, similar: Vec<String> },
    #[error("{path} is a folder without {file}")]
    NoScenario { path: String, file: &'static str },
    #[error("{path} is a folder, a file is needed")]
    IsFolder { path: String },
    #[error("{path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("{path} has more than {limit} bytes, the most that is read")]
    TooLarge { path: String, limit: u64 },
    #[error("{path} is not UTF-8 text: byte {byte} of line {line}")]
    NotUtf8 {
        path: String,
        line: usize,
        byte: String,
    },
    #[error("not TOML: {message}")]
    Syntax { message: String },
    #[error("nested more deeply than any scenario, model or cluster needs")]
    TooDeep,
    #[error("{text} is larger than any number that is read")]
    NumberTooLarge { text: String },
    #[error("scenario has schema {found}, this windtunnel reads up to {supported}")]
    NewerSchema { found: i64, supported: u32 },
    #[error("{section} has no field `{key}`")]
    UnknownField {
        section: String,
        key: String,
        known: Vec<&'static str>,
        elsewhere: Option<String>,
    },
    #[error("`{field}` is missing")]
    Missing { field: String, expected: String },
    #[error("`{field}` is {found}, expected {expected}")]
    WrongType {
        field: String,
        found: String,
        expected: String,
    },
    #[error("`{field}`: {error}")]
    Quantity { field: String, error: QuantityError },
    #[error("`{field}` is {found}, expected a finite number")]
    NotFinite { field: String, found: f64 },
    #[error("`{field}` is {found}, expected {limits}")]
    OutOfRange {
        field: String,
        found: String,
        limits: String,
    },
    #[error("`{field}` has {found} entries, expected {expected}")]
    WrongLength {
        field: String,
        found: usize,
        expected: String,
    },
    #[error("`{field} = {found:?}` is not known{}", expected_of(options))]
    NotOneOf {
        field: String,
        found: String,
        options: Vec<String>,
    },
    #[error("no {what} is named {name:?}")]
    UnknownName {
        what: &'static str,
        name: String,
        known: Vec<String>,
    },
    #[error("{message}")]
    Conflict { message: String, hint: String },
    #[error("`{key}` has no item {index}: it has {length}")]
    NoSuchItem {
        key: String,
        index: String,
        length: usize,
    },
    #[error("`{key}` is {found} and has no fields")]
    NotATable { key: String, found: &'static str },
    #[error("{cell:?} is not {expected}")]
    BadCell { cell: String, expected: String },
    #[error("{text:?} sets nothing")]
    BadAssignment { text: String },
    #[error("{message}")]
    Refused {
        message: String,
        hint: Option<String>,
    },
}

impl Problem {
    /// What to write instead, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchFile { similar, .. } => match similar.as_slice() {
                [] => Some("give the path of a file, or of a folder with scenario.toml".to_owned()),
                names => Some(format!("did you mean {}?", join_or(names))),
            },
            Self::NoScenario { file, .. } => Some(format!("add {file}, or name another folder")),
            Self::IsFolder { .. } => Some("name a file in it".to_owned()),
            Self::TooLarge { .. } => Some("is this the file that you meant?".to_owned()),
            Self::NotUtf8 { .. } => Some("save the file as UTF-8".to_owned()),
            Self::Syntax { message } => syntax_hint(message),
            Self::TooDeep => Some("80 levels of brackets are read".to_owned()),
            Self::NumberTooLarge { .. } => Some("whole numbers end at 9.2e18".to_owned()),
            Self::NewerSchema { .. } => Some("install a newer windtunnel".to_owned()),
            Self::UnknownField {
                key,
                known,
                elsewhere,
                ..
            } => Some(field_hint(key, known, elsewhere.as_deref())),
            Self::Missing { field, expected } => {
                let key = field.rsplit('.').next().unwrap_or(field);
                Some(format!("add `{key}`, {expected}"))
            }
            Self::Quantity { error, .. } => Some(error.hint()),
            Self::NotFinite { .. } => Some("write the number itself".to_owned()),
            Self::NotOneOf { found, options, .. } if options.len() <= FEW => {
                let close = nearest(found, options.iter().map(String::as_str));
                Some(match close {
                    Some(close) => format!("did you mean {close:?}?"),
                    None => "write one of these".to_owned(),
                })
            }
            Self::NotOneOf { found, options, .. } => Some(name_hint(found, options)),
            Self::UnknownName { name, known, .. } => Some(name_hint(name, known)),
            Self::Conflict { hint, .. } => Some(hint.clone()),
            Self::NoSuchItem { length: 0, .. } => Some("the list is empty".to_owned()),
            Self::NoSuchItem { length, .. } => {
                Some(format!("items are counted from 0 to {}", length - 1))
            }
            Self::BadAssignment { .. } => Some("write `--set cluster.nodes=32`".to_owned()),
            Self::Refused { hint, .. } => hint.clone(),
            Self::WrongType {
                found, expected, ..
            } => Some(type_hint(found, expected)),
            Self::OutOfRange { limits, .. } => Some(format!("give {limits}")),
            Self::WrongLength { expected, .. } => Some(format!("give {expected} entries")),
            Self::NotATable { key, .. } => Some(format!("set `{key}` itself")),
            Self::BadCell { expected, .. } => Some(format!("each entry is {expected}")),
            Self::Unreadable { .. } => Some("check that you may read it".to_owned()),
        }
    }
}

/// So many options are listed in a message; more of them in its hint.
const FEW: usize = 5;

fn expected_of(options: &[String]) -> String {
    if FEW < options.len() {
        return String::new();
    }
    let options: Vec<String> = options.iter().map(|option| format!("{option:?}")).collect();
    format!("; expected {}", join_or(&options))
}

/// What to write where a value has the wrong type: quotes too many or too few are likely.
fn type_hint(found: &str, expected: &str) -> String {
    let unquoted = found.trim_matches('"');
    let is_quoted = unquoted.len() != found.len();
    if is_quoted && expected.contains("number") && unquoted.parse::<f64>().is_ok() {
        return format!("leave out the quotes: {unquoted}");
    }
    if is_quoted && expected.contains("true or false") && unquoted.parse::<bool>().is_ok() {
        return format!("leave out the quotes: {unquoted}");
    }
    if !is_quoted && expected == "a string" {
        return format!("put it in quotes: \"{unquoted}\"");
    }
    format!("give {expected}")
}

fn syntax_hint(message: &str) -> Option<String> {
    let unquoted = message.contains("string") || message.contains("literal");
    unquoted.then(|| "texts stand in quotes: schedule = \"1f1b\"".to_owned())
}

fn field_hint(key: &str, known: &[&'static str], elsewhere: Option<&str>) -> String {
    if let Some(close) = nearest(key, known.iter().copied()) {
        return format!("did you mean `{close}`?");
    }
    if let Some(elsewhere) = elsewhere {
        return format!("did you mean `{elsewhere}`?");
    }
    format!("known fields: {}", known.join(", "))
}

fn name_hint(found: &str, known: &[String]) -> String {
    let close = nearest(found, known.iter().map(String::as_str));
    match close {
        Some(close) if MANY < known.len() => {
            let others = similar(found, known.iter().cloned());
            let others: Vec<&str> = others
                .iter()
                .map(String::as_str)
                .filter(|other| *other != close)
                .collect();
            if others.is_empty() {
                format!("did you mean {close:?}?")
            } else {
                format!("did you mean {close:?}? similar: {}", others.join(", "))
            }
        }
        Some(close) => format!("did you mean {close:?}? known: {}", known.join(", ")),
        None => format!("known: {}", known.join(", ")),
    }
}

/// Longer lists are shown only where no name is close.
const MANY: usize = 16;

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn join_or<T: AsRef<str>>(names: &[T]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        let separator = match at {
            0 => "",
            _ if at + 1 == names.len() => " or ",
            _ => ", ",
        };
        let _ = write!(text, "{separator}{}", name.as_ref());
    }
    text
}
