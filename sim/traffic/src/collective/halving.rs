//! All-reduce by recursive halving and doubling (Rabenseifner; Thakur, Rabenseifner and Gropp,
//! *Int. J. High Perform. Comput. Appl.* 19(1), 2005).
//!
//! Of `n` ranks `p`, a power of two, take part: in round `t` of the first half a rank sends half
//! of what it still adds up to the rank that differs in bit `t`, and takes those rounds back in
//! the second half. Of the first `2 (n − p)` ranks every second one gives its buffer to its
//! neighbor before and gets the sum after.

use super::draft::{Cargo, Draft, Leg, after};

/// Rounds of messages, one a rank.
pub(super) fn halving_doubling(draft: &mut Draft<'_>, size: u64) {
    let n = draft.n();
    let rounds = n.ilog2();
    let p = 1_u32 << rounds;
    let extra = n - p;
    let mut rank_of = (0..p).map(|at| if at < extra { 2 * at } else { at + extra });
    let ranks: Vec<u32> = rank_of.by_ref().collect();
    let mut state = State {
        draft,
        size,
        p,
        last: vec![Vec::new(); p as usize],
        ranks,
    };
    for at in 0..extra {
        state.whole(at, true);
    }
    for bit in 0..rounds {
        state.round(bit, true);
    }
    for bit in (0..rounds).rev() {
        state.round(bit, false);
    }
    for at in 0..extra {
        state.whole(at, false);
    }
}

struct State<'d, 'a> {
    draft: &'d mut Draft<'a>,
    size: u64,
    p: u32,
    ranks: Vec<u32>,
    /// By place, the last messages to and from it.
    last: Vec<Vec<u32>>,
}

impl State<'_, '_> {
    /// The whole buffer between a rank and the one beside it that does not take part.
    fn whole(&mut self, at: u32, before: bool) {
        let own = 2 * at;
        let (from, to) = if before {
            (own + 1, own)
        } else {
            (own, own + 1)
        };
        let waits = std::mem::take(&mut self.last[at as usize]);
        let p = self.p;
        let leg = Leg::message(from, to, self.size);
        let cargo = || Cargo::range(0, p, 1, before);
        let id = self.draft.send(leg, after(&waits), cargo);
        self.last[at as usize] = vec![id];
    }

    fn round(&mut self, bit: u32, halving: bool) {
        let mut next: Vec<Vec<u32>> = vec![Vec::new(); self.last.len()];
        let len = self.p >> (bit + 1);
        let parts = u128::from(self.size) * u128::from(len);
        let bytes = u64::try_from(parts.div_ceil(u128::from(self.p))).unwrap_or(u64::MAX);
        for at in 0..self.p {
            let other = at ^ (1 << bit);
            // In the first half a rank sends what its partner keeps, in the second its own.
            let first = self.kept(if halving { other } else { at }, bit);
            let [from, to] = [at, other].map(|place| self.ranks[place as usize]);
            let leg = Leg::message(from, to, bytes);
            let cargo = || Cargo::range(first, len, 1, halving);
            let id = self.draft.send(leg, after(&self.last[at as usize]), cargo);
            next[at as usize].push(id);
            next[other as usize].push(id);
        }
        self.last = next;
    }

    /// The first part that a place keeps in round `bit`: its bits choose halves.
    fn kept(&self, at: u32, bit: u32) -> u32 {
        (0..=bit)
            .filter(|bit| at >> bit & 1 == 1)
            .map(|bit| self.p >> (bit + 1))
            .sum()
    }
}
