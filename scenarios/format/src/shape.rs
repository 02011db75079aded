//! Shapes: how a TOML value becomes a Rust value, and how a JSON Schema describes it.
//!
//! A shape is the one place that says what a field holds. Shapes are combined: a list of rates
//! is `list(rate())`, a name or a table is `either(text(), table(fabric))`.

mod collection;
mod combine;
mod number;
mod word;

pub use collection::{Array, List, MapOf, TableOf, array, list, map, table};
pub use combine::{Checked, Either, Mapped, checked, either, mapped};
pub use number::{
    Integer, Measure, Number, Whole, duration, number, rate, size, whole, whole_within,
};
pub use word::{AnyValue, Boolean, OneOf, Text, any, boolean, one_of, text};

use crate::error::{Failure, Problem, push};
use crate::kind::Kind;
use crate::tree::{Node, Value};

/// How a value is read and described.
pub trait Shape {
    /// What it becomes.
    type Out;

    /// What the value may be, for messages and the schema.
    fn kind(&self) -> Kind;

    /// A value to go on with where the file has none or a wrong one; it never leaves a read that
    /// failed.
    fn blank(&self) -> Self::Out;

    /// Whether a value has the right TOML type.
    fn accepts(&self, value: &Value) -> bool;

    /// Reads a value of the right type; `None` after a problem was reported.
    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<Self::Out>;
}

/// Where a read is, and what was wrong so far.
#[derive(Debug)]
pub struct Reading<'e> {
    /// The field, as a path of keys.
    pub field: String,
    /// What was wrong so far.
    pub failures: &'e mut Vec<Failure>,
}

impl Reading<'_> {
    /// Reports a problem with a value.
    pub fn report(&mut self, node: &Node, problem: Problem) {
        push(
            self.failures,
            Failure {
                problem,
                field: self.field.clone(),
                place: Some(node.place.clone()),
            },
        );
    }

    /// Reads a value of any type.
    pub fn read<S: Shape>(&mut self, shape: &S, node: &Node) -> Option<S::Out> {
        if shape.accepts(&node.value) {
            return shape.read(node, self);
        }
        let problem = Problem::WrongType {
            field: self.field.clone(),
            found: shown(node),
            expected: shape.kind().expected(),
        };
        self.report(node, problem);
        None
    }
}

/// A value as messages show it: itself where it is short.
fn shown(node: &Node) -> String {
    let text = node.place.text();
    match &node.value {
        Value::Array(_) | Value::Table(_) | Value::Datetime(_) => node.value.kind().to_owned(),
        _ if text.chars().count() <= 60 && !text.contains('\n') => text.to_owned(),
        _ => node.value.kind().to_owned(),
    }
}
