//! What crosses a boundary between stages.

use plan::Plan;
use units::Bytes;
use workload::Job;
use workload::ops::Sharding;

use crate::framework::Framework;

/// What crosses a boundary between stages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hop {
    /// Bytes that one rank sends.
    pub bytes: Bytes,
    /// The all-gather over tensor-parallel ranks that follows where each sends a part
    /// (Megatron-LM's scatter/gather; arXiv 2104.04473, section 4.1).
    pub gather: Option<Bytes>,
}

/// What one rank sends over a boundary between stages: a micro-batch's hidden states, cut over
/// tensor-parallel ranks where sequences are, or where the framework cuts them.
pub fn boundary(job: &Job, plan: &Plan, framework: &Framework, sharding: &Sharding) -> Hop {
    let tp = u64::from(plan.degrees().tp);
    let width = job.model.hidden() as f64 * job.precision.compute.bytes();
    let whole = Bytes::from_f64(sharding.tokens() as f64 * width);
    if tp == 1 {
        Hop {
            bytes: whole,
            gather: None,
        }
    } else if plan.sequence_parallel() {
        Hop {
            bytes: whole / tp,
            gather: None,
        }
    } else if framework.scatter_gather {
        Hop {
            bytes: whole / tp,
            gather: Some(whole),
        }
    } else {
        Hop {
            bytes: whole,
            gather: None,
        }
    }
}
