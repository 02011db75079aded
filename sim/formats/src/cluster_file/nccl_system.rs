//! A node from NCCL's topology.

use std::collections::BTreeMap;

use units::BytesPerSec;

use super::draft::{Draft, Imported};
use super::node::{Found, Joined, equal};
use super::{Choices, gpu};
use crate::import_error::ImportError;
use crate::nccl::topology::{Class, Far, Pci, System};

/// A node of that kind, on an ideal switch.
///
/// # Errors
///
/// A topology without GPUs, or with more than a node may have.
pub fn of_nccl_topology(system: &System, choices: &Choices) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let devices = system.devices();
    let gpus: Vec<&Pci> = devices.iter().copied().filter(|pci| is_gpu(pci)).collect();
    let nics: Vec<&Pci> = devices.iter().copied().filter(|pci| is_nic(pci)).collect();
    let joined = joined(&gpus);
    let gpu_link = slowest(&gpus);
    let device = gpus.iter().find_map(|pci| pci.ids.and_then(gpu::of_device));
    let (kind, told) = match device {
        Some(kind) => (kind, true),
        None => (alike(&gpus, &joined, gpu_link), false),
    };
    let (name, kind) = gpu::chosen(choices, kind, told, &mut notes);
    let loose = system.cpus.iter().map(|cpu| cpu.nets.len()).sum::<usize>();
    let found = Found {
        gpus: gpus.len(),
        joined,
        sockets: sockets(system, &mut notes),
        per_switch: per_switch(system),
        gpu_link,
        nic_link: slowest(&nics),
        nics: nics.iter().map(|nic| nic.nets.len().max(1)).sum::<usize>() + loose,
        nic_rate: rate(system, &nics),
    };
    let node = found.node(name, kind, choices, &mut notes)?;
    let count = choices.nodes.unwrap_or(1);
    let draft = Draft::of_node("an NCCL topology", &notes, node, count);
    Ok(Imported {
        text: draft.text(&[])?,
        notes,
        ignored: system.ignored.clone(),
    })
}

fn is_gpu(pci: &Pci) -> bool {
    pci.class == Class::Gpu || pci.gpu.is_some()
}

fn is_nic(pci: &Pci) -> bool {
    pci.class == Class::Nic || !pci.nets.is_empty()
}

fn slowest(devices: &[&Pci]) -> Option<BytesPerSec> {
    let links = devices.iter().filter_map(|pci| pci.link);
    links.reduce(BytesPerSec::min)
}

/// A kind that has what the file tells.
fn alike(gpus: &[&Pci], joined: &Joined, link: Option<BytesPerSec>) -> &'static gpu::Kind {
    let sm = gpus.iter().find_map(|pci| pci.gpu.as_ref()?.sm);
    let of_sm = sm.and_then(gpu::of_capability);
    let links = joined.links(gpus.len());
    match (of_sm, links, link) {
        (Some(kind), ..) => kind,
        (None, 0, Some(link)) => gpu::of_pcie(link),
        (None, links, _) => gpu::of_nvlinks(links),
    }
}

fn joined(gpus: &[&Pci]) -> Joined {
    let known = gpus.iter().filter_map(|pci| pci.gpu.as_ref());
    if known.clone().next().is_none() {
        return Joined::Untold;
    }
    let to_switches = known.map(|gpu| {
        let links = gpu.nvlinks.iter().filter(|link| link.far == Far::Switch);
        links.map(|link| link.count).fold(0, u32::saturating_add)
    });
    let least = to_switches.filter(|links| *links != 0).min();
    if let Some(links) = least {
        return Joined::Switch(links.min(1024));
    }
    let places: BTreeMap<&str, u32> = gpus.iter().map(|pci| pci.busid.as_str()).zip(0..).collect();
    let mut pairs: BTreeMap<[u32; 2], u32> = BTreeMap::new();
    for (a, pci) in (0..).zip(gpus) {
        let links = pci.gpu.iter().flat_map(|gpu| &gpu.nvlinks);
        for link in links.filter(|link| link.far != Far::Cpu) {
            match places.get(link.target.as_str()) {
                Some(&b) if a != b => {
                    let count = pairs.entry([a.min(b), a.max(b)]).or_default();
                    *count = (*count).max(link.count);
                }
                _ => {}
            }
        }
    }
    let pairs = pairs.into_iter().map(|([a, b], count)| [a, b, count]);
    Joined::of_pairs(pairs.collect(), gpus.len())
}

fn sockets(system: &System, notes: &mut Vec<String>) -> usize {
    let with = system.cpus.iter().filter(|cpu| !cpu.pci.is_empty());
    let sockets = with.count().max(1);
    if 2 < sockets {
        notes.push(format!("{sockets} NUMA nodes are taken as sockets"));
    }
    sockets
}

/// GPUs below each bridge that hangs on a processor.
fn per_switch(system: &System) -> Option<usize> {
    fn below(pci: &Pci) -> usize {
        usize::from(is_gpu(pci)) + pci.below.iter().map(below).sum::<usize>()
    }
    let tops = system.cpus.iter().flat_map(|cpu| &cpu.pci);
    let (direct, bridged): (Vec<&Pci>, Vec<&Pci>) = tops.partition(|pci| is_gpu(pci));
    let sizes: Vec<usize> = bridged
        .into_iter()
        .map(below)
        .filter(|size| *size != 0)
        .collect();
    match (direct.is_empty(), sizes.is_empty()) {
        (false, true) => Some(0),
        (true, false) => equal(&sizes),
        _ => None,
    }
}

/// What most ports have.
fn rate(system: &System, nics: &[&Pci]) -> Option<BytesPerSec> {
    let loose = system.cpus.iter().flat_map(|cpu| &cpu.nets);
    let nets = nics.iter().flat_map(|nic| &nic.nets).chain(loose);
    let rates: Vec<BytesPerSec> = nets.filter_map(|net| net.rate).collect();
    let count = |rate: BytesPerSec| rates.iter().filter(|other| **other == rate).count();
    rates.iter().copied().max_by_key(|rate| count(*rate))
}
