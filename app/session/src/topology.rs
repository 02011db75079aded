//! What a cluster looks like: groups that fold, devices by level, cables with their links.
//!
//! ```text
//! whole ── cores
//!   └ pod ── spines                     a group that is not open stands as one box with counts;
//!       └ leaves ─ leaf switches        cables between the same two visible ends are one
//!           └ node ─ GPUs, NVSwitch, PCIe switches, sockets, NICs
//! ```
//!
//! What is drawn follows what is open, not the size of the cluster: 16,384 GPUs are a few boxes.

mod cables;
mod extent;
mod junctions;
mod platform;
mod tree;

use std::collections::BTreeSet;

use cluster::{Cluster, ClusterNetwork, Device, LinkKind, Sharing, Topology as _};
use serde::{Deserialize, Serialize};
use units::{BytesPerSec, HostId, LinkId, Seconds};

use crate::network::{Fabric, Traffic};
use cables::cables;
use platform::of_platform;
use tree::Tree;

pub use extent::Extent;

/// A group of devices that can be folded. The id means the same in every drawing of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GroupId {
    /// Everything.
    Whole,
    /// A pod, or a group of a dragonfly.
    Pod(u32),
    /// The nodes under the same leaves, with these leaves.
    Leaves(u32),
    /// A node.
    Node(u32),
    /// The spines of a pod; of everything, where there are no pods.
    Spines(u32),
    /// The core switches.
    Cores,
}

/// Where a device stands when levels are drawn above each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Switches of a scale-up domain of several nodes: below its GPUs, since no node has them.
    Domain,
    /// GPUs, and hosts of platforms.
    Gpu,
    /// Switches between the GPUs of a scale-up domain.
    NvSwitch,
    /// CPU sockets.
    Socket,
    /// `PCIe` switches.
    PciSwitch,
    /// NICs.
    Nic,
    /// Switches that nodes hang on, and routers of fabrics without levels.
    Leaf,
    /// Switches above leaves.
    Spine,
    /// Switches above the spines of several pods.
    Core,
}

impl Level {
    /// Every level, the lowest first.
    pub const ALL: [Self; 9] = [
        Self::Domain,
        Self::Gpu,
        Self::NvSwitch,
        Self::Socket,
        Self::PciSwitch,
        Self::Nic,
        Self::Leaf,
        Self::Spine,
        Self::Core,
    ];

    /// What a device of the level is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gpu => "GPU",
            Self::Domain | Self::NvSwitch => "NVSwitch",
            Self::Socket => "CPU socket",
            Self::PciSwitch => "PCIe switch",
            Self::Nic => "NIC",
            Self::Leaf => "leaf switch",
            Self::Spine => "spine switch",
            Self::Core => "core switch",
        }
    }

    const fn of(device: Device) -> Self {
        match device {
            Device::Gpu { .. } => Self::Gpu,
            Device::NvSwitch { .. } => Self::NvSwitch,
            Device::PciSwitch { .. } => Self::PciSwitch,
            Device::Socket { .. } => Self::Socket,
            Device::Nic { .. } => Self::Nic,
            Device::Leaf(_) | Device::Router(_) | Device::Switch(_) => Self::Leaf,
            Device::Spine(_) => Self::Spine,
            Device::Core(_) => Self::Core,
        }
    }
}

/// One end of a cable, or something to click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A folded group.
    Group(GroupId),
    /// A device of a cluster.
    Device(Device),
    /// A host of a platform, or the host that a node is in a network workload.
    Host(HostId),
    /// Where links of a platform meet.
    Junction(u32),
}

/// How the switches of a drawing are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// In levels above each other.
    #[default]
    Levels,
    /// In a grid: routers along each dimension, the first counts fastest.
    Grid([u32; 3]),
    /// In any other way.
    Web,
}

/// A visible group, open or folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Which one.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// The group that it lies in; none for the whole.
    pub parent: Option<GroupId>,
    /// Whether its parts are shown.
    pub is_open: bool,
    /// Whether there is anything to open.
    pub has_parts: bool,
    /// Nodes in it, or hosts of a platform.
    pub nodes: u32,
    /// The numbers of these nodes, ascending; none of a platform.
    pub members: Vec<u32>,
    /// GPUs in it.
    pub gpus: u32,
    /// Switches of the fabric in it.
    pub switches: u32,
}

