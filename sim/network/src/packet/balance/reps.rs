//! REPS: entropies whose packets came back without a mark are used again.
//!
//! Source: Bonato et al., REPS (arXiv 2407.21625), with the constants of `uet-htsim` 40ccb05.

use rand::Rng as _;
use rand_pcg::Pcg32;

use super::low;

/// Entropies in the buffer.
const ROOM: usize = 8;
/// Packets with random entropies after a thaw.
const EXPLORE: u32 = 16;
/// How long a frozen flow keeps to its buffer, in picoseconds: 10 ms.
const FROZEN: u64 = 10_000_000_000;

/// The buffer of a flow.
#[derive(Clone, Debug)]
pub(in crate::packet) struct Reps {
    entropies: u32,
    ring: [u16; ROOM],
    /// Where the next entropy is written.
    head: usize,
    /// How many entries before `head` were not used since they were written.
    valid: usize,
    /// How many entries were ever written, at most all.
    written: usize,
    /// Packets that still take a random entropy.
    explore: u32,
    /// Until when the buffer is used whatever it says.
    frozen_until: Option<u64>,
}

impl Reps {
    pub(in crate::packet) fn new(entropies: u32) -> Self {
        Self {
            entropies: entropies.max(1),
            ring: [0; ROOM],
            head: 0,
            valid: 0,
            written: 0,
            explore: 0,
            frozen_until: None,
        }
    }

    /// An acknowledgement without a mark: its entropy is good.
    pub(in crate::packet) fn acknowledged(&mut self, entropy: u16) {
        self.ring[self.head] = entropy;
        self.head = (self.head + 1) % ROOM;
        self.valid = (self.valid + 1).min(ROOM);
        self.written = (self.written + 1).min(ROOM);
    }

    /// A timeout: something on the way failed, and what worked is all that is trusted.
    pub(in crate::packet) fn freeze(&mut self, now: u64) {
        if self.explore == 0 && self.frozen_until.is_none() {
            self.frozen_until = Some(now.saturating_add(FROZEN));
        }
    }

    /// The entropy of the next packet.
    pub(in crate::packet) fn next(&mut self, now: u64, rng: &mut Pcg32) -> u16 {
        if self.frozen_until.is_some_and(|until| until <= now) {
            *self = Self {
                explore: EXPLORE,
                ..Self::new(self.entropies)
            };
        }
        if self.frozen_until.is_some() && 0 < self.written {
            return self.reuse();
        }
        if 0 < self.explore || self.valid == 0 {
            self.explore = self.explore.saturating_sub(1);
            return low(u64::from(rng.next_u32() % self.entropies));
        }
        let oldest = (self.head + ROOM - self.valid) % ROOM;
        self.valid -= 1;
        self.ring[oldest]
    }

    /// The entry at `head`, used or not; the next one is the next packet's.
    fn reuse(&mut self) -> u16 {
        let at = self.head % self.written;
        self.head = (self.head + 1) % ROOM;
        self.valid = self.valid.saturating_sub(1);
        self.ring[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::balance::stream;

    #[test]
    fn the_oldest_good_entropy_is_used_once() {
        let mut rng = stream(1, 1);
        let mut reps = Reps::new(64);
        for entropy in [11, 12, 13] {
            reps.acknowledged(entropy);
        }
        assert_eq!(reps.next(0, &mut rng), 11);
        reps.acknowledged(14);
        let next: Vec<_> = (0..3).map(|_| reps.next(0, &mut rng)).collect();
        assert_eq!(next, [12, 13, 14]);
        assert_eq!(reps.valid, 0);
        let mut twin = rng.clone();
        assert_eq!(reps.next(0, &mut rng), low(u64::from(twin.next_u32() % 64)));
    }

    #[test]
    fn a_full_buffer_forgets_its_oldest_entropy() {
        let mut rng = stream(1, 1);
        let mut reps = Reps::new(64);
        (1..=9).for_each(|entropy| reps.acknowledged(entropy));
        let next: Vec<_> = (0..8).map(|_| reps.next(0, &mut rng)).collect();
        assert_eq!(next, [2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn a_frozen_buffer_goes_round_until_it_thaws() {
        let mut rng = stream(1, 1);
        let mut reps = Reps::new(64);
        (1..=8).for_each(|entropy| reps.acknowledged(entropy));
        assert_eq!(reps.next(0, &mut rng), 1);
        reps.freeze(1000);
        let next: Vec<_> = (0..10).map(|_| reps.next(2000, &mut rng)).collect();
        assert_eq!(next, [1, 2, 3, 4, 5, 6, 7, 8, 1, 2]);
        reps.next(1000 + FROZEN, &mut rng);
        assert_eq!((reps.explore, reps.written), (EXPLORE - 1, 0));
        reps.acknowledged(60);
        for _ in 0..EXPLORE - 1 {
            reps.next(1001 + FROZEN, &mut rng);
        }
        assert_eq!(reps.next(1002 + FROZEN, &mut rng), 60);
    }
}
