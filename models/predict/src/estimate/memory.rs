//! Peaks of memory from the number of micro-batches in flight.

use plan::schedule::{ActionKind, ScheduleKind, peak_level};
use plan::{Plan, Schedule};
use units::Bytes;

use crate::estimate::stage::StageSums;

/// The largest activations of a device: what its micro-batches in flight keep, and what its
/// passes need besides.
pub(super) fn activations(plan: &Plan, device: u32, chunks: &[&StageSums]) -> Bytes {
    let n = plan.n_micro_batches();
    let p = plan.degrees().pp;
    let transient = chunks
        .iter()
        .map(|chunk| chunk.transient.max(chunk.workspace))
        .max();
    let transient = transient.unwrap_or_default();
    match plan.schedule_kind() {
        Some(ScheduleKind::GPipe) => of(chunks, n) + transient,
        Some(ScheduleKind::OneFOneB) => of(chunks, (p - device).min(n)) + transient,
        _ => replayed(&plan.schedule(), device, chunks) + transient,
    }
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
