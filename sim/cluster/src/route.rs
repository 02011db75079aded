//! Routes, computed from the numbers of source and destination; none is stored by pair.
//!
//! Inside a scale-up domain a route stays on its links. Between domains it goes from the GPU
//! over `PCIe` to a NIC, up to the lowest switch above both ends, and down. Where NICs sit on
//! rails or planes, the sender uses the NIC on the lane of the receiver's NIC: over `NVLink`
//! to the GPU that owns that NIC, as NCCL's PXN does. In a graph it does so where a NIC of its
//! node hangs on the switch of the receiver's, and where no cables lead to that switch from its
//! own: a graph may be rails without cables between them.

use units::math::{GOLDEN, mix};
use units::{BytesPerSec, GpuId, LinkId, NodeId};

use crate::cluster::{Cluster, NicId, NodeEntry};
use crate::layout::Layout;
use crate::web::Web;

impl Cluster {
    /// The hash that spreads by destination: port `d mod k` upward at every level, as static
    /// routing of a fat tree does. Any other value spreads as ECMP does, by the hash.
    pub const D_MOD_K: u64 = 0;

    /// Appends the links from one GPU to another; nothing where both are the same.
    ///
    /// `hash` picks among equal ways: [`Cluster::D_MOD_K`], or any other number as a switch
    /// hashes the headers of a connection. Equal arguments give equal routes.
    pub fn route(&self, from: GpuId, to: GpuId, hash: u64, out: &mut Vec<LinkId>) {
        if from == to {
            return;
        }
        let (source, target) = (self.node_of(from), self.node_of(to));
        let (a, b) = (self.entry(source), self.entry(target));
        if source == target {
            return self.route_in_node(a, from.get() - a.first_gpu, to.get() - a.first_gpu, out);
        }
        let [local_from, local_to] = [from.get() - a.first_gpu, to.get() - b.first_gpu];
        if a.domain == b.domain {
            out.push(LinkId::new(a.first_link + Layout::up(local_from)));
            out.push(LinkId::new(b.first_link + Layout::down(local_to)));
            return;
        }
        let [nic_from, nic_to] = self.nics_between((source, local_from), (target, local_to), hash);
        self.route_to_nic(source, local_from, nic_from.index, out);
        self.route_between_nics(nic_from, nic_to, hash, out);
        self.route_from_nic(target, nic_to.index, local_to, out);
    }

    /// Appends the links from one node's first NIC to another's, as network workloads see hosts;
    /// nothing where both are the same or the nodes have no NICs.
    pub fn route_hosts(&self, from: NodeId, to: NodeId, hash: u64, out: &mut Vec<LinkId>) {
        let nics = |node: NodeId| self.group_of(node).layout.nics;
        if from != to && 0 < nics(from).min(nics(to)) {
            let [from, to] = [from, to].map(|node| NicId { node, index: 0 });
            self.route_between_nics(from, to, hash, out);
        }
    }

    /// Appends the links from a NIC over the fabric to a NIC of another node.
    ///
    /// # Panics
    ///
    /// If the NICs lie in different planes, which nothing joins.
    pub fn route_between_nics(&self, from: NicId, to: NicId, hash: u64, out: &mut Vec<LinkId>) {
        if let Some(web) = &self.fabric.web {
            return self.route_over(web, [from, to], hash, out);
        }
        let fabric = &self.fabric;
        let place = |nic: NicId| (self.leaf_group_of(nic.node), self.lane_of(nic));
        let ((group_a, lane_a), (group_b, lane_b)) = (place(from), place(to));
        out.push(self.nic_links(from)[0]);
        let [a, b] = [fabric.leaf(group_a, lane_a), fabric.leaf(group_b, lane_b)];
        if a != b {
            let set = fabric.set(lane_a);
            assert!(
                set == fabric.set(lane_b),
                "NICs in different planes: nothing joins them"
            );
            let [pod_a, pod_b] = [group_a, group_b].map(|group| fabric.pod(group));
            let spread = Spread::new(hash, self.port(to), fabric.spines, fabric.cores);
            if pod_a == pod_b {
                out.extend(self.over_spine(a, b, spread));
            } else {
                let spines = [pod_a, pod_b].map(|pod| fabric.spine(pod, set, 0));
                out.extend(self.over_core([a, b], spines, spread));
            }
        }
        out.push(self.nic_links(to)[1]);
    }

    fn route_over(&self, web: &Web, nics: [NicId; 2], hash: u64, out: &mut Vec<LinkId>) {
        let [a, b] = nics.map(|nic| self.leaf_of(nic));
        out.push(self.nic_links(nics[0])[0]);
        if a != b {
            let way = web.static_way(a, b, hash, self.port(nics[1]));
            let first = self.fabric.first_link[0];
            web.walk(a, b, way, |port| out.push(LinkId::new(first + port)));
        }
        out.push(self.nic_links(nics[1])[1]);
    }

    /// The rate of a route alone: its narrowest link, or what was measured if that is less.
    pub fn route_rate(&self, from: GpuId, to: GpuId, path: &[LinkId]) -> BytesPerSec {
        let rate = self.path_rate(path);
        self.measured_rate(from, to)
            .map_or(rate, |measured| rate.min(measured))
    }

