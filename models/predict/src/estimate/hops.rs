//! What crosses the boundaries between stages.

use collective::CommShape;
use lower::boundary;
use plan::{Plan, RankOrder};
use profile::CollectiveKind;
use units::RankId;
use workload::ops::Axis;

use crate::Scenario;
use crate::estimate::work::{Merged, Work};

/// What a message between neighboring stages takes, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Hop {
    time: f64,
    latency: f64,
}

/// What crosses the boundaries between stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hops {
    /// Seconds behind every virtual stage but the last.
    pub(super) behind: Vec<f64>,
    /// Whether messages take a good part of a pass, so that those of several micro-batches meet.
    pub(super) are_slow: bool,
}

/// Share of the shorter pass at its ends that a message may take without doubt.
const SLOW: f64 = 0.15;

impl Work<'_> {
    /// Seconds of the hop behind every virtual stage but the last. Where the receiver gathers its
    /// parts, its passes do; where sends do not overlap, the sender's passes last until its
    /// message has left, and the latency is left of the hop.
    pub(super) fn hops(&self, merged: &mut Merged) -> Hops {
        let plan = self.plan;
        let devices = plan.device_of_stage();
        let message = boundary(
            &self.scenario.job,
            plan,
            &self.scenario.framework,
            &self.sharding,
        );
        let gather = message.gather.map_or(0.0, |bytes| {
            self.shapes.time(Axis::Tp, CollectiveKind::AllGather, bytes)
        });
        let (mut near, mut far) = (None, None);
        let mut hops = Hops::default();
        for (at, pair) in devices.windows(2).enumerate() {
            if pair[0] == pair[1] {
                hops.behind.push(0.0);
                continue;
            }
            let ends = self.ends(pair[0], pair[1]);
            let crosses = self.crosses(ends);
            let known = if crosses { &mut far } else { &mut near };
            let hop: Hop = *known.get_or_insert_with(|| {
                let [time, latency] = self.shapes.send(&self.pair(ends), message.bytes);
                Hop { time, latency }
            });
            let leaves = if plan.overlap().p2p {
                0.0
            } else {
                hop.time - hop.latency
            };
            let (before, behind) = merged.stages.split_at_mut(at + 1);
            let (sender, receiver) = (&mut before[at], &mut behind[0]);
            let pass = sender.forward.total.min(receiver.forward.total);
            hops.are_slow |= SLOW * pass < hop.time;
            sender.forward.cross(leaves, 0.0);
            receiver.forward.cross(0.0, gather);
            for pass in [&mut sender.backward, &mut sender.input_grad] {
                pass.cross(0.0, gather);
            }
            for pass in [&mut receiver.backward, &mut receiver.input_grad] {
                pass.cross(leaves, 0.0);
            }
            hops.behind.push(hop.time - leaves);
        }
        hops
    }

    /// Ranks of neighboring stages that talk to each other: such that lie in different domains, if
    /// there are any.
    fn ends(&self, from: u32, to: u32) -> [RankId; 2] {
        let ranks = self.plan.ranks();
        let ends = |rank: RankId| [ranks.at_stage(rank, from), ranks.at_stage(rank, to)];
        let first = ends(RankId::new(0));
        if self.crosses(first) || is_near(self.plan, self.scenario, first) {
            return first;
        }
        let mut all = ranks.all().filter(|rank| ranks.coords(*rank).pp == 0);
        all.find(|rank| self.crosses(ends(*rank)))
            .map_or(first, ends)
    }

    fn crosses(&self, ends: [RankId; 2]) -> bool {
        let cluster = &self.scenario.cluster;
        let [a, b] = ends.map(|rank| cluster.domain_of(self.plan.gpu_of(rank)));
        a != b
    }

    /// What the message goes over. All pairs of two stages send at about the same time.
    pub(super) fn pair(&self, ends: [RankId; 2]) -> CommShape {
        self.between(ends).at_pace(self.scenario.framework.axes.pp)
    }

    fn between(&self, ends: [RankId; 2]) -> CommShape {
        let Scenario { cluster, comm, .. } = self.scenario;
        let ranks = self.plan.ranks();
        let stride = ends[1].get();
        if ends[0] == RankId::new(0) && 2 * stride <= ranks.len() {
            return self.shape_of(&ends, 0);
        }
        let [from, to] = ends.map(|rank| ranks.coords(rank).pp);
        let senders: Vec<RankId> = ranks
            .all()
            .filter(|rank| *rank != ends[0] && ranks.coords(*rank).pp == from)
            .collect();
        let gpus = |rank: RankId| [rank, ranks.at_stage(rank, to)].map(|at| self.plan.gpu_of(at));
        let others = senders.into_iter().map(gpus);
        let mut cache = self.cache.borrow_mut();
        cache.pair(cluster, comm, gpus(ends[0]), others)
    }
}

/// Whether all ranks of both stages lie in one domain, where their numbers stand in a row.
fn is_near(plan: &Plan, scenario: &Scenario, [from, to]: [RankId; 2]) -> bool {
    let stride = plan.n_ranks() / plan.degrees().pp;
    let in_rows = plan.rank_order() == RankOrder::MEGATRON;
    let [low, high] = [from.get().min(to.get()), from.get().max(to.get())];
    let domain = |rank: u32| scenario.cluster.domain_of(plan.gpu_of(RankId::new(rank)));
    in_rows && low + stride == high && domain(low) == domain(high + stride - 1)
}
