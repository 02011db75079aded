//! How many spans of each kind lie in a stretch of a track, and how long they take.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use units::SimTime;

use crate::{Category, Pass, Span, SpanId, Trace};

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

/// A category and a pass in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind(u8);

impl Kind {
    /// How many there can be.
    const N: usize = Category::ALL.len() * 8;

    /// That of a span.
    pub(crate) fn of(span: &Span) -> Self {
        Self((span.category as u8) << 3 | span.pass as u8)
    }

    const fn index(self) -> usize {
        self.0 as usize
    }

    fn parts(self) -> (Category, Pass) {
        (
            Category::ALL[self.index() >> 3],
            Pass::ALL[self.index() & 7],
        )
    }
}

/// Sums over the spans of a track, so that those of any stretch are found without visiting them.
#[derive(Clone, Debug, Default)]
pub struct KindSums {
    kinds: Vec<Kind>,
    /// Count and picoseconds before each `EVERY`-th span, kind by kind.
    before: Vec<(u32, u64)>,
}

impl KindSums {
    /// Sums over spans in the order of a track.
    pub fn new(trace: &Trace, spans: &[SpanId]) -> Self {
        let span = |id: &SpanId| -> &Span { &trace.spans[*id as usize] };
        let kinds: Vec<Kind> = spans.iter().map(|id| Kind::of(span(id))).collect();
        let starts: Vec<u64> = spans.iter().map(|id| span(id).start.as_picos()).collect();
        let ends: Vec<u64> = spans.iter().map(|id| span(id).end.as_picos()).collect();
        Self::of_columns(&kinds, &starts, &ends)
    }

    pub(crate) fn of_columns(of_span: &[Kind], starts: &[u64], ends: &[u64]) -> Self {
        let mut occurs = [false; Kind::N];
        for kind in of_span {
            occurs[kind.index()] = true;
        }
        let all = (0..).zip(occurs).filter(|(_, occurs)| *occurs);
        let kinds: Vec<Kind> = all.map(|(kind, _)| Kind(kind)).collect();
        let mut sums = [(0_u32, 0_u64); Kind::N];
        let mut before = Vec::with_capacity((of_span.len() / EVERY + 1) * kinds.len());
        for (at, kind) in of_span.iter().enumerate() {
            if at.is_multiple_of(EVERY) {
                before.extend(kinds.iter().map(|kind| sums[kind.index()]));
            }
            let sum = &mut sums[kind.index()];
            sum.0 += 1;
            sum.1 += ends[at].saturating_sub(starts[at]);
        }
        if of_span.len().is_multiple_of(EVERY) {
            before.extend(kinds.iter().map(|kind| sums[kind.index()]));
        }
        Self { kinds, before }
    }

    /// The sums over the spans at some places of the same track, by kind; kinds without spans are
    /// left out.
    pub fn of(&self, trace: &Trace, spans: &[SpanId], places: Range<usize>) -> Vec<KindSum> {
        let to = self.before(trace, spans, places.end.min(spans.len()));
        let from = self.before(trace, spans, places.start.min(spans.len()));
        let sums = self.kinds.iter().zip(to.into_iter().zip(from));
        sums.map(|(kind, (to, from))| {
            let (category, pass) = kind.parts();
            KindSum {
                category,
                pass,
                count: u64::from(to.0.saturating_sub(from.0)),
                time: SimTime::from_picos(to.1.saturating_sub(from.1)),
            }
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

fn add(trace: &Trace, id: SpanId, kinds: &[Kind], sums: &mut [(u32, u64)]) {
    let span = &trace.spans[id as usize];
    let kind = Kind::of(span);
    if let Ok(at) = kinds.binary_search(&kind) {
        sums[at].0 += 1;
        sums[at].1 += span.end.as_picos().saturating_sub(span.start.as_picos());
    }
}
