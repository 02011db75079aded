//! Whether what leaves the GPUs finds room in the memory and on the drives of their nodes.

use std::collections::BTreeMap;

use cluster::{Cluster, NodeSpec};
use plan::schedule::{ActionKind, Schedule, peak_level};
use plan::{Assumption, OffloadTarget, Plan};
use units::{Bytes, NodeId};

/// The most bytes of activations that a rank of a device keeps outside at once. They are counted
/// from the forward pass that sends them until the backward pass that has them back.
///
/// * `leaving` — bytes that a forward pass of a stage sends.
pub(crate) fn activations(
    schedule: &Schedule,
    device: usize,
    leaving: impl Fn(u32) -> Bytes,
) -> Bytes {
    let bytes = |stage| i64::try_from(leaving(stage).as_u64()).unwrap_or(i64::MAX >> 16);
    let (peak, _) = peak_level(schedule.actions(device), |action| match action.kind {
        ActionKind::Forward => (bytes(action.stage), 0),
        kind if kind.gives_gradient() => (0, -bytes(action.stage)),
        _ => (0, 0),
    });
    Bytes::new(u64::try_from(peak).unwrap_or(0))
}

/// What does not find room, for the list of assumptions: the fullest node that names its size.
///
/// * `on_rank` — bytes that a rank of each device keeps outside.
pub(crate) fn overflow(cluster: &Cluster, plan: &Plan, on_rank: &[Bytes]) -> Option<Assumption> {
    if on_rank.iter().all(|bytes| *bytes == Bytes::ZERO) {
        return None;
    }
    let mut on_node: BTreeMap<NodeId, Bytes> = BTreeMap::new();
    for rank in plan.ranks().all() {
        let device = plan.ranks().coords(rank).pp as usize;
        let node = cluster.node_of(plan.gpu_of(rank));
        *on_node.entry(node).or_default() += on_rank[device];
    }
    let target = plan.offload().target;
    let (needed, room) = on_node
        .into_iter()
        .filter_map(|(node, needed)| Some((needed, room(cluster.node(node), target)?)))
        .filter(|(needed, room)| room < needed)
        .max_by_key(|(needed, _)| *needed)?;
    Some(Assumption {
        field: "offload",
        value: format!("{needed} on a node with {room}").into(),
        reason: match target {
            OffloadTarget::Host => "does not fit: more than the host memory of the node",
            OffloadTarget::Ssd => "does not fit: more than the drives of the node hold",
        },
    })
}

/// What a node takes, where it says so.
fn room(node: &NodeSpec, target: OffloadTarget) -> Option<Bytes> {
    match target {
        OffloadTarget::Host => node.host.memory,
        OffloadTarget::Ssd => node.storage.and_then(|drives| drives.capacity),
    }
}