    /// Appends the links from a GPU to the host memory of its socket.
    pub fn route_to_host(&self, gpu: GpuId, out: &mut Vec<LinkId>) {
        let node = self.node_of(gpu);
        let first = self.entry(node).first_link;
        let path = self.group_of(node).layout.to_host(self.index_in_node(gpu));
        out.extend(path.iter().map(|link| LinkId::new(first + link)));
    }

    /// Appends the links from the host memory of its socket to a GPU.
    pub fn route_from_host(&self, gpu: GpuId, out: &mut Vec<LinkId>) {
        let start = out.len();
        self.route_to_host(gpu, out);
        out[start..].reverse();
        out[start..]
            .iter_mut()
            .for_each(|link| *link = self.reverse(*link));
    }

    fn route_in_node(&self, node: NodeEntry, from: u32, to: u32, out: &mut Vec<LinkId>) {
        let layout = &self.groups[node.group as usize].layout;
        layout.extend_gpu_path(from, to, |link| {
            out.push(LinkId::new(node.first_link + link));
        });
    }

    /// From a GPU to a NIC: over `NVLink` to the GPU that owns it, where that is another.
    pub(crate) fn route_to_nic(&self, node: NodeId, gpu: u32, nic: u32, out: &mut Vec<LinkId>) {
        let owner = owner(&self.group_of(node).layout, gpu, nic);
        let entry = self.entry(node);
        if owner != gpu {
            self.route_in_node(entry, gpu, owner, out);
        }
        let path = self.group_of(node).layout.to_nic(owner, nic);
        out.extend(path.iter().map(|link| LinkId::new(entry.first_link + link)));
    }

    /// From a NIC to a GPU, over `NVLink` where another GPU owns it.
    pub(crate) fn route_from_nic(&self, node: NodeId, nic: u32, gpu: u32, out: &mut Vec<LinkId>) {
        let owner = owner(&self.group_of(node).layout, gpu, nic);
        let entry = self.entry(node);
        let path = self.group_of(node).layout.after_nic(nic, owner);
        out.extend(path.iter().map(|link| LinkId::new(entry.first_link + link)));
        if owner != gpu {
            self.route_in_node(entry, owner, gpu, out);
        }
    }

    /// The NICs that two GPUs of different nodes use.
    pub(crate) fn nics_between(
        &self,
        from: (NodeId, u32),
        to: (NodeId, u32),
        hash: u64,
    ) -> [NicId; 2] {
        let own = |(node, gpu): (NodeId, u32)| {
            let nics = self.group_of(node).layout.nics_of(gpu);
            let index = nics.start + pick(hash, 0, nics.end - nics.start);
            NicId { node, index }
        };
        self.nics_met([from, to], [own(from), own(to)], hash)
    }

    /// The NICs that two GPUs use which would like to use these.
    pub(crate) fn nics_met(
        &self,
        [from, to]: [(NodeId, u32); 2],
        [mine, theirs]: [NicId; 2],
        hash: u64,
    ) -> [NicId; 2] {
        if self.fabric.web.is_some() {
            return [self.nic_towards(from, mine, theirs), theirs];
        }
        let (my_lane, their_lane) = (self.lane_of(mine), self.lane_of(theirs));
        if my_lane == their_lane {
            return [mine, theirs];
        }
        let planes = 1 < self.fabric.sets;
        // The lane of the receiver, through another GPU of the sender's node.
        if let Some(nic) = self.nic_in(from.0, their_lane, hash)
            && (planes || owner(&self.group_of(from.0).layout, from.1, nic.index) != from.1)
        {
            return [nic, theirs];
        }
        if !planes {
            return [mine, theirs];
        }
        // The lane of the sender, through another GPU of the receiver's node; else the first
        // plane, on which every node has a NIC.
        if let Some(nic) = self.nic_in(to.0, my_lane, hash) {
            return [mine, nic];
        }
        [from.0, to.0].map(|node| NicId { node, index: 0 })
    }

    /// The NIC of a sender on the switch of the receiver's, through another GPU of its node; its own
    /// where that is on the same switch, or none is.
    fn nic_towards(&self, (node, gpu): (NodeId, u32), mine: NicId, theirs: NicId) -> NicId {
        let switch = self.leaf_of(theirs);
        if self.leaf_of(mine) == switch {
            return mine;
        }
        let layout = &self.group_of(node).layout;
        let nics = (0..layout.nics).map(|index| NicId { node, index });
        let is_others = |nic: &NicId| owner(layout, gpu, nic.index) != gpu;
        let mut near = nics.clone().filter(|nic| self.leaf_of(*nic) == switch);
        if let Some(nic) = near.find(is_others) {
            return nic;
        }
        if self.are_joined([mine, theirs]) {
            return mine;
        }
        let joined = nics.filter(|nic| self.are_joined([*nic, theirs]));
        joined
            .clone()
            .find(is_others)
            .or(joined.min())
            .unwrap_or(mine)
    }

