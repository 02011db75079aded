//! Memory over time, and its peak.

use serde::{Deserialize, Serialize};
use units::{Bytes, LaneId, SimTime};

use crate::{Lane, MemoryKind, MemorySample, Trace};

/// What a lane holds from a moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryLevel {
    /// The moment.
    pub time: SimTime,
    /// The parts, resident memory included, by [`MemoryKind::index`].
    pub by_kind: [Bytes; MemoryKind::ALL.len()],
}

impl MemoryLevel {
    /// The sum over kinds.
    pub fn total(&self) -> Bytes {
        let add = |sum: u64, bytes: &Bytes| sum.saturating_add(bytes.as_u64());
        Bytes::new(self.by_kind.iter().fold(0, add))
    }
}

/// The levels of a lane: what is resident at the start, then one entry per sample. Changes of the
/// same moment stay apart, so that a peak of no duration is not lost. Empty for a lane that the
/// trace does not know.
pub fn memory_timeline(trace: &Trace, lane: LaneId) -> Vec<MemoryLevel> {
    let Some(setup) = trace.lanes.get(lane.index()) else {
        return Vec::new();
    };
    let mut level = at_start(setup);
    let mut levels = vec![level];
    for sample in trace.memory.iter().filter(|sample| sample.lane == lane) {
        apply(&mut level, setup, sample);
        levels.push(level);
    }
    levels
}

/// The levels of all lanes, in one pass over the samples.
pub fn memory_timelines(trace: &Trace) -> Vec<Vec<MemoryLevel>> {
    let mut lanes: Vec<_> = trace
        .lanes
        .iter()
        .map(|lane| vec![at_start(lane)])
        .collect();
    for sample in &trace.memory {
        let at = sample.lane.index();
        let (Some(levels), Some(setup)) = (lanes.get_mut(at), trace.lanes.get(at)) else {
            continue;
        };
        if let Some(&(mut level)) = levels.last() {
            apply(&mut level, setup, sample);
            levels.push(level);
        }
    }
    lanes
}

/// The first moment at which each lane holds most, in one pass over the samples.
pub fn memory_peaks(trace: &Trace) -> Vec<MemoryLevel> {
    let mut levels: Vec<_> = trace.lanes.iter().map(at_start).collect();
    let mut peaks = levels.clone();
    for sample in &trace.memory {
        let at = sample.lane.index();
        let Some(setup) = trace.lanes.get(at) else {
            continue;
        };
        apply(&mut levels[at], setup, sample);
        if peaks[at].total() < levels[at].total() {
            peaks[at] = levels[at];
        }
    }
    peaks
}

fn at_start(lane: &Lane) -> MemoryLevel {
    MemoryLevel {
        time: SimTime::ZERO,
        by_kind: lane.resident.map(Bytes::new),
    }
}

fn apply(level: &mut MemoryLevel, lane: &Lane, sample: &MemorySample) {
    let index = sample.kind.index();
    level.time = sample.time;
    level.by_kind[index] = Bytes::new(lane.resident[index].saturating_add(sample.bytes));
}
