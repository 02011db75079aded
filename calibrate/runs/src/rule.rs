//! The rules by which a cell that a table leaves empty gets its most likely value.

/// Why a field of a scenario has the value that it has, where the row does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The name that reports print.
    pub name: &'static str,
    /// What the rule says, and where it is from.
    pub reason: &'static str,
}

impl Rule {
    /// A rule.
    pub const fn new(name: &'static str, reason: &'static str) -> Self {
        Self { name, reason }
    }
}
