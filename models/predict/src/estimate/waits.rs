//! What data-parallel communication costs beside the passes.

use std::collections::BTreeMap;

use lower::DataParallel;
use plan::{PlannedSchedule, ScheduleKind};
use workload::ops::ParamCount;

use crate::estimate::estimator::{Kept, sheet_key};
use crate::estimate::pipeline::Passes;
use crate::estimate::sheet::PassTime;
use crate::estimate::stage::StageSums;
use crate::estimate::sync::{PieceWires, Wire, exposed_reduction, gathered_forward};
use crate::estimate::work::{Merged, Work};

/// What data-parallel communication costs beside passes, in seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    /// By which the first forward pass is put off.
    pub(super) start: f64,
    /// By which passes of later chunks are.
    pub(super) later: f64,
    /// By device, what reductions slow its last backward pass.
    pub(super) slowed: Vec<f64>,
    /// By device, what reductions last beyond it.
    pub(super) exposed: Vec<f64>,
    /// Parameters by device.
    pub(super) params: Vec<ParamCount>,
}

/// When gradients are summed, in seconds from the first pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gradients {
    /// When all devices have theirs.
    pub(super) end: f64,
    /// What reductions cost the last of them.
    pub(super) late: f64,
    /// For how much longer the first and the last device sum those that they share.
    pub(super) tied: f64,
}

impl Work<'_> {
    /// What data-parallel communication beside the first and the last passes costs each device.
    pub(super) fn waits(
        &self,
        merged: &Merged,
        data: &DataParallel,
        wire: &Wire<'_>,
        (hops, slow): (&[f64], f64),
        kept: &Kept,
    ) -> Waits {
        let plan = self.plan;
        let key = |kind| sheet_key(kind, &self.sharding, plan);
        let kinds = self.hosts.kinds().into_iter();
        let wires: BTreeMap<usize, PieceWires> = kinds
            .map(|kind| (kind, PieceWires::new(&kept.sheets[&key(kind)], wire)))
            .collect();
        let mut waits = Waits {
            params: Self::params(merged),
            ..Waits::default()
        };
        let mut arrival = 0.0;
        for (device, stages) in merged.chunks_of.iter().enumerate() {
            let (kind, _) = self.hosts.of_device[device];
            let sheet = &kept.sheets[&key(kind)];
            let chunks = merged.chunks(stages);
            // Sharded weights and gradients are priced with the passes.
            let (slowed, exposed) = if data.gather_each_pass || data.reduce_each {
                (0.0, 0.0)
            } else if data.overlap_reduce {
                let (slowed, late) = exposed_reduction(plan, &chunks, sheet, &wires[&kind], slow);
                (slowed, late + wire.exposed(&waits.params[device]))
            } else {
                (0.0, wire.reduce(&waits.params[device]))
            };
            let forward = chunks.first().map_or(0.0, |chunk| chunk.forward.total);
            if data.overlap_gather && !data.gather_each_pass {
                let start = arrival + waits.start;
                let (end, later) =
                    gathered_forward(plan, &chunks, sheet, &wires[&kind], start, slow);
                let late = self.caught_up(end - arrival - forward, &chunks);
                waits.start = waits.start.max(late);
                waits.later = waits.later.max(later);
            }
            arrival += forward + hops.get(device).copied().unwrap_or(0.0);
            waits.slowed.push(slowed);
            waits.exposed.push(exposed);
        }
        waits
    }

    /// What is left at the end of seconds by which the first forward pass comes late. Where the
    /// host runs ahead of the GPU, which it does without a pipeline, it issues the next passes in
    /// that time, and the GPU waits less for it later.
    fn caught_up(&self, late: f64, chunks: &[&StageSums]) -> f64 {
        if 1 < self.plan.degrees().pp {
            return late;
        }
        let n = f64::from(self.plan.n_micro_batches());
        let idle = |chunk: &&StageSums| (n - 1.0) * chunk.forward.idle + n * chunk.backward.idle;
        late - chunks
            .iter()
            .map(idle)
            .sum::<f64>()
            .clamp(0.0, late.max(0.0))
    }

    /// When all devices have their gradients.
    ///
    /// * `tied` — seconds for which the first and the last device sum the gradients of the words
    ///   that they share, while others may still run passes.
    pub(super) fn end_of_passes(
        &self,
        merged: &Merged,
        waits: &Waits,
        passes: &Passes,
        (hops, tied): (&[f64], f64),
    ) -> Gradients {
        let mut found = Gradients::default();
        let (mut before, mut ends) = (0.0, 0.0_f64);
        for (device, stages) in merged.chunks_of.iter().enumerate() {
            let (last, behind) = self.last_pass(passes, before, device, waits);
            let ready = last + behind + waits.exposed[device];
            if found.end < ready {
                found.end = ready;
                found.late = waits.exposed[device] + waits.slowed[device].max(behind);
            }
            if device == 0 || device + 1 == merged.chunks_of.len() {
                ends = ends.max(ready);
            }
            let chunks = merged.chunks(stages);
            let first = chunks.first().map_or(0.0, |chunk| chunk.backward.total);
            before += first + hops.get(device).copied().unwrap_or(0.0);
        }
        found.tied = (ends + tied - found.end).max(0.0);
        found
    }

    /// The end of a device's last pass, and what reductions put it off.
    ///
    /// * `before` — what the last micro-batch takes from it to the first device.
    fn last_pass(&self, passes: &Passes, before: f64, device: usize, waits: &Waits) -> (f64, f64) {
        let own = waits.slowed[device];
        match &passes.ends {
            Some(ends) if self.plan.schedule_kind() == Some(ScheduleKind::GPipe) => {
                (ends[device], 0.0)
            }
            Some(ends) => (ends[device], own),
            // The last micro-batch comes back through every device behind this one.
            None if self.plan.chunks() == 1 => {
                (passes.time - before, waits.slowed[device..].iter().sum())
            }
            None => (passes.time - before, own),
        }
    }
}

