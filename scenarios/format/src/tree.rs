//! A TOML document as a tree in which each value knows where it stands.
//!
//! Several documents are laid over each other with [`Table::set`]: a scenario over the user's
//! settings, environment variables over a scenario, `--set` over all. Each value keeps the place
//! that it came from, which is its origin.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Failure, MAX_ERRORS, Problem, push};
use crate::source::{Place, Source};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// What TOML can say.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are TOML's own")]
pub enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

impl Value {
    /// What messages call a value of this kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::Datetime(_) => "a date",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A table: keys in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub node: Node,
}

impl Table {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|e| e.key == key).map(|e| &e.node)
    }

    /// All keys with their values, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether the table has no key.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Lays another table over this one: its values win, tables are joined, lists replaced.
    pub fn lay_over(&mut self, above: Self) {
        // Keys of one table differ, so a key that was added is never met again.
        let own_keys = self.entries.len();
        for entry in above.entries {
            let own = self.entries[..own_keys].iter_mut();
            match own.into_iter().find(|own| own.key == entry.key) {
                None => self.entries.push(entry),
                Some(own) => match (&mut own.node.value, entry.node.value) {
                    (Value::Table(below), Value::Table(table)) => below.lay_over(table),
                    (below, value) => {
                        *below = value;
                        own.node.place = entry.node.place;
                        own.key_place = entry.key_place;
                    }
                },
            }
        }
    }

    /// Sets the value at a path of keys; a number in the path is an index into a list.
    ///
    /// # Errors
    ///
    /// [`Problem::NotATable`] where a key of the path holds something that has no such part.
    pub fn set(&mut self, path: &[&str], key_place: &Place, node: Node) -> Result<(), Problem> {
        let Some((key, rest)) = path.split_first() else {
            return Ok(());
        };
        let at = self.position_or_new(key, key_place);
        let entry = &mut self.entries[at];
        if rest.is_empty() {
            entry.node = node;
            entry.key_place = key_place.clone();
            return Ok(());
        }
        set_inside(&mut entry.node, key, rest, key_place, node)
    }

    fn position_or_new(&mut self, key: &str, key_place: &Place) -> usize {
        if let Some(at) = self.entries.iter().position(|entry| entry.key == key) {
            return at;
        }
        self.entries.push(Entry {
            key: key.to_owned(),
            key_place: key_place.clone(),
            node: Node {
                value: Value::Table(Self::default()),
                place: key_place.clone(),
            },
        });
        self.entries.len() - 1
    }

    /// Where the last key of a field path stands.
    pub fn key_place(&self, path: &str) -> Option<Place> {
        let mut table = self;
        let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
        for part in section.split('.').filter(|part| !part.is_empty()) {
            let Value::Table(inner) = &table.get(part)?.value else {
                return None;
            };
            table = inner;
        }
        let entry = table.entries.iter().find(|entry| entry.key == key);
        entry.map(|entry| entry.key_place.clone())
    }

    /// Where the value of a field path such as `cluster.nodes[0].count` stands; where it is
    /// absent, the place of the nearest part that is there.
    pub fn place(&self, path: &str) -> Option<Place> {
        let mut table = self;
        let mut nearest = None;
        for part in path.split('.') {
            let (key, index) = split_index(part);
            let Some(entry) = table.entries.iter().find(|entry| entry.key == key) else {
                break;
            };
            let mut node = &entry.node;
            nearest = Some(match node.value {
                Value::Table(_) => entry.key_place.clone(),
                _ => node.place.clone(),
            });
            if let (Some(index), Value::Array(items)) = (index, &node.value) {
                let Some(item) = items.get(index) else { break };
                node = item;
                nearest = Some(item.place.clone());
            }
            let Value::Table(inner) = &node.value else {
                break;
            };
            table = inner;
        }
        nearest
    }
}

