//! What holds of the equal ways between any two hosts of any cluster.

mod any;

use std::collections::BTreeSet;

use any::any_spec;
use cluster::{Cluster, ClusterNetwork, LinkKind, Topology};
use proptest::prelude::*;
use units::{GpuId, HostId, LinkId, NodeId};

/// Ways of one pair that a test looks at: all, but of many the first ones.
const MOST: u32 = 600;

/// A cluster, sound or with dead and slow links, and seeds of hosts.
fn any_network() -> impl Strategy<Value = (ClusterNetwork, Vec<u32>)> {
    let faults = prop::collection::vec(any::<u32>(), 0..6);
    let hosts = prop::collection::vec(any::<u32>(), 8);
    (any_spec(), faults, hosts).prop_map(|(spec, faults, seeds)| {
        let mut cluster = Cluster::build(&spec).expect("the strategy gives sound specs");
        for seed in faults {
            let link = LinkId::new(seed % u32::try_from(cluster.links().len()).unwrap());
            // A link that nothing goes around stays.
            cluster = cluster.without_link(link).unwrap_or(cluster);
        }
        let network = ClusterNetwork::new(cluster);
        let hosts = seeds.iter().map(|seed| seed % network.n_hosts()).collect();
        (network, hosts)
    })
}

fn pairs(hosts: &[u32]) -> impl Iterator<Item = [HostId; 2]> {
    let each = |&from: &u32| hosts.iter().map(move |&to| [from, to].map(HostId::new));
    hosts.iter().flat_map(each)
}

fn ways(network: &ClusterNetwork, [from, to]: [HostId; 2]) -> Vec<Vec<LinkId>> {
    let count = network.n_ways(from, to).min(MOST);
    let ways = (0..count).map(|way| {
        let mut links = Vec::new();
        network.way(from, to, way, &mut links);
        links
    });
    ways.collect()
}

