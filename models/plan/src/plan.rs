//! A checked plan: how a job is spread over a cluster.

mod pipeline;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use cluster::Cluster;
use units::{GpuId, RankId};
use workload::ops::{CpMethod, Experts, Fusion, Recompute, Sharding, StepShards, TpOverlap};

use crate::Axis;
use crate::ranks::{Degrees, RankOrder, Ranks};
use crate::schedule::{Schedule, ScheduleKind};
use crate::shard::Shards;
use crate::spec::{ExpertPlacement, Offload, Routing};
use crate::split::StageContent;

/// A plan that fits its job and its cluster. [`Plan::check`] is the only way in.
///
/// ```
/// # use cluster::{Cluster, example};
/// # use workload::*;
/// # let attention = AttentionSpec::rotary(32, 8, 128);
/// # let layer = Layer {
/// #     hidden: 4096, stack: Stack::Main, mixer: Some(Mixer::Attention(attention)), cross: None,
/// #     ffn: Some(Ffn::Dense(DenseSpec::swiglu(14_336))), norms: Norms::PRE_RMS,
/// #     parallel: false, measured: None,
/// # };
/// # let model = Model::build(ModelSpec {
/// #     name: String::new(), family: String::new(), hidden: 4096, layers: vec![layer; 32],
/// #     embedding: Some(Embedding::words(128_256, 4096)), final_norm: None, head: None,
/// #     pooler: None, mtp: Vec::new(), max_positions: None, notes: Vec::new(),
/// # }).unwrap();
/// use plan::{Plan, PlanSpec};
///
/// let cluster = Cluster::build(&example::two_dgx_h100()).unwrap();
/// let job = JobSpec::new(64, 8192).check(model).unwrap();
/// let spec = PlanSpec { tp: Some(4), pp: Some(2), ..PlanSpec::default() };
/// let checked = Plan::check(&spec, &job, &cluster).unwrap();
/// assert_eq!(checked.plan.degrees().dp, 2);
/// assert_eq!(checked.assumptions[0].field, "dp");
///
/// let spec = PlanSpec { tp: Some(3), ..spec };
/// let errors = Plan::check(&spec, &job, &cluster).unwrap_err();
/// assert_eq!(errors[0].to_string(), "tp 3 x cp 1 x pp 2 does not divide the cluster's 16 GPUs");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(crate) ranks: Ranks,
    pub(crate) order: RankOrder,
    pub(crate) chunks: u32,
    pub(crate) micro_batch: u64,
    pub(crate) n_micro_batches: u32,
    pub(crate) schedule: PlannedSchedule,
    pub(crate) sequence_parallel: bool,
    pub(crate) cp_method: CpMethod,
    pub(crate) stages: Vec<StageContent>,
    pub(crate) recompute: RecomputePolicy,
    pub(crate) shards: Shards,
    pub(crate) overlap: Overlap,
    pub(crate) offload: Offload,
    pub(crate) gpus: Option<Arc<[GpuId]>>,
    pub(crate) cuda_graphs: bool,
    pub(crate) experts: Experts,
    pub(crate) routing: Routing,
    pub(crate) placement: Option<ExpertPlacement>,
}

/// Where a plan's schedule comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum PlannedSchedule {
    /// A generator.
    Kind {
        /// Which one.
        kind: ScheduleKind,
        /// Micro-batches in a row through one chunk, where the schedule interleaves.
        group: u32,
    },
    /// A user's file.
    File(Arc<Schedule>),
}

/// What is computed again in the backward pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecomputePolicy {
    /// The same for every layer.
    Uniform(Recompute),
    /// Whole layers: the first so many of each virtual stage.
    FirstLayers(Vec<u32>),
}

/// Which communication runs beside computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each kind of communication overlaps or not by itself"
)]
pub struct Overlap {
    /// The reduction of gradients over data-parallel ranks.
    pub grad_reduce: bool,
    /// The gathering of sharded parameters.
    pub param_gather: bool,
    /// Collectives of tensor parallelism.
    pub tp: TpOverlap,
    /// Sends and receives between stages.
    pub p2p: bool,
    /// All-to-alls of expert parallelism.
    pub ep: bool,
}

/// A plan with what was taken for the fields that its spec left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The plan.
    pub plan: Plan,
    /// What was not given, and what was taken for it.
    pub assumptions: Vec<Assumption>,
}

/// A value that was taken for an absent field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// The field, as scenarios write it.
    pub field: &'static str,
    /// The value.
    pub value: Cow<'static, str>,
    /// Why this value.
    pub reason: &'static str,
}

impl Plan {
    /// Degrees of parallelism. Without experts, `ep` and `etp` are 1 and `tp`.
    pub const fn degrees(&self) -> Degrees {
        self.ranks.degrees()
    }

    /// The numbering of the ranks, with coordinates and groups.
    pub const fn ranks(&self) -> &Ranks {
        &self.ranks
    }

    /// How many ranks, and GPUs, the plan uses.
    pub const fn n_ranks(&self) -> u32 {
        self.ranks.len()
    }

