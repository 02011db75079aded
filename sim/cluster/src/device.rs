//! Devices and links, and their names.

use std::fmt;

use units::{BytesPerSec, NodeId, Seconds};

/// A device of a cluster: a vertex of its graph. Counts in a node start at 0.
///
/// ```
/// use cluster::Device;
/// use units::NodeId;
///
/// let gpu = Device::Gpu { node: NodeId::new(3), gpu: 7 };
/// assert_eq!(gpu.to_string(), "n3g7");
/// assert_eq!("n3g7".parse(), Ok(gpu));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// A GPU: `n<node>g<gpu>`.
    Gpu {
        /// Its node.
        node: NodeId,
        /// Its number in the node.
        gpu: u32,
    },
    /// The NVLink switches of a domain, as one device: `n<node>sw`.
    NvSwitch {
        /// The first node of the domain.
        node: NodeId,
    },
    /// A `PCIe` switch: `n<node>pci<index>`.
    PciSwitch {
        /// Its node.
        node: NodeId,
        /// Its number in the node.
        index: u32,
    },
    /// A CPU socket with its memory: `n<node>cpu<index>`.
    Socket {
        /// Its node.
        node: NodeId,
        /// Its number in the node.
        index: u32,
    },
    /// A NIC, or the NICs of one GPU where they are striped: `n<node>nic<index>`.
    Nic {
        /// Its node.
        node: NodeId,
        /// Its number in the node.
        index: u32,
    },
    /// A switch that nodes hang on: `leaf<index>`.
    Leaf(u32),
    /// A switch above leaves: `spine<index>`.
    Spine(u32),
    /// A switch above the spines of several pods: `core<index>`.
    Core(u32),
    /// A router of a dragonfly or a torus: `router<index>`.
    Router(u32),
    /// A switch of a graph: `sw<index>`, in the order of its file.
    Switch(u32),
}

impl Device {
    /// The node that a device is in, or that heads its domain; `None` for switches of the fabric.
    pub const fn node(self) -> Option<NodeId> {
        match self {
            Self::Gpu { node, .. }
            | Self::NvSwitch { node }
            | Self::PciSwitch { node, .. }
            | Self::Socket { node, .. }
            | Self::Nic { node, .. } => Some(node),
            Self::Leaf(_) | Self::Spine(_) | Self::Core(_) | Self::Router(_) | Self::Switch(_) => {
                None
            }
        }
    }
}

/// The text is not the name of a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not the name of a device")]
pub struct NotADevice {
    /// The text.
    pub name: String,
}

/// One direction of a link: an edge of the graph.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// How much it carries.
    pub rate: BytesPerSec,
    /// How long a first byte takes, the switch at its end included.
    pub latency: Seconds,
    /// What it is a part of.
    pub kind: LinkKind,
}

/// What a link is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// Between GPUs, or a GPU and the switch of its domain: `NVLink` or Infinity Fabric.
    ScaleUp,
    /// Inside a node: `PCIe`, or between sockets.
    Host,
    /// Between a NIC and its leaf.
    Nic,
    /// Between two switches of the fabric.
    Fabric,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gpu { node, gpu } => write!(f, "n{node}g{gpu}"),
            Self::NvSwitch { node } => write!(f, "n{node}sw"),
            Self::PciSwitch { node, index } => write!(f, "n{node}pci{index}"),
            Self::Socket { node, index } => write!(f, "n{node}cpu{index}"),
            Self::Nic { node, index } => write!(f, "n{node}nic{index}"),
            Self::Leaf(index) => write!(f, "leaf{index}"),
            Self::Spine(index) => write!(f, "spine{index}"),
            Self::Core(index) => write!(f, "core{index}"),
            Self::Router(index) => write!(f, "router{index}"),
            Self::Switch(index) => write!(f, "sw{index}"),
        }
    }
}

impl std::str::FromStr for Device {
    type Err = NotADevice;

    fn from_str(name: &str) -> Result<Self, NotADevice> {
        parse(name).ok_or_else(|| NotADevice {
            name: name.to_owned(),
        })
    }
}

fn parse(name: &str) -> Option<Device> {
    for (prefix, switch) in [
        ("leaf", Device::Leaf as fn(u32) -> Device),
        ("spine", Device::Spine),
        ("core", Device::Core),
        ("router", Device::Router),
        ("sw", Device::Switch),
    ] {
        if let Some(index) = name.strip_prefix(prefix) {
            return number(index).map(switch);
        }
    }
    let rest = name.strip_prefix('n')?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (node, part) = rest.split_at(digits);
    let node = NodeId::new(number(node)?);
    if part == "sw" {
        return Some(Device::NvSwitch { node });
    }
    if let Some(index) = part.strip_prefix("nic") {
        return number(index).map(|index| Device::Nic { node, index });
    }
    if let Some(index) = part.strip_prefix("pci") {
        return number(index).map(|index| Device::PciSwitch { node, index });
    }
    if let Some(index) = part.strip_prefix("cpu") {
        return number(index).map(|index| Device::Socket { node, index });
    }
    let gpu = number(part.strip_prefix('g')?)?;
    Some(Device::Gpu { node, gpu })
}

/// A number as names write it: digits without a sign or leading zeros.
fn number(text: &str) -> Option<u32> {
    let canonical = text == "0" || (!text.starts_with('0') && !text.starts_with('+'));
    canonical.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_its_device() {
        let node = NodeId::new(12);
        for device in [
            Device::Gpu { node, gpu: 7 },
            Device::NvSwitch { node },
            Device::PciSwitch { node, index: 1 },
            Device::Socket { node, index: 0 },
            Device::Nic { node, index: 31 },
            Device::Leaf(4),
            Device::Spine(40),
            Device::Core(400),
            Device::Router(4000),
            Device::Switch(0),
        ] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
    }

    #[test]
    fn other_texts_name_no_device() {
        for name in [
            "",
            "n",
            "n0",
            "n0g",
            "n00g0",
            "n0g+1",
            "leaf",
            "leaf-1",
            "n99999999999g0",
            "g0",
            "n0x1",
            "nœ",
        ] {
            assert!(name.parse::<Device>().is_err(), "{name}");
        }
    }
}
