//! From a spec to the graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use petgraph::graph::{DiGraph, NodeIndex};
use units::{BytesPerSec, NodeId};

use crate::check::{MAX_LINKS, check, used};
use crate::cluster::{Cluster, Group, NodeEntry};
use crate::device::{Device, Link, LinkKind};
use crate::error::ClusterError;
use crate::fabric::{Fabric, Ports, fabric};
use crate::layout::{Layout, Local, layout};
use crate::spec::{ClusterSpec, GpuSpec, NodeGroup, ScaleUpSpec};

impl Cluster {
    /// Checks a spec and builds its graph.
    ///
    /// # Errors
    ///
    /// All reasons at once why the spec does not describe a cluster.
    ///
    /// # Panics
    ///
    /// Never: the limits of the check keep every number in range.
    pub fn build(spec: &ClusterSpec) -> Result<Self, Vec<ClusterError>> {
        let errors = check(spec);
        if !errors.is_empty() {
            return Err(errors);
        }
        let kinds = kinds(spec);
        let groups: Vec<Group> = spec
            .groups
            .iter()
            .map(|group| place(group, &kinds))
            .collect();
        let mut fabric = shape(spec, &groups).map_err(|error| vec![error])?;
        let (nodes, node_links) = number(spec, &groups, &fabric);
        let links = node_links + fabric.all_links();
        if u128::from(MAX_LINKS) < links {
            return Err(vec![ClusterError::TooManyInAll {
                what: "links",
                value: u64::try_from(links).unwrap_or(u64::MAX),
                limit: MAX_LINKS,
            }]);
        }
        fabric.place_links(u32::try_from(node_links).expect("the limit on links is far below 2³²"));
        let graph = draw(&groups, &nodes, &fabric);
        if let Some(web) = &mut fabric.web {
            web.links = Vec::new();
        }
        Ok(Self {
            name: spec.name.clone(),
            fabric_name: spec.fabric.name.clone(),
            nics_per_group: spec.fabric.nics_per_group,
            network: spec.fabric.network.clone(),
            kinds,
            gpu_nodes: gpu_nodes(&groups, &nodes),
            n_domains: nodes.last().map_or(0, |node| node.domain + 1),
            links: graph.edge_weights().copied().collect(),
            graph,
            groups,
            nodes,
            fabric,
            measured: spec.fabric.measured.clone(),
            speeds: BTreeMap::new(),
            down: BTreeSet::new(),
            links_up: OnceLock::new(),
        })
    }
}

/// The GPUs that nodes have, each once, in order of first use.
fn kinds(spec: &ClusterSpec) -> Vec<GpuSpec> {
    let mut kinds: Vec<GpuSpec> = Vec::new();
    for group in &spec.groups {
        let known = spec.gpus.iter().find(|gpu| gpu.name == group.node.gpu);
        if let Some(gpu) = known
            && kinds.iter().all(|kind| kind.name != gpu.name)
        {
            kinds.push(gpu.clone());
        }
    }
    kinds
}

fn place(group: &NodeGroup, kinds: &[GpuSpec]) -> Group {
    let kind = kinds.iter().position(|kind| kind.name == group.node.gpu);
    Group {
        spec: group.node.clone(),
        kind: kind.expect("the check refuses unknown GPUs"),
        layout: layout(&group.node, used(group)),
    }
}

fn shape(spec: &ClusterSpec, groups: &[Group]) -> Result<Fabric, ClusterError> {
    let rates = groups.iter().filter_map(|group| group.layout.nic_rate);
    let ports = Ports {
        nodes: spec.groups.iter().map(|group| group.count).sum(),
        nics: groups
            .iter()
            .map(|group| group.layout.nics_in_all)
            .max()
            .unwrap_or(0),
        cable: rates
            .reduce(BytesPerSec::max)
            .expect("a cluster has a group of nodes"),
    };
    fabric(&spec.fabric, ports, |lanes| {
        let in_lane = |layout: &Layout| {
            let nics = f64::from(layout.nics_in_all.div_ceil(lanes).max(1));
            layout.nic_rate.map_or(0.0, |rate| rate.as_f64() * nics)
        };
        groups
            .iter()
            .map(|group| in_lane(&group.layout))
            .fold(0.0, f64::max)
    })
}

