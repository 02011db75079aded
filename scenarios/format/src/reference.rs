//! Things that a file may name instead of describing them.

use crate::fields::Fields;
use crate::kind::Kind;
use crate::shape::{Reading, Shape, table};
use crate::tree::{Node, Value};

/// A name of the zoo, the path of a file, or the thing itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Named<T> {
    /// A name, or a path.
    Name(String),
    /// The thing itself.
    Inline(Box<T>),
}

/// Whether a name is meant as the path of a file.
pub fn is_path(name: &str) -> bool {
    let ending = std::path::Path::new(name).extension();
    let is_file = ending.is_some_and(|e| ["toml", "json", "csv"].iter().any(|known| e == *known));
    is_file || name.contains(['/', '\\'])
}

/// A name or a table that describes the thing.
pub(crate) const fn named<T, F: Fn(&mut Fields<'_, '_>) -> T>(read: F) -> NameOrTable<F> {
    NameOrTable { read }
}

/// See [`named`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameOrTable<F> {
    read: F,
}

impl<T, F: Fn(&mut Fields<'_, '_>) -> T> Shape for NameOrTable<F> {
    type Out = Named<T>;

    fn kind(&self) -> Kind {
        Kind::Either(vec![Kind::Text, Kind::Table(Fields::describe(&self.read))])
    }

    fn blank(&self) -> Named<T> {
        Named::Name(String::new())
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Text(_) | Value::Table(_))
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<Named<T>> {
        if let Value::Text(name) = &node.value {
            return Some(Named::Name(name.clone()));
        }
        let thing = table(&self.read).read(node, at);
        thing.map(|thing| Named::Inline(Box::new(thing)))
    }
}
