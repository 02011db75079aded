//! Devices and links by number: computed from the shapes of nodes and fabric, not stored.

use petgraph::graph::{DiGraph, NodeIndex};
use units::{LinkId, NodeId};

use crate::cluster::{Cluster, NicId, NodeEntry};
use crate::device::{Device, Link};
use crate::layout::Local;
use crate::spec::ScaleUpSpec;

impl Cluster {
    /// The devices at the two ends of a link.
    ///
    /// # Panics
    ///
    /// If the link is not of this cluster.
    pub fn ends(&self, link: LinkId) -> (Device, Device) {
        let id = link.get();
        assert!(link.index() < self.links.len(), "a link id of this cluster");
        let Some(port) = id.checked_sub(self.fabric.first_link[0]) else {
            return self.ends_at_node(id);
        };
        let [below, above] = match &self.fabric.web {
            Some(web) => web.ends[port as usize / 2].map(|switch| web.device(switch)),
            None => self.ends_of_cable(port, id),
        };
        in_direction(id, below, above)
    }

    /// The switches at the ends of a cable of levels.
    fn ends_of_cable(&self, port: u32, id: u32) -> [Device; 2] {
        let fabric = &self.fabric;
        if let Some(port) = id.checked_sub(fabric.first_link[1]) {
            let (spine, c) = (port / 2 / fabric.cores, port / 2 % fabric.cores);
            let core = fabric.core_above(spine, c);
            return [Device::Spine(spine), Device::Core(core)];
        }
        let (leaf, s) = (port / 2 / fabric.spines, port / 2 % fabric.spines);
        [
            Device::Leaf(leaf),
            Device::Spine(fabric.spine_above(leaf, s)),
        ]
    }

    /// The ends of a link inside a node, or between it and its leaves.
    fn ends_at_node(&self, id: u32) -> (Device, Device) {
        let behind = self.nodes.partition_point(|node| node.first_link <= id);
        let node = NodeId::from_index(behind - 1);
        let entry = self.entry(node);
        let layout = &self.group_of(node).layout;
        let local = id - entry.first_link;
        if let Some(link) = layout.links.get(local as usize) {
            return (at(node, entry, link.from), at(node, entry, link.to));
        }
        let index = (local - layout.nic_up(0)) / 2;
        let leaf = self.leaf_of(NicId { node, index });
        let leaf = match &self.fabric.web {
            Some(web) => web.device(leaf),
            None => Device::Leaf(leaf),
        };
        in_direction(local, Device::Nic { node, index }, leaf)
    }

    /// The link between two neighbors, in that direction.
    pub(crate) fn link_between(&self, from: Device, to: Device) -> Option<LinkId> {
        let nodes = [from, to].map(Device::node);
        let of_nodes = nodes.into_iter().flatten().flat_map(|node| {
            let first = self.nodes.get(node.index()).map(|entry| entry.first_link);
            first
                .into_iter()
                .flat_map(move |first| first..first + self.n_links_of(node))
        });
        let joins = |link: &LinkId| self.ends(*link) == (from, to);
        let found = of_nodes.map(LinkId::new).find(joins);
        found.or_else(|| self.cable_between(from, to).filter(joins))
    }

    pub(crate) fn n_links_of(&self, node: NodeId) -> u32 {
        let layout = &self.group_of(node).layout;
        layout.nic_up(layout.nics)
    }

    /// The link between two switches, if they are neighbors; any other link if they are not.
    fn cable_between(&self, from: Device, to: Device) -> Option<LinkId> {
        let fabric = &self.fabric;
        let id = match (from, to, &fabric.web) {
            (_, _, Some(web)) => {
                fabric.first_link[0] + web.cable(web.switch(from)?, web.switch(to)?)?
            }
            (Device::Leaf(leaf), Device::Spine(spine), _) if leaf < fabric.n_leaves() => {
                fabric.leaf_up(leaf, spine.checked_rem(fabric.spines)?)
            }
            (Device::Spine(spine), Device::Core(core), _) if spine < fabric.n_spines() => {
                fabric.spine_up(spine, core.checked_rem(fabric.cores)?)
            }
            (Device::Spine(_), Device::Leaf(_), _) | (Device::Core(_), Device::Spine(_), _) => {
                return self.cable_between(to, from).map(|link| self.reverse(link));
            }
            _ => return None,
        };
        Some(LinkId::new(id))
    }

    /// The vertex of a device, where the cluster has it.
    pub fn device(&self, device: Device) -> Option<NodeIndex> {
        let (fabric, leaves) = (&self.fabric, self.fabric.n_leaves());
        let spines = fabric.n_spines();
        let switch = |index: u32, first: u32, count: u32| (index < count).then(|| first + index);
        let index = match device {
            Device::Leaf(index) => switch(index, 0, leaves),
            Device::Spine(index) => switch(index, leaves, spines),
            Device::Core(index) => switch(index, leaves + spines, fabric.n_cores()),
            Device::Router(_) | Device::Switch(_) => fabric.web.as_ref()?.switch(device),
            Device::Gpu { node, gpu } => self.in_node(node, 0, gpu),
            Device::NvSwitch { node } => self.in_node(node, 1, 0),
            Device::PciSwitch { node, index } => self.in_node(node, 2, index),
            Device::Socket { node, index } => self.in_node(node, 3, index),
            Device::Nic { node, index } => self.in_node(node, 4, index),
        };
        index.map(|index| NodeIndex::new(index as usize))
    }

