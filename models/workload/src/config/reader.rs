//! Fields of one config.json, read with their limits, with notes about what was absent.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::groups;
use super::json::kind;
use crate::error::ModelError;
use crate::model::{Model, Note};

/// The fields of one model.
pub(super) struct Config<'a> {
    /// The architecture.
    pub(super) family: &'a str,
    /// The fields.
    pub(super) fields: &'a Map<String, Value>,
    /// The object around them, where the file wraps a language model.
    pub(super) outer: Option<&'a Map<String, Value>>,
    /// What stands before a field's name in messages: `text_config.` inside a wrapper.
    pub(super) prefix: &'a str,
    /// Whether the number of layers was overridden, so that lists by layer may be longer.
    pub(super) cut: bool,
    asked: RefCell<BTreeSet<&'static str>>,
    notes: RefCell<Vec<Note>>,
    errors: RefCell<Vec<ModelError>>,
}

impl<'a> Config<'a> {
    /// Reads those fields.
    pub(super) fn new(
        family: &'a str,
        fields: &'a Map<String, Value>,
        outer: Option<&'a Map<String, Value>>,
        prefix: &'a str,
        cut: bool,
    ) -> Self {
        Self {
            family,
            fields,
            outer,
            prefix,
            cut,
            asked: RefCell::default(),
            notes: RefCell::default(),
            errors: RefCell::default(),
        }
    }

    /// A field as messages name it.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Remembers what was taken for a field that is absent.
    pub(super) fn note(&self, key: &str, taken: impl Into<String>) {
        self.note_outside(&self.name(key), taken);
    }

    /// Remembers something about a field outside the wrapper, once.
    pub(super) fn note_outside(&self, field: &str, taken: impl Into<String>) {
        let mut notes = self.notes.borrow_mut();
        if notes.iter().all(|note| note.field != field) {
            notes.push(Note {
                field: field.to_owned(),
                taken: taken.into(),
            });
        }
    }