fn set_inside(
    at: &mut Node,
    key: &str,
    path: &[&str],
    key_place: &Place,
    node: Node,
) -> Result<(), Problem> {
    match &mut at.value {
        Value::Table(table) => table.set(path, key_place, node),
        Value::Array(items) => {
            let length = items.len();
            let item = path[0]
                .parse()
                .ok()
                .and_then(|index: usize| items.get_mut(index));
            let item = item.ok_or_else(|| Problem::NoSuchItem {
                key: key.to_owned(),
                index: path[0].to_owned(),
                length,
            })?;
            if path.len() == 1 {
                *item = node;
                return Ok(());
            }
            set_inside(item, path[0], &path[1..], key_place, node)
        }
        value => Err(Problem::NotATable {
            key: key.to_owned(),
            found: value.kind(),
        }),
    }
}

fn split_index(part: &str) -> (&str, Option<usize>) {
    let Some((key, rest)) = part.split_once('[') else {
        return (part, None);
    };
    (key, rest.trim_end_matches(']').parse().ok())
}

/// Reads a TOML document; all syntax errors at once.
///
/// # Errors
///
/// One [`Failure`] for each place that is not TOML, up to a limit.
pub fn parse(source: &Arc<Source>) -> Result<Table, Vec<Failure>> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    let mut failures: Vec<Failure> = Vec::new();
    let mut last_line = 0;
    for error in &errors {
        let place = Place::new(source, error.span().unwrap_or(0..0));
        // One slip makes the parser stumble several times over the same line.
        let (line, _) = place.line_column();
        if line != last_line {
            push(
                &mut failures,
                Failure::at(place, syntax_problem(error.message())),
            );
        }
        last_line = line;
        if failures.len() == MAX_ERRORS {
            break;
        }
    }
    if !failures.is_empty() {
        return Err(failures);
    }
    let table = table_of(source, table.get_ref(), &mut failures);
    if failures.is_empty() {
        Ok(table)
    } else {
        Err(failures)
    }
}

/// Reads one TOML value, such as the right side of `--set`; `None` where it is none.
pub fn parse_value(source: &Arc<Source>, start: usize) -> Option<Node> {
    let text = source.text.get(start..)?;
    let (value, errors) = DeValue::parse_recoverable(text);
    if !errors.is_empty() {
        return None;
    }
    let mut failures = Vec::new();
    let mut node = node_of(source, value.span(), value.get_ref(), &mut failures);
    shift(&mut node, source, start);
    failures.is_empty().then_some(node)
}

fn shift(node: &mut Node, source: &Arc<Source>, by: usize) {
    let moved = |place: &Place| Place::new(source, place.span().start + by..place.span().end + by);
    node.place = moved(&node.place);
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, source, by)),
        Value::Table(table) => {
            for entry in &mut table.entries {
                entry.key_place = moved(&entry.key_place);
                shift(&mut entry.node, source, by);
            }
        }
        _ => {}
    }
}

fn syntax_problem(message: &str) -> Problem {
    if message.contains("recurs") {
        Problem::TooDeep
    } else {
        Problem::Syntax {
            message: message.to_owned(),
        }
    }
}

fn table_of(source: &Arc<Source>, table: &DeTable<'_>, failures: &mut Vec<Failure>) -> Table {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        entries.push(Entry {
            key: key.get_ref().to_string(),
            key_place: Place::new(source, key.span()),
            node: node_of(source, value.span(), value.get_ref(), failures),
        });
    }
    entries.sort_by_key(|entry: &Entry| entry.key_place.span().start);
    Table { entries }
}

