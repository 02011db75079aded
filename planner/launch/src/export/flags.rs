//! Options of a command line under construction.

use std::fmt::Display;

/// Options with their values, in the order in which they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    options: Vec<Vec<String>>,
}

impl Flags {
    /// Adds a switch.
    pub(crate) fn switch(&mut self, flag: &str) {
        self.options.push(vec![flag.to_owned()]);
    }

    /// Adds a switch where it is on.
    pub(crate) fn switch_if(&mut self, on: bool, flag: &str) {
        if on {
            self.switch(flag);
        }
    }

    /// Adds an option with a value.
    pub(crate) fn value(&mut self, flag: &str, value: impl Display) {
        self.options.push(vec![flag.to_owned(), value.to_string()]);
    }

    /// Adds an option where there is a value.
    pub(crate) fn some(&mut self, flag: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.value(flag, value);
        }
    }

    /// Adds an option with several values.
    pub(crate) fn values<'a>(&mut self, flag: &str, values: impl IntoIterator<Item = &'a str>) {
        let values = values.into_iter().map(str::to_owned);
        self.options
            .push(std::iter::once(flag.to_owned()).chain(values).collect());
    }

    /// Each option with its values.
    pub(crate) fn options(&self) -> &[Vec<String>] {
        &self.options
    }
}
