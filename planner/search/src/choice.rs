//! One point of the space: small, so that a million of them can be kept.

use plan::{
    LayerSplit, Offload, OffloadTarget, OverlapSpec, PlanField, PlanSpec, RecomputeSpec,
    ScheduleKind, ShardKind, ShardLevel,
};
use serde::Serialize;
use workload::ops::TpOverlap;

use crate::counts::LayerCounts;

/// Degrees of parallelism. Each is at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[expect(missing_docs, reason = "the names are those of scenarios")]
pub struct DegreeChoice {
    pub tp: u32,
    pub pp: u32,
    pub cp: u32,
    pub ep: u32,
    pub etp: u32,
    pub dp: u32,
}

/// What is computed again in the backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecomputeChoice {
    /// Nothing.
    None,
    /// The attention core.
    Selective,
    /// The first so many layers of each virtual stage, whole.
    Layers(u32),
    /// Whole layers.
    Full,
}

/// What data-parallel ranks share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShardChoice {
    /// Nothing: every rank holds all states.
    None,
    /// The optimizer's states, over all of them.
    Zero1,
    /// Gradients too.
    Zero2,
    /// Weights too.
    Zero3,
    /// Everything, over groups of so many ranks (hybrid FSDP).
    Hybrid(u32),
}

/// How layers are spread over virtual stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SplitChoice {
    /// As evenly as possible.
    Even,
    /// Embedding and output layer count as layers where so marked.
    Account {
        /// The embedding counts.
        embedding: bool,
        /// The output layer counts.
        loss: bool,
    },
    /// Layers of every virtual stage, such that the slowest device is fastest.
    Balanced(LayerCounts),
}

/// What leaves the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OffloadChoice {
    /// Nothing.
    None,
    /// The optimizer's states and its step, to the host.
    Optimizer,
}

/// Switches of a plan that turn parts of it on and off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch by itself")]
pub struct Switches {
    /// Sequence parallelism.
    pub sp: bool,
    /// Reductions of gradients beside backward passes.
    pub grad_reduce: bool,
    /// Gathers of parameters beside forward passes.
    pub param_gather: bool,
    /// Messages between stages beside passes.
    pub p2p: bool,
    /// All-to-alls of experts beside another micro-batch.
    pub ep: bool,
    /// Sums of tensor parallelism beside products.
    pub tp: TpChoice,
}

/// How sums of tensor parallelism are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TpChoice {
    /// Not at all.
    None,
    /// Beside products of weight gradients.
    Backward,
    /// In chunks, beside the products that need them.
    Chunked,
}

/// A plan of the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Choice {
    /// Degrees of parallelism.
    pub degrees: DegreeChoice,
    /// Sequences of a micro-batch.
    pub micro_batch: u64,
    /// The schedule.
    pub schedule: ScheduleKind,
    /// Model chunks on each device.
    pub vp: u32,
    /// How layers are spread.
    pub split: SplitChoice,
    /// What is computed again.
    pub recompute: RecomputeChoice,
    /// What data-parallel ranks share.
    pub shard: ShardChoice,
    /// What leaves the GPU.
    pub offload: OffloadChoice,
    /// What is turned on.
    pub switches: Switches,
}

impl Choice {
    /// The plan as [`plan::Plan::check`] reads it.
    ///
    /// * `given` — the scenario's plan.
    /// * `fixed` — its fields that stay as they are; those that no search varies (experts' dispatch,
    ///   the order of ranks, ...) stay anyway.
    pub fn spec(&self, given: &PlanSpec, fixed: &[PlanField]) -> PlanSpec {
        let mut spec = PlanSpec {
            tp: Some(self.degrees.tp),
            pp: Some(self.degrees.pp),
            vp: Some(self.vp),
            cp: Some(self.degrees.cp),
            ep: Some(self.degrees.ep),
            etp: Some(self.degrees.etp),
            dp: Some(self.degrees.dp),
            micro_batch: Some(self.micro_batch),
            schedule: Some(self.schedule),
            recompute: Some(self.recompute.spec()),
            sp: Some(self.switches.sp),
            layer_split: Some(self.split.spec()),
            shard: Some(self.shard.levels()),
            overlap: self.switches.overlap(),
            offload: self.offload.spec(),
            ..given.clone()
        };
        spec.schedule_file = None;
        for field in fixed {
            field.copy(given, &mut spec);
        }
        spec
    }
}

