//! The switches between nodes: how many, how fast, and which numbers they and their links have.
//!
//! A fabric is a folded Clos network of up to three levels. NICs fall into **lanes**: the rails
//! of a rail-optimised fabric, the planes of a multi-plane one, else one lane for all. A group
//! of nodes has one leaf per lane. Leaves of a pod meet in its spines, pods in core switches;
//! planes are separate **sets** that never meet.
//!
//! ```text
//!   core (set·S + s)·C + c          one group of C per spine of a pod
//!   spine (pod·sets + set)·S + s    S per pod and set
//!   leaf group·lanes + lane         one per group and lane
//! ```

use units::{BytesPerSec, Seconds};

use crate::check::MAX_LINKS;
use crate::device::{Link, LinkKind};
use crate::error::ClusterError;
use crate::spec::{FabricKind, FabricSpec};
use crate::web::{Web, web};

/// The shape of a fabric, with the ids of its links.
#[derive(Clone, Debug)]
pub(crate) struct Fabric {
    pub(crate) lanes: u32,
    pub(crate) sets: u32,
    pub(crate) nodes_per_leaf: u32,
    pub(crate) groups: u32,
    pub(crate) groups_per_pod: u32,
    pub(crate) pods: u32,
    /// Spines per pod and set.
    pub(crate) spines: u32,
    /// Core switches per spine of a pod.
    pub(crate) cores: u32,
    /// Ports of one node in one lane.
    pub(crate) ports: u32,
    /// Between NIC and leaf, latencies up and down.
    pub(crate) nic_latency: [Seconds; 2],
    /// Between leaf and spine, and between spine and core.
    pub(crate) links: [Option<Link>; 2],
    /// The first link between leaves and spines, and between spines and cores.
    pub(crate) first_link: [u32; 2],
    /// What stands instead of leaves and all above them, in fabrics without levels.
    pub(crate) web: Option<Web>,
}

/// What the fabric must know of the nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) nodes: u32,
    /// NICs of a node, the most of all groups.
    pub(crate) nics: u32,
    /// The fastest NIC.
    pub(crate) cable: BytesPerSec,
}

/// The shape of a checked fabric; `node_rate(lanes)` is the largest sum of NIC rates that a node
/// has in one lane. Link ids begin at 0; see [`Fabric::place_links`].
pub(crate) fn fabric(
    spec: &FabricSpec,
    ports: Ports,
    node_rate: impl Fn(u32) -> f64,
) -> Result<Fabric, ClusterError> {
    let cable = spec.link_rate.unwrap_or(ports.cable);
    if let Some(web) = web(spec, ports.nodes, ports.nics, cable) {
        return Fabric {
            groups: 0,
            ports: ports.nics.max(1),
            web: Some(web),
            ..groups(spec, ports)
        }
        .within_limit();
    }
    let mut fabric = groups(spec, ports);
    let leaf_rate = node_rate(fabric.lanes) * f64::from(fabric.nodes_per_leaf);
    let leaves_per_pod = fabric.lanes / fabric.sets * fabric.groups_per_pod;
    if 1 < leaves_per_pod || 1 < fabric.pods {
        let up = leaf_rate / level(spec, 0);
        fabric.spines = spec.spines.unwrap_or_else(|| cables(up, cable));
        fabric.links[0] = switch_link(spec, up / f64::from(fabric.spines));
    }
    if 1 < fabric.pods {
        let pod_rate = leaf_rate * f64::from(leaves_per_pod);
        let up = pod_rate / level(spec, 1) / f64::from(fabric.spines);
        fabric.cores = spec.cores.unwrap_or_else(|| cables(up, cable));
        fabric.links[1] = switch_link(spec, up / f64::from(fabric.cores));
    }
    fabric.within_limit()
}

/// Lanes, leaves and pods, without what is above the leaves.
fn groups(spec: &FabricSpec, ports: Ports) -> Fabric {
    let lanes = match spec.kind {
        FabricKind::RailOptimised => spec.rails.unwrap_or(ports.nics).max(1),
        _ => spec.planes,
    };
    let nodes_per_leaf = match spec.kind {
        FabricKind::Single => ports.nodes,
        kind if !kind.is_clos() => ports.nodes,
        _ => spec.nodes_per_leaf.min(ports.nodes),
    };
    let groups = ports.nodes.div_ceil(nodes_per_leaf);
    let groups_per_pod = spec.groups_per_pod.unwrap_or(groups).min(groups);
    Fabric {
        lanes,
        sets: spec.planes,
        nodes_per_leaf,
        groups,
        groups_per_pod,
        pods: groups.div_ceil(groups_per_pod),
        spines: 0,
        cores: 0,
        ports: ports.nics.div_ceil(lanes).max(1),
        nic_latency: [spec.link_latency + spec.switch_latency, spec.link_latency],
        links: [None; 2],
        first_link: [0; 2],
        web: None,
    }
}

