//! Parallel plans: how a job is spread over a cluster.
//!
//! ```text
//! PlanSpec --check(job, cluster)--> Plan + assumptions
//!                                    |-- ranks(): coordinates and groups, gpu_of(rank)
//!                                    |-- classes(cluster): ranks that behave alike
//!                                    |-- stages(), schedule(): what each device runs, in order
//!                                    |-- sharding(..): how a block is cut on each rank
//!                                    +-- StateBytes::on_rank: weights, gradients, optimizer
//! ```
//!
//! A [`Plan`] has passed every check that needs no simulation. Deliberately absent: times and
//! activations, which follow from operators and a run.

mod check;
pub mod classes;
mod divisors;
mod error;
mod field;
mod group;
mod offers;
mod place;
mod plan;
pub mod ranks;
pub mod schedule;
mod shape;
pub mod shard;
pub mod spec;
pub mod split;
pub mod state;

pub use classes::Classes;
pub use divisors::{common_divisor, divisors};
pub use error::PlanError;
pub use field::PlanField;
pub use group::Group;
pub use offers::{Offers, ShardKind};
pub use plan::{Assumption, Checked, Overlap, Plan, PlannedSchedule, RecomputePolicy};
pub use ranks::{Coord, Degrees, RankOrder, Ranks};
pub use schedule::{Action, ActionKind, Schedule, ScheduleKind};
pub use shard::{ShardLevel, Sharded, Shards};
pub use spec::{
    ExpertPlacement, MoeSpec, Offload, OffloadTarget, OverlapSpec, PlanSpec, RecomputeSpec, Routing,
};
pub use split::{LayerSplit, StageContent};
pub use state::{StateBytes, StateParts, gather_buffers};
pub use workload::ops::Axis;
