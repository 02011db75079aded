//! Amounts of data and the rates at which they move.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Seconds;

/// An amount of data, in bytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(u64);

impl Bytes {
    /// No data.
    pub const ZERO: Self = Self(0);

    /// An amount in bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// An amount from a formula, in bytes, rounded to the nearest whole byte; negative values
    /// and NaN give zero, values past `u64::MAX` the largest amount.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the saturating cast is the documented behaviour"
    )]
    pub fn from_f64(bytes: f64) -> Self {
        Self(bytes.round() as u64)
    }

    /// An amount in units of 2³⁰ bytes.
    pub fn from_gib(gib: f64) -> Self {
        Self::from_f64(gib * 1_073_741_824.0)
    }

    /// The amount in bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The amount in bytes, for formulas.
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// The amount in units of 2³⁰ bytes.
    pub const fn as_gib(self) -> f64 {
        self.0 as f64 / 1_073_741_824.0
    }

    /// The difference, or nothing where `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The amount times a real factor, rounded to the nearest byte.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Self::from_f64(self.0 as f64 * factor)
    }
}

impl fmt::Display for Bytes {
    /// Binary units with three significant digits: `79.6 GiB`, `512 MiB`, `17 B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while 1023.5 <= value && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let digits = if 99.95 <= value || value.fract() == 0.0 {
            0
        } else {
            1 + usize::from(value < 9.995)
        };
        write!(f, "{value:.digits$} {}", UNITS[unit])
    }
}

impl Add for Bytes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Bytes {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul<u64> for Bytes {
    type Output = Self;
    fn mul(self, factor: u64) -> Self {
        Self(self.0 * factor)
    }
}

impl Div<u64> for Bytes {
    type Output = Self;

    /// An equal share, rounded up: the largest of `divisor` shards.
    fn div(self, divisor: u64) -> Self {
        Self(self.0.div_ceil(divisor))
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        Self(values.map(|value| value.0).sum())
    }
}

/// A data rate in one direction, in bytes (not bits) per second. Invariant: finite and positive.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct BytesPerSec(f64);

impl<'de> Deserialize<'de> for BytesPerSec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rate = f64::deserialize(deserializer)?;
        Self::new(rate).ok_or_else(|| D::Error::custom("a rate must be finite and positive"))
    }
}

impl BytesPerSec {
    /// A rate in bytes per second; `None` unless finite and positive.
    pub fn new(bytes_per_sec: f64) -> Option<Self> {
        (bytes_per_sec.is_finite() && 0.0 < bytes_per_sec).then_some(Self(bytes_per_sec))
    }

    /// Reads a rate as data sheets print it, in decimal gigabits; `None` unless finite and positive.
    pub fn from_gbits(gbits: f64) -> Option<Self> {
        Self::new(gbits * 1e9 / 8.0)
    }

    /// A rate in decimal gigabytes; `None` unless finite and positive.
    pub fn from_gbytes(gbytes: f64) -> Option<Self> {
        Self::new(gbytes * 1e9)
    }

    /// The rate in bytes per second.
    pub const fn as_f64(self) -> f64 {
        self.0
    }

    /// The rate in decimal gigabytes per second.
    pub const fn as_gbytes(self) -> f64 {
        self.0 / 1e9
    }

    /// The rate in decimal gigabits per second.
    pub const fn as_gbits(self) -> f64 {
        self.0 * 8.0 / 1e9
    }

    /// The smaller of two rates.
    #[must_use]
    pub const fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The larger of two rates.
    #[must_use]
    pub const fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The rate times a factor; `None` unless the product is finite and positive.
    pub fn scale(self, factor: f64) -> Option<Self> {
        Self::new(self.0 * factor)
    }
}

impl Div<BytesPerSec> for Bytes {
    type Output = Seconds;

    fn div(self, rate: BytesPerSec) -> Seconds {
        Seconds::from_secs(self.0 as f64 / rate.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_sheet_rate_is_decimal_and_in_bits() {
        let rate = BytesPerSec::from_gbits(400.0).unwrap();
        assert_eq!(rate, BytesPerSec::new(50e9).unwrap());
        assert_eq!(Bytes::new(100_000_000_000) / rate, Seconds::from_secs(2.0));
        assert_eq!(BytesPerSec::from_gbits(f64::NAN), None);
        assert_eq!(BytesPerSec::new(0.0), None);
    }

    #[test]
    fn amounts_print_with_three_digits() {
        let shown = |bytes| Bytes::new(bytes).to_string();
        assert_eq!(shown(17), "17 B");
        assert_eq!(shown(512 << 20), "512 MiB");
        assert_eq!(shown((80u64 << 30) - (400 << 20)), "79.6 GiB");
        assert_eq!(shown((1 << 30) - 1), "1.00 GiB");
    }

    #[test]
    fn a_share_is_the_largest_shard() {
        assert_eq!(Bytes::new(10) / 4, Bytes::new(3));
    }
}
