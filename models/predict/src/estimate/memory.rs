//! Peaks of memory from the number of micro-batches in flight.

use lower::{Dummies, StepBuffers, beside_tensors, boundary, pass_gradients};
use plan::schedule::ScheduleKind;
use plan::state::{StateBytes, StateParts, gather_buffers};
use plan::{Plan, PlannedSchedule};
use trace::MemoryKind;
use units::Bytes;
use workload::Resident;
use workload::ops::ParamCount;

use crate::Scenario;
use crate::estimate::estimator::{Estimate, Kept};
use crate::estimate::levels::Levels;
use crate::estimate::pipeline::PipelineScratch;
use crate::estimate::stage::StageSums;
use crate::estimate::work::{Merged, Work};
use crate::memory::held;

/// Bytes by kind of memory.
type Parts = [Bytes; MemoryKind::ALL.len()];

/// The peak of a rank of one pipeline device, by kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StagePeak {
    pub(crate) device: u32,
    pub(crate) parts: Parts,
}

/// Communicators of a rank that the closed form counts: world, tensor, pipeline, data.
const COMMUNICATORS: u64 = 4;

impl Work<'_> {
    /// Peaks of every device, and whether they fit.
    pub(super) fn memory(
        &self,
        merged: &Merged,
        params: &[ParamCount],
        kept: &mut Kept,
    ) -> Estimate {
        let Scenario {
            cluster,
            profiles,
            job,
            framework,
            ..
        } = self.scenario;
        let mut estimate = Estimate {
            fits: true,
            ..Estimate::default()
        };
        let hop = boundary(job, self.plan, framework, &self.sharding);
        let mut fullest = -1.0;
        let mut state = Bytes::ZERO;
        for (device, stages) in (0_u32..).zip(&merged.chunks_of) {
            let (kind, _) = self.hosts.of_device[device as usize];
            let chunks = merged.chunks(stages);
            let params = &params[device as usize];
            let constants = profiles[kind].memory();
            let mut parts = self.state(&chunks, params);
            let own = [
                MemoryKind::Weights,
                MemoryKind::Gradients,
                MemoryKind::Optimizer,
            ];
            state += own.map(|kind| parts[kind.index()]).into_iter().sum();
            parts[MemoryKind::Workspace.index()] +=
                beside_tensors(constants, framework, self.plan, params, hop);
            let resting: Bytes = parts.iter().copied().sum();
            let kept_ones = activations(self.plan, device, &chunks, &mut kept.scratch);
            let peak = resting + kept_ones;
            let step = StepBuffers::of(job, self.plan, framework, params);
            let allocated = peak.max(resting + step.total());
            let limit = cluster.kinds()[kind].memory;
            let kept_by_allocator = constants.device_used(peak, COMMUNICATORS) + step.flat;
            let needed = constants.device_needed(allocated, COMMUNICATORS);
            let used = held(needed, kept_by_allocator, limit);
            let share = used.as_f64() / limit.as_f64();
            if fullest < share {
                fullest = share;
                (estimate.device_used, estimate.device_memory) = (used, limit);
            }
            if estimate.peak_allocated < allocated {
                (estimate.peak_allocated, estimate.peak_device) = (allocated, device);
                estimate.peak_reserved = constants.reserved(peak) + step.flat;
            }
            estimate.fits &= used <= limit;
            if let Some(peaks) = &mut kept.peaks {
                if peak < allocated {
                    parts[MemoryKind::Workspace.index()] += step.total();
                } else {
                    parts[MemoryKind::Activations.index()] += kept_ones;
                }
                peaks.push(StagePeak { device, parts });
            }
        }
        estimate.mean_state = state / u64::from(self.plan.degrees().pp);
        estimate
    }

    /// Weights, gradients and optimizer states of a device, with the buffers of sharded layers.
    fn state(&self, chunks: &[&StageSums], params: &ParamCount) -> Parts {
        let Scenario { job, framework, .. } = self.scenario;
        let state = chunks.iter().map(|chunk| chunk.state).sum();
        let per_param = lower::resident(job, state, params);
        let layer = chunks.iter().map(|sum| {
            let pieces: u32 = sum.runs.iter().map(|(_, times)| times).sum();
            let parts = StateBytes::of(&sum.params, &per_param).parts();
            let share = |bytes: Bytes| bytes / u64::from(pieces.max(1));
            StateParts {
                weights: share(parts.weights),
                gradients: share(parts.gradients),
                optimizer: Bytes::ZERO,
            }
        });
        let layer = layer.max_by_key(StateParts::total).unwrap_or_default();
        let own = StateBytes::of(params, &per_param).on_gpu(self.plan).parts();
        let mut parts = Parts::default();
        parts[MemoryKind::Weights.index()] = own.weights;
        let mut dummies = Dummies::default();
        for chunk in chunks {
            dummies.merge(&chunk.dummies);
        }
        parts[MemoryKind::Gradients.index()] =
            own.gradients + pass_gradients(job, framework, params) + dummies.bytes(job, framework);
        parts[MemoryKind::Optimizer.index()] = own.optimizer;
        parts[MemoryKind::Communication.index()] =
            gather_buffers(self.plan, layer) + self.whole_gradients(chunks, &per_param);
        parts
    }

    /// Gradients that stay whole over passes in a row of one chunk, where ranks keep shards of
    /// them: in a pipeline, all of a chunk's are summed behind the last of these passes.
    fn whole_gradients(&self, chunks: &[&StageSums], per_param: &Resident) -> Bytes {
        if self.plan.degrees().pp == 1 || self.plan.shards().gradients == 1 {
            return Bytes::ZERO;
        }
        let whole = chunks.iter().map(|chunk| {
            let state = StateBytes::of(&chunk.params, per_param);
            state.parts().gradients
        });
        whole.max().unwrap_or_default()
    }
}

