//! Options of a command line, and which of them were looked at.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;

use super::script::{Script, Word};
use crate::error::ImportError;

/// Options with their values; `--a-b` and `--a_b` are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    producer: &'static str,
    all: Vec<(String, Vec<String>)>,
    looked_at: RefCell<BTreeSet<String>>,
}

impl Options {
    /// The options of a script.
    pub(super) fn of(script: &Script, producer: &'static str) -> Self {
        let is_file = !script.words.iter().any(
            |word| matches!(word, Word::Text(text) if !text.starts_with('-') && text.contains('/')),
        ) && matches!(script.words.first(), Some(Word::Text(text)) if text.starts_with("--"));
        let mut options = Self {
            producer,
            ..Self::default()
        };
        let mut open = false;
        for word in &script.words {
            match word {
                // A file of arguments may have one word a line.
                Word::End => open &= is_file,
                Word::Text(text) => open = options.push(text, open),
            }
        }
        options
    }

    /// The options of a list of words.
    pub(super) fn of_words(words: &[String], producer: &'static str) -> Self {
        let mut options = Self {
            producer,
            ..Self::default()
        };
        let mut open = false;
        for word in words {
            open = options.push(word, open);
        }
        options
    }

    /// Takes a word as an option or as a value of the one before; whether one is open now.
    fn push(&mut self, word: &str, open: bool) -> bool {
        if let Some(option) = word.strip_prefix("--").filter(|option| !option.is_empty()) {
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, vec![value.to_owned()]),
                None => (option, Vec::new()),
            };
            self.all.push((name.replace('_', "-"), value));
            return true;
        }
        if open && let Some((_, values)) = self.all.last_mut() {
            values.push(word.to_owned());
        }
        open
    }

    /// Gives an option another name.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for (name, _) in &mut self.all {
            if name == from {
                to.clone_into(name);
            }
        }
    }

    /// Adds an option behind all others.
    pub(super) fn add(&mut self, name: &str, values: &[&str]) {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.all.push((name.to_owned(), values));
    }

    fn last(&self, name: &str) -> Option<&Vec<String>> {
        self.looked_at.borrow_mut().insert(name.to_owned());
        let found = self.all.iter().rev().find(|(own, _)| own == name);
        found.map(|(_, values)| values)
    }

    /// Whether an option is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    /// The value of an option.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.last(name)?.first().map(String::as_str)
    }

    /// All values of an option.
    pub(super) fn texts(&self, name: &str) -> Option<&[String]> {
        self.last(name).map(Vec::as_slice)
    }

    /// The value of an option as a number.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, ImportError> {
        let Some(values) = self.last(name) else {
            return Ok(None);
        };
        let text = values.first().map_or("", String::as_str);
        let wrong = |_| self.wrong(name, text, "a number");
        text.parse().map(Some).map_err(wrong)
    }

    /// The value of an option that must be there.
    pub(super) fn needed<T: FromStr>(&self, name: &'static str) -> Result<T, ImportError> {
        self.number(name)?.ok_or(ImportError::Missing {
            producer: self.producer,
            what: name,
        })
    }

    /// A value that cannot be.
    pub(super) fn wrong(&self, name: &str, value: &str, expected: &'static str) -> ImportError {
        ImportError::Value {
            producer: self.producer,
            name: format!("--{name}"),
            value: value.chars().take(80).collect(),
            expected,
        }
    }

    /// Takes note that options of these names say nothing that a scenario needs to hear.
    pub(super) fn known(&self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned());
        self.looked_at.borrow_mut().extend(names);
    }

    /// The options that nobody looked at.
    pub(super) fn ignored(&self) -> Vec<String> {
        let looked_at = self.looked_at.borrow();
        let mut names: Vec<String> = self
            .all
            .iter()
            .filter(|(name, _)| !looked_at.contains(name))
            .map(|(name, _)| format!("--{name}"))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}