    /// The order of the axes in the numbering.
    pub const fn rank_order(&self) -> RankOrder {
        self.order
    }

    /// Whether ranks are numbered in that order, each on the GPU of its number.
    pub fn is_in_order(&self, order: RankOrder) -> bool {
        self.order == order && self.gpus.is_none()
    }

    /// The GPU of a rank.
    pub fn gpu_of(&self, rank: RankId) -> GpuId {
        match &self.gpus {
            Some(gpus) => gpus[rank.index()],
            None => GpuId::new(rank.get()),
        }
    }

    /// The same plan on GPUs so many further on; `None` where the cluster does not have them.
    ///
    /// * `n_gpus` — of the cluster.
    #[must_use]
    pub fn starting_at(mut self, first: u32, n_gpus: u32) -> Option<Self> {
        let moved = |rank| self.gpu_of(rank).get().checked_add(first);
        let gpus: Option<Arc<[GpuId]>> = (self.ranks.all())
            .map(|rank| moved(rank).filter(|gpu| *gpu < n_gpus).map(GpuId::new))
            .collect();
        let gpus = gpus?;
        if first != 0 {
            self.gpus = Some(gpus);
        }
        Some(self)
    }

    /// The GPU of every rank, where that is not rank `i` on GPU `i` by default.
    pub fn rank_gpus(&self) -> Option<&[GpuId]> {
        self.gpus.as_deref()
    }

    /// Notes over how many scale-up domains the first expert-parallel group is spread.
    pub(crate) fn with_expert_domains(mut self, cluster: &Cluster) -> Self {
        if 1 < self.degrees().ep {
            let group = self.ranks.group(Axis::Ep, RankId::new(0));
            let domains = group
                .iter()
                .map(|rank| cluster.domain_of(self.gpu_of(rank)));
            let distinct: BTreeSet<u32> = domains.collect();
            self.experts.domains = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
        }
        self
    }

    /// Whether norms and residuals are cut over tensor-parallel ranks by sequence.
    pub const fn sequence_parallel(&self) -> bool {
        self.sequence_parallel
    }

    /// How attention is computed over context-parallel ranks.
    pub const fn cp_method(&self) -> CpMethod {
        self.cp_method
    }

    /// Over how many ranks the state of dense parameters is cut.
    pub const fn shards(&self) -> Shards {
        self.shards
    }

    /// Over how many ranks the state of experts' parameters is cut.
    pub fn expert_shards(&self) -> Shards {
        let degrees = self.degrees();
        self.shards
            .for_experts(degrees.dense_data(), self.expert_data())
    }

    /// Over how many ranks the optimizer's states and its step are cut. Where all data-parallel
    /// ranks share them and micro-batches run in two directions, the ranks of both copies of a
    /// stage do, so that two copies need no more states than one.
    pub fn step_shards(&self) -> StepShards {
        let copies = if self.shares_step_of_copies() { 2 } else { 1 };
        StepShards {
            dense: self.shards.optimizer * copies,
            expert: self.expert_shards().optimizer * copies,
        }
    }

    /// Whether each of two copies of a stage holds half of the optimizer's states.
    pub fn shares_step_of_copies(&self) -> bool {
        let all = self.degrees().dense_data();
        self.is_two_directional() && 1 < all && self.shards.optimizer == all
    }

    /// Ranks that hold the same part of an expert.
    pub fn expert_data(&self) -> u32 {
        self.ranks.group_size(crate::Axis::ExpertDp)
    }

    /// Which communication runs beside computation.
    pub const fn overlap(&self) -> Overlap {
        self.overlap
    }

    /// What is kept outside the GPU.
    pub const fn offload(&self) -> Offload {
        self.offload
    }

    /// Whether kernels are launched from CUDA graphs.
    pub const fn cuda_graphs(&self) -> bool {
        self.cuda_graphs
    }

    /// How tokens reach their experts.
    pub const fn experts(&self) -> Experts {
        self.experts
    }

    /// How many tokens each expert gets.
    pub const fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Which rank holds which expert, where that is not the default: expert `e` of `n` on
    /// expert-parallel rank `e ep / n`.
    pub const fn expert_placement(&self) -> Option<&ExpertPlacement> {
        self.placement.as_ref()
    }

    /// How a block is cut on each rank.
    ///
    /// * `seq_len` — tokens of a sequence, from the job.
    /// * `vocab_multiple`, `fusion` — padding of the vocabulary and kernels, from the framework.
    pub const fn sharding(&self, seq_len: u64, vocab_multiple: u64, fusion: Fusion) -> Sharding {
        let Degrees {
            tp, cp, ep, etp, ..
        } = self.degrees();
        Sharding {
            tp,
            sequence_parallel: self.sequence_parallel,
            tp_overlap: self.overlap.tp,
            cp,
            cp_method: self.cp_method,
            ep,
            etp,
            experts: self.experts,
            micro_batch: self.micro_batch,
            seq_len,
            vocab_multiple,
            fusion,
        }
    }
}
