//! A checked plan: how a job is spread over a cluster.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use cluster::Cluster;
use units::{GpuId, RankId};
use workload::ops::{CpMethod, Experts, Fusion, Recompute, Sharding, StepShards, TpOverlap};

use crate::Axis;
use crate::ranks::{Degrees, RankOrder, Ranks};
use crate::schedule::{
    Schedule, ScheduleKind, Vocabulary, interleaved_in_groups, interleaved_in_pairs,
};
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

    /// The GPU of a rank.
    pub fn gpu_of(&self, rank: RankId) -> GpuId {
        match &self.gpus {
            Some(gpus) => gpus[rank.index()],
            None => GpuId::new(rank.get()),
        }
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

    /// Model chunks on each device of the pipeline.
    pub const fn chunks(&self) -> u32 {
        self.chunks
    }

    /// Sequences of a micro-batch.
    pub const fn micro_batch(&self) -> u64 {
        self.micro_batch
    }

    /// Micro-batches of one pipeline in an iteration.
    pub const fn n_micro_batches(&self) -> u32 {
        self.n_micro_batches
    }

    /// The same plan with another number of micro-batches; none where its schedule comes from a
    /// file, or does not exist for so many.
    #[must_use]
    pub fn with_micro_batches(&self, n: u32) -> Option<Self> {
        let PlannedSchedule::Kind { kind, group } = self.schedule else {
            return None;
        };
        let (p, v) = (self.degrees().pp, self.chunks);
        let exists = if kind == ScheduleKind::Interleaved && 1 < v {
            interleaved_in_groups(p, v, n, group).is_ok()
        } else {
            kind.accepts(p, v, n).is_ok()
        };
        exists.then(|| Self {
            n_micro_batches: n,
            ..self.clone()
        })
    }

    /// Where the schedule comes from.
    pub const fn planned_schedule(&self) -> &PlannedSchedule {
        &self.schedule
    }

    /// The generator of the schedule, where it has one.
    pub const fn schedule_kind(&self) -> Option<ScheduleKind> {
        match self.schedule {
            PlannedSchedule::Kind { kind, .. } => Some(kind),
            PlannedSchedule::File(_) => None,
        }
    }

    /// The schedule: built from its generator, or a user's file.
    ///
    /// # Panics
    ///
    /// Never: [`Plan::check`] has asked the generator.
    pub fn schedule(&self) -> Arc<Schedule> {
        match &self.schedule {
            PlannedSchedule::File(schedule) => Arc::clone(schedule),
            PlannedSchedule::Kind { kind, group } => {
                let (p, v, m) = (self.degrees().pp, self.chunks, self.n_micro_batches);
                let schedule = if self.pairs_passes() && !kind.has_pairs() {
                    interleaved_in_pairs(p, v, m, (*group).min(m))
                } else if *kind == ScheduleKind::Interleaved && 1 < v {
                    interleaved_in_groups(p, v, m, *group)
                } else {
                    kind.generate(p, v, m)
                };
                Arc::new(schedule.expect("the check has asked whether the schedule exists"))
            }
        }
    }

    /// Whether a stage finds the table of words on its own device, so that a tied output layer or a
    /// module for a further token needs no copy: in the embedding's stage, and in the last one
    /// where both lie on one device.
    pub fn shares_table(&self, content: &StageContent) -> bool {
        content.embedding || !(self.vocabulary().is_some() || content.embedding_copy)
    }

    /// Whether forward passes run at the same time as backward passes of other micro-batches, so
    /// that all-to-alls of one hide behind kernels of the other. `DualPipe` is made of such pairs;
    /// `overlap.ep` makes them of interleaved passes, and of those of one device without pipeline.
    pub fn pairs_passes(&self) -> bool {
        let PlannedSchedule::Kind { kind, .. } = &self.schedule else {
            return self.schedule().has_pairs();
        };
        let apart = match kind {
            ScheduleKind::Interleaved => 1 < self.chunks,
            ScheduleKind::OneFOneB => self.degrees().pp == 1 && 1 < self.n_micro_batches,
            _ => false,
        };
        kind.has_pairs() || (self.overlap.ep && 1 < self.degrees().ep && apart)
    }

    /// Whether every device holds copies of two stages, one for each direction.
    pub fn is_two_directional(&self) -> bool {
        match &self.schedule {
            PlannedSchedule::Kind { kind, .. } => kind.is_two_directional(),
            PlannedSchedule::File(schedule) => schedule.is_two_directional(),
        }
    }

    /// The pipeline device of every virtual stage, without building the schedule.
    pub fn device_of_stage(&self) -> Vec<u32> {
        match &self.schedule {
            PlannedSchedule::File(schedule) => schedule.device_of_stage().to_vec(),
            PlannedSchedule::Kind { kind, .. } => kind.placement(self.degrees().pp, self.chunks),
        }
    }

    /// How the vocabulary is spread over the pipeline's devices, where it is.
    pub fn vocabulary(&self) -> Option<Vocabulary> {
        match &self.schedule {
            PlannedSchedule::Kind { kind, .. } => kind.vocabulary(),
            PlannedSchedule::File(schedule) => schedule.vocabulary(),
        }
    }

    /// The ranks of a rank's pipeline that hold the two copies of embedding weights, where there
    /// are two: their gradients are summed once an iteration.
    pub fn embedding_pair(&self, rank: RankId) -> Option<[RankId; 2]> {
        let copy = self.stages.iter().any(|stage| stage.embedding_copy);
        let devices = copy.then(|| self.device_of_stage())?;
        let ends = [*devices.first()?, *devices.last()?];
        Some(ends.map(|device| self.ranks.at_stage(rank, device)))
    }

    /// What every virtual stage holds.
    pub fn stages(&self) -> &[StageContent] {
        &self.stages
    }

    /// Whether norms and residuals are cut over tensor-parallel ranks by sequence.
    pub const fn sequence_parallel(&self) -> bool {
        self.sequence_parallel
    }

    /// How attention is computed over context-parallel ranks.
    pub const fn cp_method(&self) -> CpMethod {
        self.cp_method
    }

    /// What is computed again in the backward pass of a layer.
    ///
    /// * `stage` — its virtual stage.
    /// * `index` — its place among the layers of that stage.
    pub fn recompute(&self, stage: usize, index: usize) -> Recompute {
        match &self.recompute {
            RecomputePolicy::Uniform(recompute) => *recompute,
            RecomputePolicy::FirstLayers(counts) if index < counts[stage] as usize => {
                Recompute::Full
            }
            RecomputePolicy::FirstLayers(_) => Recompute::None,
        }
    }

    /// What is computed again in the backward pass, as a whole.
    pub const fn recompute_policy(&self) -> &RecomputePolicy {
        &self.recompute
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
