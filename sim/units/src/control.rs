//! Watching and stopping long work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A cancel flag and a progress counter, shared between a front end and an engine, solver or
/// search. Work asks [`Control::check`] at its safe points.
#[derive(Debug, Default)]
pub struct Control {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    items_done: AtomicU64,
    items_total: AtomicU64,
}

/// The work was cancelled through its [`Control`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

impl Control {
    /// A control that nobody has touched.
    pub const fn new() -> Self {
        Self {
            cancelled: AtomicBool::new(false),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            items_done: AtomicU64::new(0),
            items_total: AtomicU64::new(0),
        }
    }

    /// Asks the work to stop at its next safe point.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked the work to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// A safe point: goes on, or stops with [`Interrupted`].
    ///
    /// # Errors
    ///
    /// [`Interrupted`] once [`Control::cancel`] was called.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.is_cancelled() {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }

    /// Forgets all progress, where another piece of work begins under the same control.
    pub fn forget_progress(&self) {
        for counter in [&self.done, &self.total, &self.items_done, &self.items_total] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// Says how many units of work there are; 0 where nobody knows.
    pub fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Counts finished units of work.
    pub fn advance(&self, units: u64) {
        self.done.fetch_add(units, Ordering::Relaxed);
    }

    /// Finished units and all units.
    pub fn progress(&self) -> (u64, u64) {
        (
            self.done.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
        )
    }

    /// Says how many items a batch has, such as rows; each is work with units of its own.
    pub fn set_items(&self, total: u64) {
        self.items_total.store(total, Ordering::Relaxed);
    }

    /// Counts an item of the batch as finished.
    pub fn finish_item(&self) {
        self.items_done.fetch_add(1, Ordering::Relaxed);
    }

    /// Finished items and all items; 0 and 0 where the work is no batch.
    pub fn items(&self) -> (u64, u64) {
        (
            self.items_done.load(Ordering::Relaxed),
            self.items_total.load(Ordering::Relaxed),
        )
    }
}
