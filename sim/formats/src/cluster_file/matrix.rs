//! A node from the table of `nvidia-smi topo -m`.

use std::collections::BTreeSet;

use super::draft::{Draft, Imported};
use super::node::{Found, Joined, equal};
use super::{Choices, gpu};
use crate::import_error::ImportError;
use crate::nvidia_smi::{Matrix, Path};

/// A node of that kind, on an ideal switch.
///
/// # Errors
///
/// A table without GPUs, or with more than a node may have.
pub fn of_nvidia_smi(matrix: &Matrix, choices: &Choices) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let (gpus, near) = (matrix.gpus(), near_nics(matrix, &mut notes));
    let joined = joined(matrix, &gpus);
    let kind = gpu::of_nvlinks(joined.links(gpus.len()));
    let (name, kind) = gpu::chosen(choices, kind, false, &mut notes);
    let found = Found {
        gpus: gpus.len(),
        joined,
        sockets: sockets(matrix, &gpus, &mut notes),
        per_switch: per_switch(matrix, &gpus, &near),
        gpu_link: None,
        nic_link: None,
        nics: near.len(),
        nic_rate: None,
    };
    let node = found.node(name, kind, choices, &mut notes)?;
    let count = choices.nodes.unwrap_or(1);
    let draft = Draft::of_node("nvidia-smi topo -m", &notes, node, count);
    let mut ignored = matrix.ignored.clone();
    ignored.push("CPU affinity".to_owned());
    Ok(Imported {
        text: draft.text(&[])?,
        notes,
        ignored,
    })
}

fn joined(matrix: &Matrix, gpus: &[usize]) -> Joined {
    let mut pairs = Vec::new();
    for (a, row) in (0..).zip(gpus) {
        for (b, column) in (0..).zip(gpus).take_while(|(b, _)| *b != a) {
            if let Path::NvLink(links) = matrix.paths[*row][*column] {
                pairs.push([b, a, links]);
            }
        }
    }
    pairs.sort_unstable();
    Joined::of_pairs(pairs, gpus.len())
}

/// The nearest that a NIC is to any GPU.
fn nearest(matrix: &Matrix, nic: usize) -> Option<Path> {
    let gpus = matrix.gpus().into_iter();
    gpus.map(|gpu| matrix.paths[nic][gpu]).min()
}

/// The NICs that share `PCIe` bridges with a GPU; where none does, all.
fn near_nics(matrix: &Matrix, notes: &mut Vec<String>) -> Vec<usize> {
    let is_near = |nic: &usize| nearest(matrix, *nic).is_some_and(|path| path <= Path::Bridges);
    let (near, far): (Vec<usize>, Vec<usize>) = matrix.nics().into_iter().partition(is_near);
    if near.is_empty() {
        return far;
    }
    if !far.is_empty() {
        let names: Vec<_> = far.iter().map(|at| name(matrix, *at)).collect();
        notes.push(format!(
            "{} near no GPU: taken as NICs for storage or management, which are left out",
            names.join(", ")
        ));
    }
    near
}

fn name(matrix: &Matrix, at: usize) -> String {
    let device = &matrix.devices[at];
    match &device.legend {
        Some(legend) => format!("{} ({legend})", device.name),
        None => device.name.clone(),
    }
}

fn sockets(matrix: &Matrix, gpus: &[usize], notes: &mut Vec<String>) -> usize {
    let places: Vec<Option<&String>> = gpus
        .iter()
        .map(|at| &matrix.devices[*at])
        .map(|device| {
            device
                .numa_affinity
                .as_ref()
                .or(device.cpu_affinity.as_ref())
        })
        .collect();
    let different: BTreeSet<_> = places.iter().flatten().collect();
    let across = gpus
        .iter()
        .any(|at| matrix.paths[*at].contains(&Path::System));
    let sockets = match different.len() {
        0 if across => 2,
        count => count.max(1),
    };
    if different.is_empty() {
        notes.push(format!("NUMA nodes are not told: {sockets} taken"));
    } else if 2 < sockets {
        notes.push(format!("{sockets} NUMA nodes are taken as sockets"));
    }
    let mut runs: Vec<_> = places.clone();
    runs.dedup();
    if runs.len() != sockets && !different.is_empty() || !gpus.len().is_multiple_of(sockets) {
        notes.push("GPUs are spread unevenly over sockets: taken as evenly, in order".to_owned());
    }
    sockets
}

/// GPUs that share bridges, directly or with the same NIC.
fn per_switch(matrix: &Matrix, gpus: &[usize], nics: &[usize]) -> Option<usize> {
    let behind = |a: usize, b: usize| matrix.paths[a][b] <= Path::Bridges;
    let mut group: Vec<usize> = (0..gpus.len()).collect();
    let mut told = false;
    let mut join = |a: usize, b: usize| {
        let [from, to] = [group[a].max(group[b]), group[a].min(group[b])];
        let members = group.iter_mut().filter(|one| **one == from);
        members.for_each(|one| *one = to);
    };
    for (a, row) in gpus.iter().enumerate() {
        for (b, column) in gpus.iter().enumerate().take(a) {
            let bridged = matches!(matrix.paths[*row][*column], Path::OneBridge | Path::Bridges);
            if bridged {
                told = true;
                join(a, b);
            }
        }
    }
    for nic in nics {
        let mut on_it = (0..gpus.len()).filter(|at| behind(*nic, gpus[*at]));
        if let Some(first) = on_it.next() {
            told = true;
            on_it.for_each(|other| join(first, other));
        }
    }
    let mut sizes = vec![0; gpus.len()];
    for at in &group {
        sizes[*at] += 1;
    }
    sizes.retain(|size| *size != 0);
    // Pairs of GPUs that go over a host bridge have no switch in common either.
    let hosts = gpus.iter().all(|row| {
        let others = gpus.iter().filter(|other| *other != row);
        others
            .clone()
            .all(|other| Path::HostBridge <= matrix.paths[*row][*other])
    });
    match (told, hosts) {
        (true, _) => equal(&sizes).filter(|size| gpus.len().is_multiple_of(*size)),
        (false, true) => Some(0),
        (false, false) => None,
    }
}
