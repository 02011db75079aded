//! Documents to TOML text, with the origin of each value where that is asked for.

use std::fmt::Write as _;

use crate::tree::{Node, Table, Value};

/// A document as TOML.
pub fn write(table: &Table) -> String {
    write_with(table, &|_| None)
}

/// A value as TOML writes it behind a key, on one line.
pub fn write_value(value: &Value) -> String {
    let mut text = String::new();
    inline(value, &mut text);
    text
}

/// A document as TOML with a comment behind each value, where `comment` has one for it.
pub fn write_with(table: &Table, comment: &dyn Fn(&Node) -> Option<String>) -> String {
    let mut out = Writer {
        text: String::new(),
        comment,
    };
    out.table(table, "");
    out.text
}

struct Writer<'c> {
    text: String,
    comment: &'c dyn Fn(&Node) -> Option<String>,
}

impl Writer<'_> {
    /// Values first, then sections: TOML has no way back out of a section.
    fn table(&mut self, table: &Table, path: &str) {
        let (sections, values): (Vec<_>, Vec<_>) = table
            .entries()
            .iter()
            .partition(|entry| is_section(&entry.node.value, path));
        for entry in values {
            let _ = write!(self.text, "{} = ", key(&entry.key));
            match &entry.node.value {
                Value::Array(rows) if is_matrix(rows) => matrix(rows, &mut self.text),
                value => inline(value, &mut self.text),
            }
            if let Some(comment) = (self.comment)(&entry.node) {
                let _ = write!(self.text, "  # {comment}");
            }
            self.text.push('\n');
        }
        for entry in sections {
            let path = join(path, &key(&entry.key));
            match &entry.node.value {
                Value::Table(inner) => self.section(inner, &path, "[", "]"),
                Value::Array(items) => {
                    for item in items {
                        if let Value::Table(inner) = &item.value {
                            self.section(inner, &path, "[[", "]]");
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn section(&mut self, table: &Table, path: &str, open: &str, close: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "{open}{path}{close}");
        self.table(table, path);
    }
}

/// Tables of the first level, and lists of tables of the first two, are sections; deeper ones
/// are written on one line.
fn is_section(value: &Value, path: &str) -> bool {
    let depth = if path.is_empty() {
        0
    } else {
        1 + path.matches('.').count()
    };
    match value {
        Value::Table(_) => depth == 0,
        Value::Array(items) => {
            let all_tables = items
                .iter()
                .all(|item| matches!(item.value, Value::Table(_)));
            depth <= 1 && !items.is_empty() && all_tables
        }
        _ => false,
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn key(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// A basic string: quotes, backslashes and control characters are escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a list has lists for items.
fn is_matrix(rows: &[Node]) -> bool {
    let is_row = |row: &Node| matches!(row.value, Value::Array(_));
    !rows.is_empty() && rows.iter().all(is_row)
}

/// A list of lists, each on a line of its own.
fn matrix(rows: &[Node], out: &mut String) {
    out.push_str("[\n");
    for row in rows {
        out.push_str("    ");
        inline(&row.value, out);
        out.push_str(",\n");
    }
    out.push(']');
}

fn inline(value: &Value, out: &mut String) {
    match value {
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::Integer(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Float(value) => out.push_str(&float(*value)),
        Value::Boolean(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Datetime(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                inline(&item.value, out);
            }
            out.push(']');
        }
        Value::Table(table) if table.is_empty() => out.push_str("{}"),
        Value::Table(table) => {
            for (at, entry) in table.entries().iter().enumerate() {
                out.push_str(if at == 0 { "{ " } else { ", " });
                let _ = write!(out, "{} = ", key(&entry.key));
                inline(&entry.node.value, out);
            }
            out.push_str(" }");
        }
    }
}

/// The shortest digits that read back as the same number, with a sign that it is a float.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let text = format!("{value:?}");
    if text.contains(['.', 'e', 'i']) {
        text
    } else {
        format!("{text}.0")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::Source;
    use crate::tree::parse;

    /// The same values, wherever they stand.
    fn same(a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, &b.value))
            }
            (Value::Table(a), Value::Table(b)) => {
                a.entries().len() == b.entries().len()
                    && a.entries().iter().all(|own| {
                        b.get(&own.key)
                            .is_some_and(|other| same(&own.node.value, &other.value))
                    })
            }
            (a, b) => a == b,
        }
    }

    fn value() -> impl Strategy<Value = toml::Value> {
        let leaf = prop_oneof![
            ".{0,12}".prop_map(toml::Value::String),
            any::<i64>().prop_map(toml::Value::Integer),
            prop::num::f64::NORMAL.prop_map(toml::Value::Float),
            any::<bool>().prop_map(toml::Value::Boolean),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let key = "[a-z_]{1,8}|.{0,6}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(toml::Value::Array),
                prop::collection::btree_map(key, inner, 0..5)
                    .prop_map(|map| toml::Value::Table(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(
            map in prop::collection::btree_map("[a-z]{1,8}", value(), 0..6),
        ) {
            let text = toml::to_string(&map.into_iter().collect::<toml::Table>()).unwrap();
            let first = parse(&Source::new("a.toml", text)).unwrap();
            let written = write(&first);
            let again = parse(&Source::new("b.toml", written.clone())).unwrap();
            prop_assert!(same(&Value::Table(first), &Value::Table(again)), "{}", written);
        }
    }
}
