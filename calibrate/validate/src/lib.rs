//! Predicted against measured.
//!
//! ```text
//! Table ──runs──▶ drafts ──scenario──▶ Scenario ──predict──▶ Prediction
//!                                                   └─compared like with like─▶ Row
//! Rows ──group──▶ count, MAPE, median, p90, bias, rank correlation, confusion of memory
//! ```
//!
//! Every row appears, once for each quantity that it measured: one that cannot be predicted is
//! counted and says why.

mod group;
mod rank;
mod row;
mod scenario;

pub use group::{Confusion, Group, groups};
pub use rank::spearman;
pub use row::{Compared, Row, Run, memory, run};
pub use scenario::{Chosen, choose, choose_row};
