//! A cluster as network workloads see it.

use std::collections::BTreeMap;

use units::{GpuId, HostId, LinkId, NodeId, Seconds};

use crate::cluster::{Cluster, NicId};
use crate::device::LinkKind;
use crate::topology::{Direction, Sharing, Topology, Wire, WireName};

/// A cluster as network workloads see it: first its nodes (`n3`), then its GPUs (`n3g0`).
///
/// A node stands for the NICs of its first GPU, without what is inside. Where a GPU has several
/// NICs that are not striped, there are ways over each of them.
#[derive(Clone, Debug)]
pub struct ClusterNetwork {
    cluster: Cluster,
    /// By host, what [`Topology::access`] answers.
    access: Vec<u32>,
    /// What links reach of what their files say.
    reach: Reach,
}

/// What links of two kinds reach of the rate that their files say, and what they take longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// Share of the rate of links between NICs and switches.
    pub nic_share: f64,
    /// What each of them takes longer.
    pub nic_latency: Seconds,
    /// Share of the rate of links between the GPUs of a domain.
    pub scale_up_share: f64,
    /// What each of them takes longer.
    pub scale_up_latency: Seconds,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            nic_share: 1.0,
            nic_latency: Seconds::ZERO,
            scale_up_share: 1.0,
            scale_up_latency: Seconds::ZERO,
        }
    }
}

/// What a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Node(NodeId),
    Gpu(GpuId),
}

/// The NICs at both ends of ways: ways over the first come first.
#[derive(Clone, Debug)]
enum Pairs {
    One([NicId; 2]),
    Several {
        pairs: Vec<[NicId; 2]>,
        /// The sender's NIC of static routing.
        first: NicId,
    },
}

impl Pairs {
    fn as_slice(&self) -> &[[NicId; 2]] {
        match self {
            Self::One(pair) => std::slice::from_ref(pair),
            Self::Several { pairs, .. } => pairs,
        }
    }

    /// The pairs before that of static routing, and that pair.
    fn before_static(&self) -> (&[[NicId; 2]], [NicId; 2]) {
        match self {
            Self::One(pair) => (&[], *pair),
            Self::Several { pairs, first } => {
                let at = pairs.partition_point(|pair| pair[0] < *first);
                (&pairs[..at], pairs[at])
            }
        }
    }
}

impl ClusterNetwork {
    /// The network of a cluster.
    pub fn new(cluster: Cluster) -> Self {
        let access = access(&cluster);
        Self {
            cluster,
            access,
            reach: Reach::default(),
        }
    }

    /// The same whose links reach less, or more, than their files say. Shares that give no rate
    /// leave it as it is.
    #[must_use]
    pub fn reaching(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// The cluster.
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How many of the hosts are nodes: the first ones.
    pub fn n_nodes(&self) -> u32 {
        HostId::from_index(self.cluster.n_nodes()).get()
    }

    fn end(&self, host: HostId) -> End {
        match host.get().checked_sub(self.n_nodes()) {
            Some(gpu) => End::Gpu(GpuId::new(gpu)),
            None => End::Node(NodeId::new(host.get())),
        }
    }

    /// The node of a host and its number there; a node counts as its first GPU.
    fn place(&self, host: HostId) -> (NodeId, u32) {
        match self.end(host) {
            End::Node(node) => (node, 0),
            End::Gpu(gpu) => (self.cluster.node_of(gpu), self.cluster.index_in_node(gpu)),
        }
    }

    /// The NICs between which the ways of two hosts lie, the sender's each once; `None` where they
    /// need no fabric or have no NIC.
    fn pairs(&self, from: HostId, to: HostId) -> Option<Pairs> {
        let cluster = &self.cluster;
        let places = [from, to].map(|host| self.place(host));
        let [a, b] = places.map(|(node, _)| node);
        let ends = [self.end(from), self.end(to)];
        let gpus = matches!(ends, [End::Gpu(_), End::Gpu(_)]);
        if a == b || (gpus && cluster.entry(a).domain == cluster.entry(b).domain) {
            return None;
        }
        let own = places.map(|(node, gpu)| cluster.group_of(node).layout.own_nics(gpu));
        let [mine, theirs] = own;
        if mine.is_empty() || theirs.is_empty() {
            return None;
        }
        let pair = |i: u32| {
            let wished = [
                NicId {
                    node: a,
                    index: mine.start + i,
                },
                NicId {
                    node: b,
                    index: theirs.start + i % (theirs.end - theirs.start),
                },
            ];
            let keeps = matches!(ends[0], End::Node(_)) && !cluster.has_levels();
            if keeps && cluster.are_joined(wished) {
                wished
            } else {
                cluster.nics_met(places, wished, Cluster::D_MOD_K)
            }
        };
        if mine.end - mine.start == 1 {
            return Some(Pairs::One(pair(0)));
        }
        let mut pairs: Vec<_> = (0..mine.end - mine.start).map(pair).collect();
        let first = pairs[0][0];
        pairs.sort_by_key(|pair| pair[0]);
        pairs.dedup_by_key(|pair| pair[0]);
        Some(Pairs::Several { pairs, first })
    }

    /// The NICs of a way, and its number among the ways between them.
    fn pair_of_way(&self, pairs: &Pairs, mut way: u32) -> Option<([NicId; 2], u32)> {
        let pairs = pairs.as_slice();
        if let [pair] = pairs {
            return Some((*pair, way));
        }
        pairs.iter().find_map(|pair| {
            let ways = self.cluster.ways_between_nics(*pair);
            if way < ways {
                return Some((*pair, way));
            }
            way -= ways;
            None
        })
    }
}

/// By host a number for the switches of its NICs, and for how it reaches the others of its node,
/// where these hang elsewhere and may be taken.
fn access(cluster: &Cluster) -> Vec<u32> {
    let mut known = BTreeMap::new();
    let nodes = (0..cluster.n_nodes()).map(|node| (NodeId::from_index(node), None));
    let gpus = cluster
        .gpus()
        .map(|gpu| (cluster.node_of(gpu), Some(cluster.index_in_node(gpu))));
    let number = |(node, gpu): (NodeId, Option<u32>)| {
        let layout = &cluster.group_of(node).layout;
        let switch = |index| cluster.leaf_of(NicId { node, index });
        let own = layout.own_nics(gpu.unwrap_or(0));
        let n_own = own.end - own.start;
        let first = (0 < layout.nics).then(|| switch(0));
        let (nics, kind) = if (0..layout.nics).all(|nic| Some(switch(nic)) == first) {
            (0..n_own.min(1), None)
        } else {
            (0..layout.nics, Some((cluster.entry(node).group, gpu)))
        };
        let switches: Vec<u32> = nics.map(switch).collect();
        let next = HostId::from_index(known.len()).get();
        *known.entry((switches, n_own, kind)).or_insert(next)
    };
    nodes.chain(gpus).map(number).collect()
}

impl Topology for ClusterNetwork {
    fn n_hosts(&self) -> u32 {
        self.n_nodes() + HostId::from_index(self.cluster.n_gpus()).get()
    }

