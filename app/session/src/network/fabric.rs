//! The two kinds of fabric that a workload can run on.

use cluster::zones::Platform;
use cluster::{ClusterNetwork, Topology, Wire, WireName};
use units::{HostId, LinkId, Seconds};

/// A cluster of ours, or a platform of `SimGrid`.
#[derive(Clone, Debug)]
pub enum Fabric {
    /// A cluster.
    Cluster(Box<ClusterNetwork>),
    /// A platform.
    Platform(Box<Platform>),
}

macro_rules! either {
    ($fabric:expr, $topology:ident => $answer:expr) => {
        match $fabric {
            Fabric::Cluster($topology) => $answer,
            Fabric::Platform($topology) => $answer,
        }
    };
}

impl Topology for Fabric {
    fn n_hosts(&self) -> u32 {
        either!(self, topology => topology.n_hosts())
    }

    fn host_name(&self, host: HostId) -> String {
        either!(self, topology => topology.host_name(host))
    }

    fn host_named(&self, name: &str) -> Option<HostId> {
        either!(self, topology => topology.host_named(name))
    }

    fn n_links(&self) -> u32 {
        either!(self, topology => topology.n_links())
    }

    fn wire(&self, link: LinkId) -> Wire {
        either!(self, topology => topology.wire(link))
    }

    fn wire_name(&self, link: LinkId) -> WireName {
        either!(self, topology => topology.wire_name(link))
    }

    fn access(&self, host: HostId) -> u32 {
        either!(self, topology => topology.access(host))
    }

    fn n_ways(&self, from: HostId, to: HostId) -> u32 {
        either!(self, topology => topology.n_ways(from, to))
    }

    fn static_way(&self, from: HostId, to: HostId) -> u32 {
        either!(self, topology => topology.static_way(from, to))
    }

    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>) {
        either!(self, topology => topology.way(from, to, way, out));
    }

    fn meets(&self, from: HostId, to: HostId) -> bool {
        either!(self, topology => topology.meets(from, to))
    }

    fn own_links(&self, from: HostId, to: HostId, way: u32) -> [usize; 2] {
        either!(self, topology => topology.own_links(from, to, way))
    }

    fn latency(&self, from: HostId, to: HostId, way: u32) -> Seconds {
        either!(self, topology => topology.latency(from, to, way))
    }
}