/// A visible device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    /// Which one.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub level: Level,
    /// The group that it lies in.
    pub parent: GroupId,
    /// The kind of GPU, where it is one.
    pub kind: Option<String>,
    /// The speed of a GPU over that of its kind; 1 for everything else.
    pub speed: f64,
}

/// The links between two visible parts, in both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct CableView {
    /// From where the first link's name begins to where it ends.
    pub ends: [Part; 2],
    /// The name of the first link.
    pub name: String,
    /// What the links are part of; none on platforms.
    pub kind: Option<LinkKind>,
    /// Links from the first end to the second, and back. A link that both directions share is in
    /// both lists.
    pub links: [Vec<LinkId>; 2],
    /// What one of the links carries in its direction.
    pub rate: BytesPerSec,
    /// The latency of one link.
    pub latency: Seconds,
    /// Whether a link of it is down.
    pub is_down: bool,
    /// Whether it bounds transfers one by one and is never full.
    pub is_fat: bool,
}

/// What is to be drawn, parents before what lies in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopologyView {
    /// How switches are joined.
    pub shape: Shape,
    /// Visible groups.
    pub groups: Vec<GroupView>,
    /// Visible devices.
    pub devices: Vec<DeviceView>,
    /// Cables between visible parts.
    pub cables: Vec<CableView>,
    /// What was left out, in words.
    pub left_out: Option<String>,
}

/// What a cluster looks like with some groups open.
pub fn topology(cluster: &Cluster, extent: &Extent) -> TopologyView {
    let tree = Tree::new(cluster);
    let groups = tree.groups(extent);
    let open: BTreeSet<GroupId> = groups
        .iter()
        .filter(|group| group.is_open)
        .map(|group| group.id)
        .collect();
    TopologyView {
        shape: shape(cluster),
        devices: tree.devices(&groups),
        cables: cables(&tree, &open),
        groups,
        left_out: None,
    }
}

/// How the switches of a cluster are joined.
fn shape(cluster: &Cluster) -> Shape {
    match cluster.torus_sizes() {
        Some(sizes) => Shape::Grid(sizes),
        None if cluster.has_levels() => Shape::Levels,
        None => Shape::Web,
    }
}

/// What a link of a cluster is called, as [`LinkLoads`](crate::LinkLoads) call it: its cable, and the
/// direction in it.
pub fn link_name(cluster: &Cluster, link: LinkId) -> String {
    let number = link.get();
    let direction = if number & 1 == 0 { "up" } else { "down" };
    format!(
        "{} {direction}",
        cluster.link_name(LinkId::new(number & !1))
    )
}

impl Traffic {
    /// What a link of the fabric is called, as [`LinkLoads`](crate::LinkLoads) call it.
    pub fn link_name(&self, link: LinkId) -> String {
        let wire = self.fabric.wire_name(link);
        format!("{} {}", wire.name, wire.direction.name())
    }

    /// What the fabric of the workload looks like with some groups open. A platform says by the ways
    /// of its messages where links meet.
    pub fn topology(&self, extent: &Extent) -> TopologyView {
        match &self.fabric {
            Fabric::Cluster(network) => of_network(network, extent),
            Fabric::Platform(platform) => {
                let streams = self.program.streams().iter();
                let pairs = streams.map(|stream| (stream.src, stream.dst));
                of_platform(platform, pairs)
            }
        }
    }

    /// The groups that fit on a drawing of so many parts, opened from above.
    pub fn extent(&self, most: usize) -> Extent {
        match &self.fabric {
            Fabric::Cluster(network) => Extent::within(network.cluster(), most),
            Fabric::Platform(_) => Extent::default(),
        }
    }
}

/// A cluster whose links carry what its network says that they reach.
fn of_network(network: &ClusterNetwork, extent: &Extent) -> TopologyView {
    let mut view = topology(network.cluster(), extent);
    for cable in &mut view.cables {
        if let Some(&link) = cable.links.iter().flatten().next() {
            let wire = network.wire(link);
            cable.rate = wire.rate;
            cable.latency = wire.latency;
            cable.is_fat = wire.sharing == Sharing::FatPipe;
        }
    }
    view
}

#[cfg(test)]
mod tests;
