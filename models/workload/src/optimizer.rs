//! Optimizers as data: what state each parameter matrix needs, and what one step costs.
//!
//! A matrix is m x n with m <= n, whichever way it lies. Methods that treat matrices as such
//! (GaLore, FRUGAL, Muon, KFAC) apply to the linear layers; embeddings, the output layer, norms
//! and biases get Adam beside them, as their authors do.

use units::{Bytes, DType, Flops};

use crate::job::JobError;
use crate::precision::Precision;

/// How parameters follow from gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Optimizer {
    /// Adam and `AdamW`: two moments a value (Kingma and Ba 2015; Loshchilov and Hutter 2019).
    /// With [`DType::Int8`] the 8-bit optimizer of Dettmers et al. 2022.
    Adam {
        /// The format of both moments.
        moments: DType,
        /// Whether weight decay is decoupled, which costs nothing.
        decoupled: bool,
    },
    /// Stochastic gradient descent.
    Sgd {
        /// Whether a momentum is kept.
        momentum: bool,
    },
    /// A factored second moment and no first: m + n values (Shazeer and Stern 2018).
    Adafactor,
    /// One momentum, orthogonalized by Newton-Schulz steps (Jordan 2024).
    Muon {
        /// Newton-Schulz steps, 5 in the original.
        steps: u32,
    },
    /// Adam in a subspace of rank r: `r (m + 2n)` values (Zhao et al. 2024).
    Galore {
        /// The rank r.
        rank: u64,
        /// Steps between two singular value decompositions.
        interval: u32,
        /// The format of the moments and of the projection.
        moments: DType,
    },
    /// Adam on a share of the values and sign descent on the others: `2 ρ m n` values
    /// (Zmushko et al. 2024).
    Frugal {
        /// The share ρ.
        density: f64,
    },
    /// Kronecker factors of the Fisher matrix, inverted every few steps, with momentum (Martens
    /// and Grosse 2015; KAISA, Pauloski et al. 2021).
    Kfac {
        /// Steps between two inversions.
        interval: u32,
    },
    /// Rank-1 updates of the inverse Kronecker factors, with momentum (Mozaffari et al. 2023).
    Mkor,
}

/// What one matrix costs: state between steps, and work in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepCost {
    /// State kept between steps, without the parameters and their fp32 copy.
    pub state: Bytes,
    /// Operations of a step on matrices; those by value are free beside their memory traffic.
    pub flops: Flops,
    /// Operations every `interval` steps, divided by the interval.
    pub refresh: Flops,
    /// Bytes read and written in memory by a step.
    pub moved: Bytes,
    /// Bytes exchanged between data-parallel ranks beside gradients and parameters.
    pub sent: Bytes,
}

/// A group of parameter tensors of one shape on one GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Matrix {
    /// One side; 1 for vectors.
    pub rows: u64,
    /// The other side.
    pub cols: u64,
    /// How many there are.
    pub count: u64,
    /// What it is to an optimizer.
    pub role: MatrixRole,
    /// Whether it belongs to routed experts, whose data-parallel group is its own.
    pub expert: bool,
    /// Whether it receives gradients.
    pub trained: bool,
}

/// What a parameter tensor is to an optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatrixRole {
    /// The weight of a linear layer, a matrix to methods that know matrices.
    Linear,
    /// An embedding, an output layer, a norm or a bias: values.
    Values,
}

impl Matrix {
    /// Values in all.
    pub const fn values(&self) -> u64 {
        self.rows * self.cols * self.count
    }

    /// The smaller and the larger side.
    fn sides(&self) -> (f64, f64) {
        let (rows, cols) = (self.rows as f64, self.cols as f64);
        (rows.min(cols), rows.max(cols))
    }
}

/// Bytes that stay on the devices for each trained parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resident {
    /// The parameter as the forward pass reads it.
    pub params: f64,
    /// Its accumulated gradient.
    pub grads: f64,
    /// Its copy for the optimizer and the optimizer's state: the part that ZeRO-1 shards.
    pub optimizer: f64,
}

impl Resident {
    /// Bytes a parameter on one GPU when the optimizer's part is cut over `shards` ranks.
    pub fn per_param(&self, shards: u32) -> f64 {
        self.params + self.grads + self.optimizer / f64::from(shards)
    }
}

impl Optimizer {
    /// Adam with fp32 moments and decoupled weight decay.
    pub const ADAMW: Self = Self::Adam {
        moments: DType::Fp32,
        decoupled: true,
    };

    /// Values of state of a matrix; the format is [`state_dtype`](Self::state_dtype).
    pub fn state_values(&self, matrix: &Matrix) -> f64 {
        let ((m, n), count) = (matrix.sides(), matrix.count as f64);
        let full = matrix.values() as f64;
        let linear = matrix.role == MatrixRole::Linear;
        match *self {
            Self::Sgd { momentum } => f64::from(u8::from(momentum)) * full,
            Self::Adafactor if 1.0 < m => count * (m + n),
            Self::Adafactor => full,
            Self::Muon { .. } if linear => full,
            Self::Galore { rank, .. } if linear && (rank as f64) < m => {
                count * rank as f64 * (m + 2.0 * n)
            }
            Self::Frugal { density } if linear => 2.0 * density * full,
            // Two factors, their two inverses and a momentum.
            Self::Kfac { .. } if linear => 2.0 * count * (m * m + n * n) + full,
            // Two inverse factors and a momentum.
            Self::Mkor if linear => count * (m * m + n * n) + full,
            _ => 2.0 * full,
        }
    }

