//! Double binary trees: almost every domain is a leaf in one of them, so that all send and
//! receive about as much (Sanders, Speck and Träff, *Parallel Computing* 35(12), 2009).
//!
//! ```text
//! domain A           domain B          up:   each chain adds up towards its head, heads add up
//!  3 → 2 → 1 → head ──→ head ← 1 ← 2         towards the root, chunk after chunk
//!                        root          down: the same edges, turned round
//! ```
//!
//! NCCL joins the second child of a domain to another rank than the first; here all edges end at
//! the head.

use collective::tree_edges;
use units::math::ceil_log2;

use super::draft::{Cargo, Draft, Leg, after};
use super::options::Options;
use crate::program::count;

/// All-reduce over two trees for each channel, half of its data in each.
pub(super) fn double_tree(draft: &mut Draft<'_>, size: u64, options: &Options) {
    let share = size.div_ceil(2 * u64::from(options.channels));
    let heights = ceil_log2(draft.ranks.domains().len() as u64);
    let (steps, bytes) = options.pieces(share, heights + draft.ranks.widest() - 1);
    let window = options.window;
    for channel in 0..options.channels {
        for which in 0..2 {
            let tree = Tree::new(draft.ranks.domains().len(), which);
            let chains: Vec<Vec<u32>> = (0..tree.parents.len())
                .map(|domain| draft.ranks.chain(domain, channel))
                .collect();
            let mut edges = Edges {
                draft,
                leg: Leg {
                    from: 0,
                    to: 0,
                    bytes,
                    steps,
                    window,
                },
                part: 2 * channel + count(which),
            };
            let mut arrived: Vec<Vec<u32>> = vec![Vec::new(); chains.len()];
            for (chain, arrived) in chains.iter().zip(&mut arrived) {
                edges.chain_up(chain, arrived);
            }
            let heads: Vec<u32> = chains.iter().map(|chain| chain[0]).collect();
            edges.up(&tree, &heads, &mut arrived, &[]);
            edges.down(&tree, &heads, &mut arrived);
            for (chain, arrived) in chains.iter().zip(&arrived) {
                edges.chain_down(chain, arrived);
            }
        }
    }
}

/// A tree over domains.
#[derive(Debug)]
pub(super) struct Tree {
    /// By domain; none for the root.
    parents: Vec<Option<usize>>,
    /// Domains, children before their parents.
    order: Vec<usize>,
}

impl Tree {
    /// One of the two trees over `n` domains.
    pub(super) fn new(n: usize, which: usize) -> Self {
        let mut parents = vec![None; n];
        let edges = tree_edges(n).skip(which * n.saturating_sub(1));
        for [child, parent] in edges.take(n.saturating_sub(1)) {
            parents[child] = Some(parent);
        }
        let depth =
            |domain: usize| std::iter::successors(Some(domain), |&domain| parents[domain]).count();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&domain| std::cmp::Reverse(depth(domain)));
        Self { parents, order }
    }
}

/// The edges of a tree as streams.
#[derive(Debug)]
pub(super) struct Edges<'d, 'a> {
    pub(super) draft: &'d mut Draft<'a>,
    /// What all have in common.
    pub(super) leg: Leg,
    pub(super) part: u32,
}

impl Edges<'_, '_> {
    fn send(&mut self, from: u32, to: u32, waits: &[u32], adds: bool) -> u32 {
        let (part, steps) = (self.part, self.leg.steps);
        let leg = Leg {
            from,
            to,
            ..self.leg
        };
        let cargo = || Cargo::range(part, 1, steps, adds);
        self.draft.send(leg, after(waits), cargo)
    }

    /// Along a chain to its head.
    fn chain_up(&mut self, chain: &[u32], arrived: &mut Vec<u32>) {
        let mut before = Vec::new();
        for ends in chain.windows(2).rev() {
            before = vec![self.send(ends[1], ends[0], &before, true)];
        }
        arrived.extend(before);
    }

    /// Along a chain from its head.
    fn chain_down(&mut self, chain: &[u32], arrived: &[u32]) {
        let mut before = arrived.to_vec();
        for ends in chain.windows(2) {
            before = vec![self.send(ends[0], ends[1], &before, false)];
        }
    }

    /// From heads to the root, after what has arrived at each.
    ///
    /// * `sums` — by domain, what must have arrived at a head before it takes anything from others;
    ///   empty where it may come in any order.
    pub(super) fn up(
        &mut self,
        tree: &Tree,
        heads: &[u32],
        arrived: &mut [Vec<u32>],
        sums: &[Vec<u32>],
    ) {
        for &domain in &tree.order {
            if let Some(parent) = tree.parents[domain] {
                let mut waits = std::mem::take(&mut arrived[domain]);
                waits.extend(sums.get(parent).into_iter().flatten());
                let id = self.send(heads[domain], heads[parent], &waits, true);
                arrived[parent].push(id);
            }
        }
    }

    /// From the root to all heads; `arrived` then says after what each has the sum.
    pub(super) fn down(&mut self, tree: &Tree, heads: &[u32], arrived: &mut [Vec<u32>]) {
        for &domain in tree.order.iter().rev() {
            if let Some(parent) = tree.parents[domain] {
                let id = self.send(heads[parent], heads[domain], &arrived[parent], false);
                arrived[domain] = vec![id];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_come_before_their_parents() {
        for n in 1..40 {
            for which in 0..2 {
                let tree = Tree::new(n, which);
                let place = |domain: usize| tree.order.iter().position(|at| *at == domain);
                for (child, parent) in tree.parents.iter().enumerate() {
                    assert!(parent.is_none_or(|parent| place(child) < place(parent)));
                }
                assert_eq!(tree.parents.iter().filter(|up| up.is_none()).count(), 1);
            }
        }
    }
}
