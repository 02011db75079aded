//! Network workloads: which bytes go where, after what, and when they arrive.
//!
//! A workload is a list of flows between hosts of a [`cluster::Topology`]. A flow is released at
//! its start or when all flows that it waits for have ended, whichever is later.

mod collective;
mod flows;
mod orbits;
mod program;
mod run;
mod way;

pub use collective::{Kind, collective};
pub use flows::{Flow, FlowId, Flows, FlowsError, Followers};
pub use orbits::run_folded;
pub use program::{Program, Route, Stream, Wait};
pub use run::{Keep, Outcome, Times, run};
