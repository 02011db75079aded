//! The closed form: an iteration without events, for searches and sliders.
//!
//! ```text
//! pieces ──run alone, once each──▶ seconds, bytes     (the operators and prices of the engines)
//! stages = sums over pieces ──schedule's closed form──▶ pipeline
//! pipeline + what data parallelism leaves exposed + optimizer ──▶ Estimate
//! ```
//!
//! Exact where the engines are simple: sums of passes, 1F1B and every replayed schedule on equal
//! hops. Approximate where work of different kinds meets: overlap of gradient reduction and
//! parameter gathers, host time beside the GPU, sharded weights.
//! Where that may matter an estimate carries a doubt, and its rehearsal, a shortened iteration on the
//! analytic engine, takes the formulas' place ([`Estimator::rehearsed`]).

mod account;
mod doubt;
mod epilogue;
mod estimator;
mod hops;
mod layer_costs;
mod levels;
mod limits;
mod memory;
mod pipeline;
mod rehearsal;
mod shapes;
mod sheet;
mod stage;
mod stage_costs;
mod stage_time;
mod sync;
mod waits;
mod work;

pub use doubt::Doubt;
pub use estimator::{Estimate, Estimator};
pub use layer_costs::{LayerCosts, PieceCost};
pub use limits::{Beyond, Limits, has_room};
pub(crate) use memory::StagePeak;
pub(crate) use rehearsal::{Rehearsal, rehearse};
pub use stage_costs::StageCosts;
pub use stage_time::StageTime;
