//! Parallel plans: degrees, pipeline schedules, placement of ranks, memory.

mod axis;
pub mod classes;
pub mod ranks;
pub mod schedule;

pub use axis::Axis;
