//! Real-valued quantities: seconds, floating-point operations and their rates.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use serde::{Deserialize, Serialize};

/// Defines a quantity stored as one `f64`, with the arithmetic that keeps its unit.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);

            /// The larger of two values.
            #[must_use]
            pub const fn max(self, other: Self) -> Self {
                Self(self.0.max(other.0))
            }

            /// The smaller of two values.
            #[must_use]
            pub const fn min(self, other: Self) -> Self {
                Self(self.0.min(other.0))
            }

            /// Whether the value is neither infinite nor NaN.
            pub const fn is_finite(self) -> bool {
                self.0.is_finite()
            }

            /// The order of the real numbers, with NaN last: for sorting.
            pub fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.total_cmp(&other.0)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }

        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }

        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 {
                self.0 / other.0
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
                Self(values.map(|value| value.0).sum())
            }
        }
    };
}

quantity! {
    /// A duration as a formula gives it, in seconds. A moment on the simulated clock is a
    /// [`SimTime`](crate::SimTime).
    Seconds
}

quantity! {
    /// A number of floating-point operations; a multiply-add counts two.
    Flops
}

quantity! {
    /// A rate of floating-point operations, in operations per second, dense.
    FlopsPerSec
}

quantity! {
    /// Electrical power, in watts.
    Watts
}

impl Seconds {
    /// A duration in seconds.
    pub const fn from_secs(secs: f64) -> Self {
        Self(secs)
    }

    /// A duration in microseconds.
    pub const fn from_micros(micros: f64) -> Self {
        Self(micros * 1e-6)
    }

    /// A duration in milliseconds.
    pub const fn from_millis(millis: f64) -> Self {
        Self(millis * 1e-3)
    }

    /// The duration in seconds.
    pub const fn as_secs(self) -> f64 {
        self.0
    }

    /// The duration in milliseconds.
    pub const fn as_millis(self) -> f64 {
        self.0 * 1e3
    }

    /// The duration in microseconds.
    pub const fn as_micros(self) -> f64 {
        self.0 * 1e6
    }
}

impl Flops {
    /// A count of operations.
    pub const fn new(count: f64) -> Self {
        Self(count)
    }

    /// The count of operations.
    pub const fn as_f64(self) -> f64 {
        self.0
    }
}

impl FlopsPerSec {
    /// A rate in operations per second.
    pub const fn new(per_sec: f64) -> Self {
        Self(per_sec)
    }

    /// A rate as data sheets print it, in 10¹² operations per second.
    pub const fn from_tera(tera: f64) -> Self {
        Self(tera * 1e12)
    }

    /// The rate in operations per second.
    pub const fn as_f64(self) -> f64 {
        self.0
    }

    /// The rate in 10¹² operations per second.
    pub const fn as_tera(self) -> f64 {
        self.0 / 1e12
    }
}

impl Div<FlopsPerSec> for Flops {
    type Output = Seconds;

    fn div(self, rate: FlopsPerSec) -> Seconds {
        Seconds(self.0 / rate.0)
    }
}

impl Div<Seconds> for Flops {
    type Output = FlopsPerSec;

    fn div(self, time: Seconds) -> FlopsPerSec {
        FlopsPerSec(self.0 / time.0)
    }
}

impl Watts {
    /// A power in watts.
    pub const fn new(watts: f64) -> Self {
        Self(watts)
    }

    /// The power in watts.
    pub const fn as_f64(self) -> f64 {
        self.0
    }
}
