//! Nodes as blocks of ranks, whatever lies on them.

use std::collections::BTreeSet;

use cluster::Cluster;
use plan::Plan;
use units::{GpuId, NodeId};

use super::Unplaced;
use super::seats::Seats;

impl Seats {
    /// The nodes of a plan in the order of their numbers, then those of the same kinds that it
    /// leaves out.
    pub(super) fn blocks(plan: &Plan, cluster: &Cluster) -> Result<Self, Unplaced> {
        let held = used(plan, cluster);
        if held.len() < 2 {
            return Err(Unplaced::OneNode);
        }
        let used = held.len();
        let mut known: Vec<Kind<'_>> = Vec::new();
        let mut kind = |node: NodeId| {
            let own = Kind::of(cluster, node);
            let at = known.iter().position(|other| *other == own);
            let at = at.unwrap_or_else(|| {
                known.push(own);
                known.len() - 1
            });
            u32::try_from(at).unwrap_or(u32::MAX)
        };
        let mut nodes: Vec<NodeId> = held.iter().copied().collect();
        let mut kinds: Vec<u32> = nodes.iter().map(|node| kind(*node)).collect();
        let taken: BTreeSet<u32> = kinds.iter().copied().collect();
        for node in (0..cluster.n_nodes()).map(NodeId::from_index) {
            let own = kind(node);
            if !held.contains(&node) && taken.contains(&own) {
                nodes.push(node);
                kinds.push(own);
            }
        }
        if share_domains(cluster, &nodes) {
            return Err(Unplaced::SharedDomain);
        }
        if taken.len() == nodes.len() {
            return Err(Unplaced::Uneven);
        }
        Ok(Self {
            nodes,
            stages: None,
            kinds,
            used,
        })
    }
}

/// The nodes on which ranks lie.
fn used(plan: &Plan, cluster: &Cluster) -> BTreeSet<NodeId> {
    let ranks = plan.ranks().all();
    ranks
        .map(|rank| cluster.node_of(plan.gpu_of(rank)))
        .collect()
}

/// What tells nodes apart: what they are and how fast each of their GPUs is.
#[derive(PartialEq)]
struct Kind<'a> {
    spec: &'a cluster::NodeSpec,
    speeds: Vec<u64>,
}

impl<'a> Kind<'a> {
    fn of(cluster: &'a Cluster, node: NodeId) -> Self {
        let gpus = cluster.gpus_of(node).map(GpuId::new);
        Self {
            spec: cluster.node(node),
            speeds: gpus.map(|gpu| cluster.gpu_speed(gpu).to_bits()).collect(),
        }
    }
}

/// Whether a scale-up domain reaches over several of the nodes, so that it matters which of them
/// are neighbors.
fn share_domains(cluster: &Cluster, nodes: &[NodeId]) -> bool {
    let mut seen = BTreeSet::new();
    nodes.iter().any(|node| {
        let gpus = cluster.gpus_of(*node).map(GpuId::new);
        let own: BTreeSet<u32> = gpus.map(|gpu| cluster.domain_of(gpu)).collect();
        own.into_iter().any(|domain| !seen.insert(domain))
    })
}
