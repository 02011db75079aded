//! `DualPipe`: forward and backward passes of two micro-batches at once, from both ends.
//!
//! ```text
//! device 0   F0 F0 F0 F1 F0 F1 I1 W1 F1 (F0 B1)(F1 B0) .. B1 (F1 B0) B1 B0 I1 I0 W I0 W W
//!            fill           drain of 1   both at once         drain
//! ```
//!
//! Each device holds two chunks. While one is computed forwards, the other is computed backwards
//! for another micro-batch, so that the all-to-alls of one run beside the kernels of the other:
//! such a pair is one cell of the schedule ([`Schedule::is_pair`]). Weight gradients fill what is
//! left of the bubble at both ends.
//!
//! Source: DeepSeek-V3 technical report, arXiv 2412.19437, section 3.2.1, figure 5 and table 2; the
//! order of passes is that of <https://github.com/deepseek-ai/DualPipe>, which `DualPipeV` of
//! `torch.distributed.pipelining` follows too.

use super::{Action, ActionKind, Schedule, count, v_placement};

/// `DualPipeV`: device `i` of `p` holds stages `i` and `2p − 1 − i`.
///
/// Bubble `(p − 1)(F&B + B − 3W)`, with `F&B` the time of a pair; at most `2p + 1` chunks'
/// activations. Needs `2p` micro-batches.
pub fn dual_pipe_v(n_devices: u32, n_micro_batches: u32) -> Schedule {
    let (lists, pairs) = (0..n_devices)
        .map(|i| {
            let stages = [i, 2 * n_devices - 1 - i];
            Device::new(stages, [0; 2]).run(n_devices, i, n_micro_batches)
        })
        .unzip();
    let lists: Vec<Vec<Action>> = lists;
    Schedule::unchecked(v_placement(n_devices), n_micro_batches, &lists).with_pairs(pairs)
}

/// `DualPipe`: micro-batches enter at both ends, the first half at device 0 and the second half at
/// the last device, and every device holds two copies of stages: its own and its mirror's.
///
/// Bubble `(p/2 − 1)(F&B + B − 3W)`; twice the parameters; at most `p + 1` stages' activations.
/// Needs an even number of devices and an even number of `2p` or more micro-batches.
pub fn dual_pipe(n_devices: u32, n_micro_batches: u32) -> Schedule {
    let (p, half) = (n_devices, n_micro_batches / 2);
    let (lists, pairs) = (0..p)
        .map(|i| {
            // Direction 1 runs the other way: its stages are numbered behind those of direction 0.
            let stages = [i, 2 * p - 1 - i];
            let first = [0, half];
            let device = if i < p / 2 {
                Device::new(stages, first)
            } else {
                Device::new([stages[1], stages[0]], [first[1], first[0]])
            };
            device.run(p / 2, i.min(p - 1 - i), half)
        })
        .unzip();
    let lists: Vec<Vec<Action>> = lists;
    Schedule::unchecked(v_placement(p), n_micro_batches, &lists)
        .with_pairs(pairs)
        .in_two_directions()
}

/// The list of one device under construction. Chunk 0 is the one whose first stage is nearer.
struct Device {
    stages: [u32; 2],
    /// The next micro-batch of forward passes and of backward passes, by chunk.
    next: [[u32; 2]; 2],
    /// Weight gradients that are still to be computed, in order.
    left: Vec<Action>,
    list: Vec<Action>,
    /// Positions of the forward passes that run with the backward pass behind them.
    pairs: Vec<u32>,
}

impl Device {
    fn new(stages: [u32; 2], first: [u32; 2]) -> Self {
        Self {
            stages,
            next: [first; 2],
            left: Vec::new(),
            list: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// The eight steps of the schedule for device `i` of `p` with `m` micro-batches a chunk.
    fn run(mut self, p: u32, i: u32, m: u32) -> (Vec<Action>, Vec<u32>) {
        let behind = p - 1 - i;
        for _ in 0..2 * behind {
            self.forward(0);
        }
        for _ in 0..=i {
            self.forward(0);
            self.forward(1);
        }
        for _ in 0..behind {
            self.split_backward(1);
            self.weights();
            self.forward(1);
        }
        for at in 0..(m + i + 1).saturating_sub(2 * p) {
            if at == 0 && behind == 0 {
                // Not at once: the neighbor gets its input earlier.
                self.forward(0);
                self.backward(1);
            } else {
                self.pair(0, 1);
            }
            self.pair(1, 0);
        }
        for _ in 0..behind {
            self.backward(1);
            self.pair(1, 0);
        }
        // Input gradients alone in the second half, so that the neighbors go on sooner.
        for at in 0..2 * (i + 1) {
            let chunk = (at + 1) as usize % 2;
            if i < at {
                self.split_backward(chunk);
            } else {
                self.backward(chunk);
            }
        }
        for _ in 0..behind {
            self.weights();
            self.split_backward(0);
        }
        while !self.left.is_empty() {
            self.weights();
        }
        (self.list, self.pairs)
    }

    fn push(&mut self, kind: ActionKind, chunk: usize) {
        let next = &mut self.next[usize::from(kind != ActionKind::Forward)][chunk];
        self.list.push(Action::new(kind, self.stages[chunk], *next));
        *next += 1;
    }

    fn forward(&mut self, chunk: usize) {
        self.push(ActionKind::Forward, chunk);
    }

    fn backward(&mut self, chunk: usize) {
        self.push(ActionKind::Backward, chunk);
    }

    fn split_backward(&mut self, chunk: usize) {
        self.push(ActionKind::InputGrad, chunk);
        if let Some(&action) = self.list.last() {
            let kind = ActionKind::WeightGrad;
            self.left.push(Action { kind, ..action });
        }
    }

    fn pair(&mut self, forward: usize, backward: usize) {
        self.pairs.push(count(self.list.len()));
        self.forward(forward);
        self.backward(backward);
    }

    /// The oldest weight gradient that is left.
    fn weights(&mut self) {
        if !self.left.is_empty() {
            self.list.push(self.left.remove(0));
        }
    }
}
