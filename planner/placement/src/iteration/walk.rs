//! The time of an iteration while an order changes.

use std::ops::Range;

use super::Iteration;
use crate::pipette::{larger, largest};
use crate::{Move, PipelineScratch, Walk};

/// An order under [`Iteration`]. A move runs the pipelines again that it touches.
#[derive(Clone, Debug)]
pub struct IterationWalk<'a> {
    objective: &'a Iteration,
    order: Vec<u32>,
    /// End of every stage, by stage, then pipeline.
    ends: Vec<f64>,
    /// Time of the ring over the link that leaves a pipeline, by stage, then pipeline.
    rings: Vec<f64>,
    cost: f64,
    down: Vec<f64>,
    up: Vec<f64>,
    scratch: PipelineScratch,
    /// Ends and rings before a move that is only tried.
    replaced: Vec<f64>,
}

impl<'a> IterationWalk<'a> {
    pub(super) fn new(objective: &'a Iteration, order: &[u32]) -> Self {
        let hops = objective.hops.len();
        let mut walk = Self {
            objective,
            order: order.to_vec(),
            ends: vec![0.0; objective.links.n],
            rings: vec![0.0; objective.links.n],
            cost: 0.0,
            down: vec![0.0; hops],
            up: vec![0.0; hops],
            scratch: PipelineScratch::default(),
            replaced: Vec::new(),
        };
        for pipeline in 0..objective.n_pipelines() {
            walk.run(pipeline);
            walk.reduce(pipeline);
        }
        walk.cost = walk.total();
        walk
    }

    /// Runs one pipeline.
    fn run(&mut self, pipeline: usize) {
        let (pp, q) = (self.objective.pp(), self.objective.n_pipelines());
        let servers = &self.order[pipeline * pp..(pipeline + 1) * pp];
        for (stage, pair) in servers.windows(2).enumerate() {
            (self.down[stage], self.up[stage]) = self.objective.hop(stage, pair[0], pair[1]);
        }
        let running = self.objective.pipeline(&self.down, &self.up);
        let ends = running.ends(&mut self.scratch);
        for (stage, end) in ends.iter().enumerate() {
            self.ends[stage * q + pipeline] = *end;
        }
    }

    /// Links of all rings that leave one pipeline.
    fn reduce(&mut self, pipeline: usize) {
        let (pp, q) = (self.objective.pp(), self.objective.n_pipelines());
        let next = if pipeline + 1 == q { 0 } else { pipeline + 1 };
        for stage in 0..pp {
            let (from, to) = (
                self.order[pipeline * pp + stage],
                self.order[next * pp + stage],
            );
            self.rings[stage * q + pipeline] = self.objective.ring_link(stage, from, to);
        }
    }

    fn total(&self) -> f64 {
        let q = self.objective.n_pipelines();
        let stages = self.ends.chunks_exact(q).zip(self.rings.chunks_exact(q));
        let one = stages.map(|(ends, rings)| largest(ends) + largest(rings));
        one.fold(0.0, larger)
    }

    /// Makes a move and looks again at what it touches.
    fn make(&mut self, change: Move) {
        change.make(&mut self.order);
        let q = self.objective.n_pipelines();
        for run in change.groups(self.objective.pp()) {
            for pipeline in run.clone() {
                self.run(pipeline);
                self.reduce(pipeline);
            }
            if !run.is_empty() {
                self.reduce((run.start + q - 1) % q);
            }
        }
    }

    /// Keeps what a move changes: ends and rings of the pipelines that it touches, and of the one
    /// before each run of them.
    fn remember(&mut self, change: Move) {
        self.replaced.clear();
        let q = self.objective.n_pipelines();
        for pipeline in touched(change, self.objective.pp(), q) {
            for at in (pipeline..self.ends.len()).step_by(q) {
                self.replaced.extend([self.ends[at], self.rings[at]]);
            }
        }
    }

    /// Takes back what [`IterationWalk::remember`] kept of the same move.
    fn restore(&mut self, change: Move) {
        let q = self.objective.n_pipelines();
        let mut kept = self.replaced.chunks_exact(2);
        for pipeline in touched(change, self.objective.pp(), q) {
            for at in (pipeline..self.ends.len()).step_by(q) {
                if let Some(&[end, ring]) = kept.next() {
                    (self.ends[at], self.rings[at]) = (end, ring);
                }
            }
        }
    }
}

impl Walk for IterationWalk<'_> {
    fn order(&self) -> &[u32] {
        &self.order
    }

    fn cost(&self) -> f64 {
        self.cost
    }

    fn delta(&mut self, change: Move) -> f64 {
        self.remember(change);
        self.make(change);
        let delta = self.total() - self.cost;
        change.unmake(&mut self.order);
        self.restore(change);
        delta
    }

    fn apply(&mut self, change: Move) {
        self.make(change);
        self.cost = self.total();
    }
}

/// Pipelines that a move touches, and the one before each run of them.
fn touched(change: Move, pp: usize, q: usize) -> impl Iterator<Item = usize> {
    let with_before = move |run: Range<usize>| {
        let before = (!run.is_empty()).then_some((run.start + q - 1) % q);
        before.into_iter().chain(run)
    };
    change.groups(pp).into_iter().flat_map(with_before)
}
