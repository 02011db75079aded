//! The window of time that is seen, in whole picoseconds.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use units::SimTime;

use crate::round::{picos, shift};

/// The shortest time that fills the window, in picoseconds: one nanosecond.
const SHORTEST: u64 = 1_000;

/// The window of time that is seen.
///
/// Invariant: it lies between 0 and the end of the run, and lasts a nanosecond at least where
/// the run does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Camera {
    start: u64,
    span: u64,
}

impl Camera {
    /// The whole run.
    pub fn whole(end: SimTime) -> Self {
        Self {
            start: 0,
            span: end.as_picos().max(1),
        }
    }

    /// A window of some picoseconds from a moment on, moved and cut so that it lies within the run.
    pub fn new(start: u64, span: u64, end: SimTime) -> Self {
        let end = end.as_picos().max(1);
        let span = span.clamp(shortest(end), end);
        Self {
            start: start.min(end - span),
            span,
        }
    }

    /// A window that lies within a run as it is: one between two that do.
    pub(crate) const fn within(start: u64, span: u64) -> Self {
        Self { start, span }
    }

    /// A stretch of time in the middle of the window, of which it fills a share.
    pub fn around(stretch: Range<SimTime>, share: f64, end: SimTime) -> Self {
        let (from, to) = (stretch.start.as_picos(), stretch.end.as_picos().max(1));
        let length = to.saturating_sub(from).max(1);
        let end_picos = end.as_picos().max(1);
        let span = picos(length as f64 / share).clamp(shortest(end_picos), end_picos);
        let before = span.saturating_sub(length) / 2;
        Self::new(from.saturating_sub(before), span, end)
    }

    /// The beginning.
    pub const fn start(self) -> SimTime {
        SimTime::from_picos(self.start)
    }

    /// The end.
    pub const fn end(self) -> SimTime {
        SimTime::from_picos(self.start + self.span)
    }

    /// Its length in picoseconds.
    pub const fn span(self) -> u64 {
        self.span
    }

    /// The window as a range.
    pub const fn window(self) -> Range<SimTime> {
        self.start()..self.end()
    }

    /// The moment at a share of the window: 0 is its left and 1 its right edge.
    pub fn time_at(self, share: f64) -> SimTime {
        SimTime::from_picos(shift(self.start, share * self.span as f64))
    }

    /// Where in the window a moment lies: 0 is its left and 1 its right edge.
    pub fn share_of(self, time: SimTime) -> f64 {
        let from_start = i128::from(time.as_picos()) - i128::from(self.start);
        from_start as f64 / self.span.max(1) as f64
    }

    /// Shows a time that is `factor` times shorter, with one moment at the same place.
    #[must_use]
    pub fn zoomed(self, about: SimTime, factor: f64, end: SimTime) -> Self {
        let share = self.share_of(about).clamp(0.0, 1.0);
        let end_picos = end.as_picos().max(1);
        let span = picos(self.span as f64 / factor).clamp(shortest(end_picos), end_picos);
        let start = shift(self.time_at(share).as_picos(), -share * span as f64);
        Self::new(start, span, end)
    }

    /// Moves by a share of its length; to the right where that is positive.
    #[must_use]
    pub fn panned(self, share: f64, end: SimTime) -> Self {
        Self::new(shift(self.start, share * self.span as f64), self.span, end)
    }

    /// Moves so that a stretch is seen; stays where it is seen already, and where it is longer
    /// than the window shows its beginning.
    #[must_use]
    pub fn revealing(self, stretch: Range<SimTime>, end: SimTime) -> Self {
        let seen = self.start() <= stretch.start && stretch.end <= self.end();
        if seen {
            return self;
        }
        let length = stretch
            .end
            .as_picos()
            .saturating_sub(stretch.start.as_picos());
        let before = self.span.saturating_sub(length) / 2;
        Self::new(
            stretch.start.as_picos().saturating_sub(before),
            self.span,
            end,
        )
    }
}

/// The shortest window of a run: where runs last for months, columns of pixels must still have
/// whole numbers that a double holds.
fn shortest(end: u64) -> u64 {
    SHORTEST.max(end >> 40).min(end)
}
