//! All-to-all over domains: what is for another domain goes to the rank on the receiver's rail
//! first, then from NIC to NIC in one leaf, as one message for all of the domain.
//!
//! ```text
//! domain A                       domain B
//!   0 ┐                            ┌ 0
//!   1 ┼─NVLink─→ 2 ══rail 2══════> 2          all of A's data for rank 2 of B
//!   3 ┘                            └ 3
//! ```
//!
//! A rank's rail is its place in its domain. Where the sender's domain is smaller, ranks stand in
//! for several rails.

use super::draft::{Cargo, Draft, Leg, Parts, after};
use super::pairs::part_of;

/// First everything inside domains, then everything between them.
pub(super) fn hierarchical(draft: &mut Draft<'_>, size: u64) {
    let ranks = draft.ranks;
    let n = draft.n();
    for (at, own) in ranks.domains().iter().enumerate() {
        let mut arrived: Vec<Vec<u32>> = vec![Vec::new(); own.len()];
        for (place, proxy) in own.iter().enumerate() {
            let served: Vec<u32> = (0..n)
                .filter(|&to| {
                    rail(draft, to, own) == place
                        && (to == *proxy || ranks.place(to).0 as usize != at)
                })
                .collect();
            for &from in own.iter().filter(|from| *from != proxy) {
                arrived[place].push(hand_over(draft, [from, *proxy], &served, size, &[]));
            }
        }
        for (_, other) in others(draft, at) {
            for &to in other {
                let place = rail(draft, to, own);
                between(draft, own, [own[place], to], size, &arrived[place]);
            }
        }
    }
}

/// Message by message: what is for the next domain first, and on its way as soon as all of a
/// domain have handed it over (NCCL's PXN).
pub(super) fn rail_aligned(draft: &mut Draft<'_>, size: u64) {
    let ranks = draft.ranks;
    for (at, own) in ranks.domains().iter().enumerate() {
        for &from in own {
            for &to in own.iter().filter(|to| **to != from) {
                hand_over(draft, [from, to], &[to], size, &[]);
            }
        }
        // By sender and stand-in, the last message between them.
        let mut last: Vec<Vec<u32>> = vec![Vec::new(); own.len() * own.len()];
        for (_, other) in others(draft, at) {
            let mut arrived: Vec<Vec<u32>> = vec![Vec::new(); own.len()];
            for (place, proxy) in own.iter().enumerate() {
                let served = other.iter().copied();
                let served: Vec<u32> = served.filter(|&to| rail(draft, to, own) == place).collect();
                if served.is_empty() {
                    continue;
                }
                for (i, &from) in own.iter().enumerate().filter(|(_, from)| *from != proxy) {
                    let before = &mut last[i * own.len() + place];
                    let id = hand_over(draft, [from, *proxy], &served, size, before);
                    *before = vec![id];
                    arrived[place].push(id);
                }
            }
            for &to in other {
                let place = rail(draft, to, own);
                between(draft, own, [own[place], to], size, &arrived[place]);
            }
        }
    }
}

/// The place in a domain of the rank that stands for a receiver's rail.
fn rail(draft: &Draft<'_>, to: u32, own: &[u32]) -> usize {
    draft.ranks.place(to).1 as usize % own.len()
}

/// The other domains, the next one first.
fn others<'r>(
    draft: &Draft<'r>,
    at: usize,
) -> impl Iterator<Item = (usize, &'r Vec<u32>)> + use<'r> {
    let domains = draft.ranks.domains();
    let n = domains.len();
    (1..n).map(move |by| ((at + by) % n, &domains[(at + by) % n]))
}

/// A rank's data for receivers to the rank that stands for their rail.
fn hand_over(
    draft: &mut Draft<'_>,
    [from, proxy]: [u32; 2],
    served: &[u32],
    size: u64,
    waits: &[u32],
) -> u32 {
    let n = draft.n();
    let bytes = size.saturating_mul(served.len() as u64);
    let parts = || served.iter().map(|&to| part_of(from, to, n)).collect();
    let leg = Leg::message(from, proxy, bytes);
    draft.send(leg, after(waits), || list(parts()))
}

/// A domain's data for one receiver in another.
fn between(draft: &mut Draft<'_>, own: &[u32], [proxy, to]: [u32; 2], size: u64, waits: &[u32]) {
    let n = draft.n();
    let bytes = size.saturating_mul(own.len() as u64);
    let parts = || own.iter().map(|&from| part_of(from, to, n)).collect();
    let leg = Leg::message(proxy, to, bytes);
    draft.send(leg, after(waits), || list(parts()));
}

fn list(parts: Vec<u32>) -> Cargo {
    Cargo {
        parts: Parts::List(parts),
        ..Cargo::range(0, 0, 1, false)
    }
}
