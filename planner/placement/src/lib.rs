//! Which server gets which place of a plan, and how far from the best that can be.
//!
//! A plan has `pp` stages and `q` replicas: `q × pp` places, each of which takes one server.
//! Measured links differ by some percent from pair to pair and by direction, so the order in which
//! servers fill the places matters.
//!
//! ```text
//! order   o[0] o[1] … o[pp−1] | o[pp] … o[2pp−1] | …      place d·pp + s is stage s of pipeline d
//!            └──hop──┘            data-parallel ring of stage s: o[s], o[pp+s], o[2pp+s], … and back
//! ```
//!
//! [`Cost`] is what an order costs: [`Pipette`]'s objective as published, or [`Iteration`], the time
//! of a whole iteration of 1F1B with the rings of every stage; [`Layout`] is that where stages share
//! a node or span several, or some nodes are spare; [`Worst`] is the worst of several, for
//! links that drift. [`place`] finds an order: the given one where a bound shows that no other
//! is better, a proven one where the problem is small, and otherwise the best of many annealing
//! runs, always with a lower bound.
//!
//! Deliberately absent: which ranks share a server, which [`Layout`] is told, and how a measured
//! matrix came about.

mod anneal;
mod bound;
mod cost;
mod error;
mod exact;
mod generate;
mod iteration;
mod layout;
mod links;
mod moves;
mod pipeline;
mod pipette;
mod place;
mod read;
mod worst;

pub use anneal::{Effort, Progress};
pub use cost::{Cost, Walk};
pub use error::PlacementError;
pub use generate::{Spread, drifted, generated};
pub use iteration::{Iteration, IterationSpec, IterationWalk};
pub use layout::{Curve, Group, Layout, LayoutSpec, LayoutWalk, Message, PipelineLayout};
pub use links::{Bandwidth, Links};
pub use moves::Move;
pub use pipeline::{Pipeline, PipelineScratch};
pub use pipette::{Pipette, PipetteSpec, PipetteWalk};
pub use place::{Placement, place};
pub use read::{Snapshot, parse_matrix, parse_snapshots};
pub use worst::{Worst, WorstWalk};
