//! The discrete-event engine: lanes run fragments that a driver hands in, while a network
//! engine carries what leaves a scale-up domain.
//!
//! ```text
//!           fragments            steps start when their stream, their dependencies,
//! Driver ──────────────▶ lanes   their signals and their peers are ready
//!    ▲                     │ ▲
//!    └── finished ─────────┘ └── event queue (time, order of insertion) + Network::next_event
//! ```
//!
//! Invariants: time never goes back; ties break by order of insertion; each instant of each
//! lane counts for exactly one category or as idle, so that the totals of a lane sum to the
//! end of the run in picoseconds. Deliberately absent: threads, clocks and global state.

mod account;
mod code;
mod compute;
mod contention;
mod driver;
mod error;
mod jitter;
mod lane;
mod message;
mod pricing;
mod queue;
mod record;
mod rendezvous;
mod run;
mod simulation;
mod start;
mod transfers;

pub use account::{LaneTotals, MemoryPeak};
pub use contention::Contention;
pub use driver::{Driver, Lists};
pub use error::EngineError;
pub use pricing::{Phase, Pricing};
pub use run::{Options, Run, run};
