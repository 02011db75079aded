//! Transfers as messages of the packet engine, between the GPUs that send and receive them.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Cluster, ClusterNetwork, Topology, Wire, WireName};
use collective::hops;
use network::packet::Part;
use traffic::{Policy, Route, Stream, crossed};
use units::{Bytes, BytesPerSec, GpuId, HostId, LinkId, NodeId, Seconds};

use crate::fabric::{FabricOptions, Owner, Tenant};
use crate::traffic::for_each_owner;
use crate::ways::{chosen, host};

/// The messages of one transfer between two GPUs.
pub(crate) struct Sent {
    pub(crate) owner: Owner,
    /// Of the bytes of its owner.
    pub(crate) share: f64,
    pub(crate) parts: Vec<Part>,
    /// What of the transfer is to be expected on each link.
    pub(crate) links: Vec<(LinkId, f64)>,
    /// How long a last packet takes that finds all links idle.
    pub(crate) latency: Seconds,
}

/// Everything that leaves a scale-up domain.
pub(crate) fn messages(
    cluster: &Cluster,
    jobs: &[Tenant<'_>],
    options: &FabricOptions,
    packet: Bytes,
) -> Vec<Sent> {
    let network = ClusterNetwork::new(cluster.clone());
    let chooses = matches!(options.policy, Policy::SinglePath(_));
    let mut pieces = chooses.then(|| chosen(cluster, jobs, options).into_iter());
    let mut sent = Vec::new();
    for_each_owner(jobs, |owner, pattern, groups| {
        for hop in groups.flat_map(|gpus| hops(pattern, gpus, cluster)) {
            let [src, dst] = [hop.from, hop.to].map(|gpu| host(&network, gpu));
            let part = |way, share| Part {
                src,
                dst,
                way,
                share,
            };
            let mut parts = Vec::new();
            let mut links = Vec::new();
            for piece in pieces.iter_mut().flatten().next().into_iter().flatten() {
                parts.push(part(piece.way, piece.part));
                links.extend(piece.links.iter().map(|link| (*link, piece.part)));
            }
            if !chooses {
                parts.push(part(None, 1.0));
                let route = match options.policy {
                    Policy::Static => Route::Static,
                    _ => Route::Spray,
                };
                let stream = Stream {
                    route,
                    ..Stream::message(src, dst, Bytes::ZERO)
                };
                links = crossed(&network, &stream);
            }
            sent.push(Sent {
                owner,
                share: hop.share,
                latency: latency(&network, [src, dst], packet),
                parts,
                links,
            });
        }
    });
    sent
}

/// What a packet takes over idle links behind the first one.
fn latency(network: &ClusterNetwork, [src, dst]: [HostId; 2], packet: Bytes) -> Seconds {
    let mut links = Vec::new();
    network.way(src, dst, network.static_way(src, dst), &mut links);
    let wires = links.iter().map(|link| network.wire(*link));
    let crossing = |(at, wire): (usize, Wire)| {
        let again = if at == 0 {
            Seconds::ZERO
        } else {
            packet / wire.rate
        };
        wire.latency + again
    };
    wires.enumerate().map(crossing).sum()
}

/// A cluster whose GPUs feed their NICs no faster than these send.
///
/// A NIC takes what it sends from its GPU's memory as it sends it: nothing queues between the
/// two. So a GPU's own link has the rate of its NICs, where it is not slower.
#[derive(Clone, Debug)]
pub struct PacedGpus {
    network: ClusterNetwork,
    /// By link, the rate that is lower than the link's own.
    paced: BTreeMap<LinkId, BytesPerSec>,
}

impl PacedGpus {
    /// The network of a cluster.
    pub fn new(cluster: &Cluster) -> Self {
        let mut paced = measured_nics(cluster);
        let nic_rates = paced.clone();
        let nic_rate = |gpu| {
            let nic = cluster.nic_of(gpu)?;
            let link = cluster.nic_links(nic)[0];
            let rate = nic_rates.get(&link).copied();
            let rate = rate.unwrap_or(cluster.link(link).rate);
            rate.scale(f64::from(cluster.nics_of(gpu).max(1)))
        };
        let mut links = Vec::new();
        for gpu in cluster.gpus() {
            links.clear();
            cluster.route_to_host(gpu, &mut links);
            let Some((&first, rate)) = links.first().zip(nic_rate(gpu)) else {
                continue;
            };
            for link in [first, cluster.reverse(first)] {
                if rate < cluster.link(link).rate {
                    paced.insert(link, rate);
                }
            }
        }
        Self {
            network: ClusterNetwork::new(cluster.clone()),
            paced,
        }
    }
}

/// The rates of NICs where what was measured between nodes is less: those of a node share the fastest
/// of what was measured from it, and to it, where it was measured with every other node. By link.
fn measured_nics(cluster: &Cluster) -> BTreeMap<LinkId, BytesPerSec> {
    let mut rates = BTreeMap::new();
    if !cluster.has_measured_rates() {
        return rates;
    }
    let nodes = || (0..cluster.n_nodes()).map(NodeId::from_index);
    for node in nodes() {
        let fastest = |between: &dyn Fn(NodeId) -> Option<BytesPerSec>| {
            let others = nodes().filter(|other| *other != node).map(between);
            let others: Option<Vec<BytesPerSec>> = others.collect();
            let fastest = others?.into_iter().reduce(BytesPerSec::max)?;
            Some(fastest)
        };
        let ways = [
            fastest(&|other| cluster.measured_between(node, other)),
            fastest(&|other| cluster.measured_between(other, node)),
        ];
        let nics: BTreeSet<_> = (cluster.gpus_of(node))
            .filter_map(|gpu| cluster.nic_of(GpuId::new(gpu)))
            .collect();
        for (way, measured) in ways.into_iter().enumerate() {
            let links = || nics.iter().map(|nic| cluster.nic_links(*nic)[way]);
            let all: f64 = links().map(|link| cluster.link(link).rate.as_f64()).sum();
            for link in links() {
                let nominal = cluster.link(link).rate;
                let share = measured.map(|rate| rate.as_f64() / all);
                let share = share.filter(|share| *share < 1.0);
                if let Some(rate) = share.and_then(|share| nominal.scale(share)) {
                    rates.insert(link, rate);
                }
            }
        }
    }
    rates
}

impl Topology for PacedGpus {
    fn n_hosts(&self) -> u32 {
        self.network.n_hosts()
    }

    fn host_name(&self, host: HostId) -> String {
        self.network.host_name(host)
    }

    fn host_named(&self, name: &str) -> Option<HostId> {
        self.network.host_named(name)
    }

    fn n_links(&self) -> u32 {
        self.network.n_links()
    }

    fn wire(&self, link: LinkId) -> Wire {
        let wire = self.network.wire(link);
        Wire {
            rate: self.paced.get(&link).copied().unwrap_or(wire.rate),
            ..wire
        }
    }

    fn wire_name(&self, link: LinkId) -> WireName {
        self.network.wire_name(link)
    }

    fn access(&self, host: HostId) -> u32 {
        self.network.access(host)
    }

    fn n_ways(&self, from: HostId, to: HostId) -> u32 {
        self.network.n_ways(from, to)
    }

    fn static_way(&self, from: HostId, to: HostId) -> u32 {
        self.network.static_way(from, to)
    }

    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>) {
        self.network.way(from, to, way, out);
    }

    fn meets(&self, from: HostId, to: HostId) -> bool {
        self.network.meets(from, to)
    }

    fn own_links(&self, from: HostId, to: HostId, way: u32) -> [usize; 2] {
        self.network.own_links(from, to, way)
    }
}

