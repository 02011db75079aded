//! Cells of tables that are written as CSV.

use std::borrow::Cow;

/// A text as a cell of CSV, in quotes where it must be (RFC 4180).
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}
