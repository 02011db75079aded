//! What all imports end with.

use super::Imported;
use crate::document::Document;

/// The scenario with its notes.
pub(super) fn finish(out: &Document, notes: Vec<String>, ignored: Vec<String>) -> Imported {
    Imported {
        scenario: out.text(),
        notes,
        ignored,
    }
}

/// A document with the version of its form.
pub(super) fn start() -> Document {
    let mut out = Document::new();
    out.set("schema", 1_u32);
    out
}
