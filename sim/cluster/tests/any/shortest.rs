//! Ways against Dijkstra's algorithm.

use std::collections::BTreeSet;

use cluster::example::{cluster, hosts};
use cluster::{Cluster, ClusterNetwork, Device, FabricKind, Link, LinkKind, Topology};
use petgraph::algo::dijkstra;
use petgraph::graph::EdgeReference;
use proptest::prelude::*;
use units::{HostId, NodeId};

use crate::clusters::any_web;

/// Counts links outside of nodes, and avoids those inside.
fn cost(edge: EdgeReference<'_, Link>) -> u32 {
    match edge.weight().kind {
        LinkKind::Nic | LinkKind::Fabric => 1,
        LinkKind::Host | LinkKind::ScaleUp => 1000,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ways_without_levels_are_the_shortest(spec in any_web(), seed in any::<u32>()) {
        let dragonfly = spec.kind == FabricKind::Dragonfly;
        let host = hosts(1, 1, 1, 100.0).groups[0].node.clone();
        let detours = spec.routers.detours;
        let cluster = Cluster::build(&cluster(host, 16, spec)).unwrap();
        let from = NodeId::new(seed % 16);
        let start = cluster.device(Device::Nic { node: from, index: 0 }).unwrap();
        let hops = dijkstra(cluster.graph(), start, None, cost);
        let network = ClusterNetwork::new(cluster.clone());
        for to in (0..16).filter(|to| *to != from.get()).map(NodeId::new) {
            let end = cluster.device(Device::Nic { node: to, index: 0 }).unwrap();
            let [a, b] = [from, to].map(|node| HostId::new(node.get()));
            let mut lengths = BTreeSet::new();
            let direct = [network.static_way(a, b)];
            let ways = if detours { direct.to_vec() } else { (0..network.n_ways(a, b)).collect() };
            for way in ways {
                let mut links = Vec::new();
                network.way(a, b, way, &mut links);
                lengths.insert(u32::try_from(links.len()).unwrap());
            }
            let shortest = hops[&end];
            // A dragonfly does not take two cables between groups to save one inside.
            prop_assert_eq!(lengths.len(), 1);
            let length = lengths.pop_first().unwrap();
            prop_assert!(length == shortest || (dragonfly && length == shortest + 1));
        }
    }
}
