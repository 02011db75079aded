//! Which ranks take part, and which of them share a domain.

use std::collections::BTreeMap;

use cluster::{ClusterNetwork, Topology};
use collective::{CommShape, shape};
use profile::CommProfile;
use units::{BytesPerSec, GpuId, HostId, NodeId};

use crate::program::count;

/// The ranks of a collective, in order, and the domains over which they are spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranks {
    hosts: Vec<HostId>,
    /// The ranks of each domain, domains in the order of their first ranks.
    domains: Vec<Vec<u32>>,
    /// By rank: its domain and its place there.
    places: Vec<(u32, u32)>,
    shape: CommShape,
}

impl Ranks {
    /// Hosts that are domains by themselves, with NICs of 100 Gbit/s as far as NCCL's choice goes.
    pub fn alone(hosts: &[HostId]) -> Self {
        Self::alone_at(hosts, nominal())
    }

    /// Hosts that are domains by themselves, with NICs of that rate.
    pub fn alone_at(hosts: &[HostId], rate: BytesPerSec) -> Self {
        let comm = CommProfile::nccl();
        let network = comm.network_of(None, "");
        let shape = CommShape::hosts(count(hosts.len()), rate, network);
        Self::new(hosts, shape, count)
    }

    /// Hosts of any topology that are domains by themselves; the rate of their NICs is that of the
    /// first link between the first two.
    pub fn on<T: Topology + ?Sized>(topology: &T, hosts: &[HostId]) -> Self {
        let mut links = Vec::new();
        if let [a, b, ..] = *hosts {
            topology.way(a, b, topology.static_way(a, b), &mut links);
        }
        let rate = links.first().map(|&link| topology.wire(link).rate);
        Self::alone_at(hosts, rate.unwrap_or_else(nominal))
    }

    /// Hosts of a cluster, with NCCL's constants: GPUs by scale-up domain; nodes are domains by themselves.
    pub fn of_cluster(network: &ClusterNetwork, hosts: &[HostId]) -> Self {
        let cluster = network.cluster();
        let gpu = |host: &HostId| host.get().checked_sub(network.n_nodes()).map(GpuId::new);
        let gpus: Option<Vec<GpuId>> = hosts.iter().map(gpu).collect();
        let Some(gpus) = gpus else {
            return Self::alone_at(hosts, nic_rate(network, hosts));
        };
        let shape = shape(cluster, &CommProfile::nccl(), &gpus, &[]);
        Self::new(hosts, shape, |rank| cluster.domain_of(gpus[rank]))
    }

    /// Hosts with the domain of each.
    ///
    /// * `shape` — what NCCL's tuner is told of them.
    pub fn new(hosts: &[HostId], shape: CommShape, domain: impl Fn(usize) -> u32) -> Self {
        let mut ranks = Self {
            hosts: hosts.to_vec(),
            domains: Vec::new(),
            places: Vec::with_capacity(hosts.len()),
            shape,
        };
        let mut known = BTreeMap::new();
        for rank in 0..hosts.len() {
            let next = count(ranks.domains.len());
            let at = *known.entry(domain(rank)).or_insert(next);
            if at == next {
                ranks.domains.push(Vec::new());
            }
            let members = &mut ranks.domains[at as usize];
            ranks.places.push((at, count(members.len())));
            members.push(count(rank));
        }
        ranks
    }

    /// How many there are.
    pub fn n(&self) -> u32 {
        count(self.hosts.len())
    }

    /// The host of a rank.
    pub fn host(&self, rank: u32) -> HostId {
        self.hosts[rank as usize]
    }

    /// The ranks of each domain.
    pub fn domains(&self) -> &[Vec<u32>] {
        &self.domains
    }

    /// The domain of a rank and its place there.
    pub fn place(&self, rank: u32) -> (u32, u32) {
        self.places[rank as usize]
    }

    /// What NCCL's tuner is told of them.
    pub const fn shape(&self) -> &CommShape {
        &self.shape
    }

    /// The ranks of a domain in the order of a channel, which begins at a rank of its own.
    pub(super) fn chain(&self, domain: usize, channel: u32) -> Vec<u32> {
        let mut members = self.domains[domain].clone();
        let by = channel as usize % members.len();
        members.rotate_left(by);
        members
    }

    /// All ranks in the order of a channel's ring.
    pub(super) fn ring(&self, channel: u32) -> Vec<u32> {
        let domains = 0..self.domains.len();
        domains
            .flat_map(|domain| self.chain(domain, channel))
            .collect()
    }

    /// The most ranks of a domain.
    pub(super) fn widest(&self) -> u32 {
        count(self.domains.iter().map(Vec::len).max().unwrap_or(0))
    }
}

/// The rate of a NIC of which nothing is known: 100 Gbit/s.
fn nominal() -> BytesPerSec {
    BytesPerSec::from_gbits(100.0).expect("a positive rate")
}

/// The rate of the NICs of the first host's node.
fn nic_rate(network: &ClusterNetwork, hosts: &[HostId]) -> BytesPerSec {
    let cluster = network.cluster();
    let first = hosts.first().map_or(0, |host| host.get());
    let node = match first.checked_sub(network.n_nodes()) {
        Some(gpu) => cluster.node_of(GpuId::new(gpu)),
        None => NodeId::new(first),
    };
    cluster.node(node).nics.rate
}

#[cfg(test)]
mod tests {
    use cluster::{Cluster, example};

    use super::*;

    fn network(nodes: u32) -> ClusterNetwork {
        ClusterNetwork::new(Cluster::build(&example::dgx_h100s(nodes)).unwrap())
    }

    fn hosts(ids: impl IntoIterator<Item = u32>) -> Vec<HostId> {
        ids.into_iter().map(HostId::new).collect()
    }

    #[test]
    fn gpus_share_the_domains_of_their_cluster_in_the_order_given() {
        // Nodes 0 to 2, then eight GPUs of each.
        let ranks = Ranks::of_cluster(&network(3), &hosts([11, 3, 4, 12, 19]));
        assert_eq!(ranks.domains(), [vec![0, 3], vec![1, 2], vec![4]]);
        assert_eq!(ranks.place(3), (0, 1));
        assert_eq!(ranks.ring(1), [3, 0, 2, 1, 4]);
        assert_eq!(ranks.shape().ranks, 5);
    }

    #[test]
    fn nodes_are_domains_with_the_nics_of_their_first_gpus() {
        let network = network(3);
        let rate = BytesPerSec::from_gbits(400.0).unwrap();
        for ranks in [
            Ranks::of_cluster(&network, &hosts(0..3)),
            Ranks::of_cluster(&network, &hosts([26, 0])),
            Ranks::on(&network, &hosts(0..3)),
        ] {
            assert!(ranks.domains().iter().all(|members| members.len() == 1));
            assert_eq!(ranks.shape().ring, rate);
        }
        assert_eq!(Ranks::on(&network, &[]).n(), 0);
    }
}