/// Numbers GPUs, domains, devices and links node by node; returns the count of links, too.
fn number(spec: &ClusterSpec, groups: &[Group], fabric: &Fabric) -> (Vec<NodeEntry>, u128) {
    let switches = fabric.n_switches();
    let mut nodes: Vec<NodeEntry> = Vec::new();
    let (mut gpu, mut device, mut links) = (0, switches, 0u128);
    for (index, (group, spec)) in groups.iter().zip(&spec.groups).enumerate() {
        let domain_nodes = match group.spec.scale_up {
            ScaleUpSpec::NvSwitch { domain_nodes, .. } => domain_nodes,
            _ => 1,
        };
        for i in 0..spec.count {
            let here = NodeId::from_index(nodes.len());
            let last = nodes.last().copied();
            let heads = i % domain_nodes == 0;
            nodes.push(NodeEntry {
                group: u32::try_from(index).expect("every group has a node"),
                domain: last.map_or(0, |node| node.domain + u32::from(heads)),
                head: last.filter(|_| !heads).map_or(here, |node| node.head),
                first_gpu: gpu,
                first_link: u32::try_from(links).unwrap_or(u32::MAX),
                first_device: device,
            });
            gpu += group.layout.gpus;
            device += n_devices(group, heads);
            links += group.layout.n_links() as u128;
        }
    }
    (nodes, links)
}

/// Devices of a node: its GPUs, the switch of the domain if it heads one, the host, the NICs.
fn n_devices(group: &Group, heads: bool) -> u32 {
    let layout = &group.layout;
    layout.gpus + has_switch(group, heads) + layout.pcis + layout.sockets + layout.nics
}

fn has_switch(group: &Group, heads: bool) -> u32 {
    u32::from(heads && matches!(group.spec.scale_up, ScaleUpSpec::NvSwitch { .. }))
}

fn gpu_nodes(groups: &[Group], nodes: &[NodeEntry]) -> Vec<NodeId> {
    let mut gpu_nodes = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let gpus = groups[node.group as usize].layout.gpus as usize;
        gpu_nodes.extend(std::iter::repeat_n(NodeId::from_index(index), gpus));
    }
    gpu_nodes
}

fn draw(groups: &[Group], nodes: &[NodeEntry], fabric: &Fabric) -> DiGraph<Device, Link> {
    let switches = fabric.n_switches();
    let of_node = |node: &NodeEntry| &groups[node.group as usize];
    let last = nodes.last().map_or(switches, |node| {
        node.first_device + n_devices(of_node(node), true)
    });
    let links = nodes
        .iter()
        .map(|node| of_node(node).layout.n_links())
        .sum::<usize>()
        + usize::try_from(fabric.all_links()).unwrap_or(0);
    let mut graph = DiGraph::with_capacity(last as usize, links);
    let leaves = (0..fabric.n_leaves()).map(Device::Leaf);
    let spines = (0..fabric.n_spines()).map(Device::Spine);
    let cores = (0..fabric.n_cores()).map(Device::Core);
    let web = fabric
        .web
        .iter()
        .flat_map(|web| web.switches().map(|switch| web.device(switch)));
    for switch in leaves.chain(spines).chain(cores).chain(web) {
        graph.add_node(switch);
    }
    for (index, node) in nodes.iter().enumerate() {
        draw_devices(&mut graph, NodeId::from_index(index), node, of_node(node));
    }
    for (index, node) in nodes.iter().enumerate() {
        let head = nodes[node.head.index()];
        draw_links(
            &mut graph,
            NodeId::from_index(index),
            node,
            &head,
            of_node(node),
            fabric,
        );
    }
    draw_fabric(&mut graph, fabric);
    graph
}

