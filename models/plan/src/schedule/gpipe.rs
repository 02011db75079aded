//! All forward passes, then all backward passes.

use super::{Action, ActionKind, Schedule, looped_placement};

/// GPipe: every device runs all forward passes and then all backward passes, in the order of
/// the micro-batches as Megatron-LM and PyTorch's `ScheduleGPipe` do (the paper's figure
/// counts down, which takes as long where stages are equal).
///
/// Bubble over ideal time `(p − 1)/m`; all `m` micro-batches are in flight.
///
/// Source: Huang et al., "GPipe", `NeurIPS` 2019.
pub fn gpipe(n_devices: u32, n_micro_batches: u32) -> Schedule {
    passes(
        n_devices,
        n_micro_batches,
        &[ActionKind::Forward, ActionKind::Backward],
    )
}

/// Forward passes alone: evaluation, or a pipelined prefill.
pub fn forward_only(n_devices: u32, n_micro_batches: u32) -> Schedule {
    passes(n_devices, n_micro_batches, &[ActionKind::Forward])
}

fn passes(n_devices: u32, n_micro_batches: u32, kinds: &[ActionKind]) -> Schedule {
    let lists: Vec<Vec<Action>> = (0..n_devices)
        .map(|stage| {
            kinds
                .iter()
                .flat_map(|&kind| (0..n_micro_batches).map(move |k| Action::new(kind, stage, k)))
                .collect()
        })
        .collect();
    Schedule::unchecked(looped_placement(n_devices, 1), n_micro_batches, &lists)
}
