//! The one entry point: a scenario's values in, a prediction out.
//!
//! ```text
//! Scenario ──lower──▶ programs, lanes ──engine + network──▶ totals, trace ──▶ Prediction
//!     └──────────────────── estimate: closed forms of the same blocks ────────────▲
//! ```

mod beside;
mod closed_form;
mod error;
mod estimate;
mod facts;
mod links;
mod memory;
mod nccl;
mod outcome;
mod plan_json;
mod prediction;
mod rates;
mod scenario;
mod simulate;
mod sources;
mod together;

pub use beside::JobTime;
pub use closed_form::{doubted, formulas, rehearsed, rehearsed_since};
pub use error::PredictError;
pub use estimate::{
    Beyond, Doubt, Estimate, Estimator, LayerCosts, Limits, PieceCost, StageCosts, StageTime,
    has_room,
};
pub use facts::{CommunicationFact, Facts};
pub use links::{LinkClass, LinkLoad, Links};
pub use lower::KernelFact;
pub use prediction::{Assumed, Breakdown, ClassMemory, Prediction, SCHEMA, Sources, Table};
pub use scenario::{Beside, Engine, Fabric, Prices, Repeated, Scenario, Settings};
pub use simulate::{Outcome, Record, predict, predict_links};
