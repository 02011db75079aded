//! A scenario as TOML, with the origin of every value.

use format::write::write_with;

use crate::open::{Opened, origin};

impl Opened {
    /// The scenario as TOML, each value with where it is from. The text is itself a scenario.
    pub fn print(&self) -> String {
        write_with(&self.document, &|node| Some(origin(node)))
    }
}
