//! Texts that values are read from, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text with the name that messages call it: a file, `--set`, an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What messages call it.
    pub name: String,
    /// Its content.
    pub text: String,
}

impl Source {
    /// A text with a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
        })
    }
}

/// A stretch of a [`Source`], in bytes.
///
/// Invariant: both ends lie inside the text and on the borders of characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    source: Arc<Source>,
    start: usize,
    end: usize,
}

impl Place {
    /// The stretch, moved inward to the text and to the borders of characters.
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let text = &source.text;
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = span.end.clamp(start, text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        Self {
            source: Arc::clone(source),
            start,
            end,
        }
    }

    /// The text that the place lies in.
    pub const fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The stretch, in bytes.
    pub const fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// What stands there.
    pub fn text(&self) -> &str {
        &self.source.text[self.span()]
    }

    /// Line and column of its start, counted from 1; columns count characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = &self.source.text[..self.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        (line, 1 + before[line_start..].chars().count())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Place {
    /// `scenario.toml:14:6`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = Source::new("a.toml", "x = 1\nµ = 22\n");
        let place = Place::new(&source, 11..13);
        assert_eq!(place.text(), "22");
        assert_eq!(place.to_string(), "a.toml:2:5");
    }

    #[test]
    fn a_place_never_leaves_its_text_or_cuts_a_character() {
        let source = Source::new("a.toml", "µ");
        assert_eq!(Place::new(&source, 1..1).text(), "µ");
        assert_eq!(Place::new(&source, 5..9).text(), "");
        assert_eq!(Place::new(&source, 2..2).text(), "");
    }
}
