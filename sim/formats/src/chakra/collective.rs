//! Collectives as flows between the ranks of a group.
//!
//! Bytes mean what ASTRA-sim takes them for (`astra-sim/system/collective/Ring.cc`): all-reduce,
//! reduce-scatter and all-to-all cut the buffer into as many parts as there are ranks, all-gather
//! sends the contribution of each rank whole.

use super::Collective;

/// A flow of a collective, between members of the group by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) bytes: u64,
    /// Earlier parts of the same collective that it waits for.
    pub(super) after: Vec<u32>,
    /// Whether it also waits for what its sender did before.
    pub(super) begins: bool,
}

/// How many flows a collective among `n` ranks is.
pub(super) fn count(kind: Collective, n: u64) -> u128 {
    let n = u128::from(n);
    let others = n.saturating_sub(1);
    match kind {
        Collective::AllReduce | Collective::Barrier => 2 * others * n,
        Collective::AllGather | Collective::ReduceScatter | Collective::AllToAll => others * n,
        _ => others,
    }
}

/// The flows, and by member those after which it has what it waits for.
pub(super) fn parts(kind: Collective, bytes: u64, root: u32, n: u32) -> (Vec<Part>, Vec<Vec<u32>>) {
    let share = bytes.div_ceil(u64::from(n.max(1)));
    match kind {
        Collective::AllReduce | Collective::Barrier => ring(n, 2 * n.saturating_sub(1), share),
        Collective::AllGather => ring(n, n.saturating_sub(1), bytes),
        Collective::ReduceScatter => ring(n, n.saturating_sub(1), share),
        Collective::AllToAll => all_to_all(n, share),
        Collective::Broadcast => chain(n, root, bytes, false),
        Collective::Reduce => chain(n, root, bytes, true),
        Collective::Gather => star(n, root, bytes, true),
        Collective::Scatter => star(n, root, share, false),
    }
}

/// Step by step to the next rank: what came in the step before, in the order of the steps.
fn ring(n: u32, steps: u32, bytes: u64) -> (Vec<Part>, Vec<Vec<u32>>) {
    if n < 2 {
        return (Vec::new(), vec![Vec::new(); n as usize]);
    }
    let before = |rank: u32| (rank + n - 1) % n;
    let mut parts = Vec::new();
    for step in 0..steps {
        for from in 0..n {
            let mut after = Vec::new();
            if 0 < step {
                let row = (step - 1) * n;
                after = vec![row + before(from), row + from];
            }
            parts.push(Part {
                from,
                to: (from + 1) % n,
                bytes,
                after,
                begins: step == 0,
            });
        }
    }
    let last = steps.saturating_sub(1) * n;
    let ends = (0..n).map(|rank| vec![last + before(rank)]).collect();
    (parts, ends)
}

/// Everything at once, first to the next rank.
fn all_to_all(n: u32, bytes: u64) -> (Vec<Part>, Vec<Vec<u32>>) {
    let mut parts = Vec::new();
    let mut ends = vec![Vec::new(); n as usize];
    for shift in 1..n {
        for from in 0..n {
            let to = (from + shift) % n;
            ends[to as usize].push(shift.saturating_sub(1) * n + from);
            parts.push(Part {
                from,
                to,
                bytes,
                after: Vec::new(),
                begins: true,
            });
        }
    }
    (parts, ends)
}

/// From the root to the next rank and on, or the same way back.
fn chain(n: u32, root: u32, bytes: u64, to_root: bool) -> (Vec<Part>, Vec<Vec<u32>>) {
    let mut ends = vec![Vec::new(); n as usize];
    let mut parts = Vec::new();
    for hop in 0..n.saturating_sub(1) {
        let [near, far] = [hop, hop + 1].map(|step| (root + step) % n);
        let [farther, nearer] = [n - 1 - hop, n - 2 - hop].map(|step| (root + step) % n);
        let (from, to) = if to_root {
            (farther, nearer)
        } else {
            (near, far)
        };
        ends[to as usize].push(hop);
        if to_root {
            // Who has passed its part on is done.
            ends[from as usize] = vec![hop];
        }
        parts.push(Part {
            from,
            to,
            bytes,
            after: hop.checked_sub(1).into_iter().collect(),
            begins: true,
        });
    }
    (parts, ends)
}

/// Between the root and every other rank.
fn star(n: u32, root: u32, bytes: u64, to_root: bool) -> (Vec<Part>, Vec<Vec<u32>>) {
    let mut ends = vec![Vec::new(); n as usize];
    let mut parts = Vec::new();
    for (place, step) in (0..).zip(1..n) {
        let other = (root + step) % n;
        let (from, to) = if to_root {
            (other, root)
        } else {
            (root, other)
        };
        ends[root as usize].push(place);
        ends[other as usize].push(place);
        parts.push(Part {
            from,
            to,
            bytes,
            after: Vec::new(),
            begins: true,
        });
    }
    (parts, ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Collective; 9] = [
        Collective::AllReduce,
        Collective::Reduce,
        Collective::AllGather,
        Collective::Gather,
        Collective::Scatter,
        Collective::Broadcast,
        Collective::AllToAll,
        Collective::ReduceScatter,
        Collective::Barrier,
    ];

    #[test]
    fn the_parts_of_a_collective_are_as_many_as_counted_and_wait_for_earlier_ones() {
        for kind in ALL {
            for n in 1..7 {
                for root in 0..n {
                    let (parts, ends) = parts(kind, 1000, root, n);
                    assert_eq!(parts.len() as u128, count(kind, n.into()), "{kind:?} {n}");
                    assert_eq!(ends.len(), n as usize);
                    for (at, part) in (0..).zip(&parts) {
                        assert!(part.after.iter().all(|before| *before < at));
                        assert_ne!(part.from, part.to);
                    }
                }
            }
        }
    }

    #[test]
    fn an_all_reduce_is_a_ring_of_equal_parts() {
        let (parts, ends) = parts(Collective::AllReduce, 1001, 0, 4);
        assert_eq!(parts.len(), 24);
        assert!(parts.iter().all(|part| part.bytes == 251));
        assert_eq!(parts[4].after, [3, 0]);
        assert_eq!(ends[0], [23]);
    }

    #[test]
    fn a_reduce_ends_at_its_root() {
        let (parts, ends) = parts(Collective::Reduce, 8, 2, 4);
        assert_eq!(parts.last().map(|part| part.to), Some(2));
        assert_eq!(ends[2], [2]);
        let begins = parts.iter().filter(|part| part.after.is_empty());
        assert_eq!(begins.count(), 1);
    }
}
