//! Ways with fewest cables to one switch, found breadth-first.

use std::sync::OnceLock;

use super::{Web, number};
use crate::cluster::Cluster;
use crate::route::pick;

/// How far every switch is from one of them, and over how many ways.
///
/// Eight bytes a switch. Ways beyond 2³² − 1 are not counted: they have no numbers.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    hops: Box<[u32]>,
    ways: Box<[u32]>,
}

/// The distance of a switch that nothing leads from.
const FAR: u32 = u32::MAX;

impl Tree {
    /// Everything on its way to `root`.
    pub(super) fn new(root: u32, web: &Web) -> Self {
        let n = web.n_switches() as usize;
        let (mut hops, mut ways) = (vec![FAR; n], vec![0_u32; n]);
        let mut queue = Vec::with_capacity(n);
        (hops[root as usize], ways[root as usize]) = (0, 1);
        queue.push(root);
        let mut head = 0;
        while let Some(&at) = queue.get(head) {
            head += 1;
            let (next, count) = (hops[at as usize] + 1, ways[at as usize]);
            for &(neighbor, _) in web.ports(at) {
                let neighbor = neighbor as usize;
                if hops[neighbor] == FAR {
                    hops[neighbor] = next;
                    queue.push(number(neighbor));
                }
                if hops[neighbor] == next {
                    ways[neighbor] = ways[neighbor].saturating_add(count);
                }
            }
        }
        Self {
            hops: hops.into(),
            ways: ways.into(),
        }
    }

    pub(super) fn reaches(&self, from: u32) -> bool {
        self.hops[from as usize] != FAR
    }

    pub(super) fn n_ways(&self, from: u32) -> u32 {
        self.ways[from as usize]
    }

    /// Whether a neighbor is one cable nearer.
    fn is_next(&self, at: u32, neighbor: u32) -> bool {
        self.hops[neighbor as usize].saturating_add(1) == self.hops[at as usize]
    }
}

impl Web {
    /// The distances to a switch.
    pub(super) fn tree(&self, to: u32) -> &Tree {
        let trees = self.trees.get_or_init(|| {
            let none = self.switches().map(|_| OnceLock::new());
            none.collect()
        });
        trees[to as usize].get_or_init(|| Tree::new(to, self))
    }

    /// The way on which every switch picks the next one by the hash; by destination the first
    /// takes the port modulo its choices, and the others what is left of the division, as D-mod-k
    /// does in a tree.
    pub(super) fn static_shortest(&self, from: u32, to: u32, hash: u64, port: u32) -> u32 {
        let tree = self.tree(to);
        let (mut at, mut left, mut way) = (from, port, 0_u32);
        for salt in 1.. {
            if at == to {
                break;
            }
            let nearer = || {
                self.ports(at)
                    .iter()
                    .filter(|port| tree.is_next(at, port.0))
            };
            let choices: u32 = nearer().map(|_| 1).sum();
            if choices == 0 {
                break;
            }
            let choice = if hash == Cluster::D_MOD_K {
                let choice = left % choices;
                left /= choices;
                choice
            } else {
                pick(hash, salt, choices)
            };
            let mut next = at;
            for (index, &(neighbor, _)) in (0..=choice).zip(nearer()) {
                next = neighbor;
                if index < choice {
                    way = way.saturating_add(tree.n_ways(neighbor));
                }
            }
            at = next;
        }
        way.min(tree.n_ways(from).saturating_sub(1))
    }

    /// Visits the directed cables of a way with fewest of them.
    pub(super) fn walk_shortest(&self, from: u32, to: u32, way: u32, mut visit: impl FnMut(u32)) {
        let tree = self.tree(to);
        let (mut at, mut way) = (from, way);
        while at != to {
            let nearer = self
                .ports(at)
                .iter()
                .filter(|port| tree.is_next(at, port.0));
            let chosen = nearer.copied().find(|port| {
                let ways = tree.n_ways(port.0);
                let here = way < ways;
                way -= if here { 0 } else { ways };
                here
            });
            let Some((next, port)) = chosen else { break };
            visit(port);
            at = next;
        }
    }
}
