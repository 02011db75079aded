//! Lists and tables.

use super::{Reading, Shape};
use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Kind;
use crate::tree::{Node, Value};

/// A list of any length.
pub const fn list<S: Shape>(item: S) -> List<S> {
    List { item }
}

/// See [`list`].
#[derive(Clone, Copy, Debug)]
pub struct List<S> {
    item: S,
}

impl<S: Shape> Shape for List<S> {
    type Out = Vec<S::Out>;

    fn kind(&self) -> Kind {
        Kind::List(Box::new(self.item.kind()), None)
    }

    fn blank(&self) -> Self::Out {
        Vec::new()
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Array(_))
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<Self::Out> {
        let Value::Array(items) = &node.value else {
            return None;
        };
        let list_field = at.field.clone();
        // Every item is read, so that every error is found.
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            at.field = format!("{list_field}[{index}]");
            read.extend(at.read(&self.item, item));
        }
        at.field = list_field;
        (read.len() == items.len()).then_some(read)
    }
}

/// A list of exactly `N` items.
pub const fn array<const N: usize, S: Shape>(item: S) -> Array<N, S> {
    Array { item: list(item) }
}

/// See [`array`](fn@array).
#[derive(Clone, Copy, Debug)]
pub struct Array<const N: usize, S> {
    item: List<S>,
}

impl<const N: usize, S: Shape> Shape for Array<N, S> {
    type Out = [S::Out; N];

    fn kind(&self) -> Kind {
        Kind::List(Box::new(self.item.item.kind()), Some(N))
    }

    fn blank(&self) -> Self::Out {
        std::array::from_fn(|_| self.item.item.blank())
    }

    fn accepts(&self, value: &Value) -> bool {
        self.item.accepts(value)
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<Self::Out> {
        let items = self.item.read(node, at)?;
        let found = items.len();
        let read = items.try_into().ok();
        if read.is_none() {
            let problem = Problem::WrongLength {
                field: at.field.clone(),
                found,
                expected: N.to_string(),
            };
            at.report(node, problem);
        }
        read
    }
}

/// A table whose fields that function reads.
pub const fn table<T, F: Fn(&mut Fields<'_, '_>) -> T>(read: F) -> TableOf<F> {
    TableOf { read }
}

/// See [`table`].
#[derive(Clone, Copy, Debug)]
pub struct TableOf<F> {
    read: F,
}

impl<T, F: Fn(&mut Fields<'_, '_>) -> T> Shape for TableOf<F> {
    type Out = T;

    fn kind(&self) -> Kind {
        Kind::Table(Fields::describe(&self.read))
    }

    fn blank(&self) -> T {
        Fields::blank(&self.read)
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Table(_))
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<T> {
        let Value::Table(table) = &node.value else {
            return None;
        };
        let before = at.failures.len();
        let place = Some(node.place.clone());
        let value = Fields::read(table, place, &at.field, at.failures, &self.read);
        (at.failures.len() == before).then_some(value)
    }
}

/// A table with keys that are names, in the order of the file.
pub const fn map<S: Shape>(value: S) -> MapOf<S> {
    MapOf { value }
}

/// See [`map`].
#[derive(Clone, Copy, Debug)]
pub struct MapOf<S> {
    value: S,
}

impl<S: Shape> Shape for MapOf<S> {
    type Out = Vec<(String, S::Out)>;

    fn kind(&self) -> Kind {
        Kind::Map(Box::new(self.value.kind()))
    }

    fn blank(&self) -> Self::Out {
        Vec::new()
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Table(_))
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<Self::Out> {
        let Value::Table(table) = &node.value else {
            return None;
        };
        let own_field = at.field.clone();
        let mut read = Vec::with_capacity(table.entries().len());
        for entry in table.entries() {
            at.field = format!("{own_field}.{}", entry.key);
            read.extend(
                at.read(&self.value, &entry.node)
                    .map(|v| (entry.key.clone(), v)),
            );
        }
        at.field = own_field;
        (read.len() == table.entries().len()).then_some(read)
    }
}