impl Fabric {
    fn within_limit(self) -> Result<Self, ClusterError> {
        let (field, value) = [
            ("switches", self.all_switches()),
            ("links", self.all_links()),
        ]
        .into_iter()
        .max_by_key(|(_, value)| *value)
        .unwrap_or_default();
        if value <= u128::from(MAX_LINKS) {
            return Ok(self);
        }
        Err(ClusterError::TooMany {
            field: format!("fabric.{field}"),
            value: u64::try_from(value).unwrap_or(u64::MAX),
            limit: MAX_LINKS,
        })
    }

    pub(crate) fn n_leaves(&self) -> u32 {
        self.groups * self.lanes
    }

    pub(crate) fn n_spines(&self) -> u32 {
        self.pods * self.sets * self.spines
    }

    pub(crate) fn n_cores(&self) -> u32 {
        self.sets * self.spines * self.cores
    }

    /// Leaves, spines and core switches, or those of a web.
    pub(crate) fn n_switches(&self) -> u32 {
        let web = self.web.as_ref().map_or(0, Web::n_switches);
        self.n_leaves() + self.n_spines() + self.n_cores() + web
    }

    /// Links between switches, both directions.
    pub(crate) fn all_links(&self) -> u128 {
        if let Some(web) = &self.web {
            return 2 * web.ends.len() as u128;
        }
        let leaf = product([self.groups, self.lanes, self.spines, 1]);
        2 * (leaf + product([self.pods, self.sets, self.spines, self.cores]))
    }

    fn all_switches(&self) -> u128 {
        let leaf = product([self.groups, self.lanes, 1, 1]);
        let spine = product([self.pods, self.sets, self.spines, 1]);
        leaf + spine + product([self.sets, self.spines, self.cores, 1])
    }

    /// Numbers the links between switches after `first` others.
    pub(crate) fn place_links(&mut self, first: u32) {
        let leaf = 2 * self.n_leaves() * self.spines;
        self.first_link = [first, first + leaf];
    }

    /// The group of leaves of a node.
    pub(crate) fn group(&self, node: u32) -> u32 {
        node / self.nodes_per_leaf
    }

    /// The pod of a group of leaves.
    pub(crate) fn pod(&self, group: u32) -> u32 {
        group / self.groups_per_pod
    }

    pub(crate) fn leaf(&self, group: u32, lane: u32) -> u32 {
        group * self.lanes + lane
    }

    /// The set of spines of a lane.
    pub(crate) fn set(&self, lane: u32) -> u32 {
        if self.sets == 1 { 0 } else { lane }
    }

    pub(crate) fn spine(&self, pod: u32, set: u32, s: u32) -> u32 {
        (pod * self.sets + set) * self.spines + s
    }

    pub(crate) fn core(&self, set: u32, s: u32, c: u32) -> u32 {
        (set * self.spines + s) * self.cores + c
    }

    /// Spine `s` above a leaf.
    pub(crate) fn spine_above(&self, leaf: u32, s: u32) -> u32 {
        let pod = self.pod(leaf / self.lanes);
        self.spine(pod, self.set(leaf % self.lanes), s)
    }

    /// Core switch `c` above a spine.
    pub(crate) fn core_above(&self, spine: u32, c: u32) -> u32 {
        self.core(spine / self.spines % self.sets, spine % self.spines, c)
    }

    /// The link from a leaf up to spine `s` of its pod and set; the way down is the next.
    pub(crate) fn leaf_up(&self, leaf: u32, s: u32) -> u32 {
        self.first_link[0] + 2 * (leaf * self.spines + s)
    }

    /// The link from a spine up to core `c` of its group; the way down is the next.
    pub(crate) fn spine_up(&self, spine: u32, c: u32) -> u32 {
        self.first_link[1] + 2 * (spine * self.cores + c)
    }

    /// The lane of NIC `nic` of a node that has `nics`.
    pub(crate) fn lane(&self, nic: u32, nics: u32) -> u32 {
        nic * self.lanes / nics
    }

    /// The NICs of a node in one lane.
    pub(crate) fn nics_in(&self, lane: u32, nics: u32) -> std::ops::Range<u32> {
        let first = |lane: u32| (lane * nics).div_ceil(self.lanes);
        first(lane)..first(lane + 1)
    }
}

/// A count that no file can overflow.
fn product(factors: [u32; 4]) -> u128 {
    factors.into_iter().map(u128::from).product()
}

fn level(spec: &FabricSpec, index: usize) -> f64 {
    spec.oversubscription.get(index).copied().unwrap_or(1.0)
}

/// Cables that carry a rate, at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and the limit on links refuses what is too large"
)]
fn cables(rate: f64, cable: BytesPerSec) -> u32 {
    // A ratio such as 32.000000001, rounding noise of the division, is 32 cables.
    ((rate / cable.as_f64() - 1e-6).ceil() as u32).clamp(1, 1 << 24)
}

fn switch_link(spec: &FabricSpec, rate: f64) -> Option<Link> {
    Some(Link {
        rate: BytesPerSec::new(rate)?,
        latency: spec.link_latency + spec.switch_latency,
        kind: LinkKind::Fabric,
    })
}
