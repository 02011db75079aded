//! YAML as a tree that is small enough to keep. Nothing is expanded: aliases are refused.

use saphyr_parser::{Event, Parser};

use crate::import_error::{ImportError, shown};

const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 1 << 20;

/// A value with the line on which it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) line: u64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Scalar(String),
    List(Vec<Value>),
    /// Keys that are texts, in order.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// What a key stands for.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let found = self.entries().iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value)
    }

    /// The entries of a map; none where it is no map.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list.
    pub(crate) fn list(&self, field: &str) -> Result<&[Self], ImportError> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(ImportError::not(self.line, field, &self.shown(), "a list")),
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self, field: &str) -> Result<&str, ImportError> {
        match &self.kind {
            Kind::Scalar(text) => Ok(text),
            _ => Err(ImportError::not(self.line, field, &self.shown(), "a text")),
        }
    }

    /// A scalar as a number.
    pub(crate) fn number<T: std::str::FromStr>(
        &self,
        field: &str,
        expected: &'static str,
    ) -> Result<T, ImportError> {
        let text = self.text(field)?;
        let number = text.trim().parse();
        number.map_err(|_| ImportError::not(self.line, field, text, expected))
    }

    fn shown(&self) -> String {
        match &self.kind {
            Kind::Scalar(text) => text.clone(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
        }
    }
}

/// What is open while events come in.
enum Open {
    List(u64, Vec<Value>),
    /// The key whose value comes next.
    Map(u64, Vec<(String, Value)>, Option<String>),
}

/// Reads the first document of a text.
pub(crate) fn parse(text: &str) -> Result<Value, ImportError> {
    let mut open: Vec<Open> = Vec::new();
    let mut nodes = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| ImportError::Syntax {
            line: error.marker().line() as u64,
            what: shown(error.info()),
        })?;
        let line = span.start.line() as u64;
        let limit = MAX_NODES;
        nodes += 1;
        if limit < nodes {
            let what = "values";
            return Err(ImportError::Many { line, what, limit });
        }
        let (line, kind) = match event {
            Event::Scalar(text, ..) => (line, Kind::Scalar(text.into_owned())),
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if open.len() == MAX_DEPTH {
                    let limit = MAX_DEPTH;
                    return Err(ImportError::Deep { line, limit });
                }
                open.push(match event {
                    Event::SequenceStart(..) => Open::List(line, Vec::new()),
                    _ => Open::Map(line, Vec::new(), None),
                });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(line, items)) => (line, Kind::List(items)),
                Some(Open::Map(line, entries, _)) => (line, Kind::Map(entries)),
                None => continue,
            },
            Event::Alias(_) => {
                let what = "aliases are not read".to_owned();
                return Err(ImportError::Syntax { line, what });
            }
            _ => continue,
        };
        if let Some(whole) = put(Value { line, kind }, &mut open)? {
            return Ok(whole);
        }
    }
    Err(ImportError::Without { what: "value" })
}

/// Puts a value where it belongs; gives it back where that is nowhere.
fn put(value: Value, open: &mut [Open]) -> Result<Option<Value>, ImportError> {
    match open.last_mut() {
        None => return Ok(Some(value)),
        Some(Open::List(_, items)) => items.push(value),
        Some(Open::Map(_, entries, key)) => match key.take() {
            Some(name) => entries.push((name, value)),
            None => *key = Some(value.text("key")?.to_owned()),
        },
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_maps_keep_their_lines() {
        let tree = parse("a: [ Ring, 'x' ]\nb:\n  - 1\n  - c: 2\n").unwrap();
        let items = tree.get("b").unwrap().list("b").unwrap();
        assert_eq!(items[0].number::<u32>("b", "a number"), Ok(1));
        assert_eq!(items[1].get("c").unwrap().line, 4);
        assert_eq!(tree.get("a").unwrap().list("a").unwrap().len(), 2);
    }

    #[test]
    fn aliases_and_deep_nesting_are_refused() {
        assert!(parse("a: &x [1]\nb: *x\n").is_err());
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- ".repeat(10_000)).is_err());
        assert!(parse("").is_err());
    }
}
