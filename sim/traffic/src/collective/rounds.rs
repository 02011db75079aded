//! All-gather and reduce-scatter in ⌈log₂ n⌉ rounds, one message a rank and round.
//!
//! A reduce-scatter is the all-gather backwards: the last round first, senders and receivers
//! exchanged, and sums in place of copies.

use super::draft::{Cargo, Draft, Leg, Parts, after};

/// In which order data spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounds {
    /// Recursive doubling for a power of two of ranks, the nearest first: in round `t` a rank
    /// exchanges all that it has with the one that differs in bit `t` (Thakur, Rabenseifner and
    /// Gropp, 2005). Else the rounds of Bruck et al., *IEEE Trans. Parallel Distrib. Syst.* 8(11),
    /// 1997.
    Doubling,
    /// Parallel aggregated trees: one binomial tree for each rank's part, the farthest edges
    /// first, all edges of one distance in one message (Jeaugey, arXiv 2506.20252). NCCL falls
    /// back to more messages where its buffers are full; here they never are.
    Pat,
}

/// A round of an all-gather.
#[derive(Clone, Copy, Debug)]
struct Round {
    shape: Shape,
    distance: u32,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Exchange,
    Bruck,
    Tree,
}

impl Rounds {
    /// The rounds of an all-gather among `n` ranks.
    fn list(self, n: u32) -> Vec<Round> {
        let shape = match self {
            Self::Doubling if n.is_power_of_two() => Shape::Exchange,
            Self::Doubling => Shape::Bruck,
            Self::Pat => Shape::Tree,
        };
        let distances = (0..n.next_power_of_two().ilog2()).map(|bit| 1 << bit);
        let mut rounds: Vec<Round> = distances
            .map(|distance| Round { shape, distance })
            .collect();
        if self == Self::Pat {
            rounds.reverse();
        }
        rounds
    }
}

impl Round {
    /// To whom a rank sends.
    const fn to(self, rank: u32, n: u32) -> u32 {
        match self.shape {
            Shape::Exchange => rank ^ self.distance,
            Shape::Bruck => (rank + n - self.distance) % n,
            Shape::Tree => (rank + self.distance) % n,
        }
    }

    /// How many parts it sends.
    fn count(self, n: u32) -> u32 {
        match self.shape {
            Shape::Exchange => self.distance,
            Shape::Bruck => self.distance.min(n - self.distance),
            Shape::Tree => (n - self.distance).div_ceil(2 * self.distance),
        }
    }

    /// Which parts they are.
    fn parts(self, rank: u32, n: u32) -> Vec<u32> {
        let count = 0..self.count(n);
        match self.shape {
            Shape::Exchange => count.map(|at| (rank & !(self.distance - 1)) + at).collect(),
            Shape::Bruck => count.map(|at| (rank + at) % n).collect(),
            Shape::Tree => count
                .map(|at| (rank + n - 2 * self.distance * at) % n)
                .collect(),
        }
    }
}

/// Everybody's part at everybody.
pub(super) fn all_gather(draft: &mut Draft<'_>, how: Rounds, size: u64) {
    let rounds = how.list(draft.n());
    run(draft, &rounds, size, false);
}

/// Everybody's sum at its owner.
pub(super) fn reduce_scatter(draft: &mut Draft<'_>, how: Rounds, size: u64) {
    let mut rounds = how.list(draft.n());
    rounds.reverse();
    run(draft, &rounds, size, true);
}

fn run(draft: &mut Draft<'_>, rounds: &[Round], size: u64, backwards: bool) {
    let n = draft.n();
    let part = size.div_ceil(u64::from(n));
    // By rank, the last messages to and from it: they went after all earlier ones.
    let mut last: Vec<Vec<u32>> = vec![Vec::new(); n as usize];
    for round in rounds {
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); n as usize];
        let bytes = part.saturating_mul(u64::from(round.count(n)));
        for rank in 0..n {
            let other = round.to(rank, n);
            let (from, to) = if backwards {
                (other, rank)
            } else {
                (rank, other)
            };
            let cargo = || Cargo {
                parts: Parts::List(round.parts(rank, n)),
                ..Cargo::range(0, 0, 1, backwards)
            };
            let leg = Leg::message(from, to, bytes);
            let id = draft.send(leg, after(&last[from as usize]), cargo);
            next[from as usize].push(id);
            next[to as usize].push(id);
        }
        last = next;
    }
}
