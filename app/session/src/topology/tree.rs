//! The groups of a cluster, and what lies in them.

use std::collections::BTreeMap;

use cluster::{Cluster, Device};
use units::NodeId;

use super::{DeviceView, Extent, GroupId, GroupView, Level, Part};

/// A cluster as groups in groups.
pub(super) struct Tree<'c> {
    pub(super) cluster: &'c Cluster,
    has_pods: bool,
    has_leaves: bool,
    /// By group around nodes: its nodes, ascending.
    nodes: BTreeMap<GroupId, Vec<u32>>,
    /// By group: its own switches.
    switches: BTreeMap<GroupId, Vec<Device>>,
    /// By the node that heads a scale-up domain of several nodes: the group around all of them, which
    /// has the switches of the domain.
    shared: BTreeMap<NodeId, GroupId>,
    /// By group around nodes: the groups in it.
    inside: BTreeMap<GroupId, Vec<GroupId>>,
}

impl<'c> Tree<'c> {
    pub(super) fn new(cluster: &'c Cluster) -> Self {
        let mut tree = Self {
            cluster,
            has_pods: 1 < cluster.n_pods(),
            has_leaves: 1 < cluster.n_leaf_groups(),
            nodes: BTreeMap::new(),
            switches: BTreeMap::new(),
            shared: BTreeMap::new(),
            inside: BTreeMap::new(),
        };
        for node in (0..cluster.n_nodes()).map(NodeId::from_index) {
            let own = GroupId::Node(node.get());
            let around = tree.around(node);
            let chain: Vec<GroupId> = around.into_iter().flatten().collect();
            for (at, group) in chain.iter().enumerate() {
                tree.nodes.entry(*group).or_default().push(node.get());
                let next = chain.get(at + 1).copied().unwrap_or(own);
                let inside = tree.inside.entry(*group).or_default();
                if inside.last() != Some(&next) {
                    inside.push(next);
                }
            }
        }
        tree.share_domains();
        for switch in cluster.switches() {
            let group = tree.group_of_switch(switch);
            tree.switches.entry(group).or_default().push(switch);
            if matches!(group, GroupId::Spines(_) | GroupId::Cores) {
                let around = tree.parent(group).unwrap_or(GroupId::Whole);
                tree.inside.entry(around).or_default().push(group);
            }
        }
        for inside in tree.inside.values_mut() {
            inside.sort_unstable();
            inside.dedup();
        }
        tree
    }

    /// Hands the switches of domains of several nodes to the groups around these.
    fn share_domains(&mut self) {
        let mut next = 0;
        while next < self.cluster.n_nodes() {
            let head = NodeId::from_index(next);
            let nodes = self.cluster.nodes_of_domain(head);
            next = nodes.end as usize;
            if nodes.len() < 2 {
                continue;
            }
            let last = self.around(NodeId::new(nodes.end - 1));
            let around = self.around(head).into_iter().zip(last);
            let mut common = around.filter_map(|(a, b)| a.filter(|_| a == b));
            let group = common.next_back().unwrap_or(GroupId::Whole);
            self.shared.insert(head, group);
            let switches = self.cluster.devices_of(head).into_iter();
            let switches = switches.filter(|device| matches!(device, Device::NvSwitch { .. }));
            self.switches.entry(group).or_default().extend(switches);
        }
    }

    /// Whether a device is the switches of a domain of several nodes.
    fn is_shared(&self, device: Device) -> bool {
        matches!(device, Device::NvSwitch { node } if self.shared.contains_key(&node))
    }

    /// The groups around a node, from above.
    fn around(&self, node: NodeId) -> [Option<GroupId>; 3] {
        let pod = self
            .has_pods
            .then(|| GroupId::Pod(self.cluster.pod_of(node)));
        let leaves = self
            .has_leaves
            .then(|| GroupId::Leaves(self.cluster.leaf_group_of(node)));
        [Some(GroupId::Whole), pod, leaves]
    }

    /// The group that a switch of the fabric lies in.
    fn group_of_switch(&self, switch: Device) -> GroupId {
        let leaves = self
            .cluster
            .group_of_leaf(switch)
            .filter(|_| self.has_leaves);
        let pod = self.cluster.pod_of_switch(switch).filter(|_| self.has_pods);
        match switch {
            Device::Core(_) => GroupId::Cores,
            Device::Spine(_) => GroupId::Spines(pod.unwrap_or(0)),
            _ => leaves
                .map(GroupId::Leaves)
                .or_else(|| pod.map(GroupId::Pod))
                .unwrap_or(GroupId::Whole),
        }
    }

    /// The group around a group.
    pub(super) fn parent(&self, group: GroupId) -> Option<GroupId> {
        let node = match group {
            GroupId::Whole => return None,
            GroupId::Spines(pod) if self.has_pods => return Some(GroupId::Pod(pod)),
            GroupId::Spines(_) | GroupId::Cores => return Some(GroupId::Whole),
            GroupId::Node(node) => NodeId::new(node),
            group => NodeId::new(*self.nodes.get(&group)?.first()?),
        };
        let around = self.around(node);
        let mut chain = around.into_iter().flatten();
        match group {
            GroupId::Node(_) => chain.next_back(),
            group => chain.take_while(|other| *other != group).last(),
        }
    }

