//! One forward pass, one backward pass.

use super::{Action, ActionKind, Schedule, looped_placement};

/// 1F1B with a flush: device `i` warms up with `p − 1 − i` forward passes, then alternates.
///
/// Bubble over ideal time `(p − 1)/m`; at most `p − i` micro-batches in flight on device `i`.
///
/// Source: Narayanan et al., "Memory-Efficient Pipeline-Parallel DNN Training" (PipeDream-Flush),
/// ICML 2021, and Megatron-LM, SC21, section 2.2.1.
pub fn one_f_one_b(n_devices: u32, n_micro_batches: u32) -> Schedule {
    one_f_one_b_ahead(n_devices, n_micro_batches, 0)
}

/// 1F1B that runs `ahead` more forward passes before a device's first backward pass, so that
/// `p − i + ahead` micro-batches are in flight. It gives the passes of a spread vocabulary,
/// or a slow link, time between the last forward and the first backward pass.
pub fn one_f_one_b_ahead(n_devices: u32, n_micro_batches: u32, ahead: u32) -> Schedule {
    let lists: Vec<Vec<Action>> = (0..n_devices)
        .map(|stage| {
            let warm_up = (n_devices - 1 - stage + ahead).min(n_micro_batches);
            alternate(n_micro_batches, warm_up)
                .map(|(kind, k)| Action::new(kind, stage, k))
                .collect()
        })
        .collect();
    Schedule::unchecked(looped_placement(n_devices, 1), n_micro_batches, &lists)
}

/// `n` forward and `n` backward passes: `warm_up` forwards, then one of each in turn, then the
/// backwards that remain.
pub(super) fn alternate(n: u32, warm_up: u32) -> impl Iterator<Item = (ActionKind, u32)> {
    let first = (0..warm_up).map(|k| (ActionKind::Forward, k));
    let steady = (warm_up..n).flat_map(move |k| {
        [
            (ActionKind::Forward, k),
            (ActionKind::Backward, k - warm_up),
        ]
    });
    let rest = (n - warm_up..n).map(|k| (ActionKind::Backward, k));
    first.chain(steady).chain(rest)
}
