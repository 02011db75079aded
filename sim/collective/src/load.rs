//! What a pattern puts on links: static contention.

use std::collections::BTreeMap;

use cluster::Cluster;
use units::{GpuId, LinkId, NodeId};

use crate::hops::Hop;

/// The traffic on links and between nodes, for one byte of every collective.
#[derive(Clone, Debug)]
pub(crate) struct Loads<'a> {
    cluster: &'a Cluster,
    /// By link of the cluster; most stay untouched.
    links: Vec<f64>,
    pairs: BTreeMap<(NodeId, NodeId), f64>,
    path: Vec<LinkId>,
}

impl<'a> Loads<'a> {
    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            links: vec![0.0; cluster.links().len()],
            pairs: BTreeMap::new(),
            path: Vec::new(),
        }
    }

    /// Adds a transfer of `share` bytes.
    pub(crate) fn add(&mut self, from: GpuId, to: GpuId, share: f64) {
        self.route(from, to);
        for &link in &self.path {
            self.links[link.index()] += share;
        }
        if self.cluster.measured_rate(from, to).is_some() {
            let nodes = (self.cluster.node_of(from), self.cluster.node_of(to));
            *self.pairs.entry(nodes).or_default() += share;
        }
    }

    /// Bytes per second at which these transfers of the group carry one byte of its collective
    /// each second, while all that was added does so too; infinite without transfers.
    pub(crate) fn rate(&mut self, group: &[Hop]) -> f64 {
        let mut rate = f64::INFINITY;
        for hop in group {
            self.route(hop.from, hop.to);
            for link in &self.path {
                rate = rate.min(self.cluster.link(*link).rate.as_f64() / self.links[link.index()]);
            }
            if let Some(measured) = self.cluster.measured_rate(hop.from, hop.to) {
                let nodes = (self.cluster.node_of(hop.from), self.cluster.node_of(hop.to));
                rate = rate.min(measured.as_f64() / self.pairs[&nodes]);
            }
        }
        rate
    }

    fn route(&mut self, from: GpuId, to: GpuId) {
        self.path.clear();
        self.cluster
            .route(from, to, Cluster::D_MOD_K, &mut self.path);
    }
}