impl Work<'_> {
    /// Stretches passes whose weights are gathered before and gradients reduced behind them; gives
    /// the seconds of the first gather and the last reduction, which nothing hides, and of a chain of
    /// passes that reduce.
    ///
    /// In a pipeline the last of the passes of a chunk in a row sums what all of them have added, so
    /// that it alone takes as long as the sum. The last micro-batch ends such rows on every stage that
    /// it goes back through, one after the other.
    pub(super) fn shard_passes(
        &self,
        merged: &mut Merged,
        data: &DataParallel,
        wire: &Wire<'_>,
        slow: f64,
    ) -> f64 {
        if !(data.gather_each_pass || data.reduce_each) {
            return 0.0;
        }
        let splits = (self.plan.schedule_kind()).is_some_and(ScheduleKind::splits_backward);
        let often = self.sums_a_pass();
        let (ahead, behind) = (data.overlap_gather, data.overlap_reduce);
        let mut edges = 0.0_f64;
        let mut longer = Vec::with_capacity(merged.stages.len());
        for stage in &mut merged.stages {
            let when = |holds: bool, time: f64| if holds { time } else { 0.0 };
            let gather = when(data.gather_each_pass, wire.pass(&stage.params));
            let again = when(!data.keep_after_forward, gather);
            let each = when(data.reduce_each, wire.reduce_each(&stage.params));
            let all = when(data.reduce_each && behind, wire.reduce(&stage.params));
            // What runs beside the passes, and what they wait for.
            let stretch = |pass: f64, parts: [(f64, bool); 2]| {
                let sum = |hidden: bool| -> f64 {
                    parts
                        .iter()
                        .filter(|part| part.1 == hidden)
                        .map(|part| part.0)
                        .sum()
                };
                let beside = sum(true);
                (pass + pass.min(beside) * (1.0 - slow)).max(beside) + sum(false)
            };
            let forward = stretch(stage.forward.total, [(gather, ahead), (0.0, true)]);
            stage.forward.dp += forward - stage.forward.total;
            stage.forward.total = forward;
            let pieces: u32 = stage.runs.iter().map(|(_, times)| times).sum();
            let pieces = f64::from(pieces.max(1));
            // Gives what a pass that sums gradients takes longer, usually and at last. Kernels wait
            // for the sum of the piece before, and the sums of all passes for each other.
            let ends = |pass: &mut PassTime, again: f64, sums: bool| {
                let open = stretch(pass.total, [(again, ahead), (0.0, true)]);
                let with = |sum: f64| {
                    let waits = open / pieces + sum * (pieces - 1.0) / pieces;
                    let whole = stretch(pass.total, [(again, ahead), (sum, behind)]);
                    if behind {
                        whole.min(waits).max(open)
                    } else {
                        whole
                    }
                };
                let [usual, last] = [each, all.max(each)].map(|sum| with(when(sums, sum)) - open);
                let mean = (open + often * usual).max(when(sums && behind, often * each));
                pass.dp += mean - pass.total;
                pass.total = mean;
                [usual, last]
            };
            let more = ends(&mut stage.backward, again, true);
            if splits {
                ends(&mut stage.input_grad, again, false);
                let [usual, last] = ends(&mut stage.weight_grad, 0.0, true);
                edges = edges.max(last - usual);
            } else {
                longer.push(more);
            }
            let hidden = when(ahead, gather) + when(behind, often * each);
            edges = edges.max(hidden / pieces);
        }
        let rest = |params: &ParamCount| wire.reduce(params) - wire.reduce_each(params);
        let params = Self::params(merged);
        let rest = params.iter().map(rest).fold(0.0, f64::max);
        let left = if data.reduce_each && !behind {
            rest
        } else {
            0.0
        };
        edges + left + Self::chain(merged, &longer)
    }

    /// Seconds by which the last passes of all stages, one behind the other, take longer than passes
    /// do on average.
    ///
    /// * `longer` — by stage, what a pass that sums gradients takes longer, usually and at last.
    fn chain(merged: &Merged, longer: &[[f64; 2]]) -> f64 {
        if longer.is_empty() {
            return 0.0;
        }
        let of_device = |stages: &Vec<usize>| stages.iter().map(|stage| longer[*stage][0]).sum();
        let own = merged.chunks_of.iter().map(of_device).fold(0.0, f64::max);
        let all: f64 = longer.iter().map(|[_, last]| last).sum();
        all - own
    }

    /// Sums of gradients a backward pass, on average: one behind the last of the passes of a stage
    /// that follow each other on their device.
    fn sums_a_pass(&self) -> f64 {
        let plan = self.plan;
        let n = plan.n_micro_batches();
        let rounds = match plan.planned_schedule() {
            PlannedSchedule::Kind { kind, group } if 1 < plan.degrees().pp => match kind {
                ScheduleKind::Interleaved => n.div_ceil((*group).max(1)),
                _ if plan.chunks() == 1 => 1,
                _ => n,
            },
            _ => n,
        };
        f64::from(rounds) / f64::from(n.max(1))
    }
}
