//! What differs between two scenarios, field by field.

use std::collections::BTreeMap;

use format::tree::{Table, Value};
use format::write::write_value;

/// A field that two scenarios say differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field, such as `plan.tp` or `cluster.nodes[0].count`.
    pub field: String,
    /// What it was, as people type it; none where it was absent.
    pub was: Option<String>,
    /// What it is; none where it is absent.
    pub is: Option<String>,
}

/// The fields that differ, in the order of their names.
pub(super) fn differences(was: &Table, is: &Table) -> Vec<Difference> {
    let [mut was, is] = [was, is].map(fields);
    let mut found: Vec<Difference> = Vec::new();
    for (field, is) in is {
        let was = was.remove(&field);
        if was.as_ref() != Some(&is) {
            found.push(Difference {
                field,
                was,
                is: Some(is),
            });
        }
    }
    found.extend(was.into_iter().map(|(field, was)| Difference {
        field,
        was: Some(was),
        is: None,
    }));
    found.sort_by(|a, b| a.field.cmp(&b.field));
    found
}

/// Every value by its path, as people type it.
fn fields(table: &Table) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    walk(table, "", &mut all);
    all
}

fn walk(table: &Table, path: &str, all: &mut BTreeMap<String, String>) {
    for entry in table.entries() {
        let path = match path {
            "" => entry.key.clone(),
            path => format!("{path}.{}", entry.key),
        };
        match &entry.node.value {
            Value::Table(inner) => walk(inner, &path, all),
            Value::Array(items)
                if !items.is_empty() && items.iter().all(|i| is_table(&i.value)) =>
            {
                for (at, item) in items.iter().enumerate() {
                    if let Value::Table(inner) = &item.value {
                        walk(inner, &format!("{path}[{at}]"), all);
                    }
                }
            }
            value => {
                all.insert(path, typed(value));
            }
        }
    }
}

const fn is_table(value: &Value) -> bool {
    matches!(value, Value::Table(_))
}

/// The value at a path such as `plan.tp` or `cluster.nodes[0].count`.
pub(crate) fn find<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    let dotted = path.replace('[', ".").replace(']', "");
    let mut keys = dotted.split('.');
    let mut value = &table.get(keys.next()?)?.value;
    for key in keys {
        value = match value {
            Value::Table(inner) => &inner.get(key)?.value,
            Value::Array(items) => &items.get(key.parse::<usize>().ok()?)?.value,
            _ => return None,
        };
    }
    Some(value)
}

/// A value as people type it: what cannot be mistaken for something else stands without quotes.
pub(crate) fn typed(value: &Value) -> String {
    match value {
        Value::Text(text) if is_plain(text) => text.clone(),
        value => write_value(value),
    }
}

/// Whether a text that is typed is read as that text.
fn is_plain(text: &str) -> bool {
    let source = format::Source::new("", text);
    !text.is_empty()
        && text.trim() == text
        && !text.contains(char::is_control)
        && format::tree::parse_value(&source, 0).is_none()
}
