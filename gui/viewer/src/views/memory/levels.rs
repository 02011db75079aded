//! Memory of a class over time, thinned to what a chart can show. Peaks stay.

use trace::{MemoryLevel, Trace, memory_timeline};
use units::LaneId;

use super::class::KINDS;

/// Samples of the chart at most.
const MOST: usize = 800;

/// What a class holds over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    /// Moments in seconds, from which the levels hold.
    pub times: Vec<f64>,
    /// By kind, one level in bytes for each moment.
    pub by_kind: [Vec<f64>; KINDS],
}

impl Levels {
    /// The levels of the lane that a rank leads; empty where there is none.
    pub fn of(trace: &Trace, first_rank: u32) -> Self {
        let lane = trace
            .lanes
            .iter()
            .position(|lane| lane.ranks.first() == Some(&first_rank));
        let Some(lane) = lane else {
            return Self::default();
        };
        let all = memory_timeline(trace, LaneId::from_index(lane));
        let mut levels = Self::default();
        for level in thinned(&all) {
            levels.push(level.time.as_seconds().as_secs(), &level);
        }
        if let Some(last) = all.last() {
            levels.push(trace.end.as_seconds().as_secs(), last);
        }
        levels
    }

    fn push(&mut self, time: f64, level: &MemoryLevel) {
        self.times.push(time);
        for (levels, bytes) in self.by_kind.iter_mut().zip(level.by_kind) {
            levels.push(bytes.as_u64() as f64);
        }
    }
}

/// Of every few samples the highest and the last, in their order.
fn thinned(all: &[MemoryLevel]) -> Vec<MemoryLevel> {
    if all.len() <= MOST {
        return all.to_vec();
    }
    let few = all.len().div_ceil(MOST / 2);
    let mut kept = Vec::with_capacity(MOST);
    for part in all.chunks(few) {
        let highest = part
            .iter()
            .enumerate()
            .max_by_key(|(at, level)| (level.total(), usize::MAX - at));
        let Some((at, highest)) = highest else {
            continue;
        };
        kept.push(*highest);
        if at + 1 < part.len() {
            kept.extend(part.last());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use units::{Bytes, SimTime};

    use super::*;

    #[test]
    fn thinning_keeps_the_peak_and_the_end() {
        let level = |at: u64| {
            let mut level = MemoryLevel {
                time: SimTime::from_picos(at),
                ..MemoryLevel::default()
            };
            level.by_kind[0] = Bytes::new(if at == 7_777 { 1 << 40 } else { at % 100 });
            level
        };
        let all: Vec<MemoryLevel> = (0..20_000).map(level).collect();
        let few = thinned(&all);
        assert!(few.len() <= MOST);
        assert!(
            few.iter()
                .any(|level| level.time == SimTime::from_picos(7_777))
        );
        assert_eq!(few.last(), all.last());
        assert!(few.is_sorted_by_key(|level| level.time));
    }
}