fn node_of(
    source: &Arc<Source>,
    span: std::ops::Range<usize>,
    value: &DeValue<'_>,
    failures: &mut Vec<Failure>,
) -> Node {
    let place = Place::new(source, span);
    let mut too_large = |text: &str| {
        let text = text.to_owned();
        push(
            failures,
            Failure::at(place.clone(), Problem::NumberTooLarge { text }),
        );
    };
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let value = i64::from_str_radix(number.as_str(), number.radix());
            Value::Integer(value.unwrap_or_else(|_| {
                too_large(number.as_str());
                0
            }))
        }
        DeValue::Float(number) => {
            let value = number.as_str().parse::<f64>();
            let value = value
                .ok()
                .filter(|v| v.is_finite() || is_named(number.as_str()));
            Value::Float(value.unwrap_or_else(|| {
                too_large(number.as_str());
                0.0
            }))
        }
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(value) => Value::Datetime(value.to_string()),
        DeValue::Array(items) => {
            let read = |item: &Spanned<DeValue<'_>>| {
                node_of(source, item.span(), item.get_ref(), failures)
            };
            Value::Array(items.iter().map(read).collect())
        }
        DeValue::Table(table) => Value::Table(table_of(source, table, failures)),
    };
    Node { value, place }
}

fn is_named(number: &str) -> bool {
    number.contains("inf") || number.contains("nan")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        parse(&Source::new("a.toml", text)).unwrap()
    }

    #[test]
    fn keys_keep_the_order_of_the_file_and_their_places() {
        let table = table("z = 1\n[a]\nb = [1, 2]\n");
        let keys: Vec<_> = table.entries().iter().map(|e| e.key.as_str()).collect();
        assert_eq!(keys, ["z", "a"]);
        assert_eq!(table.place("a.b[1]").unwrap().to_string(), "a.toml:3:9");
        assert_eq!(table.place("a.missing").unwrap().to_string(), "a.toml:2:2");
        assert_eq!(table.place("nothing"), None);
    }

    #[test]
    fn all_syntax_errors_are_found_at_once() {
        let failures = parse(&Source::new("a.toml", "a = \nb = 1\nc = [1, \nd = }\n")).unwrap_err();
        assert!(2 <= failures.len(), "{failures:?}");
        assert!(failures.iter().all(|failure| failure.place.is_some()));
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        for text in [
            format!("a = {}", "[".repeat(100_000)),
            format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
            format!("a = {}", "{b=".repeat(100_000)),
            format!("[{}x]\n", "a.".repeat(100_000)),
            format!("{}x = 1\n", "a.".repeat(100_000)),
        ] {
            let failures = parse(&Source::new("a.toml", text)).unwrap_err();
            assert_eq!(failures[0].problem, Problem::TooDeep);
            assert!(failures.len() <= MAX_ERRORS);
        }
    }

    #[test]
    fn a_layer_above_wins_and_tables_join() {
        let mut below = table("[a]\nx = 1\ny = 2\nlist = [1, 2]\n");
        below.lay_over(table("[a]\ny = 3\nlist = [4]\n"));
        let Some(Value::Table(a)) = below.get("a").map(|node| &node.value) else {
            panic!()
        };
        assert_eq!(a.get("x").unwrap().value, Value::Integer(1));
        assert_eq!(a.get("y").unwrap().value, Value::Integer(3));
        assert!(matches!(&a.get("list").unwrap().value, Value::Array(items) if items.len() == 1));
    }

    #[test]
    fn a_path_reaches_into_tables_and_lists() {
        let mut own = table("[[n]]\ncount = 1\n[[n]]\ncount = 2\n");
        let source = Source::new("--set", "7");
        let node = parse_value(&source, 0).unwrap();
        let place = Place::new(&source, 0..1);
        own.set(&["n", "1", "count"], &place, node.clone()).unwrap();
        assert_eq!(own.place("n[1].count").unwrap().to_string(), "--set:1:1");
        own.set(&["new", "deep"], &place, node.clone()).unwrap();
        assert!(own.place("new.deep").is_some());
        assert!(own.set(&["n", "9", "count"], &place, node.clone()).is_err());
        assert!(own.set(&["new", "deep", "x"], &place, node).is_err());
    }

    #[test]
    fn numbers_that_no_type_holds_are_errors() {
        for text in ["a = 99999999999999999999", "a = 1e999"] {
            let failures = parse(&Source::new("a.toml", text)).unwrap_err();
            assert!(
                matches!(failures[0].problem, Problem::NumberTooLarge { .. }),
                "{failures:?}"
            );
        }
    }
}
