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