    /// Whether cables lead from the switch of one NIC to that of another, in a graph.
    pub(crate) fn are_joined(&self, nics: [NicId; 2]) -> bool {
        let [a, b] = nics.map(|nic| self.leaf_of(nic));
        let web = self.fabric.web.as_ref();
        web.is_none_or(|web| web.part(a) == web.part(b))
    }

    /// A NIC of a node in that lane.
    fn nic_in(&self, node: NodeId, lane: u32, hash: u64) -> Option<NicId> {
        let layout = &self.group_of(node).layout;
        let nics = self.fabric.nics_in(lane, layout.nics_in_all);
        let end = nics.end.min(layout.nics);
        let count = end.checked_sub(nics.start).filter(|count| 0 < *count)?;
        let index = nics.start + pick(hash, 0, count);
        Some(NicId { node, index })
    }

    /// The number of a NIC among the ports that can meet at a core switch: what routing by
    /// destination counts. Ports are numbered by leaf, as the subnet manager of a fat tree does,
    /// so that NICs of one node on different rails take different ways above their leaves.
    pub(crate) fn port(&self, nic: NicId) -> u32 {
        let fabric = &self.fabric;
        let (nics, lane) = (
            self.group_of(nic.node).layout.nics_in_all,
            self.lane_of(nic),
        );
        let in_lane = nic.index - fabric.nics_in(lane, nics).start;
        let group = fabric.group(nic.node.get());
        let leaf = if fabric.sets == 1 {
            fabric.leaf(group, lane)
        } else {
            group
        };
        let node = nic.node.get() - group * fabric.nodes_per_leaf;
        (leaf * fabric.nodes_per_leaf + node) * fabric.ports + in_lane
    }

    /// Up to a spine and down: the spine that the spread names, or the next that works.
    fn over_spine(&self, a: u32, b: u32, spread: Spread) -> [LinkId; 2] {
        let over = |s| {
            let [up, down] = [self.fabric.leaf_up(a, s), self.fabric.leaf_up(b, s) + 1];
            [up, down].map(LinkId::new)
        };
        let ways = spread.spines().map(over);
        self.first_alive(ways)
    }

    /// Up to a spine and a core switch, and down on the other side.
    fn over_core(&self, leaves: [u32; 2], spines: [u32; 2], spread: Spread) -> [LinkId; 4] {
        let fabric = &self.fabric;
        let over = |(s, c)| {
            let [from, to] = spines.map(|first| fabric.spine_up(first + s, c));
            let [up, down] = leaves.map(|leaf| fabric.leaf_up(leaf, s));
            [up, from, to + 1, down + 1].map(LinkId::new)
        };
        let ways = spread
            .spines()
            .flat_map(|s| spread.cores().map(move |c| (s, c)));
        self.first_alive(ways.map(over))
    }

    /// The first way without a link that is down; the first of all where there is none.
    fn first_alive<const N: usize>(
        &self,
        mut ways: impl Iterator<Item = [LinkId; N]>,
    ) -> [LinkId; N] {
        let first = ways
            .next()
            .expect("switches that are joined have a spine above them");
        let alive = |way: &[LinkId; N]| way.iter().all(|link| !self.down.contains(link));
        if self.down.is_empty() || alive(&first) {
            first
        } else {
            ways.find(alive).unwrap_or(first)
        }
    }
}

/// The GPU that feeds a NIC for a GPU: its owner where scale-up links lead there, else the GPU
/// itself, over `PCIe`.
fn owner(layout: &Layout, gpu: u32, nic: u32) -> u32 {
    let owner = layout.gpu_of_nic(nic);
    if layout.nics_of(gpu).contains(&nic) || !layout.joined(gpu, owner) {
        gpu
    } else {
        owner
    }
}

/// Where a route turns: the first choice at every level, then round robin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    spine: u32,
    spines: u32,
    core: u32,
    cores: u32,
}

impl Spread {
    pub(crate) fn new(hash: u64, port: u32, spines: u32, cores: u32) -> Self {
        let (spine, core) = if hash == Cluster::D_MOD_K {
            let below = port.checked_div(spines).unwrap_or(0);
            (port.checked_rem(spines), below.checked_rem(cores))
        } else {
            (Some(pick(hash, 1, spines)), Some(pick(hash, 2, cores)))
        };
        Self {
            spine: spine.unwrap_or(0),
            spines,
            core: core.unwrap_or(0),
            cores,
        }
    }

    pub(crate) fn spines(self) -> impl Iterator<Item = u32> {
        (0..self.spines).map(move |i| (self.spine + i) % self.spines)
    }

    pub(crate) fn cores(self) -> impl Iterator<Item = u32> {
        (0..self.cores).map(move |i| (self.core + i) % self.cores)
    }
}

/// One of `count` choices by the hash, with a salt per level: switches that hash alike use only
/// a part of the ways above them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the product's upper half is below count"
)]
pub(crate) fn pick(hash: u64, salt: u64, count: u32) -> u32 {
    if hash == Cluster::D_MOD_K {
        return 0;
    }
    let salted = mix(hash.wrapping_add(salt.wrapping_mul(GOLDEN)));
    ((u128::from(salted) * u128::from(count)) >> 64) as u32
}
