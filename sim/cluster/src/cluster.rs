//! The checked cluster: one graph of devices and links, and where everything is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

use petgraph::graph::{DiGraph, NodeIndex};
use units::{BytesPerSec, GpuId, LinkId, NodeId, Seconds};

use crate::device::{Device, Link};
use crate::fabric::Fabric;
use crate::layout::{Layout, Local, LocalLink};
use crate::spec::{GpuSpec, NodeSpec, ScaleUpSpec};

/// A cluster that can be simulated. [`Cluster::build`] is the only way in.
///
/// Invariants: edge `i` of the graph is link `i`, and its weight is `links()[i]`; the two
/// directions of a link are `2 i` and `2 i + 1`; GPUs are numbered node by node.
///
/// ```
/// use cluster::{Cluster, example};
/// use units::{GpuId, LinkId};
///
/// let cluster = Cluster::build(&example::two_dgx_h100()).unwrap();
/// let mut path = Vec::new();
/// cluster.route(GpuId::new(0), GpuId::new(3), Cluster::D_MOD_K, &mut path);
/// let names: Vec<_> = path.iter().map(|link| cluster.link_name(*link)).collect();
/// assert_eq!(names, ["n0g0->n0sw", "n0sw->n0g3"]);
/// ```
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(crate) name: String,
    pub(crate) fabric_name: String,
    pub(crate) nics_per_group: Option<u32>,
    pub(crate) network: Option<String>,
    pub(crate) kinds: Vec<GpuSpec>,
    pub(crate) groups: Vec<Group>,
    pub(crate) nodes: Vec<NodeEntry>,
    /// By GPU: its node.
    pub(crate) gpu_nodes: Vec<NodeId>,
    pub(crate) n_domains: u32,
    pub(crate) fabric: Fabric,
    pub(crate) links: Vec<Link>,
    /// Drawn on demand.
    pub(crate) graph: OnceLock<DiGraph<Device, Link>>,
    pub(crate) measured: Option<Vec<Vec<Option<BytesPerSec>>>>,
    pub(crate) speeds: BTreeMap<GpuId, f64>,
    pub(crate) down: BTreeSet<LinkId>,
    /// By leaf and spine, what leads to the switches above it; looked up on demand.
    pub(crate) links_up: OnceLock<Vec<Vec<(NodeIndex, LinkId)>>>,
}

/// Nodes of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) spec: NodeSpec,
    /// Index into the kinds of GPUs.
    pub(crate) kind: usize,
    pub(crate) layout: Layout,
}

/// Where a node is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeEntry {
    pub(crate) group: u32,
    pub(crate) domain: u32,
    /// The first node of its domain.
    pub(crate) head: NodeId,
    pub(crate) first_gpu: u32,
    pub(crate) first_link: u32,
    pub(crate) first_device: u32,
}

/// The NIC of a node, as striped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NicId {
    /// The node.
    pub node: NodeId,
    /// Its number in the node.
    pub index: u32,
}

impl Cluster {
    /// What the report calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its fabric.
    pub fn fabric_name(&self) -> &str {
        &self.fabric_name
    }

    /// NICs of a scale-up domain over which the collectives of one group send, where the fabric
    /// bounds them: [`FabricSpec::nics_per_group`](crate::FabricSpec::nics_per_group).
    pub const fn nics_per_group(&self) -> Option<u32> {
        self.nics_per_group
    }

    /// What carries messages between its nodes, as far as its fabric says so: the name of an entry
    /// of a profile's networks.
    pub fn network(&self) -> Option<&str> {
        self.network.as_deref()
    }

    /// GPUs of all nodes.
    pub fn n_gpus(&self) -> usize {
        self.gpu_nodes.len()
    }

    /// Nodes.
    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Every GPU, in order.
    pub fn gpus(&self) -> impl ExactSizeIterator<Item = GpuId> + use<> {
        (0..self.n_gpus()).map(GpuId::from_index)
    }

    /// The data sheet of a GPU.
    pub fn gpu(&self, gpu: GpuId) -> &GpuSpec {
        &self.kinds[self.kind_of(gpu)]
    }

    /// The kind of a GPU: an index into [`Cluster::kinds`].
    pub fn kind_of(&self, gpu: GpuId) -> usize {
        self.group_of(self.node_of(gpu)).kind
    }

    /// The kinds of GPUs in the cluster, each once.
    pub fn kinds(&self) -> &[GpuSpec] {
        &self.kinds
    }

