//! The pipeline of a plan: micro-batches, schedule, stages.

use std::sync::Arc;

use units::RankId;
use workload::ops::Recompute;

use super::{Plan, PlannedSchedule, RecomputePolicy};
use crate::schedule::{
    Schedule, ScheduleKind, Vocabulary, interleaved_in_groups, interleaved_in_pairs,
};
use crate::split::StageContent;

impl Plan {
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
}
