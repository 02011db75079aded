//! Gradients that nobody reads.
//!
//! Where products add to main gradients, autograd still asks for a gradient of each weight.
//! Transformer Engine gives it one tensor for each shape and keeps it (`get_dummy_wgrad` of
//! `transformer_engine/pytorch/module/base.py`, version 2.3 and newer; products of grouped experts
//! from 2.10, which is not counted). Check: without them SimuMax's runs of Llama 3 405B cut to four
//! layers (B200, tp 1 to 8) take 3 to 4 % more than predicted, a layer's weights in 16 bits.

use units::Bytes;
use workload::{Job, Matrix, MatrixRole};

use crate::framework::Framework;

/// The shapes of weights on a rank of which a gradient is kept that nobody reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dummies(Vec<[u64; 2]>);

impl Dummies {
    /// Adds the shapes of some weights.
    pub fn add(&mut self, matrices: &[Matrix]) {
        for matrix in matrices {
            let is_module = matrix.role == MatrixRole::Linear && matrix.trained && !matrix.expert;
            let shape = [matrix.rows, matrix.cols];
            if is_module && !self.0.contains(&shape) {
                self.0.push(shape);
            }
        }
    }

    /// Adds the shapes of other pieces.
    pub fn merge(&mut self, other: &Self) {
        for shape in &other.0 {
            if !self.0.contains(shape) {
                self.0.push(*shape);
            }
        }
    }

    /// What they take.
    pub fn bytes(&self, job: &Job, framework: &Framework) -> Bytes {
        if !(framework.dummy_gradients && framework.fusion.grad_accumulation) {
            return Bytes::ZERO;
        }
        let values: u64 = self.0.iter().map(|[rows, cols]| rows * cols).sum();
        Bytes::from_f64(values as f64 * job.precision.params.bytes())
    }
}
