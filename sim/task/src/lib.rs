//! The task graph of a run, stored once per class of ranks.
//!
//! ```text
//! Program ── blocks      what one action of a schedule does: forward of a chunk, optimizer, ..
//!    └─ Block ── steps    ordered per stream, with dependencies inside the block
//! Fragment                one execution of a block: (block, micro-batch, stage)
//! Lane                    one simulated member of a class: a program, and what its slots mean
//! ```
//!
//! A program speaks of communicators and channels by **slot**; a lane binds slots to groups and
//! channels. So a thousand replicas share one program and differ in a few integers each, and
//! nothing of the size ranks × tasks is ever built. Deliberately absent: time. A fragment is
//! handed to the engine no later than it is needed.

mod lane;
mod program;

pub use lane::{Channel, Group, LaneSetup, Lanes, SendPrice};
pub use program::{
    Block, BlockId, Effect, Fragment, MemoryEffect, Program, Signal, Slot, Step, StepId, Work,
};
