//! Where a lane's time goes, and how much memory it holds.

use task::{Effect, MemoryEffect};
use trace::{Category, MemoryKind};
use units::{Bytes, SimTime};

const N_CATEGORIES: usize = Category::ALL.len();
const N_KINDS: usize = MemoryKind::ALL.len();

/// The totals of one lane after a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneTotals {
    /// Time by [`Category::index`]: each instant counts for the first category in order that
    /// was active.
    pub by_category: [SimTime; N_CATEGORIES],
    /// Time in which nothing was active.
    pub idle: SimTime,
    /// Time in which communication ran, by category, hidden or not.
    pub communication: [SimTime; N_CATEGORIES],
    /// The largest memory and its moment.
    pub peak: MemoryPeak,
}

impl LaneTotals {
    /// The totals of a lane that did nothing in no time.
    pub const EMPTY: Self = Self {
        by_category: [SimTime::ZERO; N_CATEGORIES],
        idle: SimTime::ZERO,
        communication: [SimTime::ZERO; N_CATEGORIES],
        peak: MemoryPeak {
            bytes: Bytes::ZERO,
            time: SimTime::ZERO,
            by_kind: [Bytes::ZERO; N_KINDS],
        },
    };
}

/// The moment at which a lane holds most memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryPeak {
    /// The sum over kinds.
    pub bytes: Bytes,
    /// The first moment at which it is reached.
    pub time: SimTime,
    /// The parts, by [`MemoryKind::index`].
    pub by_kind: [Bytes; N_KINDS],
}

/// The running account of one lane.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) active: [u16; N_CATEGORIES],
    since: SimTime,
    by_category: [u64; N_CATEGORIES],
    communication: [u64; N_CATEGORIES],
    idle: u64,
    level: [u64; N_KINDS],
    total: u64,
    peak: MemoryPeak,
}

impl Account {
    pub(crate) fn new(resident: [u64; N_KINDS]) -> Self {
        let total = resident.iter().sum();
        let by_kind = resident.map(Bytes::new);
        Self {
            active: [0; N_CATEGORIES],
            since: SimTime::ZERO,
            by_category: [0; N_CATEGORIES],
            communication: [0; N_CATEGORIES],
            idle: 0,
            level: resident,
            total,
            peak: MemoryPeak {
                bytes: Bytes::new(total),
                time: SimTime::ZERO,
                by_kind,
            },
        }
    }

    pub(crate) fn begin(&mut self, category: Category, now: SimTime) {
        self.settle(now);
        self.active[category.index()] += 1;
    }

    pub(crate) fn end(&mut self, category: Category, now: SimTime) {
        self.settle(now);
        self.active[category.index()] -= 1;
    }

    fn settle(&mut self, now: SimTime) {
        let elapsed = now.as_picos() - self.since.as_picos();
        if elapsed == 0 {
            return;
        }
        self.since = now;
        match self.active.iter().position(|&count| count != 0) {
            Some(first) => self.by_category[first] += elapsed,
            None => self.idle += elapsed,
        }
        for (total, &count) in self.communication.iter_mut().zip(&self.active) {
            *total += if count == 0 { 0 } else { elapsed };
        }
    }

    /// Applies the effects of a step that starts; returns whether a level changed.
    pub(crate) fn take(&mut self, effects: &[MemoryEffect], now: SimTime) -> bool {
        let mut changed = false;
        for effect in effects
            .iter()
            .filter(|effect| effect.effect != Effect::Free)
        {
            self.level[effect.kind.index()] += effect.bytes.as_u64();
            self.total += effect.bytes.as_u64();
            changed = true;
        }
        if self.peak.bytes.as_u64() < self.total {
            self.peak = MemoryPeak {
                bytes: Bytes::new(self.total),
                time: now,
                by_kind: self.level.map(Bytes::new),
            };
        }
        changed
    }

    /// Applies the effects of a step that ends; returns whether a level changed.
    pub(crate) fn free(&mut self, effects: &[MemoryEffect]) -> bool {
        let mut changed = false;
        for effect in effects
            .iter()
            .filter(|effect| effect.effect != Effect::Take)
        {
            let bytes = effect.bytes.as_u64().min(self.level[effect.kind.index()]);
            debug_assert_eq!(
                bytes,
                effect.bytes.as_u64(),
                "more memory freed than was taken"
            );
            self.level[effect.kind.index()] -= bytes;
            self.total -= bytes;
            changed = true;
        }
        changed
    }

    pub(crate) fn level(&self, kind: MemoryKind) -> u64 {
        self.level[kind.index()]
    }

    pub(crate) fn totals(mut self, end: SimTime) -> LaneTotals {
        self.settle(end);
        LaneTotals {
            by_category: self.by_category.map(SimTime::from_picos),
            idle: SimTime::from_picos(self.idle),
            communication: self.communication.map(SimTime::from_picos),
            peak: self.peak,
        }
    }
}