/// The largest activations of a device: what its micro-batches in flight keep, and what its
/// passes need besides.
fn activations(
    plan: &Plan,
    device: u32,
    chunks: &[&StageSums],
    scratch: &mut PipelineScratch,
) -> Bytes {
    let n = plan.n_micro_batches();
    let p = plan.degrees().pp;
    let kept = match plan.schedule_kind() {
        Some(ScheduleKind::GPipe) => of(chunks, n),
        _ if p == 1 => of(chunks, 1),
        Some(ScheduleKind::OneFOneB) => of(chunks, (p - device).min(n)),
        Some(ScheduleKind::Interleaved) => interleaved(plan, device, chunks),
        _ => replayed(&scratch.levels(plan)[device as usize], chunks),
    };
    // A backward pass frees the logits of its micro-batch before its layers, and these before
    // the embedding.
    let peaks = chunks.iter().map(|chunk| {
        let at_head = kept + chunk.head;
        let in_layers = kept.saturating_sub(chunk.logits) + chunk.transient;
        let own = chunk.kept + chunk.logits;
        let at_embedding = kept.saturating_sub(own) + chunk.embedding;
        at_head.max(in_layers).max(at_embedding)
    });
    peaks.max().unwrap_or_default()
}

fn interleaved(plan: &Plan, device: u32, chunks: &[&StageSums]) -> Bytes {
    let in_flight = interleaved_in_flight(plan, device, chunks.len());
    let kept = chunks.iter().zip(in_flight);
    kept.map(|(sums, times)| (sums.kept + sums.logits) * u64::from(times))
        .sum()
}

/// Micro-batches in flight of each chunk of a device.
///
/// Interleaved 1F1B (Narayanan et al. 2021, section 2.2): device `i` of `p` runs
/// `(v − 1) g + 2 (p − 1 − i) + 1` forward passes before its first backward pass, `g`
/// micro-batches of one chunk at a time, and then frees one for each that it adds.
pub(super) fn interleaved_in_flight(plan: &Plan, device: u32, chunks: usize) -> Vec<u32> {
    let p = plan.degrees().pp;
    let v = u32::try_from(chunks).unwrap_or(1);
    let group = match plan.planned_schedule() {
        PlannedSchedule::Kind { group, .. } => (*group).max(1),
        PlannedSchedule::File(_) => p,
    };
    let all = plan.n_micro_batches() * v;
    let passes = ((v - 1) * group + 2 * (p - 1 - device) + 1).min(all);
    let round = group * v;
    let of_chunk = |chunk: u32| {
        let whole = passes / round * group;
        let rest = (passes % round).saturating_sub(chunk * group).min(group);
        whole + rest
    };
    (0..v).map(of_chunk).collect()
}

fn of(chunks: &[&StageSums], in_flight: u32) -> Bytes {
    let kept: Bytes = chunks.iter().map(|chunk| chunk.kept + chunk.logits).sum();
    kept * u64::from(in_flight)
}

/// The peak of what is kept, along the device's list of actions.
fn replayed(levels: &[Levels], chunks: &[&StageSums]) -> Bytes {
    let at = |level: &Levels| -> Bytes {
        let each = chunks.iter().zip(level);
        each.map(|(sums, [kept, held])| {
            (sums.kept + sums.logits) * u64::from(*kept) + sums.held * u64::from(*held)
        })
        .sum()
    };
    levels.iter().map(at).max().unwrap_or_default()
}
