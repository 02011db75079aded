//! What all imports end with.

use super::Imported;
use crate::document::Document;

/// A scenario under way, with what is to be told of it.
pub(super) struct Draft {
    pub(super) out: Document,
    pub(super) notes: Vec<String>,
    pub(super) ignored: Vec<String>,
}

impl Draft {
    /// The scenario as text.
    pub(super) fn finish(self) -> Imported {
        Imported {
            scenario: self.out.text(),
            notes: self.notes,
            ignored: self.ignored,
        }
    }
}

/// A document with the version of its form.
pub(super) fn start() -> Document {
    let mut out = Document::new();
    out.set("schema", 1_u32);
    out
}
