//! Where NCCL cannot do as it is told.

use std::collections::BTreeSet;

use collective::Priced;
use lower::{LowerOptions, Lowered, lower};
use profile::{Algorithm, CollectiveKind};
use task::Work;
use units::Bytes;

use crate::prediction::Assumed;
use crate::scenario::Scenario;

/// A size at which every way may be taken.
const USUAL: Bytes = Bytes::new(1 << 20);

/// The collectives of the closed form that [`unheeded`] names; its plan is lowered for them.
pub(crate) fn unheeded_unlowered(scenario: &Scenario) -> Vec<Assumed> {
    let choice = &scenario.settings.choice;
    if choice.algorithm.is_none() && choice.protocol.is_none() {
        return Vec::new();
    }
    unheeded(
        scenario,
        &lower(&scenario.inputs(), LowerOptions::default()),
    )
}

/// The collectives of a scenario that lack the algorithm or the protocol that NCCL is told to
/// use, and so run as NCCL likes.
pub(crate) fn unheeded(scenario: &Scenario, lowered: &Lowered) -> Vec<Assumed> {
    let choice = &scenario.settings.choice;
    let (mut of_algorithm, mut of_protocol) = (BTreeSet::new(), BTreeSet::new());
    for (kind, price) in collectives(lowered) {
        let shape = &lowered.binding.prices[price].shape;
        let way = Priced::new(kind, shape, &scenario.comm, choice).time(USUAL);
        // Pairs of sends and receives have no algorithm to choose.
        if shape.ranks < 2 || way.algorithm == Algorithm::Pairs {
            continue;
        }
        if choice.algorithm.is_some_and(|only| only != way.algorithm) {
            of_algorithm.insert(kind.name());
        }
        if choice.protocol.is_some_and(|only| only != way.protocol) {
            of_protocol.insert(kind.name());
        }
    }
    let reasons = [
        (
            "nccl.algo",
            of_algorithm,
            "NCCL has no such algorithm for it here",
        ),
        (
            "nccl.proto",
            of_protocol,
            "its algorithm has no such protocol",
        ),
    ];
    let some = reasons
        .into_iter()
        .filter(|(_, kinds, _)| !kinds.is_empty());
    some.map(|(field, kinds, reason)| Assumed {
        field: field.to_owned(),
        value: format!("free for {}", Vec::from_iter(kinds).join(", ")),
        reason: reason.to_owned(),
    })
    .collect()
}

/// Every kind of collective with the index of its price.
fn collectives(lowered: &Lowered) -> BTreeSet<(CollectiveKind, usize)> {
    let lanes = &lowered.binding.lanes;
    let mut found = BTreeSet::new();
    for lane in &lanes.lanes {
        let blocks = &lowered.programs[lane.program as usize].blocks;
        for step in blocks.iter().flat_map(|block| &block.steps) {
            if let Work::Collective { group, kind, .. } = step.work {
                let group = lane.groups[usize::from(group)];
                found.insert((kind, lanes.groups[group.index()].price as usize));
            }
        }
    }
    found
}
