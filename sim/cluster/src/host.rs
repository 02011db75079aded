//! The host side of a node: a tree of `PCIe` switches and sockets, and the paths in it.

use std::collections::BTreeMap;

use crate::device::{Link, LinkKind};
use crate::layout::{Layout, Local, nic_multiple};
use crate::spec::NodeSpec;

/// The tree of a host: GPUs and NICs below switches below sockets, and the links of sockets.
#[derive(Debug)]
pub(crate) struct Host {
    /// By device: its parent and the link up.
    parents: BTreeMap<Local, (Local, u32)>,
    /// By pair of sockets.
    sockets: BTreeMap<(u32, u32), u32>,
}

/// The way from a device to its socket.
pub(crate) struct Climb {
    devices: Vec<Local>,
    pub(crate) links: Vec<u32>,
}

impl Host {
    pub(crate) fn climb(&self, from: Local) -> Climb {
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
    pub(crate) fn path(&self, from: Local, to: Local) -> Vec<u32> {
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
pub(crate) fn host_links(node: &NodeSpec, layout: &mut Layout) -> Host {
    let spec = &node.host;
    let link = |rate| Link {
        rate,
        latency: spec.latency,
        kind: LinkKind::Host,
    };
    let mut host = Host {
        parents: BTreeMap::new(),
        sockets: BTreeMap::new(),
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
