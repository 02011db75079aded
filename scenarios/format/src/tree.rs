//! A TOML document as a tree in which each value knows where it stands.
//!
//! Several documents are laid over each other with [`Table::set`]: a scenario over the user's
//! settings, environment variables over a scenario, `--set` over all. Each value keeps the place
//! that it came from, which is its origin.

mod parse;

use crate::error::Problem;
use crate::source::Place;

pub use parse::{parse, parse_value};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::MAX_ERRORS;
    use crate::source::Source;

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
