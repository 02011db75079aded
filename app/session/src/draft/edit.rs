//! One change to the text of a document, by which comments and layout stay as they are.

use std::str::FromStr as _;
use std::sync::Arc;

use format::{Failure, Place, Problem, Source};
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// Sets a field to a value: TOML, or bare text, which becomes a string.
pub(super) fn set(text: &Arc<Source>, field: &str, value: &str) -> Result<String, Box<Failure>> {
    let keys = keys_of(field);
    if value.trim().is_empty() || keys.iter().any(String::is_empty) {
        let text = format!("{field}={value}");
        return Err(of_field(field, Problem::BadAssignment { text }));
    }
    let mut document = read(text)?;
    let new = Value::from_str(value.trim()).unwrap_or_else(|_| value.trim().into());
    put(document.as_table_mut(), &keys, &new, 0).map_err(|problem| of_field(field, problem))?;
    Ok(document.to_string())
}

/// Takes a field away; nothing happens where there is none.
pub(super) fn unset(text: &Arc<Source>, field: &str) -> Result<String, Box<Failure>> {
    let keys = keys_of(field);
    let mut document = read(text)?;
    drop_key(document.as_table_mut(), &keys);
    Ok(document.to_string())
}

/// The keys of a path: `cluster.nodes[0].count` and `cluster.nodes.0.count` are the same.
fn keys_of(field: &str) -> Vec<String> {
    let dotted = field.replace('[', ".").replace(']', "");
    dotted.split('.').map(|key| key.trim().to_owned()).collect()
}

fn of_field(field: &str, problem: Problem) -> Box<Failure> {
    Box::new(Failure {
        problem,
        field: field.to_owned(),
        place: None,
    })
}

fn read(text: &Arc<Source>) -> Result<DocumentMut, Box<Failure>> {
    DocumentMut::from_str(&text.text).map_err(|error| {
        // The reader of scenarios knows the place, and says it in its own words.
        let told = format::tree::parse(text).err();
        let told = told.and_then(|told| told.into_iter().next());
        Box::new(told.unwrap_or_else(|| Failure {
            problem: Problem::Syntax {
                message: error.message().to_owned(),
            },
            field: String::new(),
            place: error.span().map(|span| Place::new(text, span)),
        }))
    })
}

/// Puts a value into a table of any form.
fn put(
    table: &mut dyn TableLike,
    keys: &[String],
    new: &Value,
    depth: usize,
) -> Result<(), Problem> {
    let [key, rest @ ..] = keys else {
        return Ok(());
    };
    if rest.is_empty() {
        match table.get_mut(key) {
            Some(old) => replace(old, new),
            None => {
                table.insert(key, fresh(new, depth));
            }
        }
        return Ok(());
    }
    if table.get(key).is_none() {
        // A section of its own, further inside a table on one line.
        let inner = if depth == 0 {
            Item::Table(Table::new())
        } else {
            Item::Value(InlineTable::new().into())
        };
        table.insert(key, inner);
    }
    let Some(item) = table.get_mut(key) else {
        return Ok(());
    };
    into(item, key, rest, new, depth)
}

/// Puts a value into what stands behind a key.
fn into(
    item: &mut Item,
    key: &str,
    rest: &[String],
    new: &Value,
    depth: usize,
) -> Result<(), Problem> {
    if item.is_table_like() {
        let inner = item.as_table_like_mut();
        return inner.map_or(Ok(()), |inner| put(inner, rest, new, depth + 1));
    }
    let refused = |found| Problem::NotATable {
        key: key.to_owned(),
        found,
    };
    let none = |length| Problem::NoSuchItem {
        key: key.to_owned(),
        index: rest[0].clone(),
        length,
    };
    let index = rest[0].parse::<usize>().ok();
    match item {
        Item::ArrayOfTables(tables) => {
            let length = tables.len();
            let inner = index.and_then(|index| tables.get_mut(index));
            let inner = inner.ok_or_else(|| none(length))?;
            match &rest[1..] {
                [] => Err(refused("a section of a list")),
                rest => put(inner, rest, new, depth + 1),
            }
        }
        Item::Value(Value::Array(items)) => {
            let length = items.len();
            let inner = index.and_then(|index| items.get_mut(index));
            let inner = inner.ok_or_else(|| none(length))?;
            match (&rest[1..], inner) {
                ([], inner) => {
                    let decor = inner.decor().clone();
                    *inner = new.clone();
                    *inner.decor_mut() = decor;
                    Ok(())
                }
                (rest, Value::InlineTable(inner)) => put(inner, rest, new, depth + 1),
                _ => Err(refused("a list")),
            }
        }
        other => Err(refused(other.type_name())),
    }
}

/// Puts a value in the place of another one, with the comment behind it.
fn replace(old: &mut Item, new: &Value) {
    match old {
        Item::Value(old) => {
            let decor = old.decor().clone();
            *old = new.clone();
            *old.decor_mut() = decor;
        }
        Item::Table(table) => {
            let (position, decor) = (table.position(), table.decor().clone());
            *old = fresh(new, 0);
            if let Item::Table(table) = old {
                table.set_position(position);
                *table.decor_mut() = decor;
            }
        }
        _ => *old = fresh(new, 0),
    }
}

/// A value behind a new key: in the outermost table, tables and lists of tables are sections.
fn fresh(new: &Value, depth: usize) -> Item {
    let mut new = new.clone();
    new.decor_mut().clear();
    let item = Item::Value(new);
    if depth != 0 {
        return item;
    }
    match item.into_table() {
        Ok(table) => Item::Table(table),
        Err(item) => item
            .into_array_of_tables()
            .map_or_else(|item| item, Item::ArrayOfTables),
    }
}

/// Takes a key away, and a section that has nothing left with it.
fn drop_key(table: &mut dyn TableLike, keys: &[String]) {
    let [key, rest @ ..] = keys else {
        return;
    };
    if rest.is_empty() {
        table.remove(key);
        return;
    }
    let Some(item) = table.get_mut(key) else {
        return;
    };
    let index = rest[0].parse::<usize>().ok();
    let mut is_empty = false;
    match item {
        Item::ArrayOfTables(tables) => {
            let inside = index.filter(|index| *index < tables.len());
            if let Some(index) = inside {
                match &rest[1..] {
                    [] => tables.remove(index),
                    rest => {
                        if let Some(inner) = tables.get_mut(index) {
                            drop_key(inner, rest);
                        }
                        Table::new()
                    }
                };
            }
            is_empty = tables.is_empty();
        }
        Item::Value(Value::Array(items)) => {
            if let Some(index) = index.filter(|index| *index < items.len()) {
                match (&rest[1..], items.get_mut(index)) {
                    ([], _) => drop(items.remove(index)),
                    (rest, Some(Value::InlineTable(inner))) => drop_key(inner, rest),
                    _ => {}
                }
            }
        }
        item => {
            if let Some(inner) = item.as_table_like_mut() {
                drop_key(inner, rest);
                is_empty = inner.is_empty();
            }
        }
    }
    if is_empty {
        table.remove(key);
    }
}
