//! Parallel plans: degrees, pipeline schedules, placement of ranks, memory.

pub mod schedule;
