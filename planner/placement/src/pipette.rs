//! Pipette's objective: communication time of one iteration.
//!
//! ```text
//! max over pipelines of sum over hops of 2 M_pp / bw(i, i+1)
//!   + 2 (q − 1)/q · M_dp · max over the ring of first-stage servers of 1 / bw
//! ```
//!
//! Source: Yim et al., "Pipette", DATE 2024 (arXiv 2405.18093), section V. The ring runs in the
//! order of the pipelines and closes. What it leaves out: data-parallel groups of all stages but
//! the first, and that links cost more often than once (see [`Iteration`](crate::Iteration)).

use units::{Bytes, Control, Interrupted};

use crate::bound::{least_hops, least_ring};
use crate::{Bandwidth, Cost, Move, PlacementError, Walk, exact};

/// What Pipette's objective is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct PipetteSpec {
    /// Rates between servers.
    pub bandwidth: Bandwidth,
    /// Servers of a pipeline, which are its stages.
    pub pp: usize,
    /// `M_pp`: bytes that one micro-batch sends over a hop.
    pub hop: Bytes,
    /// `M_dp`: bytes of gradients that a server reduces.
    pub gradients: Bytes,
}

/// Pipette's objective over given links.
#[derive(Clone, Debug)]
pub struct Pipette {
    pub(crate) n: usize,
    pub(crate) pp: usize,
    /// Seconds a byte from row to column.
    pub(crate) per_byte: Vec<f64>,
    /// Bytes over a hop, there and back.
    pub(crate) hop: f64,
    /// Bytes over a link of the ring.
    pub(crate) ring: f64,
}

impl Pipette {
    /// The objective.
    ///
    /// # Errors
    ///
    /// [`PlacementError::DoesNotTile`].
    pub fn new(spec: &PipetteSpec) -> Result<Self, PlacementError> {
        let (n, pp) = (spec.bandwidth.n_servers(), spec.pp);
        if pp == 0 || n % pp != 0 {
            return Err(PlacementError::DoesNotTile { pp, servers: n });
        }
        let q = (n / pp) as f64;
        Ok(Self {
            n,
            pp,
            per_byte: spec.bandwidth.seconds_per_byte(),
            hop: 2.0 * spec.hop.as_f64(),
            ring: 2.0 * (q - 1.0) / q * spec.gradients.as_f64(),
        })
    }

    /// Seconds a byte over a link.
    #[inline]
    pub(crate) fn link(&self, from: u32, to: u32) -> f64 {
        self.per_byte[from as usize * self.n + to as usize]
    }

    /// Seconds a byte over all hops of a pipeline.
    #[inline]
    fn path(&self, order: &[u32], pipeline: usize) -> f64 {
        let servers = &order[pipeline * self.pp..(pipeline + 1) * self.pp];
        servers.windows(2).map(|w| self.link(w[0], w[1])).sum()
    }

    /// Seconds a byte over the link of the ring that leaves a pipeline's first server.
    #[inline]
    fn edge(&self, order: &[u32], pipeline: usize) -> f64 {
        let next = (pipeline + 1) * self.pp;
        self.link(
            order[pipeline * self.pp],
            order[if next < self.n { next } else { 0 }],
        )
    }

    #[inline]
    pub(crate) fn total(&self, path: f64, edge: f64) -> f64 {
        self.hop * path + self.ring * edge
    }

    pub(crate) const fn n_pipelines(&self) -> usize {
        self.n / self.pp
    }
}

impl Cost for Pipette {
    type Walk<'a> = PipetteWalk<'a>;

    fn n_servers(&self) -> usize {
        self.n
    }

    fn full(&self, order: &[u32]) -> f64 {
        self.walk(order).cost()
    }

    fn walk(&self, order: &[u32]) -> PipetteWalk<'_> {
        let pipelines = 0..self.n_pipelines();
        let paths: Vec<f64> = pipelines.clone().map(|d| self.path(order, d)).collect();
        let edges: Vec<f64> = pipelines.map(|d| self.edge(order, d)).collect();
        PipetteWalk {
            cost: self.total(largest(&paths), largest(&edges)),
            objective: self,
            order: order.to_vec(),
            paths,
            edges,
        }
    }

    /// Hops: the cheapest ways to leave and enter servers, shared evenly by the pipelines. Ring: the
    /// slowest link of any ring of so many servers.
    fn bound(&self) -> f64 {
        let q = self.n_pipelines();
        let hops = least_hops(self.n, q, |from, to| self.per_byte[from * self.n + to]);
        let ring = least_ring(self.n, q, |from, to| self.per_byte[from * self.n + to]);
        self.total(hops / q as f64, ring)
    }

    fn exact(&self, known: &[u32], control: &Control) -> Result<Option<Vec<u32>>, Interrupted> {
        exact::pipette(self, known, control)
    }
}

/// An order under Pipette's objective. A move looks again at the pipelines that it touches.
#[derive(Clone, Debug)]
pub struct PipetteWalk<'a> {
    objective: &'a Pipette,
    order: Vec<u32>,
    paths: Vec<f64>,
    edges: Vec<f64>,
    cost: f64,
}

impl Walk for PipetteWalk<'_> {
    fn order(&self) -> &[u32] {
        &self.order
    }

    fn cost(&self) -> f64 {
        self.cost
    }

    #[inline]
    fn delta(&mut self, change: Move) -> f64 {
        change.make(&mut self.order);
        let [a, b] = change.groups(self.objective.pp);
        let (mut path, mut edge) = (0.0, 0.0);
        let touched = |d: usize| a.contains(&d) || b.contains(&d);
        for (d, held) in self.paths.iter().enumerate() {
            let now = if touched(d) {
                self.objective.path(&self.order, d)
            } else {
                *held
            };
            path = larger(path, now);
            edge = larger(edge, self.objective.edge(&self.order, d));
        }
        change.unmake(&mut self.order);
        self.objective.total(path, edge) - self.cost
    }

    fn apply(&mut self, change: Move) {
        change.make(&mut self.order);
        let q = self.paths.len();
        for d in change.groups(self.objective.pp).into_iter().flatten() {
            self.paths[d] = self.objective.path(&self.order, d);
            let before = (d + q - 1) % q;
            self.edges[d] = self.objective.edge(&self.order, d);
            self.edges[before] = self.objective.edge(&self.order, before);
        }
        let (path, edge) = (largest(&self.paths), largest(&self.edges));
        self.cost = self.objective.total(path, edge);
    }
}

#[inline]
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a < b { b } else { a }
}

/// The largest of values that are not negative; four at a time, which compilers may not do by
/// themselves.
#[inline]
pub(crate) fn largest(values: &[f64]) -> f64 {
    let mut four = [0.0; 4];
    let chunks = values.chunks_exact(4);
    let rest = chunks.remainder().iter().copied().fold(0.0, larger);
    for chunk in chunks {
        for (held, value) in four.iter_mut().zip(chunk) {
            *held = larger(*held, *value);
        }
    }
    four.into_iter().fold(rest, larger)
}
