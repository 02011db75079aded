//! Memory of every class of ranks, and whether it fits.

use engine::Run;
use lower::Lowered;
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
pub(crate) fn memory(scenario: &Scenario, lowered: &Lowered, run: &Run) -> Memory {
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
        let gpu = scenario.plan.gpu_of(units::RankId::new(lane.ranks[0]));
        let limit = scenario.cluster.gpu(gpu).memory;
        let constants = scenario.profiles[scenario.cluster.kind_of(gpu)].memory();
        let peak = &totals.peak;
        let used = constants.device_used(peak.bytes, u64::from(lowered.n_communicators));
        let share = used.as_f64() / limit.as_f64();
        if fullest < share {
            fullest = share;
            (memory.used, memory.limit) = (used, limit);
        }
        memory.allocated = memory.allocated.max(peak.bytes);
        memory.reserved = memory.reserved.max(constants.reserved(peak.bytes));
        memory.fits &= used <= limit;
        memory.by_class.push(ClassMemory {
            class: lane.name.clone(),
            stage: lane.stage,
            ranks: lane.ranks.len() as u64,
            first_rank: lane.ranks[0],
            peak_allocated_bytes: peak.bytes,
            peak_at_s: Some(peak.time.as_seconds().as_secs()),
            at_peak: kinds(&peak.by_kind),
        });
    }
    memory
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
