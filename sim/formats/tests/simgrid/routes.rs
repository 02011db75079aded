//! Routes are those that `SimGrid` takes.

use cluster::Topology;
use formats::simgrid::link_name;

use crate::platforms::all;

#[test]
fn routes_are_those_of_simgrid() {
    let mut pairs = 0;
    for case in all() {
        let platform = case.platform().platform;
        // SimGrid lists the links of a Dijkstra zone in another order.
        let in_order = !case.xml.contains("Dijkstra");
        for line in case.file("routes.tsv").lines() {
            let mut names: Vec<String> = line.split('\t').map(str::to_owned).collect();
            let mut expected = names.split_off(2);
            let hosts = names.iter().map(|name| platform.host_named(name));
            let hosts: Vec<_> = hosts.map(|host| host.expect("a host")).collect();
            let route = platform.route(hosts[0], hosts[1]);
            let route = route.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            let mut found: Vec<_> = route
                .iter()
                .map(|&link| link_name(&platform, link))
                .collect();
            if !in_order {
                expected.sort();
                found.sort();
            }
            assert_eq!(
                found, expected,
                "{}: from {} to {}",
                case.name, names[0], names[1]
            );
            let mut way = Vec::new();
            let number = platform.static_way(hosts[0], hosts[1]);
            platform.way(hosts[0], hosts[1], number, &mut way);
            assert_eq!(way, route, "{}: the static way is another", case.name);
            pairs += 1;
        }
    }
    assert!(400 < pairs, "only {pairs} routes compared");
}

#[test]
fn ways_of_a_fat_tree_are_distinct_and_those_that_begin_alike_stand_together() {
    let text = r#"<platform version="4.1"><cluster id="c" prefix="h" suffix="" radical="0-23"
        speed="1Gf" bw="1GBps" lat="1us" topology="FAT_TREE" topo_parameters="3;4,3,2;2,2,2;1,2,1"/></platform>"#;
    let platform = formats::simgrid::read(text).expect("a fat tree").platform;
    let [from, near, far] =
        ["h0", "h2", "h23"].map(|name| platform.host_named(name).expect("a host"));
    // Ports up, times cables down: 2 in the leaf; 2, 4 and 2 times 2 to the top.
    assert_eq!(platform.n_ways(from, near), 2);
    assert_eq!(platform.n_ways(from, far), 2 * 4 * 2 * 2);
    let ways: Vec<Vec<_>> = (0..32)
        .map(|way| {
            let mut links = Vec::new();
            platform.way(from, far, way, &mut links);
            links
        })
        .collect();
    let mut distinct = ways.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 32);
    for shared in 1..6 {
        let begins: Vec<_> = ways.iter().map(|way| &way[..shared]).collect();
        let mut groups: Vec<_> = begins
            .chunk_by(|a, b| a == b)
            .map(|group| group[0])
            .collect();
        let count = groups.len();
        groups.sort();
        groups.dedup();
        assert_eq!(
            groups.len(),
            count,
            "ways that share {shared} links are apart"
        );
    }
}

#[test]
fn hosts_with_equal_access_differ_in_first_and_last_links_only() {
    for case in all() {
        let platform = case.platform().platform;
        let hosts = || (0..platform.n_hosts()).map(units::HostId::new);
        let pairs = hosts().flat_map(|from| hosts().map(move |to| (from, to)));
        let mut inner = std::collections::BTreeMap::new();
        for (from, to) in pairs.filter(|(from, to)| from != to) {
            let ends = [from, to].map(|host| platform.access(host));
            for number in 0..platform.n_ways(from, to) {
                let mut way = Vec::new();
                platform.way(from, to, number, &mut way);
                let middle = way.get(1..way.len() - 1).unwrap_or_default().to_vec();
                let known = inner
                    .entry((ends, number))
                    .or_insert_with(|| middle.clone());
                assert_eq!(*known, middle, "{}: {from} to {to}", case.name);
            }
        }
    }
}