    /// The speed of a GPU as a share of its kind's: 1 unless a fault slows it.
    pub fn gpu_speed(&self, gpu: GpuId) -> f64 {
        self.speeds.get(&gpu).copied().unwrap_or(1.0)
    }

    /// The node of a GPU.
    pub fn node_of(&self, gpu: GpuId) -> NodeId {
        self.gpu_nodes[gpu.index()]
    }

    /// The number of a GPU in its node.
    pub fn index_in_node(&self, gpu: GpuId) -> u32 {
        gpu.get() - self.entry(self.node_of(gpu)).first_gpu
    }

    /// What a node is.
    pub fn node(&self, node: NodeId) -> &NodeSpec {
        &self.group_of(node).spec
    }

    /// The numbers of a node's GPUs.
    pub fn gpus_of(&self, node: NodeId) -> Range<u32> {
        let first = self.entry(node).first_gpu;
        first..first + self.group_of(node).layout.gpus
    }

    /// The scale-up domain of a GPU: GPUs of one domain reach each other without the fabric. A
    /// node without `NVLink` is a domain of its own, on `PCIe`.
    pub fn domain_of(&self, gpu: GpuId) -> u32 {
        self.entry(self.node_of(gpu)).domain
    }

    /// Scale-up domains.
    pub fn n_domains(&self) -> u32 {
        self.n_domains
    }

    /// What connects the GPUs of a GPU's domain.
    pub fn scale_up(&self, gpu: GpuId) -> &ScaleUpSpec {
        &self.node(self.node_of(gpu)).scale_up
    }

    /// What one GPU sends into its domain or receives from it at most, all peers together: the
    /// slower direction, faults counted.
    pub fn scale_up_rate(&self, gpu: GpuId) -> BytesPerSec {
        let entry = self.entry(self.node_of(gpu));
        let own = Local::Gpu(self.index_in_node(gpu));
        let links = &self.group_of(self.node_of(gpu)).layout.links;
        let here = &self.links[entry.first_link as usize..][..links.len()];
        let sum = |kind| {
            let way = |end: fn(&LocalLink) -> Local| {
                let mine = links
                    .iter()
                    .zip(here)
                    .filter(|(local, _)| end(local) == own);
                let rates = mine.map(|(_, link)| *link).filter(|link| link.kind == kind);
                BytesPerSec::new(rates.rev().map(|link| link.rate.as_f64()).sum())
            };
            Some(way(|link| link.from)?.min(way(|link| link.to)?))
        };
        sum(crate::LinkKind::ScaleUp)
            .or_else(|| sum(crate::LinkKind::Host))
            .unwrap_or(self.node(self.node_of(gpu)).host.gpu_link)
    }

    /// The NIC of a GPU, the first if it owns several that are not striped; `None` where its node
    /// has none.
    pub fn nic_of(&self, gpu: GpuId) -> Option<NicId> {
        let node = self.node_of(gpu);
        let layout = &self.group_of(node).layout;
        (0 < layout.nics).then(|| NicId {
            node,
            index: layout.nics_of(self.index_in_node(gpu)).start,
        })
    }

    /// NICs that a GPU owns: more than one only where they are not striped.
    pub fn nics_of(&self, gpu: GpuId) -> u32 {
        let layout = &self.group_of(self.node_of(gpu)).layout;
        if layout.nics == 0 {
            return 0;
        }
        let nics = layout.nics_of(self.index_in_node(gpu));
        nics.end - nics.start
    }

    /// The links from a NIC to its leaf and back.
    pub fn nic_links(&self, nic: NicId) -> [LinkId; 2] {
        let entry = self.entry(nic.node);
        let up = entry.first_link + self.group_of(nic.node).layout.nic_up(nic.index);
        [LinkId::new(up), LinkId::new(up + 1)]
    }

    /// The rail or plane of a NIC; 0 in other fabrics.
    pub fn lane_of(&self, nic: NicId) -> u32 {
        let layout = &self.group_of(nic.node).layout;
        self.fabric.lane(nic.index, layout.nics_in_all)
    }

    /// Whether the switches of the fabric form levels: not in a dragonfly, a torus or a graph, where
    /// traffic of others crosses the switches of a node.
    pub const fn has_levels(&self) -> bool {
        self.fabric.web.is_none()
    }

    /// The group of leaves that a node hangs on; without levels, the switch of its first NIC.
    pub fn leaf_group_of(&self, node: NodeId) -> u32 {
        match &self.fabric.web {
            Some(web) if 0 < self.group_of(node).layout.nics => web.switch_of(node.get(), 0),
            _ => self.fabric.group(node.get()),
        }
    }

