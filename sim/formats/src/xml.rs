//! XML as a tree that is small enough to keep, and that remembers what was asked of it.
//!
//! Nothing is expanded: a document type is skipped, and only the five entities that every
//! document has are known.

use std::cell::Cell;
use std::collections::BTreeSet;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::import_error::{ImportError, shown};

const MAX_DEPTH: usize = 64;
const MAX_ELEMENTS: usize = 1 << 20;
const MAX_ATTRIBUTES: usize = 64;

/// An element with everything in it but text.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) line: u64,
    pub(crate) children: Vec<Element>,
    attributes: Vec<Attribute>,
    /// Whether it was asked for.
    read: Cell<bool>,
}

#[derive(Debug)]
struct Attribute {
    name: String,
    value: String,
    read: Cell<bool>,
}

impl Element {
    /// Takes the element as read.
    pub(crate) fn see(&self) {
        self.read.set(true);
    }

    /// The elements of that name in it.
    pub(crate) fn each<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        let named = self.children.iter().filter(move |child| child.name == name);
        named.inspect(|child| child.see())
    }

    /// An attribute's value.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|one| one.name == name)?;
        attribute.read.set(true);
        Some(&attribute.value)
    }

    /// An attribute's value, which must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ImportError> {
        self.text(name).ok_or_else(|| ImportError::Missing {
            line: self.line,
            element: format!("<{}>", shown(&self.name)),
            field: name.to_owned(),
        })
    }

    /// An attribute as a number.
    pub(crate) fn number<T: std::str::FromStr>(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<Option<T>, ImportError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number = text.trim().parse();
        let number = number.map_err(|_| ImportError::not(self.line, name, text, expected))?;
        Ok(Some(number))
    }

    /// An attribute as a number in base 16, with or without `0x`.
    pub(crate) fn hex(&self, name: &str) -> Result<Option<u32>, ImportError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let number = u32::from_str_radix(digits, 16);
        let expected = "a number in base 16";
        let number = number.map_err(|_| ImportError::not(self.line, name, text, expected))?;
        Ok(Some(number))
    }

    /// What nobody asked for: `<element>` and `element@attribute`, each once.
    pub(crate) fn unread(&self, into: &mut BTreeSet<String>) {
        if !self.read.get() {
            into.insert(format!("<{}>", shown(&self.name)));
            return;
        }
        for one in self.attributes.iter().filter(|one| !one.read.get()) {
            into.insert(format!("{}@{}", shown(&self.name), shown(&one.name)));
        }
        for child in &self.children {
            child.unread(into);
        }
    }
}

/// Reads a document with one element outside all others.
pub(crate) fn parse(text: &str) -> Result<Element, ImportError> {
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut lines = Lines::new(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        let event = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let line = lines.line(at);
        let event = event.map_err(|error| ImportError::Syntax {
            line,
            what: shown(&error.to_string()),
        })?;
        let closed = match event {
            Event::Start(start) => {
                elements += 1;
                open.push(element(&start, line, elements)?);
                if MAX_DEPTH < open.len() {
                    let limit = MAX_DEPTH;
                    return Err(ImportError::Deep { line, limit });
                }
                continue;
            }
            Event::Empty(start) => {
                elements += 1;
                element(&start, line, elements)?
            }
            Event::End(_) => match open.pop() {
                Some(element) => element,
                None => continue,
            },
            Event::Eof => break,
            _ => continue,
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None if root.is_none() => root = Some(closed),
            None => {
                let what = format!("<{}> stands beside the first element", shown(&closed.name));
                return Err(ImportError::Syntax { line, what });
            }
        }
    }
    if let Some(unclosed) = open.last() {
        let what = format!("<{}> is never closed", shown(&unclosed.name));
        let line = unclosed.line;
        return Err(ImportError::Syntax { line, what });
    }
    root.ok_or(ImportError::Without { what: "element" })
}

fn element(start: &BytesStart<'_>, line: u64, elements: usize) -> Result<Element, ImportError> {
    let many = |what, limit| ImportError::Many { line, what, limit };
    if MAX_ELEMENTS < elements {
        return Err(many("elements", MAX_ELEMENTS));
    }
    let syntax = |what: String| ImportError::Syntax {
        line,
        what: shown(&what),
    };
    let mut attributes: Vec<Attribute> = Vec::new();
    // Names are compared here: there are few of them.
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| syntax(error.to_string()))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| syntax(error.to_string()))?;
        let name = attribute.key.into_inner();
        if attributes.iter().any(|one| one.name == name) {
            return Err(syntax(format!("`{name}` is given twice")));
        }
        if attributes.len() == MAX_ATTRIBUTES {
            return Err(many("attributes of an element", MAX_ATTRIBUTES));
        }
        attributes.push(Attribute {
            name: name.to_owned(),
            value: value.into_owned(),
            read: Cell::new(false),
        });
    }
    Ok(Element {
        name: start.name().into_inner().to_owned(),
        line,
        children: Vec::new(),
        attributes,
        read: Cell::new(false),
    })
}

/// Lines of places that only grow.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    const fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    fn line(&mut self, at: usize) -> u64 {
        let at = at.min(self.text.len());
        if let Some(passed) = self.text.as_bytes().get(self.at..at) {
            self.line += passed.split(|byte| *byte == b'\n').count() as u64 - 1;
            self.at = at;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn entities_of_a_document_are_not_expanded() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"y\"><!ENTITY z \"&x;&x;&x;\">]>\n<a b=\"&z;\"/>";
        assert!(message(bomb).starts_with("line 2: "), "{}", message(bomb));
        let known = parse("<a b=\"&lt;&amp;&#65;\"/>").unwrap();
        assert_eq!(known.text("b"), Some("<&A"));
    }

    #[test]
    fn nesting_and_attributes_have_an_end() {
        let deep = "<a>".repeat(100_000);
        assert_eq!(
            message(&deep),
            "line 1: elements are nested more than 64 deep"
        );
        let wide: Vec<_> = (0..100).map(|at| format!("a{at}=\"1\"")).collect();
        let wide = message(&format!("<a {}/>", wide.join(" ")));
        assert_eq!(wide, "line 1: more than 64 attributes of an element");
    }

    #[test]
    fn what_is_not_well_formed_is_named_with_its_line() {
        for text in [
            "",
            "<a>",
            "\n<a></b>",
            "<a/>\n<b/>",
            "<a b=1/>",
            "<a b='1' b='2'/>",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(
            message("<a/>\n<b/>"),
            "line 2: <b> stands beside the first element"
        );
    }

    #[test]
    fn what_nobody_read_is_listed_once() {
        let tree = parse("<a x='1' y='2'><b/><b/><c z='3'/></a>").unwrap();
        tree.see();
        assert_eq!(tree.text("x"), Some("1"));
        assert_eq!(tree.each("c").count(), 1);
        let mut unread = BTreeSet::new();
        tree.unread(&mut unread);
        assert_eq!(
            unread.into_iter().collect::<Vec<_>>(),
            ["<b>", "a@y", "c@z"]
        );
    }
}
