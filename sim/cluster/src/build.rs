//! From a spec to the graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use units::{BytesPerSec, NodeId};

use crate::check::{MAX_LINKS, check, used};
use crate::cluster::{Cluster, Group, NodeEntry};
use crate::device::{Link, LinkKind};
use crate::error::ClusterError;
use crate::fabric::{Fabric, Ports, fabric};
use crate::layout::{Layout, layout};
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
        let count = usize::try_from(links).expect("the limit on links is far below 2³²");
        let links = self::links(&groups, &nodes, &mut fabric, count);
        Ok(Self {
            name: spec.name.clone(),
            fabric_name: spec.fabric.name.clone(),
            nics_per_group: spec.fabric.nics_per_group,
            network: spec.fabric.network.clone(),
            kinds,
            gpu_nodes: gpu_nodes(&groups, &nodes),
            n_domains: nodes.last().map_or(0, |node| node.domain + 1),
            links,
            graph: OnceLock::new(),
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

/// Every link, in order: node by node, then those between switches.
fn links(groups: &[Group], nodes: &[NodeEntry], fabric: &mut Fabric, count: usize) -> Vec<Link> {
    let mut links = Vec::with_capacity(count);
    for node in nodes {
        let layout = &groups[node.group as usize].layout;
        links.extend(layout.links.iter().map(|local| local.link));
        if let Some(rate) = layout.nic_rate {
            let pair = fabric.nic_latency.map(|latency| Link {
                rate,
                latency,
                kind: LinkKind::Nic,
            });
            (0..layout.nics).for_each(|_| links.extend(pair));
        }
    }
    if let Some(web) = &mut fabric.web {
        let cables = std::mem::take(&mut web.links);
        links.extend(cables.into_iter().flat_map(|link| [link, link]));
    }
    let [leaf, spine] = [
        fabric.n_leaves() * fabric.spines,
        fabric.n_spines() * fabric.cores,
    ];
    for (link, count) in fabric.links.into_iter().zip([leaf, spine]) {
        let both = link.into_iter().cycle().take(2 * count as usize);
        links.extend(both);
    }
    links
}
