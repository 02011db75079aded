//! The pipeline: its schedule, its stages, what they compute again.

use std::sync::Arc;

use workload::Recompute;
use workload::ops::Region;

use super::{Check, MAX_PASSES, MAX_STAGES, Show};
use crate::error::PlanError;
use crate::plan::{PlannedSchedule, RecomputePolicy};
use crate::ranks::Degrees;
use crate::schedule::{Schedule, ScheduleKind, ScheduleRefusal, accepts_groups};
use crate::spec::RecomputeSpec;
use crate::split::{LayerSplit, SplitProblem, StageContent, contents};

/// Modules that only layers with experts have, by a region of each; the largest first.
const EXPERT_MODULES: [(&str, Region); 3] = [
    ("moe", Region::Router),
    ("shared_experts", Region::SharedExpert),
    ("moe_act", Region::ExpertActivation),
];

/// Where a schedule comes from, before the micro-batches are known.
pub(super) enum Source {
    Kind(ScheduleKind),
    File(Schedule),
}

impl Source {
    /// Whether the stages of a second direction are copies of the first half.
    pub(super) fn is_two_directional(&self) -> bool {
        match self {
            Self::Kind(kind) => kind.is_two_directional(),
            Self::File(schedule) => schedule.is_two_directional(),
        }
    }

    /// Whether the first and the last stage lie on one device, or share its part of a spread
    /// vocabulary.
    pub(super) fn ends_meet(&self, pp: u32) -> bool {
        let (spread, placed) = match self {
            Self::Kind(kind) => (kind.vocabulary(), kind.fixed_chunks() == Some(2)),
            Self::File(schedule) => {
                let devices = schedule.device_of_stage();
                (schedule.vocabulary(), devices.first() == devices.last())
            }
        };
        pp == 1 || placed || spread.is_some()
    }
}