    /// The number of a device of a node: by kind, and among those of its kind.
    fn in_node(&self, node: NodeId, kind: usize, index: u32) -> Option<u32> {
        let counts = self.device_counts(node)?;
        let before: u32 = counts[..kind].iter().sum();
        (index < counts[kind]).then(|| self.entry(node).first_device + before + index)
    }

    /// GPUs, switches of a domain, `PCIe` switches, sockets and NICs of a node.
    pub(crate) fn device_counts(&self, node: NodeId) -> Option<[u32; 5]> {
        let entry = self.nodes.get(node.index())?;
        let group = &self.groups[entry.group as usize];
        let switched = matches!(group.spec.scale_up, ScaleUpSpec::NvSwitch { .. });
        let heads = u32::from(switched && entry.head == node);
        let layout = &group.layout;
        Some([layout.gpus, heads, layout.pcis, layout.sockets, layout.nics])
    }

    /// All devices and links, drawn when somebody asks for the first time. Vertices are leaves,
    /// spines, cores or other switches, then node by node; edge `i` is link `i`.
    pub fn graph(&self) -> &DiGraph<Device, Link> {
        self.graph.get_or_init(|| self.draw())
    }

    fn draw(&self) -> DiGraph<Device, Link> {
        let mut graph = DiGraph::with_capacity(0, self.links.len());
        for switch in self.switches() {
            graph.add_node(switch);
        }
        for node in (0..self.n_nodes()).map(NodeId::from_index) {
            let [gpus, switches, pcis, sockets, nics] =
                self.device_counts(node).unwrap_or_default();
            for gpu in 0..gpus {
                graph.add_node(Device::Gpu { node, gpu });
            }
            for _ in 0..switches {
                graph.add_node(Device::NvSwitch { node });
            }
            for index in 0..pcis {
                graph.add_node(Device::PciSwitch { node, index });
            }
            for index in 0..sockets {
                graph.add_node(Device::Socket { node, index });
            }
            for index in 0..nics {
                graph.add_node(Device::Nic { node, index });
            }
        }
        for (index, link) in self.links.iter().enumerate() {
            let (from, to) = self.ends(LinkId::from_index(index));
            if let (Some(from), Some(to)) = (self.device(from), self.device(to)) {
                graph.add_edge(from, to, *link);
            }
        }
        graph
    }

    /// The links from a switch to those above it, with where they lead; nothing for other devices,
    /// and where switches form no levels.
    pub fn links_up(&self, switch: NodeIndex) -> &[(NodeIndex, LinkId)] {
        let fabric = &self.fabric;
        let all = self.links_up.get_or_init(|| {
            let leaves = (0..fabric.n_leaves()).map(|leaf| self.above_leaf(leaf));
            let spines = (0..fabric.n_spines()).map(|spine| self.above_spine(spine));
            leaves.chain(spines).collect()
        });
        all.get(switch.index()).map_or(&[], Vec::as_slice)
    }

    fn above_leaf(&self, leaf: u32) -> Vec<(NodeIndex, LinkId)> {
        let fabric = &self.fabric;
        let first = fabric.n_leaves();
        let spine = |s| {
            let vertex = NodeIndex::new((first + fabric.spine_above(leaf, s)) as usize);
            (vertex, LinkId::new(fabric.leaf_up(leaf, s)))
        };
        (0..fabric.spines).rev().map(spine).collect()
    }

    fn above_spine(&self, spine: u32) -> Vec<(NodeIndex, LinkId)> {
        let fabric = &self.fabric;
        let first = fabric.n_leaves() + fabric.n_spines();
        let core = |c| {
            let vertex = NodeIndex::new((first + fabric.core_above(spine, c)) as usize);
            (vertex, LinkId::new(fabric.spine_up(spine, c)))
        };
        (0..fabric.cores).rev().map(core).collect()
    }
}

/// The ends of a link whose even number leads from `below` to `above`.
fn in_direction(id: u32, below: Device, above: Device) -> (Device, Device) {
    if id.is_multiple_of(2) {
        (below, above)
    } else {
        (above, below)
    }
}

/// A vertex of a layout as a device of a node.
fn at(node: NodeId, entry: NodeEntry, local: Local) -> Device {
    match local {
        Local::Gpu(gpu) => Device::Gpu { node, gpu },
        Local::Switch => Device::NvSwitch { node: entry.head },
        Local::Pci(index) => Device::PciSwitch { node, index },
        Local::Socket(index) => Device::Socket { node, index },
        Local::Nic(index) => Device::Nic { node, index },
    }
}
