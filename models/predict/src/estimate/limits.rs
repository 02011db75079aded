//! What a search asks of plans, and how they do not keep it.

use units::Bytes;

/// What a search asks of plans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The time of an iteration, in seconds.
    pub time: f64,
    /// Whether layers may be spread otherwise later, so that only what holds for every spread counts.
    pub any_split: bool,
    /// Share of a device's predicted use that has to be free besides.
    pub margin: f64,
}

/// Whether a device has room for what is predicted of it, and for a share of that besides.
pub fn has_room(used: Bytes, device: Bytes, margin: f64) -> bool {
    used.as_f64() * (1.0 + margin) <= device.as_f64()
}

/// How a plan exceeds limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Beyond {
    /// It takes longer, whatever its messages and its data parallelism cost.
    Time {
        /// Seconds before which no iteration of it ends.
        least_s: f64,
        /// As [`Estimate::mean_work_s`](crate::Estimate::mean_work_s).
        mean_work_s: f64,
    },
    /// It needs more memory.
    Memory {
        /// What the fullest device uses, as [`Estimate::device_used`](crate::Estimate::device_used).
        used: Bytes,
        /// That device's memory.
        device: Bytes,
        /// As [`Estimate::mean_state`](crate::Estimate::mean_state).
        mean_state: Bytes,
        /// As [`Estimate::mean_work_s`](crate::Estimate::mean_work_s).
        mean_work_s: f64,
    },
}
