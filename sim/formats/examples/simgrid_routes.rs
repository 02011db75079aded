//! Prints the links of a `SimGrid` platform and the routes between its hosts, one a line:
//! `L name rate latency` and `R from to latency links...`, separated by tabs, with `!` where there is no route.
//!
//! A small program over `SimGrid`'s own library prints the same, and `diff` compares.
//!
//! Arguments: the platform file, and how many pairs of hosts to step over at once.

use cluster::Topology;
use units::{HostId, LinkId};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which platform file?")?;
    let stride: usize = arguments.next().map_or(Ok(1), |stride| stride.parse())?;
    let read = formats::simgrid::read(&std::fs::read_to_string(path)?)?;
    let platform = read.platform;
    for ignored in &read.ignored {
        eprintln!("ignored: {ignored}");
    }
    for link in (0..platform.n_links()).map(LinkId::new) {
        let wire = platform.wire(link);
        let name = formats::simgrid::link_name(&platform, link);
        let (rate, latency) = (wire.rate.as_f64(), wire.latency.as_secs());
        println!("L\t{name}\t{rate}\t{latency}\t{:?}", wire.sharing);
    }
    let hosts = || (0..platform.n_hosts()).map(HostId::new);
    let pairs = hosts().flat_map(|from| hosts().map(move |to| (from, to)));
    for (from, to) in pairs.step_by(stride) {
        let [a, b] = [from, to].map(|host| platform.host_name(host));
        let Ok(route) = platform.route(from, to) else {
            println!("R\t{a}\t{b}\t!");
            continue;
        };
        let latency: f64 = route
            .iter()
            .map(|&link| platform.wire(link).latency.as_secs())
            .sum();
        let mut way = Vec::new();
        platform.way(from, to, platform.static_way(from, to), &mut way);
        assert_eq!(way, route, "the static way from {a} to {b} is another");
        print!("R\t{a}\t{b}\t{latency}");
        for link in route {
            print!("\t{}", formats::simgrid::link_name(&platform, link));
        }
        println!();
    }
    Ok(())
}
