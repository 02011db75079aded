//! What a scenario's `[plan]` says, before it is checked. Absent fields take defaults, which
//! [`Plan::check`](crate::Plan::check) lists as assumptions.

use std::sync::Arc;

use units::DType;
use workload::ops::{CpMethod, Dispatcher, Recompute, Regions, TpOverlap};

use crate::ranks::RankOrder;
use crate::schedule::ScheduleKind;
use crate::shard::ShardLevel;
use crate::split::LayerSplit;

/// A parallel plan as a scenario gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanSpec {
    /// Tensor-parallel degree.
    pub tp: Option<u32>,
    /// Pipeline-parallel degree.
    pub pp: Option<u32>,
    /// Model chunks on each device of the pipeline.
    pub vp: Option<u32>,
    /// Context-parallel degree.
    pub cp: Option<u32>,
    /// Expert-parallel degree.
    pub ep: Option<u32>,
    /// Tensor-parallel degree inside experts.
    pub etp: Option<u32>,
    /// Data-parallel degree; fills the GPUs where absent.
    pub dp: Option<u32>,
    /// Sequences of a micro-batch.
    pub micro_batch: Option<u64>,
    /// The pipeline schedule by name.
    pub schedule: Option<ScheduleKind>,
    /// The text of a schedule file; takes the place of `schedule`.
    pub schedule_file: Option<String>,
    /// Micro-batches in a row through one chunk of the interleaved schedule
    /// (`microbatch_group_size_per_vp_stage`); the pipeline's size where absent.
    pub interleave_group: Option<u32>,
    /// What is computed again in the backward pass.
    pub recompute: Option<RecomputeSpec>,
    /// Whether norms and residuals are cut over tensor-parallel ranks by sequence.
    pub sp: Option<bool>,
    /// How attention is computed over context-parallel ranks.
    pub cp_method: Option<CpMethod>,
    /// Which layers each virtual stage holds.
    pub layer_split: Option<LayerSplit>,
    /// What data-parallel ranks share instead of repeating. An empty list shards nothing.
    pub shard: Option<Vec<ShardLevel>>,
    /// Which communication runs beside computation.
    pub overlap: OverlapSpec,
    /// What is kept outside the GPU.
    pub offload: Option<Offload>,
    /// How the axes number the ranks.
    pub rank_order: Option<RankOrder>,
    /// The GPU of every rank; rank `i` on GPU `i` where absent.
    pub rank_gpus: Option<Vec<u32>>,
    /// Whether kernels are launched from CUDA graphs.
    pub cuda_graphs: Option<bool>,
    /// How tokens reach their experts.
    pub moe: MoeSpec,
}

/// What is computed again in the backward pass, as a scenario gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecomputeSpec {
    /// Nothing.
    None,
    /// The attention core.
    Selective,
    /// Whole layers.
    Full,
    /// Those parts of every layer.
    Modules(Regions),
    /// Whole layers, the first so many of every virtual stage (Megatron's `block` method with
    /// `recompute_num_layers`).
    Layers(u32),
    /// Whole layers, the first so many of each virtual stage.
    LayersByStage(Vec<u32>),
}

impl RecomputeSpec {
    /// What happens to every layer alike, where the layers of a stage are not told apart.
    pub(crate) const fn uniform(&self) -> Option<Recompute> {
        match self {
            Self::None => Some(Recompute::None),
            Self::Selective => Some(Recompute::Selective),
            Self::Full => Some(Recompute::Full),
            Self::Modules(regions) => Some(Recompute::Modules(*regions)),
            Self::Layers(_) | Self::LayersByStage(_) => None,
        }
    }
}

/// Which communication runs beside computation, as a scenario gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverlapSpec {
    /// The reduction of gradients over data-parallel ranks, beside the last backward passes.
    pub grad_reduce: Option<bool>,
    /// The gathering of sharded parameters, beside the first forward passes.
    pub param_gather: Option<bool>,
    /// Collectives of tensor parallelism.
    pub tp: Option<TpOverlap>,
    /// Sends and receives between stages.
    pub p2p: Option<bool>,
    /// All-to-alls of expert parallelism, beside another micro-batch's computation.
    pub ep: Option<bool>,
}

/// What is kept outside the GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offload {
    /// Share of the activations that leave between forward and backward pass.
    pub activations: f64,
    /// Share of the optimizer's states kept outside, whose step runs there.
    pub optimizer: f64,
    /// Share of the weights kept outside and fetched before use.
    pub weights: f64,
    /// Where to.
    pub target: OffloadTarget,
}

impl Offload {
    /// Everything stays on the GPU.
    pub const NONE: Self = Self {
        activations: 0.0,
        optimizer: 0.0,
        weights: 0.0,
        target: OffloadTarget::Host,
    };
}

/// Where data go that leave the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OffloadTarget {
    /// Memory of the host.
    Host,
    /// A drive of the host.
    Ssd,
}

/// How tokens reach their experts, as a scenario gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MoeSpec {
    /// The method of exchange.
    pub dispatcher: Option<Dispatcher>,
    /// Rows of an expert over the mean, with padding up to and dropping beyond; dropless where
    /// absent.
    pub capacity_factor: Option<f64>,
    /// The format in which tokens travel to the experts; that of activations where absent.
    pub dispatch_dtype: Option<DType>,
    /// The format in which inputs of the experts' activation function are kept; that of
    /// activations where absent.
    pub activation_dtype: Option<DType>,
    /// How many tokens each expert gets.
    pub routing: Option<Routing>,
    /// Which rank holds which expert.
    pub experts: Option<ExpertPlacement>,
    /// Whether shared experts run beside the dispatch.
    pub shared_overlap: Option<bool>,
}

/// How many tokens each expert gets.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Routing {
    /// All the same.
    #[default]
    Balanced,
    /// The share of an expert in the tokens of each layer with experts; one row for all
    /// layers, or one row a layer. Rows are scaled to sum 1.
    Shares(Arc<Vec<Vec<f64>>>),
}

/// Which expert each slot holds: slots of an expert-parallel rank stand side by side, and an
/// expert in several slots is replicated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpertPlacement {
    /// The expert of each slot; one row for all layers with experts, or one row a layer.
    pub layers: Arc<Vec<Vec<u32>>>,
}
