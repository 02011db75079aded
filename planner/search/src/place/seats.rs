//! Which nodes a plan fills: in rows of stages, where each node holds one stage.

use std::collections::{BTreeMap, BTreeSet};

use cluster::Cluster;
use plan::Plan;
use units::NodeId;

/// The nodes that may change places.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    /// The node of every place. In rows, that of place `d × stages + s` holds stage `s` of the `d`-th
    /// set of replicas; otherwise they stand in the order of their numbers, those without ranks
    /// behind the others.
    pub(super) nodes: Vec<NodeId>,
    /// Stages of the pipeline, where nodes stand in rows of them.
    pub(super) stages: Option<u32>,
    /// The kind of every node: only such of one kind change places.
    pub(super) kinds: Vec<u32>,
    /// Places that hold ranks, the first ones.
    pub(super) used: usize,
}

/// What lies on a node.
#[derive(Clone, Debug, Default)]
struct Held {
    stages: BTreeSet<u32>,
    replicas: BTreeSet<u32>,
    ranks: u32,
}

impl Seats {
    /// The nodes of a plan in rows of stages; none where a node holds several stages, or a stage of
    /// one replica several nodes, where rows differ, or nodes do or are spare.
    pub(super) fn rows(plan: &Plan, cluster: &Cluster) -> Option<Self> {
        let held = held(plan, cluster);
        let degrees = plan.degrees();
        let block = u64::from(degrees.tp * degrees.cp);
        let is_whole = |one: &Held| {
            one.stages.len() == 1 && one.replicas.len() as u64 * block == u64::from(one.ranks)
        };
        if held.len() < cluster.n_nodes() || !held.values().all(is_whole) {
            return None;
        }
        Self::in_rows(&held, degrees.pp, cluster)
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
            stages: Some(stages),
            kinds: vec![0; seats.len()],
            used: seats.len(),
        })
    }

    /// The nodes of places that hold ranks, and the others, in an order.
    pub(super) fn split(&self, order: &[u32]) -> (Vec<NodeId>, Vec<NodeId>) {
        let mut nodes: Vec<NodeId> = order.iter().map(|at| self.nodes[*at as usize]).collect();
        let mut spare = nodes.split_off(self.used);
        spare.sort_unstable();
        (nodes, spare)
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
