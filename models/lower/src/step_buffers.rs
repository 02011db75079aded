//! Gradients in other formats than the one they add up in.
//!
//! ```text
//! bytes a parameter           beside the passes   in the step
//! in place                            0                0
//! Megatron-LM 2021, fp16              0                4            fp32 gradients
//! DeepSpeed, fp16                     0                4 + 4        list of fp32 copies, flattened
//! DeepSpeed, fp16, ZeRO over d        0            (2 + 4)/d        flat 16-bit shard, its fp32 copy
//! DeepSpeed, bf16 into fp32           2                0            what a backward pass leaves
//! ```
//!
//! Sources: the code that [`GradientCopies`] names. Check: BigScience's 181 B runs on 384 A100
//! (`train/tr11-176B-ml/chronicles-prequel.md`) take 35 GB more without `ZeRO`-1 than with it:
//! 15 bytes for each of the 2.3 billion parameters of the largest stage, where the optimizer's
//! states explain 9, and the copies the other 6.
//!
//! Copies of single tensors fit into blocks that the passes left to the caching allocator. Flat
//! buffers do not: they come on top of what is reserved, up to the limit, where the allocator
//! returns what it keeps before it gives up (PyTorch, `CUDACachingAllocator`, `malloc`).

use plan::Plan;
use units::{Bytes, DType};
use workload::Job;
use workload::ops::ParamCount;

use crate::framework::{Framework, GradientCopies};

/// Parameters that `DeepSpeed`'s `ZeRO`-3 updates at a time (`sub_group_size`).
const SUB_GROUP: f64 = 1e9;

/// 16-bit gradients of a rank that lie beside the fp32 ones at the end of a backward pass.
pub fn pass_gradients(job: &Job, framework: &Framework, params: &ParamCount) -> Bytes {
    let narrow = job.precision.params.bytes();
    let apart = framework.copies == GradientCopies::Flat && narrow < job.grad_dtype.bytes();
    if apart {
        Bytes::from_f64(params.trained() as f64 * narrow)
    } else {
        Bytes::ZERO
    }
}

/// What an optimizer's step takes on a rank besides the state, and gives back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepBuffers {
    /// Copies of one tensor each.
    pub loose: Bytes,
    /// Buffers of all tensors together.
    pub flat: Bytes,
}

impl StepBuffers {
    /// Both.
    pub fn total(self) -> Bytes {
        self.loose + self.flat
    }

    /// What an optimizer's step takes on a rank.
    ///
    /// * `params` — parameters on the rank before anything is cut over data-parallel ranks.
    pub fn of(job: &Job, plan: &Plan, framework: &Framework, params: &ParamCount) -> Self {
        let (single, narrow) = (DType::Fp32.bytes(), job.grad_dtype.bytes());
        if job.precision.main_params.is_none() || single <= narrow {
            return Self::default();
        }
        let (dense, step) = (plan.shards(), plan.step_shards());
        let updated = params.dense_trained as f64 / f64::from(step.dense)
            + params.expert_trained as f64 / f64::from(step.expert);
        // One rank alone runs the sharded step as well: its configuration names a stage of `ZeRO`.
        let unsharded = dense.optimizer == 1 && 1 < plan.degrees().dense_data();
        let here = 1.0 - plan.offload().optimizer;
        let bytes = |params: f64, each: f64| Bytes::from_f64(params * each * here);
        let (loose, flat) = match framework.copies {
            GradientCopies::None => (Bytes::ZERO, Bytes::ZERO),
            GradientCopies::Float => (bytes(updated, single), Bytes::ZERO),
            GradientCopies::Flat if unsharded => (bytes(updated, single), bytes(updated, single)),
            GradientCopies::Flat => (
                Bytes::ZERO,
                bytes(at_once(dense.weights, updated), narrow + single),
            ),
        };
        Self { loose, flat }
    }
}

/// Parameters of which a sharded step copies the gradients at a time.
fn at_once(weight_shards: u32, updated: f64) -> f64 {
    if 1 < weight_shards {
        updated.min(SUB_GROUP)
    } else {
        updated
    }
}