    /// Remembers an error, once, so that reading goes on to the next field; what stands in for
    /// the field at fault never becomes a model.
    pub(super) fn refuse(&self, error: ModelError) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() < 100 && !errors.contains(&error) {
            errors.push(error);
        }
    }

    /// The errors remembered.
    pub(super) fn take_errors(&self) -> Vec<ModelError> {
        self.errors.take()
    }

    /// The value of a field under any of its spellings, with the spelling; `None` where it is
    /// absent or null.
    pub(super) fn raw(&self, key: &'static str) -> Option<(&'static str, &'a Value)> {
        self.asked.borrow_mut().insert(key);
        let value = |key: &'static str| {
            let value = self.fields.get(key)?;
            (!value.is_null()).then_some((key, value))
        };
        value(key).or_else(|| {
            let found = groups::spellings(key)
                .iter()
                .find_map(|other| value(other))?;
            self.asked.borrow_mut().insert(found.0);
            Some(found)
        })
    }

    /// Whether a family asked for a key.
    pub(super) fn was_asked(&self, key: &str) -> bool {
        self.asked.borrow().contains(key)
    }

    /// A whole number from `low` to `high`.
    pub(super) fn number(&self, key: &'static str, low: u64, high: u64) -> Option<u64> {
        let (key, value) = self.raw(key)?;
        match value.as_u64() {
            Some(number) if (low..=high).contains(&number) => Some(number),
            _ => {
                let expected = format!("a whole number from {low} to {high}");
                self.refuse(self.wrong(key, value, &expected));
                Some(low)
            }
        }
    }

    /// A width or number of heads or experts, at least 1.
    pub(super) fn optional(&self, key: &'static str) -> Option<u64> {
        self.number(key, 1, Model::MAX_DIMENSION)
    }

    /// The same, which the family cannot do without.
    pub(super) fn required(&self, key: &'static str) -> u64 {
        self.optional(key).unwrap_or_else(|| self.lacking(key))
    }

    /// Remembers that a field is missing, and stands in for it.
    pub(super) fn lacking(&self, key: &str) -> u64 {
        self.refuse(self.missing(key));
        1
    }

    /// The same, or what transformers takes where it is absent, with a note.
    pub(super) fn default(&self, key: &'static str, default: u64) -> u64 {
        self.optional(key).unwrap_or_else(|| {
            self.note(key, default.to_string());
            default
        })
    }

    /// A field that files always give, except inside a wrapper, where older releases of
    /// transformers leave defaults out.
    pub(super) fn given(&self, key: &'static str, default: u64) -> u64 {
        if self.prefix.is_empty() {
            self.required(key)
        } else {
            self.default(key, default)
        }
    }

    /// A number that may be 0, or the default.
    pub(super) fn count(&self, key: &'static str, default: u64) -> u64 {
        let given = self.number(key, 0, Model::MAX_DIMENSION);
        given.unwrap_or(default)
    }

    /// True or false, or the default.
    pub(super) fn flag(&self, key: &'static str, default: bool) -> bool {
        self.typed(key, "true or false", Value::as_bool)
            .unwrap_or(default)
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<&'a str> {
        self.typed(key, "a text", Value::as_str)
    }

    /// A list.
    pub(super) fn list(&self, key: &'static str) -> Option<&'a [Value]> {
        self.typed(key, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    /// A value of one type.
    fn typed<T>(
        &self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let (key, value) = self.raw(key)?;
        let found = read(value);
        if found.is_none() {
            self.refuse(self.wrong(key, value, expected));
        }
        found
    }

    /// A list with one entry for each of `n` layers.
    pub(super) fn by_layer(&self, key: &'static str, n: u64) -> Option<&'a [Value]> {
        let list = self.list(key)?;
        let head = list.get(..usize::try_from(n).unwrap_or(usize::MAX));
        let fits = head.filter(|head| head.len() == list.len() || self.cut);
        if fits.is_none() {
            self.contradict(
                [key, "num_hidden_layers"],
                [format!("a list of {}", list.len()), n.to_string()],
                "a list by layer has one entry for each layer",
            );
        }
        fits
    }

    /// The notes, for the model.
    pub(super) fn take_notes(&self) -> Vec<Note> {
        self.notes.take()
    }

    /// Fields that nobody asked for and that are spelled almost like one that was absent.
    pub(super) fn note_misspelt(&self) {
        let asked = self.asked.borrow().clone();
        let absent = asked.iter().filter(|key| !self.fields.contains_key(**key));
        let unread: Vec<&String> = self
            .fields
            .keys()
            .filter(|key| key.len() < 64 && !asked.contains(key.as_str()))
            .take(1_000)
            .collect();
        for key in absent.filter(|key| 6 <= key.len()) {
            let near = |found: &&&String| strsim::osa_distance(found, key) == 1;
            if let Some(found) = unread.iter().find(near) {
                self.note(found, format!("not read; did you mean `{key}`?"));
            }
        }
    }
}

/// Errors.
impl Config<'_> {
    /// A field that the family needs and the file lacks.
    pub(super) fn missing(&self, key: &str) -> ModelError {
        let asked = self.asked.borrow();
        let unread = self
            .fields
            .keys()
            .filter(|key| !asked.contains(key.as_str()));
        ModelError::Missing {
            field: self.name(key),
            family: self.family.to_owned(),
            near: nearest(key, unread.take(1_000).map(String::as_str)),
        }
    }

    /// A value that cannot be.
    pub(super) fn wrong(&self, key: &str, found: &Value, expected: &str) -> ModelError {
        ModelError::Wrong {
            field: self.name(key),
            found: show(found),
            expected: expected.to_owned(),
        }
    }

    /// Remembers that two values do not go together, unless an error before it may be the reason.
    pub(super) fn contradict(
        &self,
        [field, other]: [&str; 2],
        [found, other_found]: [String; 2],
        reason: &str,
    ) {
        if self.errors.borrow().is_empty() {
            self.refuse(ModelError::Contradiction {
                field: self.name(field),
                found,
                other: self.name(other),
                other_found,
                reason: reason.to_owned(),
            });
        }
    }

    /// Remembers a value that exists and is not modeled.
    pub(super) fn unsupported(&self, key: &str, found: &str, supported: &str) {
        self.refuse(ModelError::Unsupported {
            field: self.name(key),
            found: shortened(found),
            supported: supported.to_owned(),
        });
    }
}

/// The candidate most like a name, where one is like it.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let short = candidates.filter(|candidate| candidate.len() < 64);
    let scored = short.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (0.85 <= best.0).then(|| best.1.to_owned())
}

/// A value as messages show it.
fn show(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => kind(value).to_owned(),
        Value::String(text) => format!("\"{}\"", shortened(text)),
        other => other.to_string(),
    }
}

/// The beginning of a text.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    text.chars().take(57).chain("...".chars()).collect()
}
