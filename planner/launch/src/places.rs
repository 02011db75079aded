//! Where the ranks of a plan run: nodes in the order of their ranks, and the GPUs of each.
//!
//! ```text
//! rank    0 1 2 3 4 5 6 7
//! GPU     n1g0 n1g2 n0g1 n0g0 ...
//! nodes   [n1: ranks 0, 1, GPUs 0,2]  [n0: ranks 2, 3, GPUs 1,0]
//! ```

use std::collections::BTreeMap;

use cluster::Cluster;
use plan::{Plan, RankOrder, Ranks};
use predict::Scenario;
use units::{GpuId, NodeId};

/// Where the ranks of a plan run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The nodes in use, in the order of the first rank of each.
    nodes: Vec<NodePlace>,
    /// By rank: its node, as an index into `nodes`.
    of_rank: Vec<u32>,
}

/// A node in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlace {
    /// The node.
    pub node: NodeId,
    /// GPUs that the node has, used or not.
    pub gpus: u32,
    /// Its ranks, ascending.
    pub ranks: Vec<u32>,
    /// The GPU of each of its ranks, counted in the node.
    pub devices: Vec<u32>,
}

/// Ranks in a row on nodes in a row: `count` ranks on each node from `first` to `last`, which
/// count the nodes in use in the order of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first node.
    pub first: u32,
    /// The last node.
    pub last: u32,
    /// Ranks on each.
    pub count: u32,
}

impl NodePlace {
    /// Whether its ranks use all its GPUs in their order, so that nobody needs to be told.
    pub fn is_plain(&self) -> bool {
        let all = self.devices.len() == self.gpus as usize;
        all && self.devices.iter().zip(0..).all(|(gpu, at)| *gpu == at)
    }

    /// The first two ranks in a row between which ranks of other nodes stand.
    fn gap(&self) -> Option<(u32, u32)> {
        let pairs = self.ranks.windows(2);
        let mut gaps = pairs.filter(|pair| pair[0] + 1 != pair[1]);
        gaps.next().map(|pair| (pair[0], pair[1]))
    }
}

impl Places {
    /// The places of a plan's ranks under the numbering of a framework, which may be another than
    /// the plan's: what stands at the same coordinates runs on the same GPU. None where no rank of
    /// the framework has all the groups that a rank of the plan has.
    pub fn of(scenario: &Scenario, order: RankOrder) -> Option<Self> {
        let gpus = gpus_in_order(&scenario.plan, has_experts(scenario), order)?;
        Some(Self::on(&gpus, &scenario.cluster))
    }

    /// The places of ranks whose GPUs are given.
    pub fn on(gpus: &[GpuId], cluster: &Cluster) -> Self {
        let mut places = Self {
            nodes: Vec::new(),
            of_rank: Vec::with_capacity(gpus.len()),
        };
        let mut known: BTreeMap<NodeId, u32> = BTreeMap::new();
        for (rank, gpu) in (0_u32..).zip(gpus) {
            let node = cluster.node_of(*gpu);
            let next = u32::try_from(places.nodes.len()).unwrap_or(u32::MAX);
            let at = *known.entry(node).or_insert(next);
            if at == next {
                places.nodes.push(NodePlace {
                    node,
                    gpus: cluster.node(node).gpus,
                    ranks: Vec::new(),
                    devices: Vec::new(),
                });
            }
            let place = &mut places.nodes[at as usize];
            place.ranks.push(rank);
            place.devices.push(cluster.index_in_node(*gpu));
            places.of_rank.push(at);
        }
        places
    }

    /// The nodes in use, in the order of the first rank of each.
    pub fn nodes(&self) -> &[NodePlace] {
        &self.nodes
    }

    /// Ranks in all.
    pub fn n_ranks(&self) -> usize {
        self.of_rank.len()
    }

    /// Whether some node uses only some of its GPUs, or another order than its own.
    pub fn names_devices(&self) -> bool {
        !self.nodes.iter().all(NodePlace::is_plain)
    }

