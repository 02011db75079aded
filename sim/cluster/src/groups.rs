//! What hangs together: pods, groups of leaves, nodes, and which devices each of them has.
//!
//! ```text
//! cluster ─ core switches
//!    └ pod ─ spines
//!        └ group of leaves ─ leaves
//!            └ node ─ GPUs, NVSwitches, PCIe switches, sockets, NICs
//! ```

use std::ops::Range;

use units::{LinkId, NodeId};

use crate::cluster::{Cluster, NicId};
use crate::device::Device;

impl Cluster {
    /// How many pods there are, or groups of a dragonfly; 1 in fabrics of two levels, in tori and
    /// in graphs.
    pub fn n_pods(&self) -> u32 {
        match &self.fabric.web {
            Some(web) => web
                .switches()
                .map(|switch| web.group(switch) + 1)
                .max()
                .unwrap_or(1),
            None => self.fabric.pods,
        }
    }

    /// How many groups of leaves there are; 0 where switches form no levels.
    pub const fn n_leaf_groups(&self) -> u32 {
        match self.fabric.web {
            Some(_) => 0,
            None => self.fabric.groups,
        }
    }

    /// The switches of the fabric: leaves, spines and core switches, or those of a web.
    pub fn switches(&self) -> Vec<Device> {
        let fabric = &self.fabric;
        let leaves = (0..fabric.n_leaves()).map(Device::Leaf);
        let spines = (0..fabric.n_spines()).map(Device::Spine);
        let cores = (0..fabric.n_cores()).map(Device::Core);
        let web = fabric.web.iter();
        let web = web.flat_map(|web| web.switches().map(|switch| web.device(switch)));
        leaves.chain(spines).chain(cores).chain(web).collect()
    }

    /// The pod of a switch; `None` for core switches, and for what is no switch of the fabric.
    pub fn pod_of_switch(&self, switch: Device) -> Option<u32> {
        let fabric = &self.fabric;
        match switch {
            Device::Leaf(leaf) => Some(fabric.pod(leaf / fabric.lanes)),
            Device::Spine(spine) => Some(spine / (fabric.sets * fabric.spines)),
            Device::Router(_) | Device::Switch(_) => {
                let web = fabric.web.as_ref()?;
                Some(web.group(web.switch(switch)?))
            }
            _ => None,
        }
    }

    /// The group of a leaf; `None` for what is no leaf.
    pub const fn group_of_leaf(&self, switch: Device) -> Option<u32> {
        match switch {
            Device::Leaf(leaf) => Some(leaf / self.fabric.lanes),
            _ => None,
        }
    }

    /// The devices of a node; of the switches of a scale-up domain the node that heads it has them.
    pub fn devices_of(&self, node: NodeId) -> Vec<Device> {
        let [gpus, switches, pcis, sockets, nics] = self.device_counts(node).unwrap_or_default();
        let gpus = (0..gpus).map(|gpu| Device::Gpu { node, gpu });
        let switches = (0..switches).map(|_| Device::NvSwitch { node });
        let pcis = (0..pcis).map(|index| Device::PciSwitch { node, index });
        let sockets = (0..sockets).map(|index| Device::Socket { node, index });
        let nics = (0..nics).map(|index| Device::Nic { node, index });
        gpus.chain(switches)
            .chain(pcis)
            .chain(sockets)
            .chain(nics)
            .collect()
    }

    /// The node that heads the scale-up domain of a node.
    pub fn domain_head(&self, node: NodeId) -> NodeId {
        self.entry(node).head
    }

    /// The nodes that share the scale-up domain of a node; one where the domain is that node alone.
    pub fn nodes_of_domain(&self, node: NodeId) -> Range<u32> {
        let head = self.domain_head(node);
        let nodes = (head.index()..self.n_nodes()).map(NodeId::from_index);
        let own = nodes.take_while(|node| self.domain_head(*node) == head);
        head.get()..head.get() + own.map(|_| 1).sum::<u32>()
    }

    /// The routers along each dimension of a torus, of which the first counts fastest; `None` where
    /// the fabric is none.
    pub fn torus_sizes(&self) -> Option<[u32; 3]> {
        self.fabric.web.as_ref()?.sizes()
    }

    /// The links inside a node, to the switch of its domain, and between its NICs and their
    /// switches; both directions of a cable follow each other.
    pub fn links_of_node(&self, node: NodeId) -> Range<u32> {
        let first = self.entry(node).first_link;
        first..first + self.n_links_of(node)
    }

    /// The links between the NICs of a node and the switches that these hang on.
    pub fn nic_links_of_node(&self, node: NodeId) -> Range<u32> {
        let all = self.links_of_node(node);
        let nics = self.group_of(node).layout.nics;
        let first = (0 < nics).then(|| self.nic_links(NicId { node, index: 0 })[0].get());
        first.unwrap_or(all.end)..all.end
    }

    /// The links between switches; both directions of a cable follow each other.
    pub fn fabric_links(&self) -> Range<u32> {
        self.fabric.first_link[0]..LinkId::from_index(self.links.len()).get()
    }
}

#[cfg(test)]
mod tests {
    use crate::example::{cluster, dgx_h100, dgx_h100s, fabric};
    use crate::{Cluster, Device, FabricKind, LinkKind};
    use units::{LinkId, NodeId};

    #[test]
    fn every_device_of_the_graph_belongs_to_a_node_or_is_a_switch() {
        for kind in [
            FabricKind::RailOptimised,
            FabricKind::LeafSpine,
            FabricKind::Dragonfly,
        ] {
            let built = Cluster::build(&cluster(dgx_h100(), 4, fabric(kind))).unwrap();
            let nodes = (0..built.n_nodes()).map(NodeId::from_index);
            let mut all: Vec<Device> = nodes.flat_map(|node| built.devices_of(node)).collect();
            all.extend(built.switches());
            assert_eq!(all.len(), built.graph().node_count(), "{kind:?}");
            assert!(all.iter().all(|device| built.device(*device).is_some()));
        }
    }

    #[test]
    fn links_of_nodes_and_of_the_fabric_are_all_links() {
        let built = Cluster::build(&dgx_h100s(4)).unwrap();
        let nodes = (0..built.n_nodes()).map(NodeId::from_index);
        let mut all: Vec<u32> = nodes.flat_map(|node| built.links_of_node(node)).collect();
        all.extend(built.fabric_links());
        assert!((0..).zip(&all).all(|(place, link)| *link == place));
        assert_eq!(all.len(), built.links().len());
        let nics = built.nic_links_of_node(NodeId::new(1));
        assert!(
            nics.map(LinkId::new)
                .all(|link| built.link(link).kind == LinkKind::Nic)
        );
    }

    #[test]
    fn leaves_and_spines_know_their_pod() {
        let built = Cluster::build(&dgx_h100s(4)).unwrap();
        for switch in built.switches() {
            let pod = built.pod_of_switch(switch);
            assert!(pod.is_none_or(|pod| pod < built.n_pods()));
            let group = built.group_of_leaf(switch);
            assert!(group.is_none_or(|group| group < built.n_leaf_groups()));
        }
        assert_eq!(built.domain_head(NodeId::new(2)), NodeId::new(2));
        assert_eq!(built.nodes_of_domain(NodeId::new(2)), 2..3);
        assert_eq!(built.torus_sizes(), None);
    }
}
