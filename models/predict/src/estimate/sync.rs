//! What data parallelism and the optimizer add to a pipeline.

use lower::{Flow, Stage};
use plan::{Plan, ScheduleKind};
use units::Bytes;
use workload::ops::ParamCount;

use crate::estimate::sheet::{PassTime, Sheet};
use crate::estimate::stage::StageSums;

/// Prices of data-parallel collectives, by parameter.
pub(super) struct Wire<'a> {
    /// Seconds of a stage for so many bytes of the whole buffer.
    pub(super) price: &'a dyn Fn(&Stage, Bytes) -> f64,
    pub(super) dense: &'a Flow,
    pub(super) expert: &'a Flow,
    /// Of a gradient, but for what is exposed of those summed beside passes.
    pub(super) grad_bytes: f64,
    pub(super) exposed_bytes: f64,
    pub(super) param_bytes: f64,
}

impl Wire<'_> {
    /// Seconds to sum the gradients of some parameters, but for what is exposed.
    pub(super) fn reduce(&self, params: &ParamCount) -> f64 {
        self.reduce_bytes(params, self.grad_bytes)
    }

    /// Seconds to sum what is exposed of them behind the passes.
    pub(super) fn exposed(&self, params: &ParamCount) -> f64 {
        self.reduce_bytes(params, self.exposed_bytes)
    }

    /// The part of [`Wire::reduce`] that runs whenever passes in a row end, where gradients are kept
    /// in shards.
    pub(super) fn reduce_each(&self, params: &ParamCount) -> f64 {
        let (dense, expert) = (self.dense, self.expert);
        self.sum(
            &dense.reduce[..dense.each],
            params.dense_trained,
            self.grad_bytes,
        ) + self.sum(
            &expert.reduce[..expert.each],
            params.expert_trained,
            self.grad_bytes,
        )
    }

    fn reduce_bytes(&self, params: &ParamCount, width: f64) -> f64 {
        self.sum(&self.dense.reduce, params.dense_trained, width)
            + self.sum(&self.expert.reduce, params.expert_trained, width)
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

/// Seconds of data-parallel communication of every piece of a sheet, computed once a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct PieceWires {
    pub(super) reduce: Vec<f64>,
    pub(super) gather: Vec<f64>,
}

impl PieceWires {
    /// The prices of all pieces of a sheet.
    pub(super) fn new(sheet: &Sheet, wire: &Wire<'_>) -> Self {
        let each = |time: &dyn Fn(&ParamCount) -> f64| {
            sheet
                .pieces
                .iter()
                .map(|piece| time(&piece.params))
                .collect()
        };
        Self {
            reduce: each(&|params| wire.reduce(params)),
            gather: each(&|params| wire.gather(params)),
        }
    }
}

/// Compute beside communication: seconds by the clock of a pass that starts at `at` while
/// communication runs until `busy_until`, where kernels slow to `slow` of their rate. What the GPU
/// would wait for its host gives way first.
fn stretched(pass: PassTime, at: f64, busy_until: f64, slow: f64) -> f64 {
    let runs = pass.total - pass.idle;
    let share = if runs <= 0.0 {
        0.0
    } else {
        pass.compute / runs
    };
    let rate = 1.0 - share * (1.0 - slow);
    let beside = (busy_until - at).max(0.0);
    let takes = if runs <= beside * rate {
        runs / rate
    } else {
        runs + beside * (1.0 - rate)
    };
    takes.max(pass.total)
}

/// Seconds by which the reduction of a device's gradients slows its last backward pass, and
/// seconds that it lasts beyond.
///
/// Each piece's gradients leave when its last backward pass ends, in order, one after the other.
/// Behind the last pass of chunk `c` the device still runs `p` passes of each chunk before it.
pub(super) fn exposed_reduction(
    plan: &Plan,
    chunks: &[&StageSums],
    sheet: &Sheet,
    wires: &PieceWires,
    slow: f64,
) -> (f64, f64) {
    let split = plan
        .schedule_kind()
        .is_some_and(ScheduleKind::splits_backward);
    let last = |whole: PassTime, weight: PassTime| if split { weight } else { whole };
    let others = plan.degrees().pp.min(plan.n_micro_batches()) - 1;
    // The clock of the compute stream with and without reductions, and that of reductions.
    let (mut at, mut nominal, mut reduced) = (0.0, 0.0, 0.0_f64);
    for (place, chunk) in chunks.iter().enumerate().rev() {
        if place + 1 != chunks.len() {
            let between = chunk.backward;
            for _ in 0..others {
                at += stretched(between, at, reduced, slow);
                nominal += between.total;
            }
        }
        let (began, before) = (at, nominal);
        for (piece, times) in chunk.runs.iter().rev() {
            let time = wires.reduce[*piece];
            let piece = &sheet.pieces[*piece];
            let pass = last(piece.backward, piece.weight_grad);
            for _ in 0..*times {
                at += stretched(pass, at, reduced, slow);
                nominal += pass.total;
                reduced = reduced.max(at) + time;
            }
        }
        nominal += last(chunk.backward, chunk.weight_grad).idle;
        at = at.max(began + nominal - before);
    }
    (at - nominal, (reduced - at).max(0.0))
}

/// The end of a device's first forward pass, which starts no earlier than `start`, when the
/// last step's parameters arrive beside it, piece after piece from the beginning of the iteration;
/// and the seconds by which the passes of later chunks wait for theirs.
pub(super) fn gathered_forward(
    plan: &Plan,
    chunks: &[&StageSums],
    sheet: &Sheet,
    wires: &PieceWires,
    start: f64,
    slow: f64,
) -> (f64, f64) {
    let all: f64 = chunks
        .iter()
        .flat_map(|chunk| &chunk.runs)
        .map(|(piece, times)| f64::from(*times) * wires.gather[*piece])
        .sum();
    let others = plan.degrees().pp.min(plan.n_micro_batches()) - 1;
    let (mut gathered, mut at, mut nominal) = (0.0, start, start);
    let mut first_end = start;
    for (number, chunk) in chunks.iter().enumerate() {
        let (began, before) = (at, nominal);
        for (piece, times) in &chunk.runs {
            let time = wires.gather[*piece];
            let piece = &sheet.pieces[*piece];
            for _ in 0..*times {
                gathered += time;
                at = at.max(gathered);
                at += stretched(piece.forward, at, all, slow);
                nominal += piece.forward.total;
            }
        }
        nominal += chunk.forward.idle;
        at = at.max(began + nominal - before);
        if number == 0 {
            first_end = at;
        }
        for _ in 0..others {
            at += stretched(chunk.forward, at, all, slow);
            nominal += chunk.forward.total;
        }
    }
    (
        first_end,
        at - nominal - (first_end - start - chunks.first().map_or(0.0, |c| c.forward.total)),
    )
}
