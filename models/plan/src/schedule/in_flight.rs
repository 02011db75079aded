//! How many activations a device holds. The lists alone decide it, whatever the durations.

use super::{Action, ActionKind, Schedule};

/// The most activations that a device holds at once, in forward passes of one chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Counting each from its forward pass until its weight gradient is done.
    pub until_weight_grad: u32,
    /// Counting each from its forward pass until its input gradient is done: what remains
    /// then is only what the weight gradient needs.
    pub until_input_grad: u32,
}

/// The most activations that each device holds at once. A forward pass counts from its start,
/// and a backward pass until its end.
pub fn in_flight(schedule: &Schedule) -> Vec<InFlight> {
    let count = |device, releases: fn(ActionKind) -> bool| {
        let (peak, _) = peak_level(schedule.actions(device), |action| match action.kind {
            ActionKind::Forward => (1, 0),
            kind if releases(kind) => (0, -1),
            _ => (0, 0),
        });
        u32::try_from(peak).unwrap_or(0)
    };
    (0..schedule.n_devices())
        .map(|device| InFlight {
            until_weight_grad: count(device, |kind| {
                matches!(kind, ActionKind::Backward | ActionKind::WeightGrad)
            }),
            until_input_grad: count(device, ActionKind::gives_gradient),
        })
        .collect()
}

/// The highest level that a device's passes reach, and the position of the pass that reaches
/// it first. `changes` gives what a pass adds when it starts and what it adds when it ends,
/// negative for what it frees: bytes, counts, anything.
pub fn peak_level(
    actions: &[Action],
    mut changes: impl FnMut(Action) -> (i64, i64),
) -> (i64, usize) {
    let (mut level, mut peak, mut position) = (0, 0, 0);
    for (at, &action) in actions.iter().enumerate() {
        let (before, after) = changes(action);
        level += before;
        if peak < level {
            (peak, position) = (level, at);
        }
        level += after;
        if peak < level {
            (peak, position) = (level, at);
        }
    }
    (peak, position)
}
