//! Sums over the pieces of every virtual stage.

use plan::Plan;
use units::Bytes;
use workload::Job;
use workload::Layer;
use workload::ops::{ParamCount, Recompute};

use lower::{Dummies, PieceKind, issued};

use crate::estimate::sheet::{PassTime, Sheet, SheetInput};

/// One virtual stage: what its passes take, and what it keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StageSums {
    pub(super) forward: PassTime,
    pub(super) backward: PassTime,
    pub(super) input_grad: PassTime,
    pub(super) weight_grad: PassTime,
    pub(super) params: ParamCount,
    /// Bytes that one micro-batch keeps, logits apart.
    pub(super) kept: Bytes,
    pub(super) logits: Bytes,
    pub(super) held: Bytes,
    pub(super) state: Bytes,
    /// What a pass needs beside what is kept, embedding and head apart.
    pub(super) transient: Bytes,
    /// The same of the head, beside its logits.
    pub(super) head: Bytes,
    /// What the embedding's backward pass needs, when all else of its micro-batch has gone.
    pub(super) embedding: Bytes,
    /// Shapes of weights of which a gradient may be kept that nobody reads.
    pub(super) dummies: Dummies,
    /// Whether the host takes longer than the GPU for one of its passes.
    pub(super) host_bound: bool,
    /// Pieces in forward order, runs of equal ones counted: index into the sheet, how many.
    pub(super) runs: Vec<(usize, u32)>,
}

/// By how much the host must stretch a pass to be a reason for doubt: by less than the engines
/// write down, the two agree anyway.
const NOTICED: f64 = 1.005;

impl StageSums {
    fn add(&mut self, sheet: &Sheet, at: usize, times: u32) {
        let piece = &sheet.pieces[at];
        let n = f64::from(times);
        self.forward.add(&piece.forward, n);
        self.backward.add(&piece.backward, n);
        self.input_grad.add(&piece.input_grad, n);
        self.weight_grad.add(&piece.weight_grad, n);
        self.params += scaled(piece.params, u64::from(times));
        if piece.is_head {
            self.logits += piece.kept * u64::from(times);
        } else {
            self.kept += piece.kept * u64::from(times);
        }
        self.held += piece.held * u64::from(times);
        self.state += piece.state * u64::from(times);
        let beside = piece.transient.max(piece.workspace);
        let most = match piece.piece.kind {
            PieceKind::Embedding => &mut self.embedding,
            PieceKind::Head(_) => &mut self.head,
            _ => &mut self.transient,
        };
        *most = beside.max(*most);
        self.dummies.add(&piece.piece.ops.matrices);
        match self.runs.last_mut() {
            Some((last, count)) if *last == at => *count += times,
            _ => self.runs.push((at, times)),
        }
    }

    /// The host's time where it is more than the GPU's.
    ///
    /// * `each` — seconds of a micro-batch, which the forward passes of all chunks share.
    /// * `ahead` — whether the host may issue a pass while the one before it runs, which it can
    ///   where nothing is waited for between them: without a pipeline.
    pub(super) fn with_host(&mut self, each: f64, splits: bool, ahead: bool) {
        self.forward.host += each;
        // A whole backward pass counts two.
        self.backward.host *= 2.0;
        if ahead && !splits {
            let (forward, backward) = (&mut self.forward, &mut self.backward);
            let host = forward.host + backward.host;
            let takes = issued(host, forward.compute + backward.compute);
            let both = (takes - forward.total - backward.total).max(0.0);
            let behind = takes * (forward.host / host) - forward.total;
            let first = if 0.0 < behind { behind.min(both) } else { 0.0 };
            forward.wait(first);
            backward.wait(both - first);
            return;
        }
        let passes = [
            (&mut self.forward, true),
            (&mut self.backward, !splits),
            (&mut self.input_grad, splits),
            (&mut self.weight_grad, splits),
        ];
        for (pass, runs) in passes {
            pass.host = issued(pass.host, pass.compute);
            self.host_bound |= runs && pass.total * NOTICED < pass.host;
            pass.wait((pass.host - pass.total).max(0.0));
        }
    }
}

fn scaled(params: ParamCount, times: u64) -> ParamCount {
    ParamCount {
        dense: params.dense * times,
        expert: params.expert * times,
        replicated: params.replicated * times,
        dense_trained: params.dense_trained * times,
        expert_trained: params.expert_trained * times,
    }
}

/// The layers of a model by kind, and how many of each kind stand before a layer.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub(super) kinds: Vec<Layer>,
    kind_of: Vec<usize>,
    encoder: usize,
}

impl Layers {
    pub(super) fn new(job: &Job) -> Self {
        let (kinds, kind_of) = job.model.layer_kinds();
        Self {
            kinds,
            kind_of,
            encoder: job.model.encoder_layers(),
        }
    }
}

/// The sums of every virtual stage of a plan.
pub(super) fn stages(
    input: &SheetInput<'_>,
    layers: &Layers,
    plan: &Plan,
    sheet: &mut Sheet,
) -> Vec<StageSums> {
    let mut sums = Vec::with_capacity(plan.stages().len());
    for (stage, content) in plan.stages().iter().enumerate() {
        let mut sum = StageSums::default();
        let mut one = |kind, policy, times| {
            let at = sheet.of(input, &layers.kinds, kind, policy);
            sum.add(sheet, at, times);
        };
        if content.embedding {
            one(PieceKind::Embedding, Recompute::None, 1);
        }
        let first = content.layers.start;
        let mut index = content.layers.start;
        while index < content.layers.end {
            let kind = layers.kind_of[index];
            let policy = plan.recompute(stage, index - first);
            let mut end = index + 1;
            while end < content.layers.end
                && end != layers.encoder
                && layers.kind_of[end] == kind
                && plan.recompute(stage, end - first) == policy
            {
                end += 1;
            }
            let times = u32::try_from(end - index).unwrap_or(u32::MAX);
            one(
                PieceKind::Layer(u32::try_from(kind).unwrap_or(u32::MAX)),
                policy,
                times,
            );
            if end == layers.encoder && layers.encoder != layers.kind_of.len() {
                one(PieceKind::EncoderEnd, Recompute::None, 1);
            }
            index = end;
        }
        for module in 0..content.mtp {
            let policy = plan.recompute(stage, content.layers.len() + module as usize);
            one(
                PieceKind::Mtp(module, plan.shares_table(content)),
                policy,
                1,
            );
        }
        if content.head {
            one(
                PieceKind::Head(plan.shares_table(content)),
                Recompute::None,
                1,
            );
        }
        sums.push(sum);
    }
    sums
}
