//! Why plans of the space are not candidates, and how many.

use std::collections::BTreeMap;
use std::fmt;

use plan::PlanError;
use units::Bytes;

use crate::choice::DegreeChoice;

/// Why a plan is no candidate. Every plan of the space is evaluated or counted under one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A degree does not divide what it must: a field, and what it is about.
    Divides(&'static str),
    /// A group that must stay inside a scale-up domain is larger than one.
    CrossesDomain,
    /// It spreads experts, and the model has none.
    NoExperts,
    /// More pipeline stages than layers, or model chunks than layers of a stage.
    TooManyStages,
    /// The schedule does not take these numbers.
    Schedule,
    /// The framework does not run it.
    Framework(&'static str),
    /// It needs more memory than the device has, with the margin of the memory model.
    Memory,
    /// A smaller plan of the same kind needs too much memory already: the same degrees with fewer
    /// sequences a micro-batch, or everything recomputed.
    MemoryBound,
    /// Weights, gradients and optimizer states alone do not fit, however layers are spread.
    StateBound,
    /// Another plan of the same degrees, which fits, does strictly less.
    DoesMore,
    /// What no overlap can hide takes longer than the best plan by a tenth.
    TimeBound,
    /// Plans with smaller and with larger micro-batches are, by a third and more.
    BetweenSlow,
    /// Settings of overlap and sequence parallelism are tried one by one, for leading plans alone.
    OtherSwitches,
    /// Layers are spread by their costs for leading plans alone.
    OtherSplits,
    /// Copies to the host are tried only where nothing fits without.
    OffloadUnneeded,
    /// Not reached before the search was stopped.
    Stopped,
}

impl Reason {
    /// The reason that a check gives.
    pub(crate) fn of(error: &PlanError) -> Self {
        match error {
            PlanError::Heads { .. } => Self::Divides("tp and the attention heads"),
            PlanError::KvHeads { .. } => Self::Divides("tp and the key and value heads"),
            PlanError::FfnWidth { .. } => Self::Divides("tp and the feed-forward width"),
            PlanError::ExpertWidth { .. } => Self::Divides("etp and the experts' width"),
            PlanError::CpHeads { .. } => Self::Divides("cp and the heads of a rank"),
            PlanError::SeqLen { .. } => Self::Divides("cp or sp and the sequence"),
            PlanError::Experts { .. } => Self::Divides("ep and the experts"),
            PlanError::ExpertTiling { .. } => Self::Divides("ep x etp and the ranks of a stage"),
            PlanError::ExpertOrder { .. } => Self::Divides("ep x etp and the rank order"),
            PlanError::Batch { .. } => Self::Divides("dp x micro_batch and the global batch"),
            PlanError::DoesNotTile { .. } | PlanError::LargerThanCluster { .. } => {
                Self::Divides("tp x cp x pp x dp and the GPUs")
            }
            PlanError::ShardGroup { .. } | PlanError::ShardOrder { .. } => {
                Self::Divides("shard groups and dp x cp")
            }
            PlanError::Layers { .. } => Self::TooManyStages,
            PlanError::UnevenLayers { .. }
            | PlanError::SplitLength { .. }
            | PlanError::SplitSum { .. } => Self::Divides("pp x vp and the layers"),
            PlanError::Schedule(_) | PlanError::NothingToInterleave { .. } => Self::Schedule,
            PlanError::NoExperts { .. } => Self::NoExperts,
            _ => Self::Divides("a field that was fixed and the others"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Divides(what) => write!(f, "does not divide: {what}"),
            Self::CrossesDomain => f.write_str(
                "crosses a node: tensor parallelism would leave the scale-up domain (NVLink)",
            ),
            Self::NoExperts => f.write_str("it spreads experts, and the model has none"),
            Self::TooManyStages => f.write_str("more stages than layers"),
            Self::Schedule => f.write_str("the schedule does not take these numbers"),
            Self::Framework(what) => write!(f, "the framework does not run it: {what}"),
            Self::Memory => f.write_str("out of memory"),
            Self::MemoryBound => f.write_str(
                "out of memory, since a smaller micro-batch or more recomputation is already",
            ),
            Self::StateBound => f.write_str(
                "out of memory, since weights, gradients and optimizer states alone are",
            ),
            Self::DoesMore => {
                f.write_str("does strictly more than a plan of the same degrees that fits")
            }
            Self::TimeBound => f.write_str(
                "longer than the best plan by a tenth, even if all that may overlap costs nothing",
            ),
            Self::BetweenSlow => f.write_str(
                "its micro-batches lie between two whose plans are slower than the best by a third and more",
            ),
            Self::OtherSwitches => f.write_str(
                "another setting of overlap or sequence parallelism: tried one by one, for leading plans",
            ),
            Self::OtherSplits => f.write_str(
                "layers spread by their costs: tried for leading plans, where it is another split",
            ),
            Self::OffloadUnneeded => f.write_str("copies to the host, though plans fit without"),
            Self::Stopped => f.write_str("not reached before the search was stopped"),
        }
    }
}

/// Plans that were excluded, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: BTreeMap<Reason, u64>,
    /// By reason, the first degrees of which plans were excluded for it.
    examples: BTreeMap<Reason, DegreeChoice>,
    /// Of plans without enough memory, the least and the most that they lack.
    lacking: Option<[Bytes; 2]>,
}

impl Tally {
    pub(crate) fn add(&mut self, reason: Reason, count: u64) {
        if 0 < count {
            *self.counts.entry(reason).or_default() += count;
        }
    }

    /// All plans in it are of some degrees: an example of each reason that has none.
    pub(crate) fn are_of(&mut self, degrees: DegreeChoice) {
        for reason in self.counts.keys() {
            self.examples.entry(*reason).or_insert(degrees);
        }
    }

    pub(crate) fn lacks(&mut self, bytes: Bytes) {
        let [least, most] = self.lacking.unwrap_or([bytes; 2]);
        self.lacking = Some([least.min(bytes), most.max(bytes)]);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (reason, count) in &other.counts {
            self.add(*reason, *count);
        }
        for (reason, degrees) in &other.examples {
            self.examples.entry(*reason).or_insert(*degrees);
        }
        for bytes in other.lacking.into_iter().flatten() {
            self.lacks(bytes);
        }
    }

    /// Reasons with their numbers of plans, the most frequent first.
    pub fn by_count(&self) -> Vec<(Reason, u64)> {
        let mut all: Vec<_> = self
            .counts
            .iter()
            .map(|(reason, n)| (*reason, *n))
            .collect();
        all.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        all
    }

    /// The first degrees of which plans were excluded for a reason; none where all degrees are alike
    /// in it.
    pub fn example(&self, reason: Reason) -> Option<DegreeChoice> {
        self.examples.get(&reason).copied()
    }

    /// Of plans without enough memory, the least and the most that they lack.
    pub const fn lacking(&self) -> Option<[Bytes; 2]> {
        self.lacking
    }

    /// Plans in all.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}
