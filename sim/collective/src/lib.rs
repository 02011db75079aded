//! Schedules and closed forms of collective operations.
