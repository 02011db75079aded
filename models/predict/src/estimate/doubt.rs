//! Why the closed form may be off.

use lower::DataParallel;
use plan::{Offload, ScheduleKind};

use crate::estimate::stage::StageSums;
use crate::estimate::waits::Waits;
use crate::estimate::work::{Merged, Work};

/// Why the closed form may be off by more than 2 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Gathers or reductions that an interleaved schedule, or one with delayed weight gradients,
    /// cannot hide delay other devices, which wait for each other in rounds; the closed form counts
    /// each device's delay once.
    InterleavedOverlap,
    /// Gathers and reductions of sharded state share a stream with each other; the closed form
    /// adds them up.
    ShardedPasses,
    /// Copies to the host or a drive are not counted.
    Offload,
    /// Kernel times vary, and the closed form takes their means.
    Jitter,
    /// GPUs of several kinds or speeds: the slowest of each stage is taken.
    UnequalGpus,
    /// The vocabulary is spread over all stages; the closed form leaves it on the first and last.
    SpreadVocabulary,
    /// The schedule is a user's, or pairs or leaves out passes, and the closed form prices single
    /// forward and backward passes.
    OtherSchedule,
    /// All-to-alls of one micro-batch run beside kernels of another; the closed form prices the
    /// passes of one.
    PairedPasses,
    /// The host takes longer than the GPU in some stage, and the closed form takes the larger of
    /// both for every pass.
    HostBound,
    /// Messages between stages take a good part of a pass and meet on their way; the closed form
    /// lets each travel alone.
    SlowHops,
    /// Some groups of an axis are spread over more scale-up domains than others; the closed form
    /// takes one spread widest for all.
    UnequalGroups,
}

impl Doubt {
    /// Whether a rehearsal, too, may be off. How far a host runs ahead, few micro-batches do not show.
    pub const fn outlasts_rehearsal(self) -> bool {
        matches!(self, Self::Jitter | Self::HostBound)
    }

    /// The reason, for people.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::InterleavedOverlap => {
                "data-parallel communication is not hidden by the schedule, and the closed form counts each device's delay once; the engines differ by up to a tenth"
            }
            Self::ShardedPasses => {
                "gathers and reductions of sharded state are summed per pass; the engines queue them"
            }
            Self::Offload => "copies to the host or a drive are left out; the engines run them",
            Self::Jitter => "kernel times vary, and the closed form takes their means",
            Self::UnequalGpus => {
                "GPUs differ, and the closed form takes the slowest of each stage for all replicas"
            }
            Self::SpreadVocabulary => {
                "the closed form leaves the vocabulary on the first and the last stage"
            }
            Self::OtherSchedule => {
                "the closed form prices single passes of the schedules that it knows, and this is \
                 another one"
            }
            Self::PairedPasses => {
                "all-to-alls run beside another micro-batch's kernels, and the closed form prices \
                 each micro-batch by itself"
            }
            Self::HostBound => {
                "the host takes longer than the GPU, and the closed form takes the larger of both in \
                 every pass; the engines let the host run ahead"
            }
            Self::SlowHops => {
                "messages between stages take a good part of a pass, and the closed form lets each \
                 travel alone"
            }
            Self::UnequalGroups => {
                "some groups are spread over more scale-up domains than others, and the closed form \
                 takes one of these for all"
            }
        }
    }
}

impl Work<'_> {
    /// Whether the schedule is one whose passes the formulas price.
    fn knows_schedule(&self) -> bool {
        use ScheduleKind as S;
        matches!(
            self.plan.schedule_kind(),
            Some(
                S::GPipe
                    | S::OneFOneB
                    | S::Interleaved
                    | S::ZbH1
                    | S::ZbH2
                    | S::ZbV
                    | S::VHalf
                    | S::VMin
            )
        )
    }

    /// The first reason for which the engines may say something else.
    pub(super) fn doubt(
        &self,
        merged: &Merged,
        data: &DataParallel,
        waits: &Waits,
        (late, total): (f64, f64),
        slow_hops: bool,
    ) -> Option<Doubt> {
        let plan = self.plan;
        let waiting = waits.start + waits.later + late + waits.slowed.iter().sum::<f64>();
        let overlaps = data.overlap_gather || data.overlap_reduce;
        let splits = (plan.schedule_kind()).is_some_and(ScheduleKind::splits_backward);
        let loose = 1 < plan.chunks() || splits;
        let interleaved = loose && overlaps && DOUBTFUL * total < waiting;
        // Without a pipeline passes follow each other, and where sends are waited for, so is every
        // pass: there the formulas are what the engines do, but for stages of several lengths,
        // whose hosts catch up while they wait for longer ones.
        let uneven =
            (plan.stages().windows(2)).any(|two| two[0].layers.len() != two[1].layers.len());
        let runs_ahead = 1 < plan.degrees().pp && (plan.overlap().p2p || uneven);
        let of_host = |stage: &StageSums| runs_ahead && stage.host_bound;
        let reasons = [
            (plan.offload() != Offload::NONE, Doubt::Offload),
            (0.0 < self.scenario.settings.jitter, Doubt::Jitter),
            (!self.uniform, Doubt::UnequalGpus),
            (plan.vocabulary().is_some(), Doubt::SpreadVocabulary),
            (!self.knows_schedule(), Doubt::OtherSchedule),
            (
                plan.overlap().ep && 1 < plan.degrees().ep,
                Doubt::PairedPasses,
            ),
            (
                data.gather_each_pass || data.reduce_each,
                Doubt::ShardedPasses,
            ),
            (merged.stages.iter().any(of_host), Doubt::HostBound),
            (interleaved, Doubt::InterleavedOverlap),
            (slow_hops, Doubt::SlowHops),
            (self.shapes.differ, Doubt::UnequalGroups),
        ];
        reasons
            .into_iter()
            .find(|(holds, _)| *holds)
            .map(|(_, doubt)| doubt)
    }
}

/// Share of the iteration that waits of interleaved overlap may have without doubt.
const DOUBTFUL: f64 = 0.02;
