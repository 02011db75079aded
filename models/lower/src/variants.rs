//! What differs between executions of a pass: which one is first or last, and what comes next.

use std::collections::BTreeMap;

use plan::schedule::{Action, ActionKind};

use crate::chunk::{Ahead, Direction, Round, Variant};
use crate::parts::Parts;
use crate::program::DeviceInput;
use crate::site::Site;

/// What differs between the actions of a device.
pub(crate) fn variants(
    input: &DeviceInput<'_>,
    parts: &Parts<'_>,
    actions: &[Action],
) -> Vec<Variant> {
    let first = firsts(&input.site, parts, actions);
    let last = lasts(actions);
    let mut variants: Vec<Variant> = (0..actions.len())
        .map(|at| Variant {
            first: first[at],
            reduces: last.get(&gradients_of(actions[at])) == Some(&at),
            ..Variant::default()
        })
        .collect();
    if input.site.data.reduce_each && 1 < input.schedule.n_devices() {
        rounds(actions, &mut variants);
    }
    if input.site.loads() {
        look_ahead(parts, actions, &first, &mut variants);
    }
    variants
}

/// Tells every pass of a chunk what the next one loads first, and that one that it is loaded.
fn look_ahead(parts: &Parts<'_>, actions: &[Action], first: &[bool], variants: &mut [Variant]) {
    let passes: Vec<usize> = (0..actions.len())
        .filter(|at| {
            parts
                .chunk(actions[*at].stage)
                .is_some_and(|c| !c.pieces.is_empty())
        })
        .filter(|at| !actions[*at].kind.is_vocabulary())
        .collect();
    for pair in passes.windows(2) {
        let (now, next) = (actions[pair[0]], actions[pair[1]]);
        let (same, pass) = match next.kind {
            ActionKind::Forward => (false, Direction::Forward),
            ActionKind::WeightGrad => continue,
            _ => (
                now.kind == ActionKind::Forward
                    && (now.stage, now.micro_batch) == (next.stage, next.micro_batch),
                Direction::Backward,
            ),
        };
        let ahead = Ahead {
            stage: next.stage,
            pass,
            first: first[pair[1]],
        };
        if !same && parts.load(ahead).is_some() {
            variants[pair[0]].ahead = Some(ahead);
            variants[pair[1]].loaded = true;
        }
    }
}

/// Tells every pass that adds to gradients whether others of its stage stand right before and
/// behind it.
fn rounds(actions: &[Action], variants: &mut [Variant]) {
    let keys: Vec<_> = (actions.iter().zip(variants))
        .filter_map(|(action, variant)| Some((gradients_of(*action)?, variant)))
        .collect();
    let mut before = None;
    let mut keys = keys.into_iter().peekable();
    while let Some((key, variant)) = keys.next() {
        let next = keys.peek().map(|(next, _)| *next);
        variant.round = Round {
            opens: before != Some(key),
            closes: next != Some(key),
        };
        before = Some(key);
    }
}

/// Which actions are the first forward pass of their stage, where that matters.
fn firsts(site: &Site<'_>, parts: &Parts<'_>, actions: &[Action]) -> Vec<bool> {
    let casts = parts
        .pieces()
        .iter()
        .any(|piece| !piece.ops.once.is_empty());
    let matters = site.data.gathers_beside() || site.data.gather_once || casts;
    let mut seen: Vec<(u32, ActionKind)> = Vec::new();
    let is_first = |action: &Action| {
        let forward = matches!(
            action.kind,
            ActionKind::Forward | ActionKind::EmbeddingForward | ActionKind::VocabularyForward
        );
        let key = (action.stage, action.kind);
        let first = matters && forward && !seen.contains(&key);
        if first {
            seen.push(key);
        }
        first
    };
    actions.iter().map(is_first).collect()
}

/// Which gradients an action adds to: those of a stage, or of a part of the vocabulary.
fn gradients_of(action: Action) -> Option<(u32, ActionKind)> {
    match action.kind {
        ActionKind::Backward | ActionKind::WeightGrad => {
            Some((action.stage, ActionKind::WeightGrad))
        }
        ActionKind::VocabularyBackward | ActionKind::EmbeddingBackward => {
            Some((action.stage, action.kind))
        }
        _ => None,
    }
}

/// The position of the last action that adds to each gradient.
fn lasts(actions: &[Action]) -> BTreeMap<Option<(u32, ActionKind)>, usize> {
    let all = actions.iter().enumerate();
    let adding = all.filter_map(|(at, action)| gradients_of(*action).map(|key| (Some(key), at)));
    adding.collect()
}

/// Whether every backward pass of a stage follows the forward pass of its micro-batch at once.
pub(crate) fn turns_at_once(input: &DeviceInput<'_>, stage: u32) -> bool {
    let own: Vec<&Action> = input
        .schedule
        .actions(input.device as usize)
        .iter()
        .filter(|action| !action.kind.is_vocabulary())
        .collect();
    let turns = |pair: &[&Action]| {
        let [now, next] = pair else { return true };
        now.kind != ActionKind::Forward
            || now.stage != stage
            || (next.kind.gives_gradient()
                && (now.stage, now.micro_batch) == (next.stage, next.micro_batch))
    };
    own.windows(2).all(turns)
}
