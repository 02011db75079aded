//! Platforms of nested zones, routed as `SimGrid` routes them.
//!
//! A platform is a tree of zones. A zone connects its members, hosts and routers or other zones,
//! by its own rule; a route between hosts of different zones is put together from the routes to
//! and from the gateways that a route between zones names:
//!
//! ```text
//!              root (Full)                      a ─ west ─▶ gw_src
//!       ┌─────────┴─────────┐                 + links of the route west → east
//!   west (Floyd)       east (FAT_TREE)        + gw_dst ─ east ─▶ b
//!    a, gw_src           gw_dst, b
//! ```
//!
//! Nothing is stored by pair of hosts beside what a file lists itself, and the predecessors that
//! shortest paths inside one zone need: a cluster of 100,000 hosts is its few parameters, and its
//! links have numbers and names by arithmetic.
//!
//! Rules and ties are those of `SimGrid` 3.32, which is the oracle of the tests of `formats`; where
//! its routes have quirks (a second fat tree counts its hosts on from the first, a dragonfly's hop
//! between chassis leaves from chassis 0), they are kept, since finish times depend on them.
//! One thing differs: in a zone of shortest paths by Dijkstra `SimGrid` lists the links of a route
//! of several links backwards, here they stand in the order in which they are crossed.

mod build;
mod dragonfly;
mod edge;
mod error;
mod fat_tree;
mod listed;
mod platform;
mod radical;
mod regular;
mod route;
mod shortest;
mod spokes;
mod star;
mod torus;
mod wires;
mod zone;

pub use build::{Builder, LinkSpec, Policy, Routing};
pub use dragonfly::Dragonfly;
pub use error::{NoWay, ZoneError};
pub use fat_tree::FatTree;
pub use listed::{Ends, Hop};
pub use platform::Platform;
pub use radical::{Radical, RadicalError};
pub use regular::{RegularSpec, Shape};
pub use torus::Torus;
