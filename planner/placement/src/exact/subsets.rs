//! Pipette's objective, exactly, for few servers.
//!
//! The ring depends on the first servers of the pipelines alone, and the hops of a pipeline on its
//! servers. So for every set of first servers: the fastest ring through them, and a partition of
//! the others among them, such that no pipeline's cheapest path costs more than what is left below
//! the best cost that is known.

use units::{Control, Interrupted};

use super::paths::{MOST_SERVERS, Paths, bits};
use super::rings::fastest_ring;
use crate::bound::{least_hops, least_ring};
use crate::place::ROUNDING;
use crate::{Cost, Pipette};

/// Sets that are tried before a proof is given up.
const MOST_TRIED: u64 = 400_000_000;

/// An order that no other undercuts; `None` for more than [`MOST_SERVERS`] servers, or where too
/// many sets would have to be tried.
pub(crate) fn pipette(
    cost: &Pipette,
    known: &[u32],
    control: &Control,
) -> Result<Option<Vec<u32>>, Interrupted> {
    let (n, q) = (cost.n, cost.n_pipelines());
    if MOST_SERVERS < n {
        return Ok(None);
    }
    let link = |from: usize, to: usize| cost.per_byte[from * n + to];
    let mut search = Search {
        cost,
        paths: Paths::new(n, cost.pp, &cost.per_byte, control)?,
        candidates: Vec::new(),
        least_path: least_hops(n, q, link) / q as f64,
        best: cost.full(known) * (1.0 - ROUNDING),
        order: known.to_vec(),
        tried: 0,
        control,
    };
    let least = search.room(least_ring(n, q, link));
    search.candidates = (0..n).map(|first| search.sets(first, least)).collect();
    for firsts in subsets(n, q) {
        if !search.with_firsts(firsts)? {
            return Ok(None);
        }
    }
    Ok(Some(search.order))
}

struct Search<'a> {
    cost: &'a Pipette,
    paths: Paths,
    /// By first server: sets of a pipeline with it, the cheapest path first.
    candidates: Vec<Vec<(f64, usize)>>,
    /// Seconds a byte of the longest path of any partition, at least.
    least_path: f64,
    /// What is to be undercut.
    best: f64,
    order: Vec<u32>,
    tried: u64,
    control: &'a Control,
}

impl Search<'_> {
    /// What a path may cost, in seconds a byte, when the ring's slowest link is known.
    fn room(&self, ring: f64) -> f64 {
        let left = self.best - self.cost.ring * ring;
        if 0.0 < self.cost.hop {
            left / self.cost.hop
        } else if 0.0 < left {
            f64::INFINITY
        } else {
            f64::NEG_INFINITY
        }
    }

    /// All pipelines that start at a server and cost less than the limit.
    fn sets(&self, first: usize, limit: f64) -> Vec<(f64, usize)> {
        let of_first = subsets(self.cost.n, self.cost.pp).filter(|set| set >> first & 1 == 1);
        let cost = |set: usize| (self.paths.cost(set, first), set);
        let mut sets: Vec<_> = of_first
            .map(cost)
            .filter(|(cost, _)| *cost < limit)
            .collect();
        sets.sort_by(|a, b| a.0.total_cmp(&b.0));
        sets
    }

    /// Betters the best order with these first servers while it can; whether it came to an end.
    fn with_firsts(&mut self, firsts: usize) -> Result<bool, Interrupted> {
        self.control.check()?;
        if self.room(self.slowest_link(firsts)) <= self.least_path {
            return Ok(true);
        }
        let (ring, in_order) = fastest_ring(self.cost.n, firsts, &self.cost.per_byte);
        if self.room(ring) <= self.least_path {
            return Ok(true);
        }
        let mut sets = Vec::new();
        let options = self.options(firsts, ring);
        while self.partition(&options, firsts, firsts, ring, &mut sets) {
            self.keep(&in_order, &sets);
            sets.clear();
        }
        Ok(self.tried < MOST_TRIED)
    }

    /// The slowest link of any ring through these servers, at least: every one is left and entered.
    fn slowest_link(&self, firsts: usize) -> f64 {
        let n = self.cost.n;
        let least = |one: usize, link: &dyn Fn(usize) -> f64| {
            let others = bits(firsts & !(1 << one));
            others.map(link).fold(f64::INFINITY, f64::min)
        };
        let both = |one: usize| {
            let leave = least(one, &|other| self.cost.per_byte[one * n + other]);
            leave.max(least(one, &|other| self.cost.per_byte[other * n + one]))
        };
        let worst = bits(firsts).map(both).fold(0.0, f64::max);
        if worst.is_finite() { worst } else { 0.0 }
    }

    /// Pipelines of each first server that hold no other first server.
    fn options(&self, firsts: usize, ring: f64) -> Vec<Vec<(f64, usize)>> {
        let room = self.room(ring);
        let of = |first: usize| {
            let own = |(cost, set): &&(f64, usize)| *cost < room && set & firsts == 1 << first;
            self.candidates[first].iter().filter(own).copied().collect()
        };
        (0..self.cost.n).map(of).collect()
    }

    /// Gives each first server that waits a pipeline of servers that are not used, the one with
    /// fewest choices first; whether that works out.
    fn partition(
        &mut self,
        options: &[Vec<(f64, usize)>],
        waiting: usize,
        used: usize,
        ring: f64,
        sets: &mut Vec<(usize, usize)>,
    ) -> bool {
        if waiting == 0 {
            return true;
        }
        let room = self.room(ring);
        let fits = |first: usize| {
            let free = move |(cost, set): &&(f64, usize)| *cost < room && set & used == 1 << first;
            options[first].iter().filter(free)
        };
        let fewest = bits(waiting).min_by_key(|first| fits(*first).count());
        let Some(first) = fewest else { return true };
        for (_, set) in fits(first) {
            self.tried += 1;
            if MOST_TRIED <= self.tried {
                return false;
            }
            sets.push((first, *set));
            if self.partition(options, waiting & !(1 << first), used | set, ring, sets) {
                return true;
            }
            sets.pop();
        }
        false
    }

    /// Takes the order of these pipelines, first servers in the order of the ring.
    fn keep(&mut self, ring: &[usize], sets: &[(usize, usize)]) {
        let set_of = |first: usize| {
            sets.iter()
                .find(|(of, _)| *of == first)
                .map(|(_, set)| *set)
        };
        let path = |first: &usize| {
            let set = set_of(*first).unwrap_or(1 << first);
            self.paths.servers(set, *first, &self.cost.per_byte)
        };
        let id = |server: usize| u32::try_from(server).unwrap_or(u32::MAX);
        self.order = ring.iter().flat_map(path).map(id).collect();
        self.best = self.cost.full(&self.order) * (1.0 - ROUNDING);
    }
}

/// All sets of `size` of `n` servers (Gosper's hack).
fn subsets(n: usize, size: usize) -> impl Iterator<Item = usize> {
    let mut next = (1_usize << size) - 1;
    std::iter::from_fn(move || {
        let set = next;
        if size == 0 || 1 << n <= set {
            return None;
        }
        let (low, carried) = (set & set.wrapping_neg(), set + (set & set.wrapping_neg()));
        next = carried | (((carried ^ set) / low) >> 2);
        Some(set)
    })
}
