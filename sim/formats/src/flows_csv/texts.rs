//! Texts numbered in the order in which they came.

use std::hash::{BuildHasher, RandomState};

/// Different texts, side by side, with a table from text to number.
///
/// The table's hash is keyed at random, so that no file can make it slow; nothing depends on the
/// order in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    text: String,
    /// Where each text ends.
    ends: Vec<u32>,
    /// At most three quarters of them are taken; their number is a power of two.
    slots: Vec<Slot>,
    hasher: RandomState,
}

/// A place of the table.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Of the text, so that others are seldom looked at.
    hash: u32,
    /// The number of the text, or [`FREE`].
    number: u32,
}

const FREE: u32 = u32::MAX;

impl Texts {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a number.
    pub(super) fn get(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[index] as usize]
    }

    /// The number of a text.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let found = self.slots[self.place(self.hash(text), text)].number;
        (found != FREE).then_some(found)
    }

    /// Adds a text: its number, and whether it is new. `None` where 4 GiB are full.
    pub(super) fn add(&mut self, text: &str) -> Option<(u32, bool)> {
        if self.slots.len() / 4 * 3 <= self.len() {
            self.grow();
        }
        let hash = self.hash(text);
        let place = self.place(hash, text);
        let found = self.slots[place].number;
        if found != FREE {
            return Some((found, false));
        }
        let number = u32::try_from(self.len()).ok()?;
        let end = u32::try_from(self.text.len() + text.len()).ok()?;
        self.text.push_str(text);
        self.ends.push(end);
        self.slots[place] = Slot { hash, number };
        Some((number, true))
    }

    fn hash(&self, text: &str) -> u32 {
        u32::try_from(self.hasher.hash_one(text) >> 32).unwrap_or(0)
    }

    /// Where a text is in the table, or would be.
    fn place(&self, hash: u32, text: &str) -> usize {
        let is_there = |slot: &Slot| slot.hash == hash && self.get(slot.number as usize) == text;
        probe(&self.slots, hash, is_there)
    }

    fn grow(&mut self) {
        let free = Slot {
            hash: 0,
            number: FREE,
        };
        let mut slots = vec![free; (2 * self.slots.len()).max(64)];
        for &slot in self.slots.iter().filter(|slot| slot.number != FREE) {
            let place = probe(&slots, slot.hash, |_| false);
            slots[place] = slot;
        }
        self.slots = slots;
    }
}

/// The first slot from that of a hash onwards that is free or the one.
fn probe(slots: &[Slot], hash: u32, is_the_one: impl Fn(&Slot) -> bool) -> usize {
    let mask = slots.len() - 1;
    let mut at = hash as usize & mask;
    while slots[at].number != FREE && !is_the_one(&slots[at]) {
        at = (at + 1) & mask;
    }
    at
}
