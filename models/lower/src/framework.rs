//! What a training framework fuses, pads and issues: choices that no plan says.

use std::borrow::Cow;

use cluster::GpuSpec;
use profile::AttentionKernel;
use workload::ops::{Experts, Fusion};

use crate::scales::AxisScales;

/// The choices of one framework.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each habit is there or not by itself"
)]
pub struct Framework {
    /// The name as scenarios write it.
    pub name: Cow<'static, str>,
    /// Which operators run as one kernel.
    pub fusion: Fusion,
    /// The vocabulary is padded to a multiple of this times the tensor-parallel degree.
    pub vocab_multiple: u64,
    /// Whether each tensor-parallel rank sends its part of an activation to the next stage,
    /// which gathers it there (Megatron-LM `scatter_gather_tensors_in_pipeline`; `DeepSpeed`'s
    /// `PartitionedTensor`).
    pub scatter_gather: bool,
    /// What runs beside what, where a plan does not say.
    pub overlaps: Overlaps,
    /// Whether the norm of the gradients is agreed on before each step.
    pub clips_gradients: bool,
    /// How long gathered weights stay, where weights are sharded.
    pub reshard: Reshard,
    /// What its optimizer copies of the gradients.
    pub copies: GradientCopies,
    /// Whether kernels are captured in CUDA graphs, where a plan does not say.
    pub cuda_graphs: bool,
    /// How far it computes again what a backward pass needs.
    pub replay: Replay,
    /// Whether modules keep a gradient of each shape of weight that nobody reads, for autograd,
    /// where products add to main gradients.
    pub dummy_gradients: bool,
    /// Rows of a rank's experts at the most over the mean; 1 where routing is forced to be even.
    pub expert_rows: f64,
    /// Whether kernels give the same bits again, which asks for workspaces.
    pub deterministic: bool,
    /// What its collectives take over what the model says, by axis.
    pub axes: AxisScales,
    /// Share of the sums of gradients beside backward passes that is waited for nevertheless.
    pub dp_exposed: f64,
    /// Where the choices come from.
    pub source: Cow<'static, str>,
}

/// What runs beside kernels. Each holds where a plan does not say, and where the plan has such
/// communication at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each overlap is a flag of a framework"
)]
pub struct Overlaps {
    /// Sums of tensor parallelism beside products.
    pub tp: bool,
    /// Sends of interleaved schedules beside passes.
    pub p2p: bool,
    /// Sums of gradients beside backward passes.
    pub grad_reduce: bool,
    /// Gathers of parameters beside forward passes.
    pub param_gather: bool,
}

impl Overlaps {
    /// Everything that can be hidden is.
    pub const ALL: Self = Self {
        tp: true,
        p2p: true,
        grad_reduce: true,
        param_gather: true,
    };
}

/// How long gathered weights stay on a GPU, where weights are sharded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reshard {
    /// Until the pass has used them: each pass gathers its own (FSDP's `reshard_after_forward`,
    /// `ZeRO`-3).
    EachPass,
    /// Until the backward pass of the micro-batch has used them (`SHARD_GRAD_OP`).
    AfterBackward,
    /// As `EachPass`, but in a pipeline until the last backward pass of the iteration, whose
    /// gradients alone are summed.
    UnlessPipelined,
}

/// How far the recomputed parts of a layer run before its backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replay {
    /// To their end (Megatron's `CheckpointFunction`, `PyTorch`'s reentrant checkpoints).
    Whole,
    /// Until everything that the backward pass needs is back (`PyTorch`'s other checkpoints,
    /// unless `set_checkpoint_early_stop` says otherwise).
    UntilNeeded,
}

/// What an optimizer copies of the gradients, beside those that add up over micro-batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GradientCopies {
    /// Nothing: they add up in the format that the step reads, in place.
    None,
    /// 16-bit gradients become fp32 ones before the step (Megatron-LM of 2021,
    /// `Float16OptimizerWithFloat16Params._copy_model_grads_to_main_grads`).
    Float,
    /// The same through flat buffers (`DeepSpeed`'s `FP16_Optimizer` and `stage_1_and_2.py`);
    /// where gradients add up in fp32, each backward pass leaves 16-bit ones of the whole stage
    /// behind first (`BF16_Optimizer.update_hp_grads`).
    Flat,
}

/// The framework of scenarios that name none: modern kernels and padding, as Megatron-Core's.
pub const NEUTRAL: Framework = Framework {
    name: Cow::Borrowed("neutral"),
    fusion: Fusion::MODERN,
    vocab_multiple: 128,
    scatter_gather: true,
    overlaps: Overlaps::ALL,
    clips_gradients: true,
    reshard: Reshard::EachPass,
    copies: GradientCopies::None,
    cuda_graphs: false,
    replay: Replay::Whole,
    dummy_gradients: false,
    expert_rows: 1.0,
    deterministic: false,
    axes: AxisScales::ONE,
    dp_exposed: 0.0,
    source: Cow::Borrowed("assumed: the kernels that current frameworks share"),
};

impl Framework {
    /// What [`Experts::peak_rows`](workload::ops::Experts) is under a plan's experts.
    pub fn peak_rows(&self, experts: &Experts) -> Option<f64> {
        let free = experts.capacity_factor.is_none() && 1.0 < self.expert_rows;
        free.then_some(self.expert_rows)
    }

    /// The framework's kernels on these GPUs: the newest attention kernel that all of them run.
    ///
    /// FlashAttention-3 needs Hopper or newer, FlashAttention-2 Ampere or newer (Dao-AILab,
    /// flash-attention README); CDNA runs FlashAttention-2 (`ROCm` port). Others run unfused.
    pub fn fusion_on(&self, gpus: &[GpuSpec]) -> Fusion {
        let newest = gpus
            .iter()
            .map(newest_attention)
            .min()
            .unwrap_or(AttentionKernel::Flash2);
        Fusion {
            attention: self.fusion.attention.min(newest),
            ..self.fusion
        }
    }
}

fn newest_attention(gpu: &GpuSpec) -> AttentionKernel {
    match gpu.architecture.to_ascii_lowercase().as_str() {
        "hopper" | "blackwell" | "blackwell ultra" => AttentionKernel::Flash3,
        "volta" | "turing" | "pascal" => AttentionKernel::Unfused,
        _ => AttentionKernel::Flash2,
    }
}
