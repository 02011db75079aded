//! Which ranks take part, and which of them share a domain.

use std::collections::{BTreeMap, BTreeSet};

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
    /// By domain: the places at which channels enter it in turn, one for each NIC.
    entries: Vec<Vec<u32>>,
    /// Where ranks are nodes with several NICs: by NIC, the host of each rank that sends over it.
    lanes: Vec<Vec<HostId>>,
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

    /// Hosts of a cluster, with NCCL's constants: GPUs by scale-up domain; nodes are domains by
    /// themselves, which send over one GPU for each NIC where they have several.
    pub fn of_cluster(network: &ClusterNetwork, hosts: &[HostId]) -> Self {
        let cluster = network.cluster();
        let gpu = |host: &HostId| host.get().checked_sub(network.n_nodes()).map(GpuId::new);
        let gpus: Option<Vec<GpuId>> = hosts.iter().map(gpu).collect();
        let Some(gpus) = gpus else {
            return Self::nodes(network, hosts);
        };
        let shape = shape(cluster, &CommProfile::nccl(), &gpus, &[]);
        let mut ranks = Self::new(hosts, shape, |rank| cluster.domain_of(gpus[rank]));
        let own = |members: &Vec<u32>| members.iter().map(|&rank| gpus[rank as usize]).collect();
        let owners = ranks.domains.iter().map(|members| {
            let gpus: Vec<GpuId> = own(members);
            one_per_nic(network, &gpus)
        });
        ranks.entries = owners.collect();
        ranks
    }

    /// Nodes of a cluster, each with all of its NICs.
    fn nodes(network: &ClusterNetwork, hosts: &[HostId]) -> Self {
        let cluster = network.cluster();
        let comm = CommProfile::nccl();
        let rate = nic_rate(network, hosts);
        let lanes = lanes(network, hosts);
        let rails = count(lanes.len()).max(1);
        let entry = comm.network_of(cluster.network(), cluster.fabric_name());
        let all = rate.scale(f64::from(rails)).unwrap_or(rate);
        let shape = CommShape {
            rails,
            ..CommShape::hosts(count(hosts.len()), all, entry)
        };
        Self {
            lanes,
            ..Self::new(hosts, shape, count)
        }
    }

    /// Hosts with the domain of each.
    ///
    /// * `shape` — what NCCL's tuner is told of them.
    pub fn new(hosts: &[HostId], shape: CommShape, domain: impl Fn(usize) -> u32) -> Self {
        let mut ranks = Self {
            hosts: hosts.to_vec(),
            domains: Vec::new(),
            places: Vec::with_capacity(hosts.len()),
            entries: Vec::new(),
            lanes: Vec::new(),
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
        let all = |members: &Vec<u32>| (0..count(members.len())).collect();
        ranks.entries = ranks.domains.iter().map(all).collect();
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

    /// The rank that a host sends for; none where it is none of them.
    pub fn rank_of(&self, host: HostId) -> Option<u32> {
        let lanes = (0..self.n_lanes()).map(|lane| self.lane(lane));
        let place = |lane: &[HostId]| lane.iter().position(|other| *other == host);
        lanes.into_iter().find_map(place).map(count)
    }

    /// NICs over which nodes spread what they send; 1 where each rank is one host.
    pub fn n_lanes(&self) -> u32 {
        count(self.lanes.len()).max(1)
    }

    /// By rank, the hosts that send over a NIC of their nodes.
    pub(super) fn lane(&self, lane: u32) -> &[HostId] {
        self.lanes.get(lane as usize).unwrap_or(&self.hosts)
    }

    /// The hosts between which a message of the first two domains goes.
    pub(crate) fn first_hop(&self) -> Option<[HostId; 2]> {
        let lane = self.lane(0);
        let [a, b] = self.domains.first_chunk()?;
        let first = |domain: &Vec<u32>| domain.first().map(|rank| lane[*rank as usize]);
        Some([first(a)?, first(b)?])
    }

    /// Rings that it takes to load all NICs of every domain: one where there is one domain.
    pub(super) fn n_rails(&self) -> u32 {
        let fewest = self.entries.iter().map(Vec::len).min();
        match fewest {
            Some(fewest) if 1 < self.domains.len() => count(fewest).max(1),
            _ => 1,
        }
    }

    /// The ranks of a domain in the order of a channel, which begins at a NIC of its own.
    pub(super) fn chain(&self, domain: usize, channel: u32) -> Vec<u32> {
        let mut members = self.domains[domain].clone();
        let entries = &self.entries[domain];
        members.rotate_left(entries[channel as usize % entries.len()] as usize);
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

/// The places among GPUs of a domain of the first one for each NIC, for as many NICs as the fabric
/// lets a group use.
fn one_per_nic(network: &ClusterNetwork, gpus: &[GpuId]) -> Vec<u32> {
    let cluster = network.cluster();
    let most = cluster
        .nics_per_group()
        .map_or(usize::MAX, |most| most as usize);
    let mut known = BTreeSet::new();
    let is_new = |(_, gpu): &(u32, &GpuId)| known.insert(cluster.nic_of(**gpu));
    let first = (0..).zip(gpus).filter(is_new).map(|(place, _)| place);
    first.take(most.max(1)).collect()
}

/// By NIC, the GPU of each node that sends over it; none where a host is no node, or has one NIC.
fn lanes(network: &ClusterNetwork, hosts: &[HostId]) -> Vec<Vec<HostId>> {
    let gpus_of = |host: &HostId| -> Option<Vec<HostId>> {
        let is_node = host.get() < network.n_nodes();
        let gpus = is_node.then(|| network.cluster().gpus_of(NodeId::new(host.get())))?;
        let gpus: Vec<GpuId> = gpus.map(GpuId::new).collect();
        let places = one_per_nic(network, &gpus).into_iter();
        let owners = places.map(|place| gpus[place as usize].get());
        Some(
            owners
                .map(|gpu| HostId::new(network.n_nodes() + gpu))
                .collect(),
        )
    };
    let owners: Option<Vec<Vec<HostId>>> = hosts.iter().map(gpus_of).collect();
    let owners = owners.unwrap_or_default();
    match owners.iter().map(Vec::len).min() {
        Some(fewest) if 1 < fewest => {
            let lane = |lane: usize| owners.iter().map(|own| own[lane]).collect();
            (0..fewest).map(lane).collect()
        }
        _ => Vec::new(),
    }
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
    fn nodes_are_domains_with_all_of_their_nics() {
        let network = network(3);
        let rate = |gbits| BytesPerSec::from_gbits(gbits).unwrap();
        let nodes = Ranks::of_cluster(&network, &hosts(0..3));
        assert_eq!((nodes.n_lanes(), nodes.shape().rails), (8, 8));
        assert_eq!(nodes.shape().ring, rate(3200.0));
        // GPU 2 of each node is the host of its third NIC.
        assert_eq!(nodes.lane(2), hosts([5, 13, 21]));
        assert_eq!(nodes.rank_of(HostId::new(13)), Some(1));
        assert_eq!(nodes.rank_of(HostId::new(0)), None);
        assert!(nodes.domains().iter().all(|members| members.len() == 1));
    }

    #[test]
    fn nodes_among_gpus_and_hosts_of_any_topology_have_one_nic() {
        let network = network(3);
        for ranks in [
            Ranks::of_cluster(&network, &hosts([26, 0])),
            Ranks::on(&network, &hosts(0..3)),
        ] {
            assert_eq!(ranks.n_lanes(), 1);
            assert_eq!(ranks.shape().ring, BytesPerSec::from_gbits(400.0).unwrap());
        }
        assert_eq!(Ranks::on(&network, &[]).n(), 0);
    }
}
