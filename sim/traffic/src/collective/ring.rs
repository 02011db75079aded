//! Rings, and chains along them.
//!
//! ```text
//! step 0   0 ─p0→ 1 ─p1→ 2 ─p2→ 3 ─p3→ 0      each rank passes on the part that it has just got
//! step 1   0 ─p3→ 1 ─p0→ 2 ─p1→ 3 ─p2→ 0
//! ```
//!
//! Cut into `c` chunks a part, a stream's step `k` passes on what came with its predecessor's
//! step `k − c`, so that the next chunk is under way while the last one is handed on.

use super::draft::{Cargo, Draft, Leg, Parts, after};
use super::options::Options;
use crate::program::{Wait, count};

/// What a ring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turns {
    AllReduce,
    AllGather,
    ReduceScatter,
}

impl Turns {
    /// Turns of parts among `n` ranks, and how many of them, the first ones, add.
    const fn count(self, n: u32) -> [u32; 2] {
        match self {
            Self::AllReduce => [2 * (n - 1), n - 1],
            Self::AllGather => [n - 1, 0],
            Self::ReduceScatter => [n - 1, n - 1],
        }
    }

    /// How far behind its place the part is with which a rank begins: after a reduce-scatter each
    /// has its own.
    const fn behind(self) -> u32 {
        match self {
            Self::AllReduce | Self::AllGather => 0,
            Self::ReduceScatter => 1,
        }
    }
}

/// Whole parts, one at a time: one ring in the order of ranks, or one for each NIC of domains.
pub(super) fn plain(draft: &mut Draft<'_>, turns: Turns, size: u64) {
    let rails = draft.ranks.n_rails();
    let part = size
        .div_ceil(u64::from(rails))
        .div_ceil(u64::from(draft.n()));
    for rail in 0..rails {
        let order = match rails {
            1 => (0..draft.n()).collect(),
            _ => draft.ranks.ring(rail),
        };
        round(draft, turns, &order, (1, part), (rail * draft.n(), 1));
    }
}

/// A ring for each channel, parts in chunks.
pub(super) fn channels(draft: &mut Draft<'_>, turns: Turns, size: u64, options: &Options) {
    let share = size.div_ceil(u64::from(options.channels));
    let part = share.div_ceil(u64::from(draft.n()));
    let mut chunks = options.chunks(part);
    let [all, _] = turns.count(draft.n());
    if all.checked_mul(chunks.0).is_none() {
        // More steps than can be counted: whole parts.
        chunks = (1, options.wire(part));
    }
    for channel in 0..options.channels {
        let order = draft.ranks.ring(channel);
        let base = channel * draft.n();
        round(draft, turns, &order, chunks, (base, options.window));
    }
}

/// A ring over ranks in an order, with parts from `base` on.
fn round(
    draft: &mut Draft<'_>,
    turns: Turns,
    order: &[u32],
    (chunks, bytes): (u32, u64),
    (base, window): (u32, u32),
) {
    let n = count(order.len());
    let [all, adds] = turns.count(n);
    let begin = draft.next();
    for at in 0..n {
        let leg = Leg {
            from: order[at as usize],
            to: order[((at + 1) % n) as usize],
            bytes,
            steps: all * chunks,
            window,
        };
        let before = Wait {
            stream: begin + (at + n - 1) % n,
            lag: chunks,
        };
        draft.send(leg, Some(before), || Cargo {
            parts: Parts::Ring {
                base,
                first: (at + n - turns.behind()) % n,
                order: order.to_vec(),
            },
            adds: adds * chunks,
            ..Cargo::range(0, 0, chunks, false)
        });
    }
}

/// The first rank's buffer along a chain for each channel.
pub(super) fn broadcast(draft: &mut Draft<'_>, size: u64, options: &Options) {
    along(draft, size, options, |order| order, false);
}

/// The sum to the first rank, along a chain for each channel.
pub(super) fn reduce(draft: &mut Draft<'_>, size: u64, options: &Options) {
    let towards = |mut order: Vec<u32>| {
        order.rotate_left(1);
        order
    };
    along(draft, size, options, towards, true);
}

/// Chunks along chains.
///
/// * `chain` — of a channel's ring that begins at the first rank.
fn along(
    draft: &mut Draft<'_>,
    size: u64,
    options: &Options,
    chain: impl Fn(Vec<u32>) -> Vec<u32>,
    adds: bool,
) {
    let share = size.div_ceil(u64::from(options.channels));
    let (steps, bytes) = options.pieces(share, draft.n() - 1);
    for channel in 0..options.channels {
        let mut order = draft.ranks.ring(channel);
        let root = order.iter().position(|rank| *rank == 0).unwrap_or(0);
        order.rotate_left(root);
        let mut before = None;
        for ends in chain(order).windows(2) {
            let leg = Leg {
                from: ends[0],
                to: ends[1],
                bytes,
                steps,
                window: options.window,
            };
            let waits = before.map_or(Vec::new(), |stream| vec![stream]);
            let cargo = || Cargo::range(channel, 1, steps, adds);
            before = Some(draft.send(leg, after(&waits), cargo));
        }
    }
}
