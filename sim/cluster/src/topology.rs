//! What network workloads run on: hosts, links, and the equal ways between two hosts.
//!
//! A topology answers by computing: no path is stored by pair, so that 100,000 hosts need no
//! table. Between two hosts there are `n_ways` ways of equal cost, numbered from 0 in the order
//! in which the choices on the way branch: ways that share their first links have consecutive
//! numbers.
//!
//! ```text
//! host ── access ── leaf ──┬─ spine 0 ─┬── leaf ── access ── host      way 0
//!                          ├─ spine 1 ─┤                              way 1
//!                          └─ spine s ─┘                              way s
//! ```

use units::{BytesPerSec, GpuId, HostId, LinkId, NodeId, Seconds};

use crate::cluster::{Cluster, NicId};

/// How transfers that meet on a link divide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// They divide its rate.
    Shared,
    /// Each may have its whole rate: a bound on every transfer by itself.
    FatPipe,
}

/// A link as a topology's ways cross it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wire {
    /// How much it carries.
    pub rate: BytesPerSec,
    /// How long a first byte takes.
    pub latency: Seconds,
    /// How transfers divide it.
    pub sharing: Sharing,
}

/// Which way traffic goes over a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Both ways share one link.
    Both,
    /// Away from where the cable's name begins.
    Up,
    /// Towards it.
    Down,
}

impl Direction {
    /// The direction as results print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What a link is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireName {
    /// Of the cable.
    pub name: String,
    /// Of the link in it.
    pub direction: Direction,
}

/// Hosts, links and ways.
///
/// Invariants: links are numbered from 0 without gaps; `way(from, to, w)` of a `w` below
/// `n_ways(from, to)` is the same whenever it is asked; ways whose first links are the same have
/// consecutive numbers; two pairs of hosts with equal [`Topology::access`] on both sides have
/// ways that differ in their first and last links only.
pub trait Topology {
    /// How many hosts there are.
    fn n_hosts(&self) -> u32;

    /// The name of a host.
    fn host_name(&self, host: HostId) -> String;

    /// The host of that name.
    fn host_named(&self, name: &str) -> Option<HostId>;

    /// How many links there are.
    fn n_links(&self) -> u32;

    /// What a link is.
    fn wire(&self, link: LinkId) -> Wire;

    /// What a link is called.
    fn wire_name(&self, link: LinkId) -> WireName;

    /// The switch, or group of switches, that a host hangs on, as a number of its own kind.
    fn access(&self, host: HostId) -> u32;

    /// How many ways of equal cost lead from one host to another: 0 where none does, 1 where
    /// both are the same.
    fn n_ways(&self, from: HostId, to: HostId) -> u32;

    /// The way that static routing by destination takes.
    fn static_way(&self, from: HostId, to: HostId) -> u32;

    /// Appends the links of a way; nothing where both hosts are the same and none loops back.
    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>);

    /// How long a first byte takes over a way.
    fn latency(&self, from: HostId, to: HostId, way: u32) -> Seconds {
        let mut links = Vec::new();
        self.way(from, to, way, &mut links);
        links.iter().map(|&link| self.wire(link).latency).sum()
    }
}

impl<T: Topology + ?Sized> Topology for &T {
    fn n_hosts(&self) -> u32 {
        (**self).n_hosts()
    }

    fn host_name(&self, host: HostId) -> String {
        (**self).host_name(host)
    }

    fn host_named(&self, name: &str) -> Option<HostId> {
        (**self).host_named(name)
    }

    fn n_links(&self) -> u32 {
        (**self).n_links()
    }

    fn wire(&self, link: LinkId) -> Wire {
        (**self).wire(link)
    }

    fn wire_name(&self, link: LinkId) -> WireName {
        (**self).wire_name(link)
    }

    fn access(&self, host: HostId) -> u32 {
        (**self).access(host)
    }

    fn n_ways(&self, from: HostId, to: HostId) -> u32 {
        (**self).n_ways(from, to)
    }

    fn static_way(&self, from: HostId, to: HostId) -> u32 {
        (**self).static_way(from, to)
    }

    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>) {
        (**self).way(from, to, way, out);
    }

    fn latency(&self, from: HostId, to: HostId, way: u32) -> Seconds {
        (**self).latency(from, to, way)
    }
}

/// A cluster as network workloads see it: first its nodes (`n3`, by their first NIC), then its
/// GPUs (`n3g0`).
#[derive(Clone, Debug)]
pub struct ClusterNetwork {
    cluster: Cluster,
}

impl ClusterNetwork {
    /// The network of a cluster.
    pub const fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }

    /// The cluster.
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// How many of the hosts are nodes: the first ones.
    pub fn n_nodes(&self) -> u32 {
        HostId::from_index(self.cluster.n_nodes()).get()
    }

    /// The NICs between which the ways of two hosts lie; `None` where they need no fabric.
    fn nics(&self, from: HostId, to: HostId) -> Option<[NicId; 2]> {
        let cluster = &self.cluster;
        let node = |end| match end {
            End::Node(node) => node,
            End::Gpu(gpu) => cluster.node_of(gpu),
        };
        let [a, b] = [self.end(from), self.end(to)];
        if node(a) == node(b) {
            return None;
        }
        if let (End::Gpu(a), End::Gpu(b)) = (a, b) {
            return cluster.nics_of_ends(a, b);
        }
        let nic = |end| match end {
            End::Node(node) => cluster.first_nic(node),
            End::Gpu(gpu) => cluster.nic_of(gpu),
        };
        Some([nic(a)?, nic(b)?])
    }

    fn end(&self, host: HostId) -> End {
        let nodes = self.n_nodes();
        match host.get().checked_sub(nodes) {
            Some(gpu) => End::Gpu(GpuId::new(gpu)),
            None => End::Node(NodeId::new(host.get())),
        }
    }
}

/// What a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Node(NodeId),
    Gpu(GpuId),
}

impl End {
    fn gpu(self) -> Option<GpuId> {
        match self {
            Self::Gpu(gpu) => Some(gpu),
            Self::Node(_) => None,
        }
    }
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
        Wire {
            rate: link.rate,
            latency: link.latency,
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
        match self.end(host) {
            End::Node(node) => self.cluster.access_of_node(node),
            End::Gpu(gpu) => self.cluster.access_of_gpu(gpu),
        }
    }

    fn n_ways(&self, from: HostId, to: HostId) -> u32 {
        match self.nics(from, to) {
            Some([from, to]) => self.cluster.ways_between_nics(from, to),
            None => 1,
        }
    }

    fn static_way(&self, from: HostId, to: HostId) -> u32 {
        match self.nics(from, to) {
            Some([from, to]) => self.cluster.static_way_between_nics(from, to),
            None => 0,
        }
    }

    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>) {
        let [a, b] = [from, to].map(|host| self.end(host));
        match (self.nics(from, to), a, b) {
            (Some(nics), ..) => self.cluster.way_of_ends(a.gpu(), b.gpu(), nics, way, out),
            (None, End::Gpu(from), End::Gpu(to)) => {
                self.cluster.route(from, to, Cluster::D_MOD_K, out);
            }
            (None, ..) => {}
        }
    }
}
