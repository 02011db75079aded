//! The time of a layout while an order changes.

use super::{Layout, Times, total};
use crate::{Move, PipelineScratch, Walk};

/// An order under [`Layout`]. Every move is evaluated as a whole.
#[derive(Clone, Debug)]
pub struct LayoutWalk<'a> {
    objective: &'a Layout,
    order: Vec<u32>,
    cost: f64,
    /// The server of every place.
    places: Vec<u32>,
    times: Times,
    ends: Vec<f64>,
    scratch: PipelineScratch,
}

impl<'a> LayoutWalk<'a> {
    pub(super) fn new(objective: &'a Layout, order: &[u32]) -> Self {
        let mut walk = Self {
            objective,
            order: order.to_vec(),
            cost: 0.0,
            places: Vec::with_capacity(order.len()),
            times: Times::default(),
            ends: Vec::new(),
            scratch: PipelineScratch::default(),
        };
        walk.cost = walk.total();
        walk
    }

    /// The time of the order as it stands.
    pub(super) fn total(&mut self) -> f64 {
        let layout = self.objective;
        layout.decode(&self.order, &mut self.places);
        self.ends.clear();
        self.ends.resize(layout.stages(), 0.0);
        for pipeline in &layout.spec.pipelines {
            self.times.clear();
            for (stage, group) in pipeline.inside.iter().enumerate() {
                let pace = layout.pace(group, &self.places);
                self.times.forward.push(layout.spec.forward[stage].at(pace));
                let backward = layout.spec.backward[stage].at(pace);
                self.times.backward.push(backward);
            }
            for messages in &pipeline.hops {
                let (down, up) = layout.hop(messages, &self.places);
                self.times.down.push(down);
                self.times.up.push(up);
            }
            let own = layout.ends(&self.times, &mut self.scratch);
            for (end, own) in self.ends.iter_mut().zip(own) {
                *end = end.max(*own);
            }
        }
        total(&self.ends, |stage| {
            let pace = layout.pace(&layout.spec.rings[stage], &self.places);
            layout.spec.sums[stage].at(pace)
        })
    }
}

impl Walk for LayoutWalk<'_> {
    fn order(&self) -> &[u32] {
        &self.order
    }

    fn cost(&self) -> f64 {
        self.cost
    }

    fn delta(&mut self, change: Move) -> f64 {
        change.make(&mut self.order);
        let after = self.total();
        change.unmake(&mut self.order);
        after - self.cost
    }

    fn apply(&mut self, change: Move) {
        change.make(&mut self.order);
        self.cost = self.total();
    }
}