impl RecomputeChoice {
    const fn spec(self) -> RecomputeSpec {
        match self {
            Self::None => RecomputeSpec::None,
            Self::Selective => RecomputeSpec::Selective,
            Self::Layers(layers) => RecomputeSpec::Layers(layers),
            Self::Full => RecomputeSpec::Full,
        }
    }

    /// In words, for tables.
    pub fn words(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Selective => "selective".to_owned(),
            Self::Layers(layers) => format!("{layers} layers"),
            Self::Full => "full".to_owned(),
        }
    }
}

impl ShardChoice {
    /// What frameworks call it.
    pub(crate) const fn kind(self) -> ShardKind {
        match self {
            Self::None => ShardKind::None,
            Self::Zero1 => ShardKind::Zero1,
            Self::Zero2 => ShardKind::Zero2,
            Self::Zero3 => ShardKind::Zero3,
            Self::Hybrid(_) => ShardKind::Hybrid,
        }
    }

    fn levels(self) -> Vec<ShardLevel> {
        match self {
            Self::None => Vec::new(),
            Self::Zero1 => ShardLevel::ZERO_1.to_vec(),
            Self::Zero2 => ShardLevel::ZERO_2.to_vec(),
            Self::Zero3 => ShardLevel::ZERO_3.to_vec(),
            Self::Hybrid(group) => ShardLevel::hybrid(group).to_vec(),
        }
    }

    /// In words, for tables.
    pub fn words(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Zero1 => "zero-1".to_owned(),
            Self::Zero2 => "zero-2".to_owned(),
            Self::Zero3 => "zero-3".to_owned(),
            Self::Hybrid(group) => format!("fsdp {group}"),
        }
    }
}

impl SplitChoice {
    fn spec(self) -> LayerSplit {
        match self {
            Self::Even => LayerSplit::Even,
            Self::Account { embedding, loss } => LayerSplit::Account { embedding, loss },
            Self::Balanced(counts) => LayerSplit::Counts(counts.iter().collect()),
        }
    }

    /// In words, for tables.
    pub fn words(self) -> String {
        let name = match self {
            Self::Even => "even",
            Self::Account {
                embedding: true,
                loss: true,
            } => "embedding-and-loss",
            Self::Account {
                embedding: true, ..
            } => "embedding",
            Self::Account { .. } => "loss",
            Self::Balanced(counts) => return counts.to_string(),
        };
        name.to_owned()
    }
}

impl OffloadChoice {
    const fn spec(self) -> Option<Offload> {
        match self {
            Self::None => None,
            Self::Optimizer => Some(Offload {
                optimizer: 1.0,
                target: OffloadTarget::Host,
                ..Offload::NONE
            }),
        }
    }

    /// In words, for tables.
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Optimizer => "optimizer",
        }
    }
}

impl Switches {
    const fn overlap(self) -> OverlapSpec {
        OverlapSpec {
            grad_reduce: Some(self.grad_reduce),
            param_gather: Some(self.param_gather),
            tp: Some(match self.tp {
                TpChoice::None => TpOverlap::None,
                TpChoice::Backward => TpOverlap::Backward,
                TpChoice::Chunked => TpOverlap::Chunked,
            }),
            p2p: Some(self.p2p),
            ep: Some(self.ep),
        }
    }
}

impl TpChoice {
    /// In words, for tables.
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Backward => "backward",
            Self::Chunked => "chunked",
        }
    }
}
