//! What links between the nodes of a plan do.

use std::collections::BTreeSet;

use cluster::Cluster;
use placement::{Bandwidth, Links, PlacementError};
use units::NodeId;

/// Relative difference from which on two links are not alike.
const ALIKE: f64 = 1e-9;

/// Latencies and rates between nodes: of all their NICs together, or what was measured where that
/// is less. `None` where all links are alike.
pub(super) fn links(cluster: &Cluster, nodes: &[NodeId]) -> Result<Option<Links>, PlacementError> {
    let n = nodes.len();
    let (mut rates, mut latencies) = (Vec::with_capacity(n * n), Vec::with_capacity(n * n));
    for from in nodes {
        for to in nodes {
            let (rate, latency) = link(cluster, *from, *to);
            rates.push(rate);
            latencies.push(latency);
        }
    }
    let others = || (0..n * n).filter(|at| at / n != at % n);
    let alike = |values: &[f64]| {
        let most = others().map(|at| values[at]).fold(0.0, f64::max);
        others().all(|at| most - values[at] <= ALIKE * most)
    };
    if alike(&rates) && alike(&latencies) {
        return Ok(None);
    }
    Links::with_latencies(&Bandwidth::new(n, rates)?, latencies).map(Some)
}

/// Bytes a second and seconds from one node to another.
fn link(cluster: &Cluster, from: NodeId, to: NodeId) -> (f64, f64) {
    if from == to {
        return (0.0, 0.0);
    }
    let (mut rate, mut latency) = (0.0, 0.0_f64);
    let mut seen = BTreeSet::new();
    let pairs = cluster.gpus_of(from).zip(cluster.gpus_of(to));
    for (sender, receiver) in pairs {
        let [sender, receiver] = [sender, receiver].map(units::GpuId::new);
        let in_domain = cluster.domain_of(sender) == cluster.domain_of(receiver);
        if !in_domain && !seen.insert(cluster.nic_of(sender)) {
            continue;
        }
        let mut path = Vec::new();
        cluster.route(sender, receiver, Cluster::D_MOD_K, &mut path);
        rate += cluster.path_rate(&path).as_f64();
        latency = latency.max(cluster.path_latency(&path).as_secs());
    }
    let measured = cluster.measured_between(from, to);
    (
        measured.map_or(rate, |measured| rate.min(measured.as_f64())),
        latency,
    )
}
