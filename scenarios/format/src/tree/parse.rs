//! TOML text to a tree.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Entry, Node, Table, Value};
use crate::error::{Failure, MAX_ERRORS, Problem, push};
use crate::source::{Place, Source};

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
