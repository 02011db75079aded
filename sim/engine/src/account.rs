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
    /// Categories that are active, by bit.
    active: u16,
    since: SimTime,
    /// Steps and messages under way, by category.
    counts: [u16; N_CATEGORIES],
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
            active: 0,
            since: SimTime::ZERO,
            counts: [0; N_CATEGORIES],
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
        self.counts[category.index()] += 1;
        self.active |= 1 << category.index();
    }

    pub(crate) fn end(&mut self, category: Category, now: SimTime) {
        self.settle(now);
        let count = &mut self.counts[category.index()];
        *count -= 1;
        if *count == 0 {
            self.active &= !(1 << category.index());
        }
    }

    fn settle(&mut self, now: SimTime) {
        let elapsed = now.as_picos() - self.since.as_picos();
        if elapsed == 0 {
            return;
        }
        self.since = now;
        let first = self.active.trailing_zeros() as usize;
        match self.by_category.get_mut(first) {
            Some(total) => *total += elapsed,
            None => self.idle += elapsed,
        }
        for category in bits(self.active) {
            self.communication[category] += elapsed;
        }
    }

    /// Categories that are active, by bit.
    pub(crate) const fn active(&self) -> u16 {
        self.active
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

/// The places of the bits that are set, ascending.
pub(crate) fn bits(mut set: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = set.trailing_zeros() as usize;
        set &= set.checked_sub(1)?;
        Some(bit)
    })
}
