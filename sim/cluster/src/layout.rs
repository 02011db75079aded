//! The inside of one kind of node: its devices, links and paths, made once and repeated.
//!
//! ```text
//!          switch of the domain                 socket 0 ═══════ socket 1
//!           ║    ║    ║    ║                     │     │          │     │
//!          g0   g1   g2   g3                   pci0   pci1      pci2   pci3
//!                                              │ │ │             ...
//!                                             g0 g1 nic0 ─── leaf of the fabric
//! ```
//!
//! Links come in pairs, one a direction: the other direction of a link is its id with the last
//! bit flipped.

use units::BytesPerSec;

use crate::device::{Link, LinkKind};
use crate::spec::{HostSpec, MeshLink, NicSpec, NodeSpec, ScaleUpSpec};

/// A vertex of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Local {
    Gpu(u32),
    /// The switch of the domain, which may stand in another node.
    Switch,
    Pci(u32),
    Socket(u32),
    Nic(u32),
}

/// One direction of a link inside a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalLink {
    pub(crate) from: Local,
    pub(crate) to: Local,
    pub(crate) link: Link,
}

/// The inside of one kind of node.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// GPUs used.
    pub(crate) gpus: u32,
    /// `PCIe` switches above used GPUs.
    pub(crate) pcis: u32,
    pub(crate) sockets: u32,
    /// NICs of used GPUs, striped ones as one.
    pub(crate) nics: u32,
    /// The same for the whole node: what rails and planes count.
    pub(crate) nics_in_all: u32,
    /// Of one NIC as counted here.
    pub(crate) nic_rate: Option<BytesPerSec>,
    /// Links inside the node. The links from NIC `j` to its leaf and back follow them as
    /// `links.len() + 2 j` and the next.
    pub(crate) links: Vec<LocalLink>,
    /// Links between GPUs, or GPUs and the switch of their domain: the first of `links`.
    scale_up_links: u32,
    gpus_in_all: u32,
    gpu_paths: Table,
    to_nic: Table,
    after_nic: Table,
    to_host: Table,
}

/// Paths as lists of local links, by row and column.
#[derive(Clone, Debug, Default)]
struct Table {
    columns: usize,
    starts: Vec<u32>,
    links: Vec<u32>,
}

impl Table {
    fn new(rows: u32, columns: u32, path: impl Fn(u32, u32) -> Vec<u32>) -> Self {
        let mut table = Self {
            columns: columns as usize,
            starts: vec![0],
            links: Vec::new(),
        };
        for row in 0..rows {
            for column in 0..columns {
                table.links.extend(path(row, column));
                table.starts.push(index32(table.links.len()));
            }
        }
        table
    }