    /// The pod of a node, or its group in a dragonfly; 0 in fabrics of two levels, in tori and in
    /// graphs.
    pub fn pod_of(&self, node: NodeId) -> u32 {
        let below = self.leaf_group_of(node);
        match &self.fabric.web {
            Some(web) => web.group(below),
            None => self.fabric.pod(below),
        }
    }

    /// Links, one direction each, indexed by [`LinkId`].
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// One direction of a link.
    pub fn link(&self, link: LinkId) -> Link {
        self.links[link.index()]
    }

    /// The other direction of a link.
    pub fn reverse(&self, link: LinkId) -> LinkId {
        LinkId::new(link.get() ^ 1)
    }

    /// The name of a link, for example `n0g0->n0sw`.
    pub fn link_name(&self, link: LinkId) -> String {
        let (from, to) = self.ends(link);
        format!("{}->{}", self.device_name(from), self.device_name(to))
    }

    /// The name of a device; switches of a graph are called as its file calls them.
    pub fn device_name(&self, device: Device) -> String {
        let web = self.fabric.web.as_ref();
        let switch = web.and_then(|web| Some(web.name(web.switch(device)?)));
        switch.unwrap_or_else(|| device.to_string())
    }

    /// The device of that name, by the names of the file or those of [`Device`].
    fn device_named(&self, name: &str) -> Option<Device> {
        let web = self.fabric.web.as_ref();
        let named = web.and_then(|web| {
            let at = web.names.iter().position(|known| known == name)?;
            Some(web.device(u32::try_from(at).ok()?))
        });
        named.or_else(|| name.parse().ok())
    }

    /// The link of that name.
    pub fn link_named(&self, name: &str) -> Option<LinkId> {
        let (from, to) = name.split_once("->")?;
        self.link_between(self.device_named(from)?, self.device_named(to)?)
    }

    /// The name of a GPU, for example `n0g3`.
    pub fn gpu_name(&self, gpu: GpuId) -> String {
        Device::Gpu {
            node: self.node_of(gpu),
            gpu: self.index_in_node(gpu),
        }
        .to_string()
    }

    /// The GPU of that name.
    pub fn gpu_named(&self, name: &str) -> Option<GpuId> {
        let Device::Gpu { node, gpu } = name.parse().ok()? else {
            return None;
        };
        let entry = self.nodes.get(node.index())?;
        let gpus = self.groups[entry.group as usize].layout.gpus;
        (gpu < gpus).then(|| GpuId::new(entry.first_gpu + gpu))
    }

    /// The node of that name: `n<node>`, as network workloads name hosts.
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        let Device::NvSwitch { node } = format!("{name}sw").parse().ok()? else {
            return None;
        };
        (node.index() < self.n_nodes()).then_some(node)
    }

    /// The rate of the narrowest link of a path; unbounded where the path is empty.
    ///
    /// # Panics
    ///
    /// If a link is not of this cluster.
    pub fn path_rate(&self, path: &[LinkId]) -> BytesPerSec {
        let rates = path.iter().map(|link| self.link(*link).rate);
        rates.reduce(BytesPerSec::min).unwrap_or_else(|| {
            BytesPerSec::new(f64::MAX).expect("the largest number is finite and positive")
        })
    }

    /// The sum of the latencies of a path.
    pub fn path_latency(&self, path: &[LinkId]) -> Seconds {
        path.iter().map(|link| self.link(*link).latency).sum()
    }

    /// Whether rates between some nodes were measured.
    pub const fn has_measured_rates(&self) -> bool {
        self.measured.is_some()
    }

    /// What was measured from the node of one GPU to the node of another; `None` inside a node.
    pub fn measured_rate(&self, from: GpuId, to: GpuId) -> Option<BytesPerSec> {
        self.measured_between(self.node_of(from), self.node_of(to))
    }

    /// What was measured from one node to another.
    pub fn measured_between(&self, from: NodeId, to: NodeId) -> Option<BytesPerSec> {
        let rows = self.measured.as_ref()?;
        (from != to).then(|| rows[from.index()][to.index()])?
    }

    pub(crate) fn entry(&self, node: NodeId) -> NodeEntry {
        self.nodes[node.index()]
    }

    pub(crate) fn group_of(&self, node: NodeId) -> &Group {
        &self.groups[self.nodes[node.index()].group as usize]
    }
}