/// The name of the device at which a way of a host begins or ends.
fn is_end(network: &ClusterNetwork, host: HostId, device: &str) -> bool {
    let name = network.host_name(host);
    if name.contains('g') {
        device == name
    } else {
        device.starts_with(&format!("{name}nic"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_way_joins_its_hosts_and_crosses_no_link_twice((network, hosts) in any_network()) {
        let cluster = network.cluster();
        for pair in pairs(&hosts) {
            prop_assert!(0 < network.n_ways(pair[0], pair[1]));
            for links in ways(&network, pair) {
                let distinct: BTreeSet<_> = links.iter().collect();
                prop_assert_eq!(distinct.len(), links.len());
                let ends: Vec<_> = links.iter().map(|link| cluster.ends(*link)).collect();
                prop_assert!(ends.windows(2).all(|two| two[0].1 == two[1].0));
                let Some((first, last)) = ends.first().zip(ends.last()) else {
                    prop_assert!(!network.meets(pair[0], pair[1]));
                    continue;
                };
                prop_assert!(is_end(&network, pair[0], &first.0.to_string()));
                prop_assert!(is_end(&network, pair[1], &last.1.to_string()));
            }
        }
    }

    #[test]
    fn ways_are_distinct_and_those_with_the_same_first_links_follow_each_other(
        (network, hosts) in any_network(),
    ) {
        for pair in pairs(&hosts) {
            let ways = ways(&network, pair);
            let longest = ways.iter().map(Vec::len).max().unwrap_or(0);
            prop_assert_eq!(ways.iter().collect::<BTreeSet<_>>().len(), ways.len());
            for length in 1..=longest {
                let mut beginnings: Vec<_> = ways.iter().map(|way| way.get(..length)).collect();
                let distinct = beginnings.iter().copied().flatten().collect::<BTreeSet<_>>().len();
                beginnings.dedup();
                prop_assert_eq!(beginnings.iter().flatten().count(), distinct);
            }
        }
    }

    #[test]
    fn the_static_way_is_the_route_by_destination((network, hosts) in any_network()) {
        let cluster = network.cluster();
        for [from, to] in pairs(&hosts) {
            let (mut way, mut route) = (Vec::new(), Vec::new());
            let number = network.static_way(from, to);
            prop_assert!(number < network.n_ways(from, to));
            network.way(from, to, number, &mut way);
            let gpu = |host: HostId| host.get().checked_sub(network.n_nodes()).map(GpuId::new);
            match [gpu(from), gpu(to)] {
                [Some(a), Some(b)] => cluster.route(a, b, Cluster::D_MOD_K, &mut route),
                [None, None] => {
                    let [a, b] = [from, to].map(|host| NodeId::new(host.get()));
                    cluster.route_hosts(a, b, Cluster::D_MOD_K, &mut route);
                }
                _ => continue,
            }
            prop_assert_eq!(way, route);
        }
    }

    #[test]
    fn no_way_crosses_a_dead_link((network, hosts) in any_network()) {
        for pair in pairs(&hosts) {
            for links in ways(&network, pair) {
                prop_assert!(links.iter().all(|link| !network.cluster().is_down(*link)));
            }
        }
    }

    #[test]
    fn equal_access_means_equal_ways_between_own_links((network, hosts) in any_network()) {
        let between = |[from, to]: [HostId; 2]| -> Vec<Vec<LinkId>> {
            let trim = |(way, links): (u32, Vec<LinkId>)| {
                let [start, end] = network.own_links(from, to, way);
                links[start..links.len() - end].to_vec()
            };
            (0..).zip(ways(&network, [from, to])).map(trim).collect()
        };
        let all: Vec<_> = (0..network.n_hosts()).map(HostId::new).collect();
        for pair in pairs(&hosts).filter(|pair| network.meets(pair[0], pair[1])).take(4) {
            let like = |host: HostId| {
                let alike = |other: &&HostId| network.access(**other) == network.access(host);
                all.iter().filter(alike).copied().take(12).collect::<Vec<_>>()
            };
            let expected = between(pair);
            for from in like(pair[0]) {
                for to in like(pair[1]).into_iter().filter(|to| network.meets(from, *to)) {
                    prop_assert_eq!(&between([from, to]), &expected);
                }
            }
        }
    }

    #[test]
    fn own_links_are_shared_with_no_other_node((network, hosts) in any_network()) {
        let cluster = network.cluster();
        for pair in pairs(&hosts).filter(|pair| network.meets(pair[0], pair[1])) {
            for (way, links) in (0..).zip(ways(&network, pair)) {
                let [start, end] = network.own_links(pair[0], pair[1], way);
                let kinds: Vec<_> = links.iter().map(|link| cluster.link(*link).kind).collect();
                let middle = &kinds[start..kinds.len() - end];
                prop_assert!(middle.iter().all(|kind| *kind == LinkKind::Fabric));
                prop_assert_eq!(kinds[start - 1], LinkKind::Nic);
                prop_assert_eq!(kinds[kinds.len() - end], LinkKind::Nic);
            }
        }
    }

    #[test]
    fn a_slow_link_shows_in_its_wire((network, _) in any_network(), seed in any::<u32>()) {
        let link = LinkId::new(seed % network.n_links());
        let slow = network.cluster().with_link_rate(link, 0.25).unwrap();
        let slow = ClusterNetwork::new(slow);
        let quarter = network.wire(link).rate.as_f64() / 4.0;
        prop_assert!((slow.wire(link).rate.as_f64() / quarter - 1.0).abs() < 1e-12);
        prop_assert_eq!(slow.wire(link).latency, network.wire(link).latency);
    }

    #[test]
    fn hosts_and_wires_have_names_of_their_own((network, _) in any_network()) {
        for host in (0..network.n_hosts()).map(HostId::new) {
            prop_assert_eq!(network.host_named(&network.host_name(host)), Some(host));
        }
        let names: BTreeSet<_> = (0..network.n_links())
            .map(|link| network.wire_name(LinkId::new(link)))
            .collect();
        prop_assert_eq!(names.len(), network.n_links() as usize);
    }
}