    fn get(&self, row: u32, column: u32) -> &[u32] {
        let at = row as usize * self.columns + column as usize;
        &self.links[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// The layout of a checked node of which the first `used` GPUs are used.
pub(crate) fn layout(node: &NodeSpec, used: u32) -> Layout {
    let nics_in_all = nics_in_all(&node.nics, node.gpus);
    let mut layout = Layout {
        gpus: used,
        pcis: used.div_ceil(node.host.gpus_per_switch.max(1)) * switched(&node.host),
        sockets: node.host.sockets,
        nics: 0,
        nics_in_all,
        nic_rate: node.nics.rate.scale(nic_multiple(&node.nics, node.gpus)),
        links: Vec::new(),
        scale_up_links: 0,
        gpus_in_all: node.gpus,
        gpu_paths: Table::default(),
        to_nic: Table::default(),
        after_nic: Table::default(),
        to_host: Table::default(),
    };
    if 0 < nics_in_all {
        layout.nics = layout.nics_of(used - 1).end;
    }
    let mesh = scale_up_links(&node.scale_up, &mut layout);
    layout.scale_up_links = index32(layout.links.len());
    let host = host_links(node, &mut layout);
    layout.gpu_paths = match node.scale_up {
        ScaleUpSpec::NvSwitch { .. } => Table::default(),
        _ => Table::new(used, used, |from, to| {
            let direct = mesh.path(from, to);
            direct.unwrap_or_else(|| host.path(Local::Gpu(from), Local::Gpu(to)))
        }),
    };
    let nics = layout.nics;
    layout.to_nic = Table::new(used, nics, |gpu, nic| {
        host.path(Local::Gpu(gpu), Local::Nic(nic))
    });
    layout.after_nic = Table::new(nics, used, |nic, gpu| {
        host.path(Local::Nic(nic), Local::Gpu(gpu))
    });
    layout.to_host = Table::new(used, 1, |gpu, _| host.climb(Local::Gpu(gpu)).links);
    layout
}

impl Layout {
    /// The NICs that GPU `gpu` owns, or the one that it shares.
    pub(crate) fn nics_of(&self, gpu: u32) -> std::ops::Range<u32> {
        if self.gpus_in_all <= self.nics_in_all {
            let each = self.nics_in_all / self.gpus_in_all;
            gpu * each..(gpu + 1) * each
        } else {
            let nic = gpu * self.nics_in_all / self.gpus_in_all;
            nic..nic + 1
        }
    }

    /// The first GPU that NIC `nic` serves.
    pub(crate) fn gpu_of_nic(&self, nic: u32) -> u32 {
        if self.gpus_in_all <= self.nics_in_all {
            nic / (self.nics_in_all / self.gpus_in_all)
        } else {
            (nic * self.gpus_in_all).div_ceil(self.nics_in_all)
        }
    }

    /// Links from GPU to GPU in this node. With NVSwitch: up and down.
    pub(crate) fn extend_gpu_path(&self, from: u32, to: u32, mut push: impl FnMut(u32)) {
        if self.gpu_paths.columns == 0 {
            push(Self::up(from));
            push(Self::down(to));
        } else {
            self.gpu_paths.get(from, to).iter().copied().for_each(push);
        }
    }

    /// Whether a GPU of this node reaches another without the host.
    pub(crate) fn joined(&self, from: u32, to: u32) -> bool {
        let mut joined = from != to;
        self.extend_gpu_path(from, to, |link| joined &= link < self.scale_up_links);
        joined || from == to
    }

    /// The link from a GPU to the switch of its domain.
    pub(crate) const fn up(gpu: u32) -> u32 {
        2 * gpu
    }

    /// The link from the switch of a domain to a GPU.
    pub(crate) const fn down(gpu: u32) -> u32 {
        2 * gpu + 1
    }

    /// Links from a GPU to a NIC.
    pub(crate) fn to_nic(&self, gpu: u32, nic: u32) -> &[u32] {
        self.to_nic.get(gpu, nic)
    }

    /// Links from a NIC to a GPU.
    pub(crate) fn after_nic(&self, nic: u32, gpu: u32) -> &[u32] {
        self.after_nic.get(nic, gpu)
    }

    /// Links from a GPU to the memory of its socket.
    pub(crate) fn to_host(&self, gpu: u32) -> &[u32] {
        self.to_host.get(gpu, 0)
    }

    /// The link from a NIC to its leaf; the way back is the next.
    pub(crate) fn nic_up(&self, nic: u32) -> u32 {
        index32(self.links.len()) + 2 * nic
    }

    /// Links of a node: inside it, and to its leaves.
    pub(crate) fn n_links(&self) -> usize {
        self.links.len() + 2 * self.nics as usize
    }

    /// Adds both directions of a link and returns the first.
    fn join(&mut self, from: Local, to: Local, link: Link) -> u32 {
        let id = index32(self.links.len());
        self.links.push(LocalLink { from, to, link });
        self.links.push(LocalLink {
            from: to,
            to: from,
            link,
        });
        id
    }
}

/// NICs of a whole node, striped ones as one.
fn nics_in_all(nics: &NicSpec, gpus: u32) -> u32 {
    if nics.striped {
        nics.count.min(gpus)
    } else {
        nics.count
    }
}

/// NICs that act as one.
fn nic_multiple(nics: &NicSpec, gpus: u32) -> f64 {
    if nics.striped && gpus < nics.count {
        f64::from(nics.count / gpus)
    } else {
        1.0
    }
}

/// 1 where GPUs hang on `PCIe` switches, else 0.
fn switched(host: &HostSpec) -> u32 {
    u32::from(0 < host.gpus_per_switch)
}

/// Paths between GPUs over direct links.
#[derive(Debug, Default)]
struct Mesh {
    gpus: u32,
    /// By pair: hops, the narrowest bundle on the way, the first link and the next GPU.
    steps: Vec<Option<Step>>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    hops: u32,
    width: u32,
    link: u32,
    next: u32,
}

impl Mesh {
    fn new(gpus: u32, bundles: &[(MeshLink, u32)]) -> Self {
        let mut mesh = Self {
            gpus,
            steps: vec![None; (gpus * gpus) as usize],
        };
        for (
            MeshLink {
                gpus: [a, b],
                count,
            },
            link,
        ) in bundles
        {
            mesh.direct(*a, *b, *count, *link);
            mesh.direct(*b, *a, *count, *link + 1);
        }
        mesh.close();
        mesh
    }

    fn direct(&mut self, from: u32, to: u32, width: u32, link: u32) {
        self.steps[(from * self.gpus + to) as usize] = Some(Step {
            hops: 1,
            width,
            link,
            next: to,
        });
    }

    /// Fewest hops, then the widest narrowest bundle, then the lowest neighbor: NCCL takes a
    /// neighbor's `NVLink` (its path type NVB) before `PCIe`, by the same order.
    fn close(&mut self) {
        for via in 0..self.gpus {
            for from in 0..self.gpus {
                let Some(first) = self.steps[(from * self.gpus + via) as usize] else {
                    continue;
                };
                for to in (0..self.gpus).filter(|to| *to != from) {
                    let Some(second) = self.steps[(via * self.gpus + to) as usize] else {
                        continue;
                    };
                    let step = Step {
                        hops: first.hops + second.hops,
                        width: first.width.min(second.width),
                        ..first
                    };
                    let at = (from * self.gpus + to) as usize;
                    if self.steps[at].is_none_or(|old| step.beats(old)) {
                        self.steps[at] = Some(step);
                    }
                }
            }
        }
    }

    fn path(&self, from: u32, to: u32) -> Option<Vec<u32>> {
        let mut links = Vec::new();
        let mut at = from;
        while at != to {
            let step = (*self.steps.get((at * self.gpus + to) as usize)?)?;
            links.push(step.link);
            at = step.next;
        }
        Some(links)
    }
}

impl Step {
    fn beats(self, other: Self) -> bool {
        (self.hops, other.width) < (other.hops, self.width)
    }
}

/// Adds the links between GPUs.
fn scale_up_links(spec: &ScaleUpSpec, layout: &mut Layout) -> Mesh {
    let link = |rate, latency| Link {
        rate,
        latency,
        kind: LinkKind::ScaleUp,
    };
    let used = layout.gpus;
    match spec {
        ScaleUpSpec::NvSwitch { rate, latency, .. } => {
            for gpu in 0..used {
                layout.join(Local::Gpu(gpu), Local::Switch, link(*rate, *latency));
            }
            Mesh::default()
        }
        ScaleUpSpec::Mesh {
            rate,
            latency,
            links,
        } => {
            let pairs = links
                .iter()
                .filter(|pair| pair.gpus.iter().all(|gpu| *gpu < used));
            let bundles: Vec<_> = pairs
                .map(|pair| {
                    let [a, b] = pair.gpus.map(Local::Gpu);
                    let rate = rate.scale(f64::from(pair.count)).unwrap_or(*rate);
                    (*pair, layout.join(a, b, link(rate, *latency)))
                })
                .collect();
            Mesh::new(used, &bundles)
        }
        ScaleUpSpec::FullMesh { rate, latency } => {
            let pairs = (0..used).flat_map(|a| (a + 1..used).map(move |b| [a, b]));
            let bundles: Vec<_> = pairs
                .map(|gpus| {
                    let [a, b] = gpus.map(Local::Gpu);
                    let id = layout.join(a, b, link(*rate, *latency));
                    (MeshLink { gpus, count: 1 }, id)
                })
                .collect();
            Mesh::new(used, &bundles)
        }
        ScaleUpSpec::Pcie => Mesh::default(),
    }
}

/// The tree of a host: GPUs and NICs below switches below sockets, and the links of sockets.
#[derive(Debug)]
struct Host {
    /// By device: its parent and the link up.
    parents: std::collections::BTreeMap<Local, (Local, u32)>,
    /// By pair of sockets.
    sockets: std::collections::BTreeMap<(u32, u32), u32>,
}

/// The way from a device to its socket.
struct Climb {
    devices: Vec<Local>,
    links: Vec<u32>,
}

impl Host {
    fn climb(&self, from: Local) -> Climb {
        let mut climb = Climb {
            devices: vec![from],
            links: Vec::new(),
        };
        let mut at = from;
        while let Some((parent, link)) = self.parents.get(&at) {
            climb.devices.push(*parent);
            climb.links.push(*link);
            at = *parent;
        }
        climb
    }

    /// Up to the lowest device above both, or over the link of their sockets.
    fn path(&self, from: Local, to: Local) -> Vec<u32> {
        let (a, b) = (self.climb(from), self.climb(to));
        let meet = a.devices.iter().enumerate().find_map(|(i, device)| {
            let j = b.devices.iter().position(|other| other == device)?;
            Some((i, j))
        });
        let (i, j) = meet.unwrap_or((a.links.len(), b.links.len()));
        let mut path = a.links[..i].to_vec();
        if meet.is_none()
            && let (Some(Local::Socket(x)), Some(Local::Socket(y))) =
                (a.devices.last(), b.devices.last())
        {
            path.extend(self.sockets.get(&(*x, *y)));
        }
        path.extend(b.links[..j].iter().rev().map(|link| link ^ 1));
        path
    }
}

/// Adds the links of the host.
fn host_links(node: &NodeSpec, layout: &mut Layout) -> Host {
    let spec = &node.host;
    let link = |rate| Link {
        rate,
        latency: spec.latency,
        kind: LinkKind::Host,
    };
    let mut host = Host {
        parents: std::collections::BTreeMap::new(),
        sockets: std::collections::BTreeMap::new(),
    };
    let mut hang = |layout: &mut Layout, child, parent, rate| {
        let id = layout.join(child, parent, link(rate));
        host.parents.insert(child, (parent, id));
    };
    for gpu in 0..layout.gpus {
        let parent = above_gpu(node, gpu);
        hang(layout, Local::Gpu(gpu), parent, spec.gpu_link);
    }
    for pci in 0..layout.pcis {
        let socket = Local::Socket(socket_of(node, pci * spec.gpus_per_switch));
        hang(layout, Local::Pci(pci), socket, spec.gpu_link);
    }
    let multiple = nic_multiple(&node.nics, node.gpus);
    let nic_rate = spec.nic_link.scale(multiple).unwrap_or(spec.nic_link);
    for nic in 0..layout.nics {
        let gpu = layout.gpu_of_nic(nic);
        // Fewer NICs than switches: none of them belongs to a switch.
        let shared = layout.nics_in_all < node.gpus.div_ceil(spec.gpus_per_switch.max(1));
        let parent = if shared {
            Local::Socket(socket_of(node, gpu))
        } else {
            above_gpu(node, gpu)
        };
        hang(layout, Local::Nic(nic), parent, nic_rate);
    }
    for a in 0..layout.sockets {
        for b in a + 1..layout.sockets {
            let id = layout.join(Local::Socket(a), Local::Socket(b), link(spec.socket_link));
            host.sockets.insert((a, b), id);
            host.sockets.insert((b, a), id + 1);
        }
    }
    host
}

/// What a GPU hangs on.
fn above_gpu(node: &NodeSpec, gpu: u32) -> Local {
    let switch = gpu.checked_div(node.host.gpus_per_switch);
    switch.map_or_else(|| Local::Socket(socket_of(node, gpu)), Local::Pci)
}

/// The socket of a GPU: GPUs are spread over sockets in order.
fn socket_of(node: &NodeSpec, gpu: u32) -> u32 {
    gpu * node.host.sockets / node.gpus
}

fn index32(index: usize) -> u32 {
    u32::try_from(index).expect("a node has at most 256 GPUs, and far fewer than 2³² links")
}
