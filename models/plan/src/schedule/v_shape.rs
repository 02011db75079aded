//! ZB-V: two chunks a device, placed like a V, and no bubble.

use super::{Action, ActionKind, Schedule, v_placement};

/// ZB-V: device `i` holds stages `i` and `2p − 1 − i`. With equal times of forward, input
/// gradient and weight gradient it has no bubble but the fill and drain of its chunks' halves,
/// and no device holds more than `2p` chunks' activations: 1F1B's `p` micro-batches.
///
/// Source: Qi, Wan, Huang and Lin, "Zero Bubble Pipeline Parallelism", section 6, and
/// "Pipeline Parallelism with Controllable Memory" (V-ZB), `NeurIPS` 2024.
pub fn zb_v(n_devices: u32, n_micro_batches: u32) -> Schedule {
    let lists: Vec<Vec<Action>> = (0..n_devices)
        .map(|device| device_list(n_devices, device, n_micro_batches))
        .collect();
    Schedule::unchecked(v_placement(n_devices), n_micro_batches, &lists)
}

/// The passes of one device: each pass takes the next micro-batch of its kind and chunk.
/// The pattern needs `2p − 1` micro-batches; of a shorter run the surplus is left out.
fn device_list(n_devices: u32, device: u32, n_micro_batches: u32) -> Vec<Action> {
    use ActionKind::{Forward as F, InputGrad as B, WeightGrad as W};
    let (p, i) = (n_devices, device);
    let n = n_micro_batches.max(2 * p - 1);
    let mut list = Device::new([i, 2 * p - 1 - i]);
    list.repeat(2 * (p - i) - 1, &[(F, 0)]);
    list.repeat(i, &[(F, 1), (F, 0)]);
    list.repeat(p - i, &[(F, 1), (B, 1), (W, 1)]);
    list.repeat(
        n + 1 - 2 * p + i,
        &[(F, 0), (B, 0), (W, 0), (F, 1), (B, 1), (W, 1)],
    );
    list.repeat(p - i - 1, &[(B, 0), (W, 0), (F, 1), (B, 1), (W, 1)]);
    list.repeat(i, &[(B, 0), (B, 1)]);
    list.repeat(p - i, &[(B, 0), (W, 0)]);
    list.finish_weight_gradients(n);
    list.actions
        .retain(|action| action.micro_batch < n_micro_batches);
    list.actions
}

/// A device's list under construction, with the next micro-batch by kind and chunk.
struct Device {
    stages: [u32; 2],
    next: [[u32; 2]; 3],
    actions: Vec<Action>,
}

impl Device {
    fn new(stages: [u32; 2]) -> Self {
        Self {
            stages,
            next: [[0; 2]; 3],
            actions: Vec::new(),
        }
    }

    fn repeat(&mut self, times: u32, passes: &[(ActionKind, usize)]) {
        for _ in 0..times {
            for &(kind, chunk) in passes {
                self.push(kind, chunk);
            }
        }
    }

    fn push(&mut self, kind: ActionKind, chunk: usize) {
        let row = match kind {
            ActionKind::Forward => 0,
            ActionKind::InputGrad => 1,
            _ => 2,
        };
        let next = &mut self.next[row][chunk];
        self.actions
            .push(Action::new(kind, self.stages[chunk], *next));
        *next += 1;
    }

    fn finish_weight_gradients(&mut self, n: u32) {
        for chunk in [1, 0] {
            let left = n - self.next[2][chunk];
            self.repeat(left, &[(ActionKind::WeightGrad, chunk)]);
        }
    }
}