    /// The groups in a group.
    pub(super) fn children(&self, group: GroupId) -> impl Iterator<Item = GroupId> {
        self.inside.get(&group).into_iter().flatten().copied()
    }

    fn own_devices(&self, group: GroupId) -> Vec<Device> {
        match group {
            GroupId::Node(node) => {
                let mut own = self.cluster.devices_of(NodeId::new(node));
                own.retain(|device| !self.is_shared(*device));
                own
            }
            group => self.switches.get(&group).cloned().unwrap_or_default(),
        }
    }

    /// How many groups and devices are seen when a group is opened.
    pub(super) fn n_parts(&self, group: GroupId) -> usize {
        let own = match group {
            GroupId::Node(_) => self.own_devices(group).len(),
            group => self.switches.get(&group).map_or(0, Vec::len),
        };
        self.children(group).count() + own
    }

    /// The visible part that a device belongs to.
    pub(super) fn visible(&self, device: Device, is_open: impl Fn(GroupId) -> bool) -> Part {
        let chain = if let Some(node) = device.node() {
            let [whole, pod, leaves] = self.around(node);
            match self.shared.get(&node).filter(|_| self.is_shared(device)) {
                Some(GroupId::Whole) => [whole, None, None, None],
                Some(GroupId::Pod(_)) => [whole, pod, None, None],
                Some(_) => [whole, pod, leaves, None],
                None => [whole, pod, leaves, Some(GroupId::Node(node.get()))],
            }
        } else {
            let pod = self.cluster.pod_of_switch(device);
            let pod = pod.filter(|_| self.has_pods).map(GroupId::Pod);
            let own = self.group_of_switch(device);
            [Some(GroupId::Whole), pod, Some(own), None]
        };
        let folded = chain.into_iter().flatten().find(|group| !is_open(*group));
        folded.map_or(Part::Device(device), Part::Group)
    }

    /// Visible groups, parents first.
    pub(super) fn groups(&self, extent: &Extent) -> Vec<GroupView> {
        let mut groups = Vec::new();
        self.add_group(GroupId::Whole, None, extent, &mut groups);
        groups
    }

    fn add_group(
        &self,
        id: GroupId,
        parent: Option<GroupId>,
        extent: &Extent,
        all: &mut Vec<GroupView>,
    ) {
        let is_open = extent.open.contains(&id);
        all.push(self.group(id, parent, is_open));
        if is_open {
            for child in self.children(id) {
                self.add_group(child, Some(id), extent, all);
            }
        }
    }

    fn group(&self, id: GroupId, parent: Option<GroupId>, is_open: bool) -> GroupView {
        let own = match id {
            GroupId::Node(node) => vec![node],
            group => self.nodes.get(&group).cloned().unwrap_or_default(),
        };
        let gpus = own.iter().map(|node| {
            let gpus = self.cluster.gpus_of(NodeId::new(*node));
            gpus.end - gpus.start
        });
        let name = match id {
            GroupId::Whole => self.cluster.name().to_owned(),
            GroupId::Pod(pod) if self.cluster.has_levels() => format!("pod {pod}"),
            GroupId::Pod(group) => format!("group {group}"),
            GroupId::Leaves(group) => format!("leaf group {group}"),
            GroupId::Node(node) => format!("n{node}"),
            GroupId::Spines(pod) if self.has_pods => format!("spines of pod {pod}"),
            GroupId::Spines(_) => "spines".to_owned(),
            GroupId::Cores => "core switches".to_owned(),
        };
        GroupView {
            id,
            name,
            parent,
            is_open,
            has_parts: 0 < self.n_parts(id),
            nodes: own.len().try_into().unwrap_or(u32::MAX),
            gpus: gpus.sum(),
            members: own,
            switches: self.n_switches(id),
        }
    }

    /// Switches of the fabric in a group and in all groups inside.
    fn n_switches(&self, group: GroupId) -> u32 {
        let own = self.switches.get(&group).into_iter().flatten();
        let own = own.filter(|device| !self.is_shared(**device)).count();
        let inside: u32 = match group {
            GroupId::Node(_) => 0,
            group => self
                .children(group)
                .map(|child| self.n_switches(child))
                .sum(),
        };
        inside + u32::try_from(own).unwrap_or(u32::MAX)
    }

    /// The devices of open groups.
    pub(super) fn devices(&self, groups: &[GroupView]) -> Vec<DeviceView> {
        let open = groups.iter().filter(|group| group.is_open);
        let devices = open.flat_map(|group| {
            let own = self.own_devices(group.id);
            own.into_iter().map(|device| self.device(device, group.id))
        });
        devices.collect()
    }

    fn device(&self, device: Device, parent: GroupId) -> DeviceView {
        let cluster = self.cluster;
        let name = cluster.device_name(device);
        let gpu = matches!(device, Device::Gpu { .. })
            .then(|| cluster.gpu_named(&name))
            .flatten();
        DeviceView {
            part: Part::Device(device),
            level: if self.is_shared(device) {
                Level::Domain
            } else {
                Level::of(device)
            },
            parent,
            kind: gpu.map(|gpu| cluster.gpu(gpu).name.clone()),
            speed: gpu.map_or(1.0, |gpu| cluster.gpu_speed(gpu)),
            name,
        }
    }
}
