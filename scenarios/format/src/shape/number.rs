//! Numbers in their ranges, and quantities with their units.

use std::fmt::Display;
use std::marker::PhantomData;

use units::{Bytes, BytesPerSec, QuantityError, Seconds, parse_bytes, parse_rate, parse_seconds};

use super::{Reading, Shape};
use crate::error::Problem;
use crate::kind::{Kind, Limits, Quantity};
use crate::tree::{Node, Value};

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
        max: None,
        integer: PhantomData,
    }
}

/// A whole number from `min` to `max`.
pub const fn whole_within<N: Integer>(min: u32, max: u32) -> Whole<N> {
    Whole {
        min,
        max: Some(max),
        integer: PhantomData,
    }
}

/// See [`whole`].
#[derive(Clone, Copy, Debug)]
pub struct Whole<N> {
    min: u32,
    max: Option<u32>,
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
            max: self.max.map_or(N::MAX, f64::from),
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
        let max = self.max.map_or(i64::MAX, i64::from);
        let value = value.filter(|_| (i64::from(self.min)..=max).contains(&integer));
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