impl Check<'_> {
    /// Where the schedule comes from and the chunks of each device, before the micro-batches
    /// are known.
    pub(super) fn source(&mut self, degrees: Degrees) -> Option<(Source, u32)> {
        let spec = self.spec;
        if spec.schedule.is_some() && spec.schedule_file.is_some() {
            self.errors.push(PlanError::TwoSchedules);
        }
        if let Some(text) = &spec.schedule_file {
            return self.schedule_file(text, degrees);
        }
        let kind = self.schedule_kind();
        let chunks = self.chunks(kind);
        if degrees.pp == 1 && spec.vp.is_some_and(|vp| 1 < vp) {
            self.errors
                .push(PlanError::NothingToInterleave { vp: chunks });
            return None;
        }
        // One chunk a device leaves nothing to interleave.
        let kind = match kind {
            ScheduleKind::Interleaved if chunks == 1 => {
                if 1 < degrees.pp {
                    let reason = "one chunk a device leaves nothing to interleave: give vp";
                    self.assume("schedule", ScheduleKind::OneFOneB.name().into(), reason);
                }
                ScheduleKind::OneFOneB
            }
            kind => kind,
        };
        Some((Source::Kind(kind), chunks))
    }

    /// The schedule for so many micro-batches.
    pub(super) fn schedule(
        &mut self,
        degrees: Degrees,
        (source, chunks): (Source, u32),
        n: u32,
    ) -> Option<PlannedSchedule> {
        let kind = match source {
            Source::Kind(kind) => kind,
            Source::File(schedule) => return self.file_for(schedule, n),
        };
        let passes = u64::from(n) * u64::from(degrees.pp) * u64::from(chunks);
        if MAX_PASSES < passes {
            self.errors.push(PlanError::TooLarge {
                field: "micro-batches x pp x vp",
                value: passes,
                limit: MAX_PASSES,
            });
            return None;
        }
        let group = self.spec.interleave_group.unwrap_or(degrees.pp);
        let grouped = kind == ScheduleKind::Interleaved && self.spec.interleave_group.is_some();
        let fits = if grouped {
            accepts_groups(degrees.pp, n, group)
        } else {
            kind.accepts(degrees.pp, chunks, n)
        };
        match fits {
            Ok(()) => Some(PlannedSchedule::Kind { kind, group }),
            Err(refusal) => {
                self.errors.push(refusal.into());
                None
            }
        }
    }

    fn file_for(&mut self, schedule: Schedule, n: u32) -> Option<PlannedSchedule> {
        let file = schedule.n_micro_batches();
        if file == n {
            return Some(PlannedSchedule::File(Arc::new(schedule)));
        }
        self.errors.push(PlanError::ScheduleFileSize {
            what: "micro-batches",
            file: u64::from(file),
            plan: u64::from(n),
        });
        None
    }

    fn schedule_kind(&mut self) -> ScheduleKind {
        if let Some(kind) = self.spec.schedule {
            if kind == ScheduleKind::ForwardOnly {
                self.errors.push(PlanError::ForwardOnly);
            }
            return kind;
        }
        let (kind, reason) = if self.spec.vp.is_some_and(|vp| 1 < vp) {
            (ScheduleKind::Interleaved, "vp is above 1")
        } else {
            (ScheduleKind::OneFOneB, "the schedule of most training runs")
        };
        if self.spec.pp.is_some_and(|pp| 1 < pp) {
            self.assume("schedule", kind.name().into(), reason);
        }
        kind
    }

    fn chunks(&mut self, kind: ScheduleKind) -> u32 {
        let fixed = kind.fixed_chunks().unwrap_or(1);
        if self.spec.vp.is_none() && 1 < fixed {
            self.assume(
                "vp",
                fixed.show(),
                "the schedule places two chunks on a device",
            );
        }
        self.spec.vp.unwrap_or(fixed)
    }

    fn schedule_file(&mut self, text: &str, degrees: Degrees) -> Option<(Source, u32)> {
        let schedule = match Schedule::from_csv(text) {
            Ok(schedule) => schedule,
            Err(error) => {
                self.errors.push(error.into());
                return None;
            }
        };
        if schedule.is_forward_only() {
            self.errors.push(PlanError::ForwardOnly);
        }
        let (devices, stages) = (schedule.n_devices() as u64, schedule.n_stages() as u64);
        let chunks = self.spec.vp.map_or(stages / devices, u64::from);
        let pp = u64::from(degrees.pp);
        let sizes = [("ranks", devices, pp), ("stages", stages, chunks * pp)];
        if let Some((what, file, plan)) = sizes.into_iter().find(|(_, file, plan)| file != plan) {
            self.errors
                .push(PlanError::ScheduleFileSize { what, file, plan });
            return None;
        }
        Some((Source::File(schedule), u32::try_from(chunks).ok()?))
    }

    /// What every virtual stage holds. In two directions, the second half of the stages are copies
    /// of the first, on the devices in reverse.
    pub(super) fn all_stages(
        &mut self,
        degrees: Degrees,
        (source, chunks): &(Source, u32),
    ) -> Option<Vec<StageContent>> {
        if !source.is_two_directional() {
            return self.stages(degrees, *chunks, source.ends_meet(degrees.pp));
        }
        if *chunks < 2 || !chunks.is_multiple_of(2) {
            if let Source::Kind(kind) = source {
                let refusal = ScheduleRefusal::Chunks {
                    kind: *kind,
                    expected: 2,
                    chunks: *chunks,
                };
                self.errors.push(refusal.into());
            }
            return None;
        }
        // Both ends of the model lie on each of the first and the last device.
        let mut stages = self.stages(degrees, chunks / 2, true)?;
        stages.extend_from_within(..);
        Some(stages)
    }

    /// What every virtual stage of one direction holds. `ends_meet` says whether the first and the
    /// last one lie on one device.
    fn stages(
        &mut self,
        degrees: Degrees,
        chunks: u32,
        ends_meet: bool,
    ) -> Option<Vec<StageContent>> {
        let (layers, pp) = (self.shape.layers, degrees.pp);
        let n_stages = u64::from(pp) * u64::from(chunks);
        if MAX_STAGES < n_stages {
            self.errors.push(PlanError::TooLarge {
                field: "pp",
                value: n_stages,
                limit: MAX_STAGES,
            });
            return None;
        }
        let stages = pp * chunks;
        let split = self.layer_split(stages);
        let problem = match split.counts(layers, stages) {
            Ok(counts) => {
                let shared = !ends_meet && (self.shape.tied || 0 < self.shape.mtp);
                return Some(contents(&counts, shared, self.shape.mtp));
            }
            Err(problem) => problem,
        };
        self.errors.push(match problem {
            SplitProblem::TooFew => PlanError::Layers {
                layers,
                stages,
                pp,
                vp: chunks,
            },
            SplitProblem::Uneven { counted } => PlanError::UnevenLayers { counted, stages },
            SplitProblem::Length { given } => PlanError::SplitLength { given, stages },
            SplitProblem::Sum { given } => PlanError::SplitSum { given, layers },
        });
        None
    }

    /// The given split. Without one: even; where that leaves a rest, with the embedding and the
    /// output layer as layers if then it does not, as Megatron recipes do.
    fn layer_split(&mut self, stages: u32) -> LayerSplit {
        if let Some(split) = &self.spec.layer_split {
            return split.clone();
        }
        let layers = self.shape.layers;
        if layers.is_multiple_of(stages) {
            return LayerSplit::Even;
        }
        let accounts = [(true, true), (false, true)];
        let account = accounts.into_iter().find(|(embedding, loss)| {
            (layers + u32::from(*embedding) + u32::from(*loss)).is_multiple_of(stages)
        });
        let reason = "the stages do not divide the layers";
        let (value, split) = match account {
            Some((true, loss)) => (
                "the embedding and the output layer count as layers",
                LayerSplit::Account {
                    embedding: true,
                    loss,
                },
            ),
            Some((embedding, loss)) => (
                "the output layer counts as a layer",
                LayerSplit::Account { embedding, loss },
            ),
            None => (
                "as even as possible, fewer layers at both ends",
                LayerSplit::Even,
            ),
        };
        self.assume("layer_split", value.into(), reason);
        split
    }

    pub(super) fn recompute(&mut self, stages: Option<&[StageContent]>) -> RecomputePolicy {
        let Some(spec) = &self.spec.recompute else {
            self.assume("recompute", "none".into(), "not asked for");
            return RecomputePolicy::Uniform(Recompute::None);
        };
        if let RecomputeSpec::Modules(regions) = spec
            && self.shape.experts.is_empty()
        {
            for (module, region) in EXPERT_MODULES {
                if regions.contains(region) {
                    self.errors.push(PlanError::RecomputeNothing { module });
                    break;
                }
            }
        }
        if let Some(recompute) = spec.uniform() {
            return RecomputePolicy::Uniform(recompute);
        }
        let n_stages = stages.map_or(0, <[StageContent]>::len);
        match spec {
            RecomputeSpec::LayersByStage(counts) => {
                if stages.is_some() && counts.len() != n_stages {
                    self.errors.push(PlanError::RecomputeLength {
                        given: counts.len(),
                        stages: u32::try_from(n_stages).unwrap_or(u32::MAX),
                    });
                }
                self.check_recomputed(counts.iter().max(), stages);
                RecomputePolicy::FirstLayers(counts.clone())
            }
            RecomputeSpec::Layers(count) => {
                self.check_recomputed(Some(count), stages);
                RecomputePolicy::FirstLayers(vec![*count; n_stages])
            }
            _ => RecomputePolicy::Uniform(Recompute::None),
        }
    }

    /// No stage computes more layers again than the largest one has.
    fn check_recomputed(&mut self, most: Option<&u32>, stages: Option<&[StageContent]>) {
        let layers = stages.and_then(|all| all.iter().map(|stage| stage.layers.len()).max());
        let layers = layers.and_then(|layers| u32::try_from(layers).ok());
        if let (Some(&given), Some(layers)) = (most, layers)
            && layers < given
        {
            let error = PlanError::RecomputeLayers { given, layers };
            self.errors.push(error);
        }
    }
}
