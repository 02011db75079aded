//! Platforms of `SimGrid`, in and out.
//!
//! ```text
//! platform.xml ──read──▶ cluster::zones::Platform + what was ignored
//! Topology ──write──▶ platform.xml
//! ```
//!
//! Read are platforms of version 4 and 4.1: zones of routing Full, Floyd, Dijkstra, `DijkstraCache`,
//! Cluster and None at any depth, hosts, routers, links, routes and bypasses, regular clusters
//! (flat, fat tree, torus, dragonfly) and cabinets. Speeds of hosts, traces, actors and settings
//! say nothing of routes and are named as ignored; Vivaldi and Wi-Fi are errors.
//!
//! The text is read once, event by event. Entities are not expanded, and depth and sizes are
//! bounded, so memory follows what a file holds and not what it claims.
//!
//! ```
//! use cluster::Topology;
//!
//! let text = r#"<platform version="4.1">
//!   <cluster id="c" prefix="h" suffix="" radical="0-3" speed="1Gf" bw="100Gbps" lat="1us"/>
//! </platform>"#;
//! let platform = formats::simgrid::read(text)?.platform;
//! let [a, b] = ["h0", "h3"].map(|name| platform.host_named(name).expect("it is listed"));
//! let route = platform.route(a, b).expect("a cluster connects its hosts");
//! let names = route.iter().map(|&link| formats::simgrid::link_name(&platform, link));
//! assert_eq!(names.collect::<Vec<_>>(), ["c_link_0_UP", "c_link_3_DOWN"]);
//! # Ok::<(), formats::simgrid::SimGridError>(())
//! ```

mod element;
mod error;
mod fat_tree;
mod read;
mod tag;
mod units;
mod write;

use ::units::LinkId;
use cluster::{Direction, Topology, WireName};

pub use error::{Fault, SimGridError};
pub use read::{Ignored, SimGridPlatform, read};
pub use write::{Form, WriteError, write};

/// The name of a link as `SimGrid` spells it: with the direction behind it where it has one.
pub fn link_name(topology: &impl Topology, link: LinkId) -> String {
    let WireName { name, direction } = topology.wire_name(link);
    match direction {
        Direction::Both => name,
        Direction::Up => format!("{name}_UP"),
        Direction::Down => format!("{name}_DOWN"),
    }
}
