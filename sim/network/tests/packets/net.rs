//! A leaf-spine network of hosts at 100 Gbit/s, 1 µs a link, none in a switch.

use cluster::{Cluster, ClusterNetwork, example};
use network::packet::{Config, Message, Packets, Report, Stage};
use units::{Bytes, HostId};

/// That many leaves with that many hosts each, and that many spines.
pub(crate) fn hosts(leaves: u32, per_leaf: u32, spines: u32) -> ClusterNetwork {
    let spec = example::hosts(leaves, per_leaf, spines, 100.0);
    ClusterNetwork::new(Cluster::build(&spec).expect("a valid example"))
}

pub(crate) fn network(topology: &ClusterNetwork, config: Config) -> Packets<&ClusterNetwork> {
    Packets::new(topology, config).expect("a valid configuration")
}

pub(crate) fn message(src: u32, dst: u32, bytes: u64) -> Message {
    Message {
        src: HostId::new(src),
        dst: HostId::new(dst),
        bytes: Bytes::new(bytes),
        way: None,
        tag: 0,
    }
}

/// Runs to the end.
pub(crate) fn run(net: &mut Packets<&ClusterNetwork>) -> Vec<Report> {
    let mut reports = Vec::new();
    net.run(&mut reports).expect("every message gets through");
    reports
}

/// The last moment of a stage, in microseconds.
pub(crate) fn last(reports: &[Report], stage: Stage) -> f64 {
    let reports = reports.iter().filter(|report| report.stage == stage);
    let times = reports.map(|report| report.at.as_seconds().as_micros());
    times.fold(0.0, f64::max)
}
