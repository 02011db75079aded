//! A node from the channels that NCCL chose on it.

use std::collections::BTreeSet;

use units::BytesPerSec;

use super::draft::{Draft, Imported, ScaleUp, rate_text};
use super::node::{Found, Joined};
use super::{Choices, gpu};
use crate::import_error::ImportError;
use crate::nccl::graphs::{Algorithm, Graph, Graphs, Stop};

/// A node with what its rings reach, on an ideal switch.
///
/// Rings over NVLink become switches that carry all channels together; others say nothing of
/// rates that the kind of GPU does not.
///
/// # Errors
///
/// Channels without GPUs, or with more than a node may have.
pub fn of_nccl_graphs(graphs: &Graphs, choices: &Choices) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let stops: BTreeSet<(bool, u32)> = graphs
        .graphs
        .iter()
        .flat_map(|graph| graph.channels.iter().flatten())
        .map(|stop| match stop {
            Stop::Gpu(number) => (true, *number),
            Stop::Net(number) => (false, *number),
        })
        .collect();
    let (gpus, nics): (Vec<_>, Vec<_>) = stops.into_iter().partition(|(is_gpu, _)| *is_gpu);
    let ring = graphs
        .graphs
        .iter()
        .find(|graph| graph.algorithm == Algorithm::Ring);
    let ring = ring.or(graphs.graphs.first());
    let over_nvlink = ring.is_some_and(|ring| {
        let kind = ring.inside_type.as_deref();
        matches!(kind, Some("NVL" | "NVB"))
    });
    let inside = ring
        .and_then(|ring| all(ring, ring.inside))
        .filter(|_| over_nvlink);
    let kind = gpu::of_nvlinks(if over_nvlink { 18 } else { 0 });
    let (name, kind) = gpu::chosen(choices, kind, false, &mut notes);
    let found = Found {
        gpus: gpus.len(),
        joined: Joined::Not,
        sockets: 1,
        per_switch: None,
        gpu_link: None,
        nic_link: None,
        nics: nics.len(),
        nic_rate: ring.and_then(|ring| per_nic(ring, nics.len())),
    };
    let mut node = found.node(name, kind, choices, &mut notes)?;
    if let Some(rate) = inside {
        notes.push("what the rings reach over NVLink is taken as what a GPU can".to_owned());
        node.scale_up = ScaleUp {
            kind: "nvswitch",
            rate: Some(rate_text(rate)),
            ..ScaleUp::default()
        };
    }
    let count = choices.nodes.unwrap_or(1);
    let draft = Draft::of_node("NCCL's channels", &notes, node, count);
    let mut ignored = graphs.ignored.clone();
    ignored.push("the order of GPUs in channels".to_owned());
    Ok(Imported {
        text: draft.text(&[])?,
        notes,
        ignored,
    })
}

/// All channels together.
fn all(graph: &Graph, rate: Option<BytesPerSec>) -> Option<BytesPerSec> {
    rate?.scale(graph.channels.len() as f64)
}

/// What each NIC carries of all channels.
fn per_nic(graph: &Graph, nics: usize) -> Option<BytesPerSec> {
    all(graph, graph.between)?.scale(1.0 / nics as f64)
}