    /// The format of the state.
    pub const fn state_dtype(&self) -> DType {
        match self {
            Self::Adam { moments, .. } | Self::Galore { moments, .. } => *moments,
            _ => DType::Fp32,
        }
    }

    /// What one matrix costs.
    pub fn step(&self, matrix: &Matrix, precision: Precision, grads: DType) -> StepCost {
        if !matrix.trained {
            return StepCost::default();
        }
        let state = self.state_values(matrix) * self.state_dtype().bytes();
        let values = matrix.values() as f64;
        let (flops, refresh) = self.matrix_work(matrix);
        StepCost {
            state: Bytes::from_f64(state),
            flops: Flops::new(flops),
            refresh: Flops::new(refresh),
            moved: Bytes::from_f64(2.0 * state + values * value_traffic(precision, grads)),
            sent: Bytes::from_f64(4.0 * self.sent_values(matrix)),
        }
    }

    /// Operations on a matrix as such: in every step, and of a refresh a step.
    fn matrix_work(&self, matrix: &Matrix) -> (f64, f64) {
        let ((m, n), count) = (matrix.sides(), matrix.count as f64);
        if matrix.role == MatrixRole::Values {
            return (0.0, 0.0);
        }
        match *self {
            // X·Xᵀ, its square, and the product with X.
            Self::Muon { steps } => {
                let once = 4.0 * m * m * n + 2.0 * m * m * m;
                (count * f64::from(steps) * once, 0.0)
            }
            // Projection and back; singular vectors of the smaller side (Golub and Van Loan,
            // Matrix Computations, section 8.6: 4 n m² + 8 m³).
            Self::Galore { rank, interval, .. } if (rank as f64) < m => {
                let svd = 4.0 * n * m * m + 8.0 * m * m * m;
                let work = 4.0 * m * n * rank as f64;
                (count * work, count * svd / f64::from(interval))
            }
            // Two products with the inverses; two inversions of 2 d³.
            Self::Kfac { interval } => {
                let inversions = 2.0 * (m * m * m + n * n * n);
                let work = 2.0 * m * n * (m + n);
                (count * work, count * inversions / f64::from(interval))
            }
            // The same products; two rank-1 updates of d².
            Self::Mkor => (count * (2.0 * m * n * (m + n) + 4.0 * (m * m + n * n)), 0.0),
            _ => (0.0, 0.0),
        }
    }

    /// Values exchanged beside gradients: factors, or the vectors that update them.
    fn sent_values(&self, matrix: &Matrix) -> f64 {
        let ((m, n), count) = (matrix.sides(), matrix.count as f64);
        match *self {
            _ if matrix.role == MatrixRole::Values => 0.0,
            Self::Kfac { interval } => count * (m * m + n * n) / f64::from(interval),
            Self::Mkor => count * (m + n),
            _ => 0.0,
        }
    }

    /// Bytes for each trained parameter under an optimizer that works by value; for the others
    /// the parts of `matrix` state that a parameter has on average are the caller's to sum.
    pub fn resident(&self, precision: Precision, grads: DType) -> Resident {
        let one = Matrix {
            rows: 1,
            cols: 1,
            count: 1,
            role: MatrixRole::Values,
            expert: false,
            trained: true,
        };
        let main = precision.main_params.map_or(0.0, DType::bytes);
        Resident {
            params: precision.params.bytes(),
            grads: grads.bytes(),
            optimizer: main + self.state_values(&one) * self.state_dtype().bytes(),
        }
    }

    /// A parameter of the optimizer outside its range.
    pub(crate) fn error(&self) -> Option<JobError> {
        let (field, value, limit) = match *self {
            Self::Galore { rank: 0, .. } => ("rank", 0.0, "at least 1"),
            Self::Galore { interval: 0, .. } | Self::Kfac { interval: 0 } => {
                ("interval", 0.0, "at least 1")
            }
            Self::Frugal { density } if !(0.0..=1.0).contains(&density) => {
                ("density", density, "a share from 0 to 1")
            }
            _ => return None,
        };
        Some(JobError::Optimizer {
            field,
            value,
            limit,
        })
    }
}

/// Bytes of a value that a step moves beside the state: its gradient is read, its fp32 copy read
/// and written, the parameter written.
fn value_traffic(precision: Precision, grads: DType) -> f64 {
    let params = precision.params.bytes();
    grads.bytes()
        + match precision.main_params {
            Some(main) => 2.0 * main.bytes() + params,
            None => 2.0 * params,
        }
}

/// Values of an adapter or of a factored layer in place of an m x n matrix: `r (m + n)` (Hu et
/// al. 2021).
pub const fn factored_values(rows: u64, cols: u64, rank: u64) -> u64 {
    rank * (rows + cols)
}

#[cfg(test)]
mod tests;
