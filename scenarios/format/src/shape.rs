//! Shapes: how a TOML value becomes a Rust value, and how a JSON Schema describes it.
//!
//! A shape is the one place that says what a field holds. Shapes are combined: a list of rates
//! is `list(rate())`, a name or a table is `either(text(), table(fabric))`.

use std::fmt::Display;
use std::marker::PhantomData;

use units::{Bytes, BytesPerSec, QuantityError, Seconds, parse_bytes, parse_rate, parse_seconds};

use crate::error::{Failure, Problem, push};
use crate::fields::Fields;
use crate::kind::{Kind, Limits, Quantity};
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

/// A finite number.
pub const fn number(limits: Limits) -> Number {
    Number { limits }
}

/// See [`number`].
#[derive(Clone, Copy, Debug)]
pub struct Number {
    limits: Limits,
}

impl Shape for Number {
    type Out = f64;

    fn kind(&self) -> Kind {
        Kind::Number(self.limits)
    }

    fn blank(&self) -> f64 {
        1.0
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Integer(_) | Value::Float(_))
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<f64> {
        let value = finite(node, at)?;
        let inside = self.limits.hold(value);
        if !inside {
            out_of_range(node, at, &value, self.limits.words("a number"));
        }
        inside.then_some(value)
    }
}

fn finite(node: &Node, at: &mut Reading<'_>) -> Option<f64> {
    let value = match node.value {
        Value::Integer(value) => value as f64,
        Value::Float(value) => value,
        _ => return None,
    };
    if !value.is_finite() {
        let problem = Problem::NotFinite {
            field: at.field.clone(),
            found: value,
        };
        at.report(node, problem);
        return None;
    }
    Some(value)
}

fn out_of_range(node: &Node, at: &mut Reading<'_>, found: &dyn Display, limits: String) {
    let problem = Problem::OutOfRange {
        field: at.field.clone(),
        found: found.to_string(),
        limits,
    };
    at.report(node, problem);
}

/// A whole number of at least `min`; also `15e12`, where that is whole.
pub const fn whole<N: Integer>(min: u32) -> Whole<N> {
    Whole {
        min,
        integer: PhantomData,
    }
}

/// See [`whole`].
#[derive(Clone, Copy, Debug)]
pub struct Whole<N> {
    min: u32,
    integer: PhantomData<N>,
}

/// The whole numbers that fields hold.
pub trait Integer: TryFrom<i64> + From<u8> {
    /// The largest of them that a file can give.
    const MAX: f64;
}

impl Integer for u32 {
    const MAX: f64 = 4_294_967_295.0;
}

impl Integer for u64 {
    const MAX: f64 = f64::INFINITY;
}

impl<N: Integer> Whole<N> {
    fn limits(&self) -> Limits {
        Limits {
            max: N::MAX,
            ..Limits::at_least(f64::from(self.min))
        }
    }
}

impl<N: Integer> Shape for Whole<N> {
    type Out = N;

    fn kind(&self) -> Kind {
        Kind::Whole(self.limits())
    }

    fn blank(&self) -> N {
        N::from(1)
    }

    fn accepts(&self, value: &Value) -> bool {
        match value {
            Value::Integer(_) => true,
            Value::Float(value) => !value.is_finite() || value.fract() == 0.0,
            _ => false,
        }
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<N> {
        let integer = match node.value {
            Value::Integer(value) => value,
            _ => exact_integer(finite(node, at)?).unwrap_or(-1),
        };
        let value = N::try_from(integer).ok();
        let value = value.filter(|_| i64::from(self.min) <= integer);
        if value.is_none() {
            let found = node.place.text().to_owned();
            out_of_range(node, at, &found, self.limits().words("a whole number"));
        }
        value
    }
}

/// A float that stands for a whole number without rounding.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn exact_integer(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 9.0e18).then_some(value as i64)
}

/// A size: `"80 GiB"`, or a number of bytes.
pub fn size() -> Measure<Bytes> {
    Measure {
        quantity: Quantity::Size,
        parse: parse_bytes,
        bare: |value| {
            (0.0..9.2e18)
                .contains(&value)
                .then(|| Bytes::from_f64(value))
        },
        blank: || Bytes::ZERO,
    }
}

/// A rate in one direction: `"400 Gbit/s"`, or a number of bytes per second.
///
/// # Panics
///
/// Never.
pub fn rate() -> Measure<BytesPerSec> {
    Measure {
        quantity: Quantity::Rate,
        parse: parse_rate,
        bare: BytesPerSec::new,
        blank: || BytesPerSec::new(1.0).expect("1 is finite and positive"),
    }
}

/// A duration: `"3.5 us"`, or a number of seconds.
pub fn duration() -> Measure<Seconds> {
    Measure {
        quantity: Quantity::Duration,
        parse: parse_seconds,
        bare: |value| (0.0 <= value).then(|| Seconds::from_secs(value)),
        blank: || Seconds::ZERO,
    }
}

/// See [`size`], [`rate`] and [`duration`].
#[derive(Clone, Copy, Debug)]
pub struct Measure<T> {
    quantity: Quantity,
    parse: fn(&str) -> Result<T, QuantityError>,
    bare: fn(f64) -> Option<T>,
    blank: fn() -> T,
}

impl<T> Shape for Measure<T> {
    type Out = T;

    fn kind(&self) -> Kind {
        Kind::Quantity(self.quantity)
    }

    fn blank(&self) -> T {
        (self.blank)()
    }

    fn accepts(&self, value: &Value) -> bool {
        matches!(value, Value::Text(_) | Value::Integer(_) | Value::Float(_))
    }

    fn read(&self, node: &Node, at: &mut Reading<'_>) -> Option<T> {
        if let Value::Text(text) = &node.value {
            let read = (self.parse)(text);
            return read
                .map_err(|error| {
                    let field = at.field.clone();
                    at.report(node, Problem::Quantity { field, error });
                })
                .ok();
        }
        let value = finite(node, at)?;
        let read = (self.bare)(value);
        if read.is_none() {
            let limits = match self.quantity {
                Quantity::Rate => Limits::POSITIVE,
                Quantity::Size | Quantity::Duration => Limits::at_least(0.0),
            };
            out_of_range(node, at, &value, limits.words("a number"));
        }
        read
    }
}

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

/// See [`array`].
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