    fn host_name(&self, host: HostId) -> String {
        match self.end(host) {
            End::Node(node) => format!("n{node}"),
            End::Gpu(gpu) => self.cluster.gpu_name(gpu),
        }
    }

    fn host_named(&self, name: &str) -> Option<HostId> {
        let node = self.cluster.node_named(name);
        let node = node.map(|node| HostId::new(node.get()));
        node.or_else(|| {
            let gpu = self.cluster.gpu_named(name)?;
            Some(HostId::new(self.n_nodes() + gpu.get()))
        })
    }

    fn n_links(&self) -> u32 {
        LinkId::from_index(self.cluster.links().len()).get()
    }

    fn wire(&self, link: LinkId) -> Wire {
        let link = self.cluster.link(link);
        let (share, latency) = match link.kind {
            LinkKind::Nic => (self.reach.nic_share, self.reach.nic_latency),
            LinkKind::ScaleUp => (self.reach.scale_up_share, self.reach.scale_up_latency),
            LinkKind::Host | LinkKind::Fabric => (1.0, Seconds::ZERO),
        };
        Wire {
            rate: link.rate.scale(share).unwrap_or(link.rate),
            latency: link.latency + latency,
            sharing: Sharing::Shared,
        }
    }

    fn wire_name(&self, link: LinkId) -> WireName {
        let direction = match link.get() & 1 {
            0 => Direction::Up,
            _ => Direction::Down,
        };
        WireName {
            name: self.cluster.link_name(LinkId::new(link.get() & !1)),
            direction,
        }
    }

    fn access(&self, host: HostId) -> u32 {
        self.access[host.index()]
    }

    fn n_ways(&self, from: HostId, to: HostId) -> u32 {
        self.pairs(from, to).map_or(1, |pairs| {
            let pairs = pairs.as_slice().iter();
            let ways = pairs.map(|pair| self.cluster.ways_between_nics(*pair));
            ways.fold(0, u32::saturating_add)
        })
    }

    fn static_way(&self, from: HostId, to: HostId) -> u32 {
        let Some(pairs) = self.pairs(from, to) else {
            return 0;
        };
        let cluster = &self.cluster;
        let (before, nics) = pairs.before_static();
        let before = before.iter();
        let before: u32 = before.map(|pair| cluster.ways_between_nics(*pair)).sum();
        before + cluster.static_way_between_nics(nics)
    }

    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>) {
        let cluster = &self.cluster;
        let ends = [from, to].map(|host| self.end(host));
        let Some(pairs) = self.pairs(from, to) else {
            if let [End::Gpu(from), End::Gpu(to)] = ends {
                cluster.route(from, to, Cluster::D_MOD_K, out);
            }
            return;
        };
        let Some((nics, way)) = self.pair_of_way(&pairs, way) else {
            return;
        };
        if let End::Gpu(gpu) = ends[0] {
            let local = cluster.index_in_node(gpu);
            cluster.route_to_nic(nics[0].node, local, nics[0].index, out);
        }
        cluster.way_between_nics(nics, way, out);
        if let End::Gpu(gpu) = ends[1] {
            let local = cluster.index_in_node(gpu);
            cluster.route_from_nic(nics[1].node, nics[1].index, local, out);
        }
    }

    fn meets(&self, from: HostId, to: HostId) -> bool {
        self.pairs(from, to).is_some()
    }

    fn own_links(&self, from: HostId, to: HostId, way: u32) -> [usize; 2] {
        let mut links = Vec::new();
        self.way(from, to, way, &mut links);
        let is_nic = |link: &LinkId| self.cluster.link(*link).kind == crate::LinkKind::Nic;
        let first = links.iter().position(is_nic);
        let last = links.iter().rposition(is_nic);
        match (first, last) {
            (Some(first), Some(last)) if first < last => [first + 1, links.len() - last],
            _ => [links.len(), 0],
        }
    }
}
