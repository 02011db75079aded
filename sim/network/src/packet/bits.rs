//! A window of bits over the numbers of packets.

/// A set of packet numbers that lie close together, as words of 64 bits around a ring. Numbers
/// below the window count as absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    /// A power of two of words, or none before the first number.
    words: Vec<u64>,
    /// The first word of the window, counted from number 0.
    base: u32,
    /// How many numbers are in the set.
    len: u32,
}

impl Bits {
    #[inline]
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    pub(super) fn contains(&self, number: u32) -> bool {
        self.word(number / 64) >> (number % 64) & 1 != 0
    }

    /// The word of that number around the ring; 0 outside the window.
    #[inline]
    fn word(&self, word: u32) -> u64 {
        let inside = word.wrapping_sub(self.base) < self.n_words();
        if inside {
            self.words[self.slot(word)]
        } else {
            0
        }
    }

    #[inline]
    fn n_words(&self) -> u32 {
        u32::try_from(self.words.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    fn slot(&self, word: u32) -> usize {
        word as usize & (self.words.len() - 1)
    }

    /// Adds a number that does not lie below the window; true where it is new.
    #[inline]
    pub(super) fn insert(&mut self, number: u32) -> bool {
        let word = number / 64;
        if word < self.base {
            return false;
        }
        if self.n_words() <= word - self.base {
            self.grow(word);
        }
        let slot = self.slot(word);
        let bit = 1 << (number % 64);
        let new = self.words[slot] & bit == 0;
        self.words[slot] |= bit;
        self.len += u32::from(new);
        new
    }

    /// Takes a number out; true where it was there.
    #[inline]
    pub(super) fn remove(&mut self, number: u32) -> bool {
        let there = self.contains(number);
        if there {
            let slot = self.slot(number / 64);
            self.words[slot] &= !(1 << (number % 64));
            self.len -= 1;
        }
        there
    }

    fn grow(&mut self, word: u32) {
        let span = (word - self.base + 1).max(1) as usize;
        if span <= self.words.len() {
            return;
        }
        let mut words = vec![0; span.next_power_of_two()];
        let mask = words.len() - 1;
        for old in self.base..self.base + self.n_words() {
            words[old as usize & mask] = self.words[self.slot(old)];
        }
        self.words = words;
    }

    /// Moves the window up: numbers below, all of which were taken out, no longer count.
    #[inline]
    pub(super) fn forget_below(&mut self, number: u32) {
        self.base = self.base.max(number / 64);
    }

    /// The first number of the set from `from` on and below `end`.
    #[inline]
    pub(super) fn first(&self, from: u32, end: u32) -> Option<u32> {
        if self.len == 0 || end <= from {
            return None;
        }
        let last = (end - 1) / 64;
        let mut word = from / 64;
        let mut bits = self.word(word) & (u64::MAX << (from % 64));
        while bits == 0 && word < last {
            word += 1;
            bits = self.word(word);
        }
        let number = word * 64 + bits.trailing_zeros();
        (bits != 0 && number < end).then_some(number)
    }

    /// The 64 numbers from `from` on, the first in the lowest bit.
    #[inline]
    pub(super) fn window(&self, from: u32) -> u64 {
        let low = self.word(from / 64) >> (from % 64);
        match from % 64 {
            0 => low,
            shift => low | self.word(from / 64 + 1) << (64 - shift),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn the_window_agrees_with_a_set(
            steps in proptest::collection::vec((0u32..400, 0u32..6), 1..300),
        ) {
            let (mut bits, mut set, mut floor) = (Bits::default(), BTreeSet::new(), 0);
            for (number, step) in steps {
                let number = floor + number;
                match step {
                    0..=2 => prop_assert_eq!(bits.insert(number), set.insert(number)),
                    3 => prop_assert_eq!(bits.remove(number), set.remove(&number)),
                    4 => {
                        prop_assert_eq!(bits.first(floor, number), set.range(floor..number).next().copied());
                        for bit in 0..64 {
                            let there = bits.window(number) >> bit & 1 != 0;
                            prop_assert_eq!(there, set.contains(&(number + bit)));
                        }
                    }
                    _ => {
                        floor = set.first().map_or(floor, |&first| first.max(floor));
                        bits.forget_below(floor);
                    }
                }
                prop_assert_eq!(bits.len() as usize, set.len());
                prop_assert_eq!(bits.contains(number), set.contains(&number));
            }
        }
    }
}
