//! Which entropy a packet carries, and so which way it takes: the choice of its sender.

mod bitmap;
mod reps;

use rand::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg32;
use units::math::mix;

pub(super) use bitmap::{Bitmap, Trouble};
pub(super) use reps::Reps;

/// What an acknowledgement says of the way of its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feedback {
    /// Arrived, without a mark.
    Good,
    /// Arrived or not: there is trouble on the way.
    Bad(Trouble),
}

/// The state of a flow's policy.
#[derive(Clone, Debug)]
pub(super) enum Balance {
    /// One entropy throughout, or the way itself.
    Fixed(u16),
    /// The next place in the schedule of ways.
    Spray(u32),
    /// The entropy, and when a packet was last sent.
    Flowlet { entropy: u16, last: u64, gap: u64 },
    /// Whatever the switch finds.
    Adaptive,
    /// A counter.
    Oblivious(Round),
    /// REPS.
    Reps(Box<Reps>),
    /// A counter with penalties.
    Bitmap(Box<Bitmap>),
    /// Both of these.
    Mixed(Box<(Good, Bitmap)>),
}

/// A counter of entropies: each once in a round, in an order that is the counter's exclusive-or
/// with a number that changes every round.
#[derive(Clone, Debug)]
pub(super) struct Round {
    entropies: u32,
    mask: u32,
    at: u32,
    xor: u32,
}

impl Round {
    pub(super) fn new(entropies: u32, rng: &mut Pcg32) -> Self {
        let mask = entropies.max(1).next_power_of_two() - 1;
        Self {
            entropies: entropies.max(1),
            mask,
            at: 0,
            xor: rng.next_u32() & mask,
        }
    }

    pub(super) fn n_entropies(&self) -> u32 {
        self.entropies
    }

    /// The entropy whose turn it is.
    #[inline]
    pub(super) fn peek(&mut self, rng: &mut Pcg32) -> u32 {
        while self.entropies <= (self.at ^ self.xor) & self.mask {
            self.step(rng);
        }
        (self.at ^ self.xor) & self.mask
    }

    #[inline]
    pub(super) fn step(&mut self, rng: &mut Pcg32) {
        self.at += 1;
        if self.mask < self.at {
            self.at = 0;
            self.xor = rng.next_u32() & self.mask;
        }
    }

    #[inline]
    fn next(&mut self, rng: &mut Pcg32) -> u32 {
        let entropy = self.peek(rng);
        self.step(rng);
        entropy
    }
}

/// The entropies that came back without a mark and were not used since, oldest first: at most
/// [`Good::ROOM`], the newest are dropped beyond.
#[derive(Clone, Debug, Default)]
pub(super) struct Good {
    ring: Vec<u16>,
    head: usize,
    len: usize,
}

impl Good {
    const ROOM: usize = 256;

    fn put(&mut self, entropy: u16) {
        if self.ring.is_empty() {
            self.ring = vec![0; Self::ROOM];
        }
        if self.len < Self::ROOM {
            self.ring[(self.head + self.len) % Self::ROOM] = entropy;
            self.len += 1;
        }
    }

    fn take(&mut self) -> Option<u16> {
        let entropy = (0 < self.len).then(|| self.ring[self.head])?;
        self.head = (self.head + 1) % Self::ROOM;
        self.len -= 1;
        Some(entropy)
    }
}

impl Balance {
    /// The entropy of the packet that is sent at `now`.
    #[inline]
    pub(super) fn next(&mut self, now: u64, rng: &mut Pcg32) -> u16 {
        match self {
            Self::Fixed(entropy) => *entropy,
            Self::Spray(_) | Self::Adaptive => 0,
            Self::Flowlet { entropy, last, gap } => {
                if *gap < now.saturating_sub(*last) {
                    *entropy = low(rng.next_u64());
                }
                *last = now;
                *entropy
            }
            Self::Oblivious(round) => low(u64::from(round.next(rng))),
            Self::Reps(reps) => reps.next(now, rng),
            Self::Bitmap(bitmap) => bitmap.next(rng),
            Self::Mixed(both) => match both.0.take() {
                Some(entropy) => entropy,
                None => both.1.next(rng),
            },
        }
    }

    /// Learns what became of a packet with that entropy.
    #[inline]
    pub(super) fn learn(&mut self, entropy: u16, feedback: Feedback) {
        match (self, feedback) {
            (Self::Reps(reps), Feedback::Good) => reps.acknowledged(entropy),
            (Self::Bitmap(bitmap), Feedback::Bad(trouble)) => bitmap.punish(entropy, trouble),
            (Self::Mixed(both), Feedback::Good) => both.0.put(entropy),
            (Self::Mixed(both), Feedback::Bad(trouble)) => both.1.punish(entropy, trouble),
            _ => {}
        }
    }

    /// Learns that packets were lost without a trace.
    pub(super) fn timed_out(&mut self, now: u64) {
        if let Self::Reps(reps) = self {
            reps.freeze(now);
        }
    }
}

/// The random numbers of a flow.
pub(super) fn stream(seed: u64, flow: u64) -> Pcg32 {
    Pcg32::seed_from_u64(mix(seed ^ mix(flow)))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "16 bits are what is wanted"
)]
#[inline]
pub(super) const fn low(number: u64) -> u16 {
    number as u16
}
