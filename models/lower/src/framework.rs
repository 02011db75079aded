//! What a training framework fuses, pads and issues: choices that no plan says.

use std::sync::OnceLock;

use cluster::GpuSpec;
use profile::AttentionKernel;
use workload::ops::Fusion;

/// The choices of one framework.
#[derive(Clone, Debug, PartialEq)]
pub struct Framework {
    /// The name as scenarios write it.
    pub name: &'static str,
    /// Which operators run as one kernel.
    pub fusion: Fusion,
    /// The vocabulary is padded to a multiple of this times the tensor-parallel degree.
    pub vocab_multiple: u64,
    /// Host time over that of the profile: 1 for eager `PyTorch` with fused modules.
    pub host_scale: f64,
    /// Whether each tensor-parallel rank sends its part of an activation to the next stage,
    /// which gathers it there (Megatron-LM `scatter_gather_tensors_in_pipeline`; `DeepSpeed`'s
    /// `PartitionedTensor`).
    pub scatter_gather: bool,
    /// Whether sums of tensor parallelism run beside products, and sends of interleaved schedules
    /// beside passes, where a plan does not say.
    pub overlaps: bool,
    /// Whether the norm of the gradients is agreed on before each step.
    pub clips_gradients: bool,
    /// How long gathered weights stay, where weights are sharded.
    pub reshard: Reshard,
    /// What its optimizer copies of the gradients.
    pub copies: GradientCopies,
    /// Where the choices come from.
    pub source: &'static str,
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
    name: "neutral",
    fusion: Fusion::MODERN,
    vocab_multiple: 128,
    host_scale: 1.0,
    scatter_gather: true,
    overlaps: true,
    clips_gradients: true,
    reshard: Reshard::EachPass,
    copies: GradientCopies::None,
    source: "assumed: the kernels that current frameworks share",
};

const FRAMEWORKS: [Framework; 8] = [
    NEUTRAL,
    Framework {
        name: "megatron-core",
        source: "NVIDIA/Megatron-LM, megatron/training/arguments.py: defaults with Transformer Engine",
        ..NEUTRAL
    },
    Framework {
        name: "megatron-bridge",
        source: "NVIDIA-NeMo/Megatron-Bridge recipes: Megatron-Core with Transformer Engine",
        ..NEUTRAL
    },
    Framework {
        name: "nemo",
        source: "NVIDIA/NeMo performance recipes: Megatron-Core with Transformer Engine",
        ..NEUTRAL
    },
    Framework {
        name: "megatron-lm-2021",
        fusion: Fusion::MEGATRON_2021,
        overlaps: false,
        copies: GradientCopies::Float,
        source: "arXiv 2104.04473, section 4.2 (fused kernels) and 4.1 (scatter/gather); megatron/mpu/layers.py before \
                 async_tensor_model_parallel_allreduce",
        ..NEUTRAL
    },
    Framework {
        name: "megatron-deepspeed",
        fusion: Fusion::MEGATRON_2021,
        overlaps: false,
        copies: GradientCopies::Flat,
        source: "bigscience-workshop/Megatron-DeepSpeed: Megatron-LM's kernels of 2021; DeepSpeed's pipeline, \
                 which cuts what crosses stages over tensor-parallel ranks (runtime/pipe/engine.py, \
                 is_pipe_partitioned, is_grad_partitioned); products that wait for their sums \
                 (megatron/mpu/layers.py, ColumnParallelLinear)",
        ..NEUTRAL
    },
    Framework {
        name: "torchtitan",
        fusion: Fusion {
            bias_dropout_residual: false,
            grad_accumulation: false,
            ..Fusion::MODERN
        },
        vocab_multiple: 1,
        scatter_gather: false,
        reshard: Reshard::UnlessPipelined,
        source: "pytorch/torchtitan: FSDP2 and torch.compile over each block; \
                 fsdp_reshard_after_forward = \"default\"",
        ..NEUTRAL
    },
    Framework {
        name: "composer-fsdp",
        fusion: Fusion {
            attention: AttentionKernel::Flash1,
            grad_accumulation: false,
            rotary: false,
            cross_entropy: false,
            ..Fusion::MODERN
        },
        vocab_multiple: 1,
        scatter_gather: false,
        source: "mosaicml/llm-foundry, scripts/train/benchmarking: FSDP; submit_benchmarks.py, attn_impl = triton, \
                 a kernel of FlashAttention's first generation",
        ..NEUTRAL
    },
];

/// The framework of that name.
pub fn framework(name: &str) -> Option<&'static Framework> {
    FRAMEWORKS.iter().find(|known| known.name == name)
}

/// A framework that runs another attention kernel than is its habit.
pub fn framework_with(base: &Framework, attention: AttentionKernel) -> Option<&'static Framework> {
    static KNOWN: OnceLock<Vec<Framework>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let all = FRAMEWORKS.iter();
        let of = |base: &'static Framework| ATTENTION.map(|kernel| base.with_attention(kernel));
        all.flat_map(of).collect()
    });
    let mut known = known.iter();
    known.find(|known| known.name == base.name && known.fusion.attention == attention)
}

const ATTENTION: [AttentionKernel; 4] = [
    AttentionKernel::Unfused,
    AttentionKernel::Flash1,
    AttentionKernel::Flash2,
    AttentionKernel::Flash3,
];

/// Every name, for messages.
pub fn framework_names() -> impl Iterator<Item = &'static str> {
    FRAMEWORKS.iter().map(|known| known.name)
}

impl Framework {
    fn with_attention(&self, attention: AttentionKernel) -> Self {
        let fusion = Fusion {
            attention,
            ..self.fusion
        };
        Self {
            fusion,
            ..self.clone()
        }
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
