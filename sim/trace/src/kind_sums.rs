//! How many spans of each kind lie in a stretch of a track, and how long they take.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use units::SimTime;

use crate::{Category, Pass, SpanId, Trace};

const EVERY: usize = 256;

/// The spans of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindSum {
    /// What they count for.
    pub category: Category,
    /// The pass that they belong to.
    pub pass: Pass,
    /// How many they are.
    pub count: u64,
    /// How long they take together.
    pub time: SimTime,
}

/// Sums over the spans of a track, so that those of any stretch are found without visiting them.
#[derive(Clone, Debug, Default)]
pub struct KindSums {
    kinds: Vec<(Category, Pass)>,
    /// Count and picoseconds before each `EVERY`-th span, kind by kind.
    before: Vec<(u32, u64)>,
}

impl KindSums {
    /// Sums over spans in the order of a track.
    pub fn new(trace: &Trace, spans: &[SpanId]) -> Self {
        let mut kinds = Vec::new();
        for &id in spans {
            let span = &trace.spans[id as usize];
            let kind = (span.category, span.pass);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.sort_unstable();
        let mut sums = vec![(0, 0); kinds.len()];
        let mut before = Vec::with_capacity((spans.len() / EVERY + 1) * kinds.len());
        for (at, &id) in spans.iter().enumerate() {
            if at.is_multiple_of(EVERY) {
                before.extend_from_slice(&sums);
            }
            add(trace, id, &kinds, &mut sums);
        }
        if spans.len().is_multiple_of(EVERY) {
            before.extend_from_slice(&sums);
        }
        Self { kinds, before }
    }

    /// The sums over the spans at some places of the same track, by kind; kinds without spans are
    /// left out.
    pub fn of(&self, trace: &Trace, spans: &[SpanId], places: Range<usize>) -> Vec<KindSum> {
        let to = self.before(trace, spans, places.end.min(spans.len()));
        let from = self.before(trace, spans, places.start.min(spans.len()));
        let sums = self.kinds.iter().zip(to.into_iter().zip(from));
        sums.map(|(&(category, pass), (to, from))| KindSum {
            category,
            pass,
            count: u64::from(to.0.saturating_sub(from.0)),
            time: SimTime::from_picos(to.1.saturating_sub(from.1)),
        })
        .filter(|sum| sum.count != 0)
        .collect()
    }

    /// Count and picoseconds of each kind before a place.
    fn before(&self, trace: &Trace, spans: &[SpanId], place: usize) -> Vec<(u32, u64)> {
        let n = self.kinds.len();
        let block = place / EVERY;
        let mut sums = self.before[block * n..(block + 1) * n].to_vec();
        for &id in &spans[block * EVERY..place] {
            add(trace, id, &self.kinds, &mut sums);
        }
        sums
    }
}

fn add(trace: &Trace, id: SpanId, kinds: &[(Category, Pass)], sums: &mut [(u32, u64)]) {
    let span = &trace.spans[id as usize];
    let kind = (span.category, span.pass);
    if let Some(at) = kinds.iter().position(|&one| one == kind) {
        sums[at].0 += 1;
        sums[at].1 += span.end.as_picos().saturating_sub(span.start.as_picos());
    }
}
