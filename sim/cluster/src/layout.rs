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

use crate::device::Link;
use crate::host::host_links;
use crate::mesh::scale_up_links;
use crate::spec::{HostSpec, NicSpec, NodeSpec, ScaleUpSpec};

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

    /// The NICs of GPU `gpu`; none where the node has none.
    pub(crate) fn own_nics(&self, gpu: u32) -> std::ops::Range<u32> {
        if self.nics == 0 {
            0..0
        } else {
            self.nics_of(gpu)
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
    pub(crate) fn join(&mut self, from: Local, to: Local, link: Link) -> u32 {
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
pub(crate) fn nics_in_all(nics: &NicSpec, gpus: u32) -> u32 {
    if nics.striped {
        nics.count.min(gpus)
    } else {
        nics.count
    }
}

/// NICs that act as one.
pub(crate) fn nic_multiple(nics: &NicSpec, gpus: u32) -> f64 {
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

fn index32(index: usize) -> u32 {
    u32::try_from(index).expect("a node has at most 256 GPUs, and far fewer than 2³² links")
}
