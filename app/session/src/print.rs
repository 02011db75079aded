//! A scenario as TOML, with the origin of every value.

use std::fmt::Write as _;

use format::write::write_with;

use crate::open::{Opened, origin};
use crate::simulate::Ready;

impl Opened {
    /// The scenario as TOML, each value with where it is from. The text is itself a scenario.
    pub fn print(&self) -> String {
        write_with(&self.document, &|node| Some(origin(node)))
    }
}

impl Ready {
    /// What the scenario does not say and what was taken for it, as comments for
    /// [`Opened::print`].
    pub fn print_assumptions(&self) -> String {
        let mut text = String::new();
        for one in &self.scenario.assumptions {
            let (field, value, reason) = (&one.field, &one.value, &one.reason);
            let _ = writeln!(text, "# {field} = {value}  # not given: {reason}");
        }
        text
    }
}
