//! Zones that route by the fewest links, with ties as `SimGrid` breaks them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::OnceLock;

use super::edge::{Edge, Edges};

/// No predecessor.
const NONE: u32 = u32::MAX;

/// More links than any route has.
const FAR: u32 = u32::MAX / 2;

/// A zone of routing Floyd: the algorithm of Floyd and Warshall over members in their order, where
/// a later middle must be strictly better.
#[derive(Clone, Debug, Default)]
pub(super) struct Floyd {
    pub(super) edges: Edges,
    ends: Vec<(u32, u32)>,
    members: usize,
    /// By source and member, the member before it on the way.
    before: Vec<u32>,
}

impl Floyd {
    pub(super) fn add(&mut self, from: u32, to: u32, edge: Edge) -> bool {
        let added = self.edges.add(from, to, edge);
        if added {
            self.ends.push((from, to));
        }
        added
    }

    /// Computes all ways between that many members.
    pub(super) fn seal(&mut self, members: u32) {
        let n = members as usize;
        self.members = n;
        self.before = vec![NONE; n * n];
        let mut cost = vec![FAR; n * n];
        for &(from, to) in &self.ends {
            let at = from as usize * n + to as usize;
            let links = self.edges.get(from, to).map_or(0, |edge| edge.links.len());
            cost[at] = u32::try_from(links).unwrap_or(FAR).min(FAR);
            self.before[at] = from;
        }
        let mut row = vec![FAR; n];
        let mut row_before = vec![NONE; n];
        for middle in 0..n {
            let at = middle * n..(middle + 1) * n;
            row.copy_from_slice(&cost[at.clone()]);
            row_before.copy_from_slice(&self.before[at]);
            for from in (0..n).filter(|&from| from != middle) {
                let to_middle = cost[from * n + middle];
                if to_middle == FAR {
                    continue;
                }
                let at = from * n..(from + 1) * n;
                let costs = cost[at.clone()].iter_mut().zip(&row);
                let befores = self.before[at].iter_mut().zip(&row_before);
                for ((cost, &rest), (before, &last)) in costs.zip(befores) {
                    // `FAR` leaves room for one addition, and no sum of it is below `FAR`.
                    let through = to_middle + rest;
                    let better = through < *cost;
                    *cost = if better { through } else { *cost };
                    *before = if better { last } else { *before };
                }
            }
        }
    }

    /// Appends the members on the way, both ends included.
    pub(super) fn members_on_way(&self, from: u32, to: u32, out: &mut Vec<u32>) -> Option<()> {
        let row = self.before.get(from as usize * self.members..)?;
        walk_back(row, from, to, out)
    }
}

/// Follows predecessors from `to` back to `from`, at least one step.
fn walk_back(before: &[u32], from: u32, to: u32, out: &mut Vec<u32>) -> Option<()> {
    let first = out.len();
    let mut at = to;
    loop {
        out.push(at);
        at = *before.get(at as usize)?;
        if at == from {
            break;
        }
        if before.len() < out.len() - first {
            return None;
        }
    }
    out.push(from);
    out[first..].reverse();
    Some(())
}

/// A zone of routing Dijkstra: from each source, members leave the queue by links and then by the
/// order in which routes named them first; a later way must be strictly better.
///
/// Ways of a source are computed when they are first asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Dijkstra {
    pub(super) edges: Edges,
    /// By member, its place in the order in which routes named members.
    order: HashMap<u32, u32>,
    /// Members in that order.
    named: Vec<u32>,
    /// By place in that order, the places that a route leads to and its links, as listed.
    next: Vec<Vec<(u32, u32)>>,
    /// By place, the place before it on the way from a source.
    rows: Vec<OnceLock<Box<[u32]>>>,
}

impl Dijkstra {
    pub(super) fn add(&mut self, from: u32, to: u32, edge: Edge) -> bool {
        let [a, b] = [from, to].map(|member| self.place(member));
        let links = u32::try_from(edge.links.len()).unwrap_or(FAR);
        let added = self.edges.add(from, to, edge);
        if added {
            self.next[a as usize].push((b, links));
        }
        added
    }

    fn place(&mut self, member: u32) -> u32 {
        let new = u32::try_from(self.named.len()).unwrap_or(NONE);
        let place = *self.order.entry(member).or_insert(new);
        if place == new {
            self.named.push(member);
            self.next.push(Vec::new());
            self.rows.push(OnceLock::new());
        }
        place
    }

    /// Members that routes name.
    pub(super) fn named(&self) -> &[u32] {
        &self.named
    }

    fn row(&self, source: u32) -> &[u32] {
        self.rows[source as usize].get_or_init(|| self.solve(source))
    }

    fn solve(&self, source: u32) -> Box<[u32]> {
        let n = self.named.len();
        let mut cost = vec![u64::MAX; n];
        let mut before = vec![NONE; n];
        cost[source as usize] = 0;
        let mut queue = BinaryHeap::from([Reverse((0_u64, source))]);
        while let Some(Reverse((reached, at))) = queue.pop() {
            if cost[at as usize] < reached {
                continue;
            }
            for &(next, links) in &self.next[at as usize] {
                let through = reached + u64::from(links);
                if through < cost[next as usize] {
                    cost[next as usize] = through;
                    before[next as usize] = at;
                    queue.push(Reverse((through, next)));
                }
            }
        }
        before.into_boxed_slice()
    }

    /// Appends the members on the way, both ends included. From a member to itself only a route
    /// that is listed as such leads.
    pub(super) fn members_on_way(&self, from: u32, to: u32, out: &mut Vec<u32>) -> Option<()> {
        if from == to {
            self.edges.get(from, to)?;
            out.extend([from, to]);
            return Some(());
        }
        let [a, b] = [self.order.get(&from)?, self.order.get(&to)?];
        let first = out.len();
        walk_back(self.row(*a), *a, *b, out)?;
        for place in &mut out[first..] {
            *place = self.named[*place as usize];
        }
        Some(())
    }
}
