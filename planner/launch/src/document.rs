//! Scenarios as they are written: a document that grows field by field.

use std::sync::Arc;

use format::tree::{Node, Table, Value};
use format::write::write;
use format::{Place, Source};

/// A document under construction; its values stand nowhere.
#[derive(Debug)]
pub(crate) struct Document {
    table: Table,
    place: Place,
}

impl Document {
    pub(crate) fn new() -> Self {
        let nowhere: Arc<Source> = Source::new("", "");
        Self {
            table: Table::default(),
            place: Place::new(&nowhere, 0..0),
        }
    }

    /// Sets the value at a path such as `plan.tp`.
    pub(crate) fn set(&mut self, path: &str, value: impl Into<Field>) {
        let keys: Vec<&str> = path.split('.').collect();
        let node = self.node(value.into());
        // Only a path through something that is no table could fail, and paths are our own.
        drop(self.table.set(&keys, &self.place.clone(), node));
    }

    /// Sets the value where there is one.
    pub(crate) fn set_some(&mut self, path: &str, value: Option<impl Into<Field>>) {
        if let Some(value) = value {
            self.set(path, value);
        }
    }

    fn node(&self, field: Field) -> Node {
        let value = match field {
            Field::Text(text) => Value::Text(text),
            Field::Integer(value) => Value::Integer(value),
            Field::Float(value) => Value::Float(value),
            Field::Boolean(value) => Value::Boolean(value),
            Field::List(items) => {
                Value::Array(items.into_iter().map(|item| self.node(item)).collect())
            }
            Field::Table(entries) => {
                let mut inner = Self::new();
                for (key, value) in entries {
                    inner.set(key, value);
                }
                Value::Table(inner.table)
            }
        };
        Node {
            value,
            place: self.place.clone(),
        }
    }

    pub(crate) fn into_table(self) -> Table {
        self.table
    }

    pub(crate) fn text(&self) -> String {
        write(&self.table)
    }
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Field {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<Self>),
    Table(Vec<(&'static str, Self)>),
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Field {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<u64> for Field {
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Field {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Field {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Field {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
