//! Network workloads: which bytes go where, after what, and when they arrive.
//!
//! A workload is a list of flows between hosts of a [`cluster::Topology`]. A flow is released at
//! its start or when all flows that it waits for have ended, whichever is later.

mod balance;
mod collective;
mod flows;
mod orbits;
mod packets;
mod program;
mod run;
mod schedule;
mod split;
mod way;

pub use balance::{Balanced, Policy, balance, congestion, sprayed_loads};
pub use collective::{Kind, collective};
pub use flows::{Flow, FlowId, Flows, FlowsError, Followers};
pub use orbits::run_folded;
pub use packets::{PacketOutcome, run_packets};
pub use program::{Program, Route, Stream, Wait};
pub use run::{Outcome, RunError, run};
pub use schedule::{Keep, Times};
pub use split::{Piece, Split, split};
pub use way::crossed;
