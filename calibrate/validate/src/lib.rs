//! Predicted against measured.
//!
//! ```text
//! Table ──runs──▶ drafts ──scenario──▶ Scenario ──predict──▶ Prediction
//!                                                   └─compared like with like─▶ Row
//! Rows ──group──▶ count, MAPE, median, p90, bias, rank correlation, regret, confusion of memory
//!      ──accuracy──▶ the accuracy report: text and figures
//! ```
//!
//! Every row appears, once for each quantity that it measured: one that cannot be predicted is
//! counted and says why.

mod accuracy;
mod cell;
mod document;
mod facts;
mod group;
mod kind;
mod rank;
mod row;
mod scenario;
#[cfg(test)]
mod tests;
mod worst;

pub use accuracy::{Fit, Page, accuracy, explains};
pub use document::{Document, RowEntry};
pub use facts::Facts;
pub use group::{Confusion, Group, group_of_all, groups, quantile};
pub use kind::{Kind, Label};
pub use rank::spearman;
pub use row::{Compared, Row, Run, memory, run, run_as, unpredicted};
pub use scenario::{Chosen, NotChosen, Settings, choose, choose_row, scenario_of};
pub use worst::{Worst, furthest_off};
