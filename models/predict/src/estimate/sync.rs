//! What data parallelism and the optimizer add to a pipeline.

use lower::{Flow, Stage};
use plan::Plan;
use units::Bytes;
use workload::ops::ParamCount;

use crate::estimate::sheet::Sheet;
use crate::estimate::stage::StageSums;

/// Prices of data-parallel collectives, by parameter.
pub(super) struct Wire<'a> {
    /// Seconds of a stage for so many bytes of the whole buffer.
    pub(super) price: &'a dyn Fn(&Stage, Bytes) -> f64,
    pub(super) dense: &'a Flow,
    pub(super) expert: &'a Flow,
    pub(super) grad_bytes: f64,
    pub(super) param_bytes: f64,
}

impl Wire<'_> {
    /// Seconds to sum the gradients of some parameters.
    pub(super) fn reduce(&self, params: &ParamCount) -> f64 {
        self.sum(&self.dense.reduce, params.dense_trained, self.grad_bytes)
            + self.sum(&self.expert.reduce, params.expert_trained, self.grad_bytes)
    }

    /// Seconds to bring parameters back after the step.
    pub(super) fn gather(&self, params: &ParamCount) -> f64 {
        self.sum(&self.dense.gather, params.dense_trained, self.param_bytes)
            + self.sum(&self.expert.gather, params.expert_trained, self.param_bytes)
    }

    /// Seconds to bring sharded weights in front of a pass.
    pub(super) fn pass(&self, params: &ParamCount) -> f64 {
        self.sum(&self.dense.pass, params.dense, self.param_bytes)
            + self.sum(&self.expert.pass, params.expert, self.param_bytes)
    }

    fn sum(&self, stages: &[Stage], params: u64, width: f64) -> f64 {
        let time = |stage: &Stage| {
            let bytes = Bytes::from_f64(params as f64 * width * stage.share);
            if bytes == Bytes::ZERO {
                0.0
            } else {
                (self.price)(stage, bytes)
            }
        };
        stages.iter().map(time).sum()
    }
}

/// Seconds that the reduction of a device's gradients lasts beyond its last backward pass, and
/// seconds during which it runs beside it.
///
/// Each piece's gradients leave when its last backward pass ends, in order; one after the other.
/// Behind the last pass of chunk `c` the device still runs `p` passes of each chunk before it.
pub(super) fn exposed_reduction(
    plan: &Plan,
    chunks: &[&StageSums],
    sheet: &Sheet,
    wire: &Wire<'_>,
) -> (f64, f64) {
    let rounds = f64::from(plan.degrees().pp.min(plan.n_micro_batches()));
    let ends: Vec<f64> = chunks
        .iter()
        .scan(0.0, |behind, chunk| {
            let end = -*behind;
            *behind += rounds * chunk.backward.total;
            Some(end)
        })
        .collect();
    let mut clock = f64::NEG_INFINITY;
    let mut total = 0.0;
    for (chunk, end) in chunks.iter().zip(&ends).rev() {
        let mut at = end - chunk.backward.total;
        for (piece, times) in chunk.runs.iter().rev() {
            let piece = &sheet.pieces[*piece];
            let time = wire.reduce(&piece.params);
            for _ in 0..*times {
                at += piece.backward.total;
                clock = clock.max(at) + time;
                total += time;
            }
        }
    }
    let exposed = clock.max(0.0);
    (exposed, (total - exposed).max(0.0))
}

/// Seconds by which the gather of the last step's parameters delays the first forward pass of a
/// device that could start `start` seconds into the iteration.
pub(super) fn gather_delay(
    chunks: &[&StageSums],
    sheet: &Sheet,
    wire: &Wire<'_>,
    start: f64,
) -> f64 {
    let Some(first) = chunks.first() else {
        return 0.0;
    };
    let (mut gathered, mut at, mut delay) = (0.0, start, 0.0_f64);
    for (piece, times) in &first.runs {
        let piece = &sheet.pieces[*piece];
        let time = wire.gather(&piece.params);
        for _ in 0..*times {
            gathered += time;
            delay = delay.max(gathered - at);
            at += piece.forward.total;
        }
    }
    delay.max(0.0)
}
