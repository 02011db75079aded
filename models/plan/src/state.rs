//! Memory that a rank's share of the model takes whatever the micro-batches do: weights,
//! gradients, optimizer states.
//!
//! ```text
//! mixed-precision Adam, nothing sharded:   2 + 4 + 12 = 18 bytes a parameter
//! optimizer over d ranks (ZeRO-1):         6 + 12/d
//! single precision:                        4 + 4 + 8 = 16
//! ```
//!
//! Experts are sharded over their own data-parallel ranks. With two copies of each stage (`DualPipe`)
//! the optimizer's shards are of both copies' ranks. Frozen weights (adapters train
//! beside them) have no gradient and no state. Deliberately absent: activations and buffers
//! that come and go, which the liveness of a run gives.

use units::Bytes;
use workload::Resident;
use workload::ops::ParamCount;

use crate::plan::Plan;
use crate::shard::Shards;

/// Bytes of one kind of parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateParts {
    /// The parameters as the forward pass reads them.
    pub weights: Bytes,
    /// Accumulated gradients.
    pub gradients: Bytes,
    /// Optimizer states and the parameters' copy.
    pub optimizer: Bytes,
}

impl StateParts {
    /// All three.
    pub fn total(&self) -> Bytes {
        self.weights + self.gradients + self.optimizer
    }

    /// The largest shard of each part.
    #[must_use]
    pub fn sharded(&self, shards: Shards) -> Self {
        Self {
            weights: self.weights / u64::from(shards.weights),
            gradients: self.gradients / u64::from(shards.gradients),
            optimizer: self.optimizer / u64::from(shards.optimizer),
        }
    }
}

/// Bytes of the state of one rank, dense parameters and those of experts apart, since they are
/// sharded over other ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateBytes {
    /// Attention, dense feed-forward parts, norms, embeddings.
    pub dense: StateParts,
    /// Routed experts.
    pub expert: StateParts,
}

impl StateBytes {
    /// The unsharded state of a rank's parameters under an optimizer that works by value.
    ///
    /// * `params` — parameters on the rank, after tensor, pipeline and expert parallelism: the
    ///   sum over the blocks of its stages.
    /// * `resident` — bytes a trained parameter.
    pub fn of(params: &ParamCount, resident: &Resident) -> Self {
        let parts = |all: u64, trained: u64| StateParts {
            weights: Bytes::from_f64(all as f64 * resident.params),
            gradients: Bytes::from_f64(trained as f64 * resident.grads),
            optimizer: Bytes::from_f64(trained as f64 * resident.optimizer),
        };
        Self {
            dense: parts(params.dense, params.dense_trained),
            expert: parts(params.expert, params.expert_trained),
        }
    }

    /// What of it a rank of this plan holds.
    #[must_use]
    pub fn on_rank(&self, plan: &Plan) -> Self {
        let step = plan.step_shards();
        let dense = Shards {
            optimizer: step.dense,
            ..plan.shards()
        };
        let expert = Shards {
            optimizer: step.expert,
            ..plan.expert_shards()
        };
        Self {
            dense: self.dense.sharded(dense),
            expert: self.expert.sharded(expert),
        }
    }

    /// The same without what the plan keeps outside the GPU.
    #[must_use]
    pub fn on_gpu(&self, plan: &Plan) -> Self {
        let offload = plan.offload();
        let kept = |parts: StateParts| StateParts {
            weights: parts.weights.scale(1.0 - offload.weights),
            gradients: parts.gradients,
            optimizer: parts.optimizer.scale(1.0 - offload.optimizer),
        };
        let own = self.on_rank(plan);
        Self {
            dense: kept(own.dense),
            expert: kept(own.expert),
        }
    }

    /// Weights, gradients and optimizer states of dense and expert parameters together.
    pub fn parts(&self) -> StateParts {
        StateParts {
            weights: self.dense.weights + self.expert.weights,
            gradients: self.dense.gradients + self.expert.gradients,
            optimizer: self.dense.optimizer + self.expert.optimizer,
        }
    }

    /// Everything.
    pub fn total(&self) -> Bytes {
        self.dense.total() + self.expert.total()
    }
}

/// What sharded weights and gradients need in addition while a layer runs.
///
/// * `layer` — weights and gradients of the largest unit that is gathered at once, unsharded.
///
/// With overlap the next layer is gathered, and the last one's gradients are reduced, beside
/// the current one: two of each.
pub fn gather_buffers(plan: &Plan, layer: StateParts) -> Bytes {
    let copies = |beside: bool| if beside { 2 } else { 1 };
    let (shards, overlap) = (plan.shards(), plan.overlap());
    let weights = match shards.weights {
        1 => Bytes::ZERO,
        _ => layer.weights * copies(overlap.param_gather),
    };
    let gradients = match shards.gradients {
        1 => Bytes::ZERO,
        _ => layer.gradients * copies(overlap.grad_reduce),
    };
    weights + gradients
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: Resident = Resident {
        params: 2.0,
        grads: 4.0,
        optimizer: 12.0,
    };

    fn params(dense: u64, expert: u64) -> ParamCount {
        ParamCount {
            dense,
            expert,
            dense_trained: dense,
            expert_trained: expert,
            ..ParamCount::default()
        }
    }

    #[test]
    fn mixed_precision_adam_takes_18_bytes_and_6_plus_12_over_d_sharded() {
        let state = StateBytes::of(&params(1_000, 0), &MIXED);
        assert_eq!(state.total(), Bytes::new(18_000));
        let zero_1 = Shards {
            optimizer: 8,
            ..Shards::NONE
        };
        assert_eq!(state.dense.sharded(zero_1).total(), Bytes::new(7_500));
        let zero_3 = Shards {
            weights: 8,
            gradients: 8,
            optimizer: 8,
        };
        assert_eq!(state.dense.sharded(zero_3).total(), Bytes::new(18_000 / 8));
    }

    #[test]
    fn single_precision_takes_16_bytes() {
        let single = Resident {
            params: 4.0,
            grads: 4.0,
            optimizer: 8.0,
        };
        assert_eq!(
            StateBytes::of(&params(10, 0), &single).total(),
            Bytes::new(160)
        );
    }

    #[test]
    fn frozen_weights_have_neither_gradient_nor_state() {
        let adapters = ParamCount {
            dense: 1_010,
            dense_trained: 10,
            ..ParamCount::default()
        };
        let state = StateBytes::of(&adapters, &MIXED);
        assert_eq!(state.total(), Bytes::new(2 * 1_010 + 16 * 10));
    }
}
