//! The optimizer's step on one GPU, as operators.

use profile::{Gemm, Kernel, Packing, StreamKind};
use units::{Bytes, DType};

use super::builder::stream;
use super::op::{Op, Overlap, Phase, Work};
use super::region::Region;
use crate::job::Job;
use crate::optimizer::{Matrix, MatrixRole, Optimizer, StepCost};

/// Over how many ranks the optimizer's state and work are cut: 1 without a distributed optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StepShards {
    /// For dense parameters.
    pub dense: u32,
    /// For parameters of routed experts.
    pub expert: u32,
}

impl StepShards {
    /// The shards of one tensor.
    fn of(self, matrix: &Matrix) -> u64 {
        u64::from(
            if matrix.expert {
                self.expert
            } else {
                self.dense
            }
            .max(1),
        )
    }
}

/// The cost of the optimizer on one GPU: what the matrices of its stage cost, over the ranks that
/// share the work.
pub fn step_cost(job: &Job, matrices: &[Matrix], shards: StepShards) -> StepCost {
    let mut sum = StepCost::default();
    for matrix in matrices {
        let cost = job.optimizer.step(matrix, job.precision, job.grad_dtype);
        let share = shards.of(matrix);
        sum.state += cost.state / share;
        sum.moved += cost.moved / share;
        sum.sent += cost.sent;
        sum.flops += cost.flops / share as f64;
        sum.refresh += cost.refresh / share as f64;
    }
    sum
}

/// The operators of one step: the norm of the gradients for clipping, the work on matrices, the
/// update by value, and zeroed gradients.
pub fn optimizer_ops(job: &Job, matrices: &[Matrix], shards: StepShards) -> Vec<Op> {
    let trained = matrices.iter().filter(|matrix| matrix.trained);
    let (mut local, mut all) = (0, 0);
    for matrix in trained.clone() {
        local += matrix.values().div_ceil(shards.of(matrix));
        all += matrix.values();
    }
    let grad = |values: u64| Bytes::from_f64(values as f64 * job.grad_dtype.bytes()).as_u64();
    let launches = u32::try_from(trained.clone().count().div_ceil(64)).unwrap_or(u32::MAX);
    let mut ops = Vec::with_capacity(8);
    if job.precision.compute == DType::Fp16 {
        ops.push(kernel("unscale", 2 * grad(local), launches));
    }
    ops.push(kernel("grad_norm", grad(local), launches));
    for matrix in trained {
        ops.extend(matrix_ops(job, matrix, shards.of(matrix)));
    }
    let moved = step_cost(job, matrices, shards).moved;
    ops.push(kernel("optimizer", moved.as_u64(), launches));
    ops.push(kernel("zero_grads", grad(all), 1));
    ops
}

/// The products on one kind of matrix, whose number is cut over the shards.
fn matrix_ops(job: &Job, matrix: &Matrix, shards: u64) -> Vec<Op> {
    let count = matrix.count.div_ceil(shards);
    let (m, n) = (matrix.rows.min(matrix.cols), matrix.rows.max(matrix.cols));
    let product = |name, [rows, cols, inner]: [u64; 3], count, dtype| Op {
        work: Work::Kernel(Kernel::Gemm(Gemm {
            packing: Packing::Batched(count),
            ..Gemm::new(rows, cols, inner, dtype)
        })),
        ..kernel(name, 0, 1)
    };
    if matrix.role == MatrixRole::Values {
        return Vec::new();
    }
    match job.optimizer {
        Optimizer::Muon { steps } => {
            let rounds = count * u64::from(steps);
            vec![
                product("orthogonalize", [m, m, n], rounds, DType::Bf16),
                product("orthogonalize", [m, m, m], rounds, DType::Bf16),
                product("orthogonalize", [m, n, m], rounds, DType::Bf16),
            ]
        }
        Optimizer::Galore { rank, interval, .. } if rank < m => {
            // A product of as many operations as the decomposition, spread over its interval.
            let inner = (2 * n + 4 * m).div_ceil(u64::from(interval));
            vec![
                product("project", [rank, n, m], count, DType::Fp32),
                product("project_back", [m, n, rank], count, DType::Fp32),
                product("decompose", [m, m, inner], count, DType::Fp32),
            ]
        }
        Optimizer::Kfac { .. } | Optimizer::Mkor => vec![
            product("precondition", [m, n, m], count, DType::Fp32),
            product("precondition", [m, n, n], count, DType::Fp32),
        ],
        _ => Vec::new(),
    }
}

/// A kernel of the optimizer.
const fn kernel(name: &'static str, bytes: u64, launches: u32) -> Op {
    Op {
        name,
        phase: Phase::Forward,
        work: stream(StreamKind::Optimizer, bytes, launches),
        saved: Bytes::ZERO,
        workspace: Bytes::ZERO,
        region: Region::Optimizer,
        overlap: Overlap::None,
        waits: None,
    }
}
