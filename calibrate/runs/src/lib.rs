//! Measured runs: what each row of a table of runs says was configured, and what was measured.
//!
//! ```text
//! RUNS.csv ──table──▶ records ──training | megatron_ci──▶ drafts: scenarios as TOML,
//!                                                        with a named rule for each cell inferred
//!                    records ──measured──▶ seconds, bytes, "ran out of memory"
//! ```
//!
//! Whether a row belongs to `training` or to `megatron_ci` its columns say. Deliberately absent:
//! any prediction. What a rule needs to know of one (does it fit without recomputation?) its
//! caller answers.

mod draft;
mod error;
mod measured;
pub mod megatron_ci;
mod rule;
mod spelled;
mod table;
pub mod training;

pub use draft::{Assumption, Draft};
pub use error::RunsError;
pub use measured::{Measured, MemoryKind, Quantity};
pub use rule::Rule;
pub use table::{Likeness, Record, Table};