    /// A node whose ranks do not stand in a row, with two of them; none where all do.
    pub fn scattered(&self) -> Option<(NodeId, u32, u32)> {
        let gaps = self.nodes.iter();
        let mut gaps = gaps.filter_map(|place| place.gap().map(|(a, b)| (place.node, a, b)));
        gaps.next()
    }

    /// The most GPUs in use on a node.
    pub fn most_on_a_node(&self) -> u32 {
        let most = self.nodes.iter().map(|place| place.devices.len()).max();
        most.and_then(|most| u32::try_from(most).ok()).unwrap_or(0)
    }

    /// The nodes in use in the order of the cluster: what an allocation's list of hosts is mapped
    /// to.
    pub fn sorted(&self) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self.nodes.iter().map(|place| place.node).collect();
        nodes.sort_unstable();
        nodes
    }

    /// The node of every rank, as runs.
    pub fn runs(&self) -> Vec<Run> {
        let sorted = self.sorted();
        let position = |at: u32| {
            let node = self.nodes[at as usize].node;
            let found = sorted.binary_search(&node).unwrap_or(0);
            u32::try_from(found).unwrap_or(u32::MAX)
        };
        let mut runs: Vec<Run> = Vec::new();
        for group in self.of_rank.chunk_by(|a, b| a == b) {
            let (at, count) = (position(group[0]), u32::try_from(group.len()).unwrap_or(0));
            match runs.last_mut() {
                Some(run) if run.last.checked_add(1) == Some(at) && run.count == count => {
                    run.last = at;
                }
                _ => runs.push(Run {
                    first: at,
                    last: at,
                    count,
                }),
            }
        }
        runs
    }

    /// The GPUs of every rank's node in the order of its ranks, as `(first rank, last rank, GPUs)`.
    pub fn devices_by_rank(&self) -> Vec<(u32, u32, String)> {
        let lists: Vec<String> = self.nodes.iter().map(NodePlace::device_list).collect();
        let mut ranges: Vec<(u32, u32, String)> = Vec::new();
        for (rank, at) in (0_u32..).zip(&self.of_rank) {
            let gpus = &lists[*at as usize];
            match ranges.last_mut() {
                Some((_, last, same)) if same == gpus => *last = rank,
                _ => ranges.push((rank, rank, gpus.clone())),
            }
        }
        ranges
    }

    /// What each node starts, by its place in the order of ranks: `(first node, last node, ranks,
    /// GPUs)`.
    pub fn devices_by_node(&self) -> Vec<(u32, u32, usize, String)> {
        let mut ranges: Vec<(u32, u32, usize, String)> = Vec::new();
        for (at, place) in (0_u32..).zip(&self.nodes) {
            let gpus = place.device_list();
            match ranges.last_mut() {
                Some((_, last, _, same)) if *same == gpus => *last = at,
                _ => ranges.push((at, at, place.devices.len(), gpus)),
            }
        }
        ranges
    }
}

impl NodePlace {
    fn device_list(&self) -> String {
        let names: Vec<String> = self.devices.iter().map(u32::to_string).collect();
        names.join(",")
    }
}

/// Whether a scenario's model has layers with experts.
pub(crate) fn has_experts(scenario: &Scenario) -> bool {
    let kinds = scenario.job.model.kinds();
    kinds.iter().any(|layer| layer.moe().is_some())
}

/// The GPU of every rank of a numbering in that order.
fn gpus_in_order(plan: &Plan, experts: bool, order: RankOrder) -> Option<Vec<GpuId>> {
    let (own, degrees) = (plan.ranks(), plan.degrees());
    let theirs = if experts {
        Ranks::new(degrees, order)?
    } else {
        Ranks::dense(degrees, order)
    };
    let gpu_of = |rank| {
        let at = theirs.coords(rank);
        let same = own.rank_at(at);
        (own.coords(same) == at).then(|| plan.gpu_of(same))
    };
    theirs.all().map(gpu_of).collect()
}
