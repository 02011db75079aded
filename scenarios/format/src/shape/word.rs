//! Strings, switches and anything: values that are taken as they stand.

use super::{Reading, Shape};
use crate::error::Problem;
use crate::kind::Kind;
use crate::tree::{Node, Value};

/// Any string.
pub fn text() -> Text {
    Text
}

/// See [`text`].
#[derive(Clone, Copy, Debug)]
pub struct Text;

impl Shape for Text {
    type Out = String;

    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn blank(&self) -> String {
        String::new()
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Text(_))
    }

    fn read(&self, node: &Node, _: &mut Reading<'_>) -> Option<String> {
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// `true` or `false`.
pub fn boolean() -> Boolean {
    Boolean
}

/// See [`boolean`].
#[derive(Clone, Copy, Debug)]
pub struct Boolean;

impl Shape for Boolean {
    type Out = bool;

    fn kind(&self) -> Kind {
        Kind::Boolean
    }

    fn blank(&self) -> bool {
        false
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Boolean(_))
    }

    fn read(&self, node: &Node, _: &mut Reading<'_>) -> Option<bool> {
        match node.value {
            Value::Boolean(value) => Some(value),
            _ => None,
        }
    }
}

/// One of several strings, each with what it means.
pub fn one_of<T: Copy>(options: Vec<(&'static str, T)>) -> OneOf<T> {
    OneOf { options }
}

/// See [`one_of`]. Invariant: there is at least one option.
#[derive(Clone, Debug)]
pub struct OneOf<T> {
    options: Vec<(&'static str, T)>,
}

impl<T: Copy> Shape for OneOf<T> {
    type Out = T;

    fn kind(&self) -> Kind {
        Kind::OneOf(
            self.options
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect(),
        )
    }

    fn blank(&self) -> T {
        self.options[0].1
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Text(_))
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<T> {
        let Value::Text(text) = &node.value else {
            return None;
        };
        let option = self.options.iter().find(|(name, _)| name == text);
        if option.is_none() {
            let problem = Problem::NotOneOf {
                field: at.field.clone(),
                found: text.clone(),
                options: self
                    .options
                    .iter()
                    .map(|(name, _)| (*name).to_owned())
                    .collect(),
            };
            at.report(node, problem);
        }
        option.map(|(_, value)| *value)
    }
}

/// Any value, as it stands in the file.
pub const fn any() -> AnyValue {
    AnyValue
}

/// See [`any`].
#[derive(Clone, Copy, Debug)]
pub struct AnyValue;

impl Shape for AnyValue {
    type Out = Value;

    fn kind(&self) -> Kind {
        Kind::Any
    }

    fn blank(&self) -> Value {
        Value::Boolean(false)
    }

    fn accepts(&self, _: &Value) -> bool {
        true
    }

    fn read(&self, node: &Node, _: &mut Reading<'_>) -> Option<Value> {
        Some(node.value.clone())
    }
}
