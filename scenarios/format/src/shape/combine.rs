//! Shapes made of others.

use super::{Reading, Shape, shown};
use crate::error::Problem;
use crate::kind::Kind;
use crate::tree::{Node, Value};

/// The first shape where its type fits, else the second.
pub const fn either<A: Shape, B: Shape<Out = A::Out>>(first: A, second: B) -> Either<A, B> {
    Either { first, second }
}

/// See [`either`].
#[derive(Clone, Copy, Debug)]
pub struct Either<A, B> {
    first: A,
    second: B,
}

impl<A: Shape, B: Shape<Out = A::Out>> Shape for Either<A, B> {
    type Out = A::Out;

    fn kind(&self) -> Kind {
        let mut kinds = Vec::new();
        for kind in [self.first.kind(), self.second.kind()] {
            match kind {
                Kind::Either(inner) => kinds.extend(inner),
                kind => kinds.push(kind),
            }
        }
        Kind::Either(kinds)
    }

    fn blank(&self) -> Self::Out {
        self.first.blank()
    }

    fn accepts(&self, value: &Value) -> bool {
        self.first.accepts(value) || self.second.accepts(value)
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<Self::Out> {
        if self.first.accepts(&node.value) {
            self.first.read(node, at)
        } else {
            self.second.read(node, at)
        }
    }
}

/// A shape whose value is turned into another.
pub const fn mapped<S: Shape, T, F: Fn(S::Out) -> T>(shape: S, turn: F) -> Mapped<S, F> {
    Mapped { shape, turn }
}

/// See [`mapped`].
#[derive(Clone, Copy, Debug)]
pub struct Mapped<S, F> {
    shape: S,
    turn: F,
}

impl<S: Shape, T, F: Fn(S::Out) -> T> Shape for Mapped<S, F> {
    type Out = T;

    fn kind(&self) -> Kind {
        self.shape.kind()
    }

    fn blank(&self) -> T {
        (self.turn)(self.shape.blank())
    }

    fn accepts(&self, value: &Value) -> bool {
        self.shape.accepts(value)
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<T> {
        self.shape.read(node, at).map(&self.turn)
    }
}

/// A shape whose value is checked, or turned into another that not every value has.
pub const fn checked<S: Shape, T, F>(shape: S, blank: fn() -> T, turn: F) -> Checked<S, T, F>
where
    F: Fn(S::Out) -> Result<T, String>,
{
    Checked { shape, blank, turn }
}

/// See [`checked`]. The text of a refusal says what was expected.
#[derive(Clone, Copy, Debug)]
pub struct Checked<S, T, F> {
    shape: S,
    blank: fn() -> T,
    turn: F,
}

impl<S: Shape, T, F: Fn(S::Out) -> Result<T, String>> Shape for Checked<S, T, F> {
    type Out = T;

    fn kind(&self) -> Kind {
        self.shape.kind()
    }

    fn blank(&self) -> T {
        (self.blank)()
    }

    fn accepts(&self, value: &Value) -> bool {
        self.shape.accepts(value)
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<T> {
        match (self.turn)(self.shape.read(node, at)?) {
            Ok(value) => Some(value),
            Err(expected) => {
                let problem = Problem::WrongType {
                    field: at.field.clone(),
                    found: shown(node),
                    expected,
                };
                at.report(node, problem);
                None
            }
        }
    }
}
