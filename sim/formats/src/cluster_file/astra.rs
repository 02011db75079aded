//! A cluster from ASTRA-sim's analytical network.

use units::BytesPerSec;

use super::draft::{
    Attach, Cables, Draft, Fabric, Host, Imported, Named, Nics, Node, Nodes, ScaleUp, latency_text,
    port_text, rate_text,
};
use super::{Choices, gpu};
use crate::astra_sim::{Dimension, Network, Shape};
use crate::import_error::ImportError;

/// NPUs as GPUs: those of the first dimension are a node, the second joins nodes.
///
/// A single dimension of a switch becomes nodes with one GPU each. In a second dimension every GPU
/// has a port of its own to those of its number in other nodes: rails.
///
/// # Errors
///
/// More than two dimensions, or a first one with more GPUs than a node may have.
pub fn of_astra_sim(network: &Network, choices: &Choices) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let (inner, outer) = match *network.dimensions.as_slice() {
        [one] if one.shape == Shape::Switch => (None, Some(one)),
        [one] => (Some(one), None),
        [inner, outer] => (Some(inner), Some(outer)),
        _ => {
            return Err(ImportError::CannotSay(format!(
                "{} dimensions; a cluster has two: inside nodes and between them",
                network.dimensions.len()
            )));
        }
    };
    let (name, kind) = gpu::chosen(choices, gpu::of_nvlinks(18), false, &mut notes);
    let gpus = inner.map_or(1, |inner| inner.npus);
    if 256 < gpus {
        return Err(ImportError::Many {
            line: 0,
            what: "NPUs of the first dimension",
            limit: 256,
        });
    }
    notes.push("PCIe is not told: that of the GPU taken".to_owned());
    let node = Node {
        name: "imported",
        gpu: name,
        gpus,
        scale_up: scale_up(inner),
        host: Host {
            sockets: 1,
            gpus_per_switch: 0,
            gpu_link: kind.pcie().map(rate_text).unwrap_or_default(),
            nic_link: None,
        },
        nics: outer.and_then(|outer| nics(outer, gpus)),
    };
    let fabric = outer.map_or_else(
        || Named::Name("nonblocking".to_owned()),
        |outer| Named::Own(fabric(outer, gpus)),
    );
    let count = outer.map_or(1, |outer| outer.npus);
    let kind = Named::Own(node);
    let draft = Draft::new(
        "ASTRA-sim's network",
        &notes,
        fabric,
        vec![Nodes { count, kind }],
    );
    Ok(Imported {
        text: draft.text(&[])?,
        notes,
        ignored: network.ignored.clone(),
    })
}

fn scale_up(inner: Option<Dimension>) -> ScaleUp {
    let Some(inner) = inner else {
        let kind = "pcie";
        return ScaleUp {
            kind,
            ..ScaleUp::default()
        };
    };
    let (kind, links) = match inner.shape {
        Shape::Switch => ("nvswitch", Vec::new()),
        Shape::FullyConnected => ("full-mesh", Vec::new()),
        Shape::Ring => ("mesh", ring(inner.npus).map(|[a, b]| [a, b, 1]).collect()),
    };
    ScaleUp {
        kind,
        rate: Some(rate_text(inner.rate)),
        latency: Some(latency_text(inner.latency)),
        links,
    }
}

/// Neighbors in a ring, each pair once.
fn ring(n: u32) -> impl Iterator<Item = [u32; 2]> {
    let last = (2 < n).then_some([0, n.saturating_sub(1)]);
    (1..n).map(|at| [at - 1, at]).chain(last)
}

/// A port for every GPU that carries all its links at once.
fn nics(outer: Dimension, gpus: u32) -> Option<Nics> {
    let links = match outer.shape {
        Shape::Switch => 1,
        Shape::Ring => outer.npus.saturating_sub(1).min(2),
        Shape::FullyConnected => outer.npus.saturating_sub(1),
    };
    Some(Nics {
        count: gpus,
        rate: port_text(outer.rate.scale(f64::from(links))?),
    })
}

fn fabric(outer: Dimension, gpus: u32) -> Fabric {
    let latency = Some(latency_text(outer.latency));
    let none = Some("0 ns".to_owned());
    let fabric = Fabric {
        name: "imported",
        switch_latency: none.clone(),
        ..Fabric::default()
    };
    match outer.shape {
        Shape::Switch if gpus == 1 => Fabric {
            kind: "single",
            link_latency: latency,
            ..fabric
        },
        Shape::Switch => Fabric {
            kind: "rail-optimised",
            nodes_per_leaf: Some(outer.npus),
            rails: Some(gpus),
            link_latency: latency,
            ..fabric
        },
        Shape::Ring | Shape::FullyConnected => Fabric {
            kind: "graph",
            // A port and its switch stand for one place.
            link_latency: none,
            switches: (0..gpus)
                .flat_map(|rail| (0..outer.npus).map(move |node| switch(rail, node)))
                .collect(),
            cables: cables(outer, gpus),
            attach: attach(outer, gpus),
            ..fabric
        },
    }
}

fn switch(rail: u32, node: u32) -> String {
    format!("rail{rail}-{node}")
}

fn cables(outer: Dimension, gpus: u32) -> Vec<Cables> {
    let pairs: Vec<[u32; 2]> = match outer.shape {
        Shape::FullyConnected => (0..outer.npus)
            .flat_map(|b| (0..b).map(move |a| [a, b]))
            .collect(),
        Shape::Ring | Shape::Switch => ring(outer.npus).collect(),
    };
    let rate: BytesPerSec = outer.rate;
    let rail = |rail: u32| {
        pairs.iter().map(move |pair| Cables {
            ends: pair.map(|node| switch(rail, node)),
            count: 1,
            rate: Some(port_text(rate)),
            latency: Some(latency_text(outer.latency)),
        })
    };
    (0..gpus).flat_map(rail).collect()
}

fn attach(outer: Dimension, gpus: u32) -> Vec<Attach> {
    let rail = |rail: u32| Attach {
        switches: (0..outer.npus).map(|node| switch(rail, node)).collect(),
        nodes_per_switch: 1,
        first_node: Some(0),
        nic: (1 < gpus).then_some(rail),
    };
    (0..gpus).map(rail).collect()
}
