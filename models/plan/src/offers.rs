//! What a framework can run, for planners: a plan that nobody can launch is no answer.

use crate::schedule::ScheduleKind;

/// A way to share state among data-parallel ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShardKind {
    /// Nothing is shared.
    None,
    /// The optimizer's states.
    Zero1,
    /// Gradients too.
    Zero2,
    /// Weights too.
    Zero3,
    /// Everything inside groups, which repeat each other.
    Hybrid,
}

impl ShardKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Zero1,
        Self::Zero2,
        Self::Zero3,
        Self::Hybrid,
    ];

    /// The name as framework files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zero1 => "zero-1",
            Self::Zero2 => "zero-2",
            Self::Zero3 => "zero-3",
            Self::Hybrid => "hybrid",
        }
    }

    /// Whether more than the optimizer's states are cut.
    pub const fn cuts_gradients(self) -> bool {
        !matches!(self, Self::None | Self::Zero1)
    }
}

/// What a framework can run.
#[expect(clippy::struct_excessive_bools, reason = "each is a feature by itself")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offers {
    /// Schedules of pipelines; none where it has no pipeline.
    pub schedules: Vec<ScheduleKind>,
    /// Ways to share state.
    pub shards: Vec<ShardKind>,
    /// Whether a pipeline's ranks can share gradients and weights.
    pub sharded_pipeline: bool,
    /// Whether it has tensor parallelism.
    pub tensor_parallel: bool,
    /// Whether it has sequence parallelism beside tensor parallelism.
    pub sequence_parallel: bool,
    /// Whether it has context parallelism.
    pub context_parallel: bool,
    /// Whether it can compute the attention core alone again.
    pub selective_recompute: bool,
}

impl Offers {
    /// Schedules that planners search.
    pub const SCHEDULES: [ScheduleKind; 5] = [
        ScheduleKind::OneFOneB,
        ScheduleKind::Interleaved,
        ScheduleKind::ZbH1,
        ScheduleKind::ZbV,
        ScheduleKind::VHalf,
    ];
}

impl Default for Offers {
    /// Everything.
    fn default() -> Self {
        Self {
            schedules: Self::SCHEDULES.to_vec(),
            shards: ShardKind::ALL.to_vec(),
            sharded_pipeline: true,
            tensor_parallel: true,
            sequence_parallel: true,
            context_parallel: true,
            selective_recompute: true,
        }
    }
}
