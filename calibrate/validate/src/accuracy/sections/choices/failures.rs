//! Runs that ended for want of memory: would somebody have recommended them?

use runs::Quantity;

use super::super::super::markdown::{count, percent};
use crate::cell::key;
use crate::row::Row;

/// Whether `plan` would take a row's plan for one that fits, with the margin that it keeps free.
pub(super) fn has_room(row: &Row) -> bool {
    let margin = format::memory_margin().margin;
    let facts = row.facts.as_ref();
    facts.is_some_and(|facts| facts.fill * (1.0 + margin) <= 1.0)
}

/// Runs that ended for want of memory, and what a planner would have made of them.
pub(super) struct Failures {
    /// Rows.
    n: usize,
    /// Those that are predicted not to fit.
    fail: usize,
    /// Those for which, with the margin, there is no room.
    no_room: usize,
    /// Those that are predicted to fit and faster than every other plan of their cell.
    pub(super) recommended: usize,
}

impl Failures {
    pub(super) fn of(rows: &[Row]) -> Self {
        let failed = failed(rows);
        let fill = |row: &Row| row.facts.as_ref().map_or(0.0, |facts| facts.fill);
        let number = |has: &dyn Fn(&Row) -> bool| failed.iter().filter(|row| has(row)).count();
        Self {
            n: failed.len(),
            fail: number(&|row| 1.0 < fill(row)),
            no_room: number(&|row| !has_room(row)),
            recommended: recommended(rows, &with_room(&own_time)),
        }
    }

    pub(super) fn words(&self) -> String {
        if self.n == 0 {
            return "No row is reported to have run out of memory.\n".to_owned();
        }
        format!(
            "Of {} rows that are reported to have run out of memory, {} are predicted not to fit, and {} are none that `plan` would take: it keeps {} of the predicted use free. \
             Recommended counts those that have room and are predicted faster than every other plan of their cell, of whatever size.\n\n",
            count(self.n),
            count(self.fail),
            count(self.no_room),
            percent(format::memory_margin().margin),
        )
    }
}

/// Rows that are reported to have run out of memory.
fn failed(rows: &[Row]) -> Vec<&Row> {
    let failed = |row: &&Row| {
        let mut all = row.compared.iter();
        row.apart.is_none()
            && all.any(|one| one.quantity == Quantity::OutOfMemory && 0.5 < one.measured)
    };
    rows.iter().filter(failed).collect()
}

fn own_time(row: &Row) -> f64 {
    let facts = row.facts.as_ref();
    facts.map_or(f64::INFINITY, |facts| facts.iteration_time_s)
}

/// A time where there is room, else none that is finite.
pub(super) fn with_room(time: &dyn Fn(&Row) -> f64) -> impl Fn(&Row) -> f64 {
    |row| {
        if has_room(row) {
            time(row)
        } else {
            f64::INFINITY
        }
    }
}

/// Rows that ran out of memory and that somebody would recommend: no other plan of the cell, of
/// whatever size, has a smaller score, and it is finite.
pub(super) fn recommended(rows: &[Row], score: &dyn Fn(&Row) -> f64) -> usize {
    let first = |row: &&&Row| {
        let own = (key(&row.record), score(row));
        let mut others = rows.iter().filter(|other| {
            other.apart.is_none() && other.id != row.id && key(&other.record) == own.0
        });
        own.1.is_finite() && !others.any(|other| score(other) < own.1)
    };
    failed(rows).iter().filter(first).count()
}
