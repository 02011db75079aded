//! What can stop a run.

use network::NetworkError;
use units::{Interrupted, TimeOverflow};

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum EngineError {
    #[error(transparent)]
    Overflow(#[from] TimeOverflow),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("the network engine failed: {0}")]
    Network(#[from] NetworkError),
    #[error(
        "the run is stuck at {at_secs} s: {lane} waits in {block} for {step}, which nothing will release"
    )]
    Deadlock {
        at_secs: f64,
        lane: String,
        block: String,
        step: String,
    },
    #[error("{lane} asks for block {block}, but its program has {n_blocks}")]
    UnknownBlock {
        lane: String,
        block: u32,
        n_blocks: usize,
    },
}

impl EngineError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Deadlock { .. } => Some(
                "a schedule that waits for itself; `Schedule::check` names its first offending action",
            ),
            Self::Overflow(_) => {
                Some("simulate fewer micro-batches, or correct a rate that is close to zero")
            }
            _ => None,
        }
    }
}
