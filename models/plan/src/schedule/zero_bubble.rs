//! Backward passes split into input and weight gradients.

use super::{Action, ActionKind, Schedule, looped_placement};

/// ZB-H1: as 1F1B, with weight gradients delayed so that they fill the cool-down.
///
/// Bubble `(p − 1)(T_F + T_B − T_W)`; at most `p` micro-batches in flight on every device,
/// until their weight gradients are done: 1F1B's peak.
///
/// Source: Qi, Wan, Huang and Lin, "Zero Bubble Pipeline Parallelism", ICLR 2024, figure 3.
pub fn zb_h1(n_devices: u32, n_micro_batches: u32) -> Schedule {
    handcrafted(n_devices, n_micro_batches, 1)
}

/// ZB-H2: twice ZB-H1's warm-up, so that the pipeline never drains before its flush.
///
/// Bubble `(p − 1)(T_F + T_B − 2 T_W)`; at most `2p − 1` micro-batches in flight.
///
/// Source: as [`zb_h1`].
pub fn zb_h2(n_devices: u32, n_micro_batches: u32) -> Schedule {
    handcrafted(n_devices, n_micro_batches, 2)
}

/// Device `i` runs `spread (p − 1 − i)` forwards ahead and its weight gradients `spread i`
/// micro-batches behind, so that every device holds the same number.
fn handcrafted(n_devices: u32, n: u32, spread: u32) -> Schedule {
    let lists: Vec<Vec<Action>> = (0..n_devices)
        .map(|stage| {
            let warm_up = (spread * (n_devices - 1 - stage)).min(n);
            let lag = spread * stage;
            let mut list: Vec<Action> = (0..warm_up)
                .map(|k| Action::new(ActionKind::Forward, stage, k))
                .collect();
            for k in 0..n + lag {
                if k + warm_up < n {
                    list.push(Action::new(ActionKind::Forward, stage, k + warm_up));
                }
                if k < n {
                    list.push(Action::new(ActionKind::InputGrad, stage, k));
                }
                if lag <= k {
                    list.push(Action::new(ActionKind::WeightGrad, stage, k - lag));
                }
            }
            list
        })
        .collect();
    Schedule::unchecked(looped_placement(n_devices, 1), n, &lists)
}