fn draw_devices(graph: &mut DiGraph<Device, Link>, id: NodeId, node: &NodeEntry, group: &Group) {
    let layout = &group.layout;
    for gpu in 0..layout.gpus {
        graph.add_node(Device::Gpu { node: id, gpu });
    }
    if has_switch(group, node.head == id) == 1 {
        graph.add_node(Device::NvSwitch { node: id });
    }
    for index in 0..layout.pcis {
        graph.add_node(Device::PciSwitch { node: id, index });
    }
    for index in 0..layout.sockets {
        graph.add_node(Device::Socket { node: id, index });
    }
    for index in 0..layout.nics {
        graph.add_node(Device::Nic { node: id, index });
    }
}

fn draw_links(
    graph: &mut DiGraph<Device, Link>,
    id: NodeId,
    node: &NodeEntry,
    head: &NodeEntry,
    group: &Group,
    fabric: &Fabric,
) {
    let layout = &group.layout;
    let pci = node.first_device + layout.gpus + has_switch(group, node.head == id);
    let socket = pci + layout.pcis;
    let nic = socket + layout.sockets;
    let vertex = |local| {
        let index = match local {
            Local::Gpu(gpu) => node.first_device + gpu,
            // The head of a domain has as many GPUs as every node of its group.
            Local::Switch => head.first_device + layout.gpus,
            Local::Pci(index) => pci + index,
            Local::Socket(index) => socket + index,
            Local::Nic(index) => nic + index,
        };
        NodeIndex::new(index as usize)
    };
    for link in &layout.links {
        graph.add_edge(vertex(link.from), vertex(link.to), link.link);
    }
    let Some(rate) = layout.nic_rate else {
        return;
    };
    let leaves = fabric.group(id.get());
    for nic in 0..layout.nics {
        let lane = fabric.lane(nic, layout.nics_in_all);
        let switch = match &fabric.web {
            Some(web) => web.switch_of(id.get(), nic),
            None => fabric.leaf(leaves, lane),
        };
        let leaf = NodeIndex::new(switch as usize);
        let [up, down] = fabric.nic_latency.map(|latency| Link {
            rate,
            latency,
            kind: LinkKind::Nic,
        });
        graph.add_edge(vertex(Local::Nic(nic)), leaf, up);
        graph.add_edge(leaf, vertex(Local::Nic(nic)), down);
    }
}

fn draw_fabric(graph: &mut DiGraph<Device, Link>, fabric: &Fabric) {
    let [leaf_link, spine_link] = fabric.links;
    let first_spine = fabric.n_leaves();
    let first_core = first_spine + fabric.n_spines();
    let mut join = |below: u32, above: u32, link: Link| {
        let [below, above] = [below, above].map(|index| NodeIndex::new(index as usize));
        graph.add_edge(below, above, link);
        graph.add_edge(above, below, link);
    };
    if let Some(web) = &fabric.web {
        for (&[a, b], link) in web.ends.iter().zip(&web.links) {
            join(a, b, *link);
        }
    }
    if let Some(link) = leaf_link {
        for leaf in 0..fabric.n_leaves() {
            let pod = fabric.pod(leaf / fabric.lanes);
            let set = fabric.set(leaf % fabric.lanes);
            for s in 0..fabric.spines {
                join(leaf, first_spine + fabric.spine(pod, set, s), link);
            }
        }
    }
    if let Some(link) = spine_link {
        for spine in 0..fabric.n_spines() {
            let (set, s) = (spine / fabric.spines % fabric.sets, spine % fabric.spines);
            for c in 0..fabric.cores {
                join(
                    first_spine + spine,
                    first_core + fabric.core(set, s, c),
                    link,
                );
            }
        }
    }
}
