//! The ring through given servers whose slowest link is fastest.

use super::paths::bits;

/// The slowest link of that ring, and its order; a ring of one has no link.
pub(super) fn fastest_ring(n: usize, set: usize, link: &[f64]) -> (f64, Vec<usize>) {
    let servers: Vec<usize> = bits(set).collect();
    let mut search = Search {
        n,
        link,
        best: (f64::INFINITY, servers.clone()),
        ring: vec![servers[0]],
    };
    if servers.len() == 1 {
        return (0.0, servers);
    }
    search.extend(&servers[1..], 0.0);
    search.best
}

struct Search<'a> {
    n: usize,
    link: &'a [f64],
    best: (f64, Vec<usize>),
    ring: Vec<usize>,
}

impl Search<'_> {
    fn between(&self, from: usize, to: usize) -> f64 {
        self.link[from * self.n + to]
    }

    /// Goes on to each server that is left, over links faster than the slowest of the best ring.
    fn extend(&mut self, left: &[usize], slowest: f64) {
        let at = self.ring[self.ring.len() - 1];
        if left.is_empty() {
            let slowest = slowest.max(self.between(at, self.ring[0]));
            if slowest < self.best.0 {
                self.best = (slowest, self.ring.clone());
            }
            return;
        }
        let mut nearest: Vec<usize> = left.to_vec();
        nearest.sort_by(|a, b| self.between(at, *a).total_cmp(&self.between(at, *b)));
        for next in nearest {
            let slowest = slowest.max(self.between(at, next));
            if self.best.0 <= slowest {
                return;
            }
            let rest: Vec<usize> = left
                .iter()
                .copied()
                .filter(|other| *other != next)
                .collect();
            self.ring.push(next);
            self.extend(&rest, slowest);
            self.ring.pop();
        }
    }
}
