//! Levels over time with their maxima, for memory and links.

use std::ops::Range;

use trace::{LinkTrack, MemoryLevel};

const FACTOR: usize = 16;

/// A level that holds from moments on, and the maxima that make its drawing fast.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    times: Vec<u64>,
    values: Vec<f64>,
    maxima: Vec<Vec<f64>>,
    most: f64,
}

impl Counter {
    /// Levels in order of time, in picoseconds.
    pub fn new(levels: impl IntoIterator<Item = (u64, f64)>) -> Self {
        let (times, values): (Vec<_>, Vec<_>) = levels.into_iter().unzip();
        let mut maxima: Vec<Vec<f64>> = Vec::new();
        loop {
            let below = maxima.last().unwrap_or(&values);
            if below.len() <= FACTOR {
                break;
            }
            let above = below.chunks(FACTOR).map(greatest).collect();
            maxima.push(above);
        }
        let most = greatest(maxima.last().unwrap_or(&values));
        Self {
            times,
            values,
            maxima,
            most,
        }
    }

    /// The bytes that a lane holds.
    pub(crate) fn of_memory(levels: &[MemoryLevel]) -> Self {
        let levels = levels.iter();
        Self::new(levels.map(|level| (level.time.as_picos(), level.total().as_f64())))
    }

    /// The share of its rate that a link carries. Packets count whole when they begin, so that a short
    /// while may hold more than fits; it counts as full.
    pub(crate) fn of_link(track: &LinkTrack) -> Self {
        let rate = track.rate.as_f64();
        let levels = track.levels.iter();
        Self::new(levels.map(|level| {
            let sum: f64 = level.rates.iter().sum();
            (level.time.as_picos(), (sum / rate).min(1.0))
        }))
    }

    /// How many levels there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The highest level.
    pub fn most(&self) -> f64 {
        self.most
    }

    /// The level at a moment, in picoseconds; 0 before the first.
    pub fn at(&self, time: u64) -> f64 {
        let next = self.times.partition_point(|&start| start <= time);
        next.checked_sub(1).map_or(0.0, |at| self.values[at])
    }

    /// The highest level that holds somewhere in a window.
    pub fn most_in(&self, window: Range<u64>) -> f64 {
        let from = self.times.partition_point(|&start| start <= window.start);
        let to = self.times.partition_point(|&start| start < window.end);
        let first = from.saturating_sub(1);
        self.greatest_of(first, to.max(from))
    }

    fn greatest_of(&self, mut from: usize, mut to: usize) -> f64 {
        let mut most: f64 = 0.0;
        let mut level = &self.values;
        let mut above = self.maxima.iter();
        loop {
            let next = above.next();
            while from < to && (next.is_none() || !from.is_multiple_of(FACTOR)) {
                most = most.max(level[from]);
                from += 1;
            }
            while from < to && !to.is_multiple_of(FACTOR) {
                to -= 1;
                most = most.max(level[to]);
            }
            let (Some(next), true) = (next, from < to) else {
                return most;
            };
            level = next;
            (from, to) = (from / FACTOR, to / FACTOR);
        }
    }
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}
