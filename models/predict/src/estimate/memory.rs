//! Peaks of memory from the number of micro-batches in flight.

use plan::schedule::{ActionKind, ScheduleKind, peak_level};
use plan::{Plan, PlannedSchedule, Schedule};
use units::Bytes;

use crate::estimate::pipeline::PipelineScratch;
use crate::estimate::stage::StageSums;

/// The largest activations of a device: what its micro-batches in flight keep, and what its
/// passes need besides.
pub(super) fn activations(
    plan: &Plan,
    device: u32,
    chunks: &[&StageSums],
    scratch: &mut PipelineScratch,
) -> Bytes {
    let n = plan.n_micro_batches();
    let p = plan.degrees().pp;
    let transient = chunks
        .iter()
        .map(|chunk| chunk.transient.max(chunk.workspace))
        .max();
    let transient = transient.unwrap_or_default();
    match plan.schedule_kind() {
        Some(ScheduleKind::GPipe) => of(chunks, n) + transient,
        _ if p == 1 => of(chunks, 1) + transient,
        Some(ScheduleKind::OneFOneB) => of(chunks, (p - device).min(n)) + transient,
        Some(ScheduleKind::Interleaved) => interleaved(plan, device, chunks) + transient,
        _ => replayed(scratch.schedule(plan), device, chunks) + transient,
    }
}

/// Interleaved 1F1B (Narayanan et al. 2021, section 2.2): device `i` of `p` runs
/// `(v − 1) g + 2 (p − 1 − i) + 1` forward passes before its first backward pass, `g`
/// micro-batches of one chunk at a time, and then frees one for each that it adds.
fn interleaved(plan: &Plan, device: u32, chunks: &[&StageSums]) -> Bytes {
    let p = plan.degrees().pp;
    let v = u32::try_from(chunks.len()).unwrap_or(1);
    let group = match plan.planned_schedule() {
        PlannedSchedule::Kind { group, .. } => (*group).max(1),
        PlannedSchedule::File(_) => p,
    };
    let all = plan.n_micro_batches() * v;
    let passes = ((v - 1) * group + 2 * (p - 1 - device) + 1).min(all);
    let round = group * v;
    let mut kept = Bytes::ZERO;
    for (chunk, sums) in (0_u32..).zip(chunks) {
        let whole = passes / round * group;
        let rest = (passes % round).saturating_sub(chunk * group).min(group);
        kept += (sums.kept + sums.logits) * u64::from(whole + rest);
    }
    kept
}

fn of(chunks: &[&StageSums], in_flight: u32) -> Bytes {
    let kept: Bytes = chunks.iter().map(|chunk| chunk.kept + chunk.logits).sum();
    kept * u64::from(in_flight)
}

/// The peak of what is kept, along the device's list of actions.
fn replayed(schedule: &Schedule, device: u32, chunks: &[&StageSums]) -> Bytes {
    let stages: Vec<u32> = schedule.stages_of(device as usize).collect();
    let signed = |bytes: Bytes| i64::try_from(bytes.as_u64()).unwrap_or(i64::MAX);
    let (peak, _) = peak_level(schedule.actions(device as usize), |action| {
        let chunk = stages.iter().position(|stage| *stage == action.stage);
        let Some(chunk) = chunk.and_then(|at| chunks.get(at)) else {
            return (0, 0);
        };
        let kept = signed(chunk.kept + chunk.logits);
        let held = signed(chunk.held);
        match action.kind {
            ActionKind::Forward => (kept, 0),
            ActionKind::Backward => (0, -kept),
            ActionKind::InputGrad => (0, held - kept),
            ActionKind::WeightGrad => (0, -held),
            _ => (0, 0),
        }
    });
    Bytes::new(u64::try_from(peak).unwrap_or(0))
}
