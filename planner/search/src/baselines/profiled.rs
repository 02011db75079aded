//! What AMP and Pipette know of a plan: times of passes that were profiled, sizes of messages, and one
//! bandwidth for each pair of GPUs. No latency, no sharing of links, nothing that overlaps.

use cluster::Cluster;
use plan::{Axis, Plan};
use predict::{Estimator, Scenario};
use units::{GpuId, RankId};

/// A plan as the formulas take it.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiled {
    /// Seconds of the forward and the backward pass of one micro-batch, by pipeline device (`C`).
    pub passes: Vec<f64>,
    /// Micro-batches of a pipeline in an iteration (`n`).
    pub micro_batches: u32,
    /// Seconds that the messages of one micro-batch are under way on the slowest pipeline, forward
    /// and back (`T_pp`).
    pub messages: f64,
    /// What data-parallel ranks sum, by pipeline device.
    pub rings: Vec<Ring>,
}

/// The data-parallel group of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ring {
    /// Bytes of gradients of a rank (`M_dp`).
    pub bytes: f64,
    /// Ranks of the group that share a node.
    pub inside: u32,
    /// Nodes of the group.
    pub across: u32,
    /// Bytes a second of the slowest link inside a node.
    pub inside_rate: f64,
    /// The same between nodes.
    pub across_rate: f64,
}

impl Ring {
    /// Seconds of a ring all-reduce over `ranks` at `rate`: `2 (r - 1) / r * M / B` (Patarasuk and
    /// Yuan, J. Parallel Distrib. Comput. 69(2), 2009), latencies left out.
    pub(crate) fn all_reduce(&self, ranks: u32, rate: f64) -> f64 {
        let ranks = f64::from(ranks);
        2.0 * (ranks - 1.0) / ranks * self.bytes / rate
    }
}

/// Which bandwidths a method takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rates {
    /// Those of data sheets.
    Nominal,
    /// What was measured between nodes, where it was.
    Measured,
}

/// A plan as a method sees it that profiles passes on GPUs of the cluster; here, the closed form
/// stands for the profile.
pub(crate) fn profiled(
    estimator: &mut Estimator<'_>,
    scenario: &Scenario,
    plan: &Plan,
    rates: Rates,
) -> Profiled {
    let job = &scenario.job;
    let times = estimator.stage_times(plan);
    let number = job.precision.compute.bytes();
    let tokens = plan.micro_batch() as f64 * job.seq_len as f64 / f64::from(plan.degrees().cp);
    let message = tokens * job.model.hidden() as f64 * number;
    let links = Links {
        cluster: &scenario.cluster,
        plan,
        rates,
    };
    let rings = times.iter().zip(0..).map(|(time, stage)| Ring {
        bytes: time.trained as f64 * number,
        ..links.ring(stage)
    });
    Profiled {
        rings: rings.collect(),
        passes: times
            .iter()
            .map(|time| time.forward + time.backward)
            .collect(),
        micro_batches: plan.n_micro_batches(),
        messages: 2.0 * message * links.hops(),
    }
}

/// The links under the ranks of a plan.
struct Links<'a> {
    cluster: &'a Cluster,
    plan: &'a Plan,
    rates: Rates,
}

impl Links<'_> {
    /// Bytes a second of a message that is alone on its way.
    fn rate(&self, from: GpuId, to: GpuId) -> f64 {
        let mut path = Vec::new();
        self.cluster.route(from, to, Cluster::D_MOD_K, &mut path);
        match self.rates {
            Rates::Nominal => self.cluster.path_rate(&path),
            Rates::Measured => self.cluster.route_rate(from, to, &path),
        }
        .as_f64()
    }

    /// Of the slowest pipeline, the sum over hops of one over the bandwidth, in seconds a byte: of
    /// the first tensor-parallel rank of each, which stands for all.
    fn hops(&self) -> f64 {
        let ranks = self.plan.ranks();
        let of = |first: RankId| -> f64 {
            let gpu = |stage| self.plan.gpu_of(ranks.at_stage(first, stage));
            let hops = 1..self.plan.degrees().pp;
            hops.map(|stage| 1.0 / self.rate(gpu(stage - 1), gpu(stage)))
                .sum()
        };
        let firsts = ranks.group(Axis::Dp, RankId::new(0));
        firsts.iter().map(of).fold(0.0, f64::max)
    }

    /// The data-parallel ring of a stage, in the order of its ranks.
    fn ring(&self, stage: u32) -> Ring {
        let ranks = self.plan.ranks();
        let first = ranks.at_stage(RankId::new(0), stage);
        let group = ranks.group(Axis::Dp, first);
        let gpus: Vec<GpuId> = group.iter().map(|rank| self.plan.gpu_of(rank)).collect();
        let node = |gpu: GpuId| self.cluster.node_of(gpu);
        let mut nodes: Vec<_> = gpus.iter().map(|gpu| node(*gpu)).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut slowest = [f64::INFINITY; 2];
        for (at, from) in gpus.iter().enumerate() {
            let to = gpus[(at + 1) % gpus.len()];
            if *from != to {
                let slot = &mut slowest[usize::from(node(*from) != node(to))];
                *slot = slot.min(self.rate(*from, to));
            }
        }
        let across = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        Ring {
            bytes: 0.0,
            inside: group.len() / across,
            across,
            inside_rate: slowest[0],
            across_rate: slowest[1],
        }
    }
}
