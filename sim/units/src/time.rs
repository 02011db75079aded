//! The simulated clock.

use serde::{Deserialize, Serialize};

use crate::Seconds;

/// A moment on the simulated clock, in whole picoseconds from its start; at most 213 days.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SimTime(u64);

/// The simulated clock ran past its range of 213 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulated time passes 213 days, the range of the clock")]
pub struct TimeOverflow;

impl SimTime {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// The end of the clock's range.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment that many picoseconds from the start.
    pub const fn from_picos(picos: u64) -> Self {
        Self(picos)
    }

    /// Picoseconds from the start.
    pub const fn as_picos(self) -> u64 {
        self.0
    }

    /// The duration from the start.
    pub fn as_seconds(self) -> Seconds {
        Seconds::from_secs(self.0 as f64 * 1e-12)
    }

    /// The moment `delay` later, rounded up to a whole picosecond. This is the only place where
    /// a formula's time is rounded. A negative delay counts as none.
    ///
    /// # Errors
    ///
    /// [`TimeOverflow`] where the sum leaves the range, or the delay is not finite.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked on the line before"
    )]
    pub fn after(self, delay: Seconds) -> Result<Self, TimeOverflow> {
        let picos = (delay.as_secs() * 1e12).ceil().max(0.0);
        if !delay.is_finite() || (u64::MAX as f64) <= picos {
            return Err(TimeOverflow);
        }
        self.0
            .checked_add(picos as u64)
            .map(Self)
            .ok_or(TimeOverflow)
    }

    /// The duration since an earlier moment; nothing if that moment lies later.
    pub fn since(self, earlier: Self) -> Seconds {
        Seconds::from_secs(self.0.saturating_sub(earlier.0) as f64 * 1e-12)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_goes_up_and_overflow_is_an_error() {
        let one = SimTime::ZERO.after(Seconds::from_secs(0.1e-12)).unwrap();
        assert_eq!(one.as_picos(), 1);
        assert_eq!(
            SimTime::ZERO.after(Seconds::from_secs(2e7)),
            Err(TimeOverflow)
        );
        assert_eq!(
            SimTime::ZERO.after(Seconds::from_secs(f64::NAN)),
            Err(TimeOverflow)
        );
        assert_eq!(
            SimTime::MAX.after(Seconds::from_secs(1e-12)),
            Err(TimeOverflow)
        );
    }
}