#[cfg(test)]
mod tests {
    use cluster::example;

    use super::*;

    #[test]
    fn nics_of_a_node_share_the_fastest_of_what_was_measured_from_it() {
        let cluster = Cluster::build(&example::dgx_h100s(3)).unwrap();
        let rate = |gbytes: f64| BytesPerSec::from_gbytes(gbytes);
        let nic = |cluster: &Cluster, node: u32, way: usize| {
            let gpu = cluster.gpus_of(NodeId::new(node)).next().unwrap();
            let nic = cluster.nic_of(GpuId::new(gpu)).unwrap();
            PacedGpus::new(cluster)
                .wire(cluster.nic_links(nic)[way])
                .rate
        };
        let nominal = nic(&cluster, 0, 0);
        let rates = vec![
            vec![None, rate(100.0), rate(200.0)],
            vec![rate(300.0), None, None],
            vec![rate(4000.0), rate(100.0), None],
        ];
        let measured = cluster.with_measured(rates).unwrap();
        // Eight NICs of 50 GB/s.
        assert_eq!(nic(&measured, 0, 0), rate(25.0).unwrap());
        // Not measured with every other node, or faster than its NICs.
        assert_eq!(nic(&measured, 1, 0), nominal);
        assert_eq!(nic(&measured, 2, 0), nominal);
        // What arrives.
        assert_eq!(nic(&measured, 1, 1), rate(12.5).unwrap());
    }
}
