//! Durations of passes.

use units::TimeOverflow;

use super::Schedule;

/// The longest run, in picoseconds: a quarter of the clock's range, so that no sum overflows.
pub(super) const LONGEST: u64 = 1 << 62;

/// Durations of the passes of one stage, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassCosts {
    /// The forward pass.
    pub forward: u64,
    /// The backward pass with both gradients.
    pub backward: u64,
    /// The gradient of the input alone.
    pub input_grad: u64,
    /// The gradient of the weights alone.
    pub weight_grad: u64,
}

impl PassCosts {
    /// Durations whose full backward pass is the sum of its two parts.
    pub const fn split(forward: u64, input_grad: u64, weight_grad: u64) -> Self {
        Self {
            forward,
            backward: input_grad + weight_grad,
            input_grad,
            weight_grad,
        }
    }

    /// Durations where the backward pass stays whole: its parts are set to halves.
    pub const fn whole(forward: u64, backward: u64) -> Self {
        Self {
            forward,
            backward,
            input_grad: backward / 2,
            weight_grad: backward - backward / 2,
        }
    }
}

/// Durations of vocabulary passes on every device, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VocabularyCosts {
    /// Logits and softmax statistics.
    pub forward: u64,
    /// Gradients of the output layer.
    pub backward: u64,
    /// Input embedding.
    pub embedding_forward: u64,
    /// Gradient of the input embedding.
    pub embedding_backward: u64,
    /// From the last device's arrival at a barrier until all may go on.
    pub barrier: u64,
    /// From the end of a stage's pass until its output has reached every device.
    pub broadcast: u64,
}

/// Durations of a pipeline, in picoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Of the passes, by virtual stage.
    pub stages: Vec<PassCosts>,
    /// Of the hop between virtual stages `i` and `i + 1`, either way; a hop within one device
    /// takes no time whatever stands here. Missing entries are zero.
    pub links: Vec<u64>,
    /// Of the vocabulary passes, where the schedule has them.
    pub vocabulary: VocabularyCosts,
    /// What a pair of a forward and a backward pass saves of their times one after the other, by
    /// what they hide of each other's communication; at most the shorter of the two counts.
    pub pair_saves: u64,
}

impl VocabularyCosts {
    /// The durations of the four passes, in the order of their kinds.
    pub(super) const fn passes(&self) -> [u64; 4] {
        [
            self.forward,
            self.backward,
            self.embedding_forward,
            self.embedding_backward,
        ]
    }
}

impl Costs {
    /// Equal stages without link time.
    pub fn uniform(n_stages: usize, pass: PassCosts) -> Self {
        Self {
            stages: vec![pass; n_stages],
            ..Self::default()
        }
    }

    /// The hop after a stage.
    pub(super) fn link(&self, stage: usize) -> u64 {
        self.links.get(stage).copied().unwrap_or(0)
    }
}

/// Every pass and hop one after the other is longer than any run of them.
pub(super) fn check_range(schedule: &Schedule, costs: &Costs) -> Result<(), TimeOverflow> {
    let wide = u128::from;
    let stages: u128 = costs
        .stages
        .iter()
        .map(|c| wide(c.forward) + wide(c.backward) + wide(c.input_grad) + wide(c.weight_grad))
        .sum();
    let links: u128 = costs.links.iter().map(|&t| 2 * wide(t)).sum();
    let v = &costs.vocabulary;
    let vocabulary = v.passes().into_iter().map(wide).sum::<u128>() * schedule.n_devices() as u128
        + 3 * wide(v.barrier)
        + 2 * wide(v.broadcast);
    let all = (stages + links + vocabulary) * u128::from(schedule.n_micro_batches());
    if all < u128::from(LONGEST) {
        Ok(())
    } else {
        Err(TimeOverflow)
    }
}
