//! Devices, links, topologies and routes: what a job runs on.
//!
//! The question of this crate: which GPUs are there, and over which links does one reach
//! another, how fast and how soon?
//!
//! ```text
//!  ClusterSpec ──check──> Cluster ──route(from, to, hash)──> links ──> rates and latencies
//!  (from a file)          GPUs, NVSwitches, PCIe switches, sockets, NICs, leaves, spines,
//!                         core switches, routers; as a petgraph graph where somebody asks
//!  Cluster ──ClusterNetwork──> Topology: hosts, and all equal ways between two of them
//! ```
//!
//! Names: nodes are `n<node>`, GPUs `n<node>g<gpu>`, counted from 0; the link from device `a` to
//! device `b` is `a->b`. Routes are computed, never stored per pair.
//!
//! Deliberately absent: time, traffic and contention (a network engine has them), what a
//! kernel takes (`profile`), and how a collective moves data (`collective`).

mod bisection;
mod build;
mod check;
mod check_web;
mod cluster;
mod device;
mod ends;
mod error;
pub mod example;
mod fabric;
mod fault;
mod groups;
mod host;
mod host_ways;
mod layout;
mod measured;
mod mesh;
mod route;
pub mod spec;
mod topology;
mod ways;
mod web;
pub mod zones;

pub use cluster::{Cluster, NicId};
pub use device::{Device, Link, LinkKind, NotADevice};
pub use error::ClusterError;
pub use fault::Fault;
pub use host_ways::{ClusterNetwork, Reach};
pub use measured::MeasuredRates;
pub use spec::{
    AttachSpec, CableSpec, ClusterSpec, FabricKind, FabricSpec, GpuSpec, GraphSpec, HostSpec,
    MeshLink, NicSpec, NodeGroup, NodeSpec, RouterSpec, ScaleUpSpec, StorageSpec,
};
pub use topology::{Direction, Sharing, Topology, Wire, WireName};
