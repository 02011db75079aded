//! Memory that no tensor explains: a few constants, fitted on measured peaks.
//!
//! ```text
//! tables ──rows──▶ Row: scenario, bytes, class, group ──fit──▶ Constants with their intervals
//!                                                        └──▶ errors of groups that were left out
//! ```
//!
//! Peaks are compared like with like: the allocator's largest rank, its last rank, or the device's
//! memory in use. Everything that a tensor explains is predicted and has no constant here. Rows
//! that stand apart are reported and never fitted.

mod constants;
mod error;
mod fitting;
mod left_out;
mod margin;
mod report;
mod rows;

pub use constants::{Constant, Constants};
pub use error::MemoryError;
pub use fitting::{Fitted, error_as_shipped, fit_memory};
pub use left_out::left_out_csv;
pub use margin::margin_toml;
pub use report::{Summary, constants_text, differences, summaries, summaries_text};
pub use rows::{Class, Row, rows};
