//! Which nodes a plan fills, in rows of stages.

use std::collections::{BTreeMap, BTreeSet};

use cluster::Cluster;
use plan::Plan;
use units::NodeId;

use super::Unplaced;

/// The nodes of a plan, each of which holds one stage of one or several replicas.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    /// The node of place `d × stages + s`: stage `s` of the `d`-th set of replicas.
    pub(super) nodes: Vec<NodeId>,
    /// Stages of the pipeline.
    pub(super) stages: u32,
}

/// What lies on a node.
#[derive(Clone, Debug, Default)]
struct Held {
    stages: BTreeSet<u32>,
    replicas: BTreeSet<u32>,
    ranks: u32,
}

impl Seats {
    /// The seats of a plan.
    pub(super) fn of(plan: &Plan, cluster: &Cluster) -> Result<Self, Unplaced> {
        let held = held(plan, cluster);
        if held.len() < 2 {
            return Err(Unplaced::OneNode);
        }
        let degrees = plan.degrees();
        if held.values().any(|one| 1 < one.stages.len()) {
            return Err(Unplaced::SharedNode);
        }
        let block = degrees.tp * degrees.cp;
        let is_whole =
            |one: &Held| one.replicas.len() as u64 * u64::from(block) == u64::from(one.ranks);
        if !held.values().all(is_whole) {
            return Err(Unplaced::SpansNodes);
        }
        Self::in_rows(&held, degrees.pp, cluster).ok_or(Unplaced::Uneven)
    }

    /// The nodes by row, where every stage has the same rows and all nodes are alike.
    fn in_rows(held: &BTreeMap<NodeId, Held>, stages: u32, cluster: &Cluster) -> Option<Self> {
        let first = held.keys().next()?;
        let kind = |node: NodeId| (cluster.node(node).clone(), cluster.gpus_of(node).len());
        if held.keys().any(|node| kind(*node) != kind(*first)) {
            return None;
        }
        let mut seats: Vec<(&BTreeSet<u32>, u32, NodeId)> = held
            .iter()
            .filter_map(|(node, one)| Some((&one.replicas, *one.stages.first()?, *node)))
            .collect();
        seats.sort();
        let is_even = seats.chunks(stages as usize).all(|row| {
            let in_turn = row.iter().zip(0..).all(|(seat, stage)| seat.1 == stage);
            in_turn && row.len() == stages as usize && row.iter().all(|seat| seat.0 == row[0].0)
        });
        is_even.then(|| Self {
            nodes: seats.iter().map(|seat| seat.2).collect(),
            stages,
        })
    }

    /// The GPU of every rank where place `i` lies on the node that place `order[i]` had.
    pub(super) fn rank_gpus(&self, plan: &Plan, cluster: &Cluster, order: &[u32]) -> Vec<u32> {
        let places = self.nodes.iter().zip(order);
        let moved: BTreeMap<NodeId, NodeId> = places
            .map(|(node, at)| (*node, self.nodes[*at as usize]))
            .collect();
        let gpu = |rank| {
            let gpu = plan.gpu_of(rank);
            let node = cluster.node_of(gpu);
            let target = moved.get(&node).copied().unwrap_or(node);
            cluster.gpus_of(target).start + cluster.index_in_node(gpu)
        };
        plan.ranks().all().map(gpu).collect()
    }
}

fn held(plan: &Plan, cluster: &Cluster) -> BTreeMap<NodeId, Held> {
    let mut held: BTreeMap<NodeId, Held> = BTreeMap::new();
    for rank in plan.ranks().all() {
        let one = held.entry(cluster.node_of(plan.gpu_of(rank))).or_default();
        let coord = plan.ranks().coords(rank);
        one.stages.insert(coord.pp);
        one.replicas.insert(coord.dp);
        one.ranks += 1;
    }
    held
}
