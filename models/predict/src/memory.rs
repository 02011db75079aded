//! Memory of every class of ranks, and whether it fits.

use engine::Run;
use lower::Lowered;
use plan::Plan;
use serde_json::{Map, Value};
use trace::MemoryKind;
use units::Bytes;

use crate::prediction::ClassMemory;
use crate::scenario::Scenario;

/// The memory of a run.
pub(crate) struct Memory {
    pub(crate) allocated: Bytes,
    pub(crate) reserved: Bytes,
    /// Of the device that is fullest against its limit.
    pub(crate) used: Bytes,
    pub(crate) limit: Bytes,
    pub(crate) fits: bool,
    pub(crate) by_class: Vec<ClassMemory>,
}

/// Peaks of all lanes against the memory of their GPUs.
///
/// * `plan` — the plan that was lowered, of which the scenario's is one.
pub(crate) fn memory(scenario: &Scenario, plan: &Plan, lowered: &Lowered, run: &Run) -> Memory {
    let mut memory = Memory {
        allocated: Bytes::ZERO,
        reserved: Bytes::ZERO,
        used: Bytes::ZERO,
        limit: Bytes::ZERO,
        fits: true,
        by_class: Vec::new(),
    };
    let mut fullest = -1.0;
    for (lane, totals) in lowered.binding.lanes.lanes.iter().zip(&run.lanes) {
        let gpu = plan.gpu_of(units::RankId::new(lane.ranks[0]));
        let limit = scenario.cluster.gpu(gpu).memory;
        let constants = scenario.profiles[scenario.cluster.kind_of(gpu)].memory();
        let (peak, step) = (&totals.peak, lowered.step_buffers[lane.stage as usize]);
        let in_step = stepping(lane.resident, step.total());
        let allocated = peak.bytes.max(in_step.iter().copied().sum());
        let communicators = u64::from(lowered.n_communicators);
        let kept = constants.device_used(peak.bytes, communicators) + step.flat;
        let used = held(
            constants.device_needed(allocated, communicators),
            kept,
            limit,
        );
        let share = used.as_f64() / limit.as_f64();
        if fullest < share {
            fullest = share;
            (memory.used, memory.limit) = (used, limit);
        }
        let steps = peak.bytes < allocated;
        memory.allocated = memory.allocated.max(allocated);
        memory.reserved = memory
            .reserved
            .max(constants.reserved(peak.bytes) + step.flat);
        memory.fits &= used <= limit;
        memory.by_class.push(ClassMemory {
            class: lane.name.clone(),
            stage: lane.stage,
            ranks: lane.ranks.len() as u64,
            first_rank: lane.ranks[0],
            peak_allocated_bytes: allocated,
            peak_at_s: Some(
                if steps { run.end } else { peak.time }
                    .as_seconds()
                    .as_secs(),
            ),
            at_peak: kinds(if steps { &in_step } else { &peak.by_kind }),
        });
    }
    memory.fits &= lowered.outside_fits;
    memory
}

/// Device memory in use: what the allocator keeps, which it returns before it runs out of memory.
///
/// * `needed` — with nothing kept but what is allocated at once.
/// * `kept` — with all that was ever allocated and fits nothing else.
pub(crate) fn held(needed: Bytes, kept: Bytes, limit: Bytes) -> Bytes {
    needed.max(kept.min(limit))
}

/// Memory in the optimizer's step, when all activations have gone, with the copies that it takes.
fn stepping(resident: [u64; MemoryKind::ALL.len()], step: Bytes) -> [Bytes; MemoryKind::ALL.len()] {
    let mut parts = resident.map(Bytes::new);
    parts[MemoryKind::Workspace.index()] += step;
    parts
}

/// Parts by kind, with `_bytes` names.
pub(crate) fn kinds(by_kind: &[Bytes; MemoryKind::ALL.len()]) -> Map<String, Value> {
    MemoryKind::ALL
        .into_iter()
        .zip(by_kind)
        .filter(|(_, bytes)| **bytes != Bytes::ZERO)
        .map(|(kind, bytes)| (format!("{}_bytes", kind.name()), bytes.as_u64().into()))
        .collect()
}
