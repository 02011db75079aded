//! What stands before the first and behind the last pass of an iteration: gathers of parameters,
//! what is left of sums of gradients, their norm, and the optimizer.

use profile::CollectiveKind;
use task::{Block, Signal, Slot, Step, StepId, Work};
use trace::{Category, Pass, StreamKind};
use units::{Bytes, Seconds};
use workload::ops::{Op, ParamCount};

use crate::chunk::{GATHERED, REDUCED, reductions};
use crate::piece::Piece;
use crate::program::{DeviceInput, DeviceProgram};
use crate::site::{Site, anchor_step};
use crate::writer::{Details, Worth, Writer};

/// Between the last backward pass and the optimizer step, and what the host does of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Epilogue {
    /// Tied embeddings: the slot of both ends, and the bytes of the table's gradient.
    pub(crate) tied: Option<(Slot, Bytes)>,
    /// Copies of the same stages on two devices.
    pub(crate) mirrored: Option<Mirrored>,
    /// Gradients of norms under sequence parallelism, summed over tensor-parallel ranks.
    pub(crate) replicated: Option<(Slot, Bytes)>,
    /// The norm of the gradients, agreed on by all ranks of a replica.
    pub(crate) norm: Option<Slot>,
    /// Trained parameters that this rank updates.
    pub(crate) updated: f64,
    /// Bytes that the whole optimizer step of this rank moves in memory.
    pub(crate) moved: Bytes,
}

/// What a rank exchanges with the one that holds copies of its stages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mirrored {
    /// The group of both.
    pub(crate) slot: Slot,
    /// Gradients that are left behind the sums of either's replicas.
    pub(crate) gradients: Bytes,
    /// The parameters of these gradients, where either updates half of them.
    pub(crate) halves: Option<Bytes>,
}

/// Parameters of the last step's shards, gathered piece by piece in order of first use. An
/// iteration in the middle of a run begins with the gather that the one before left behind.
pub(crate) fn prologue(site: &Site<'_>, pieces: &[&Piece], device: &mut DeviceProgram) {
    if !site.data.gathers_beside() {
        return;
    }
    let mut block = Block {
        name: "gather parameters".to_owned(),
        steps: Vec::new(),
    };
    for piece in pieces {
        let mut steps = gathers(site, piece.ops.params);
        if steps.is_empty() {
            // Nothing to gather: the signal still counts the piece.
            let work = Work::Delay(Seconds::ZERO);
            let (stream, category) = (StreamKind::Dp, Category::Dp);
            steps.push(Step::new("none", stream, category, work, Vec::new()));
        }
        if let Some(last) = steps.last_mut() {
            last.raise = Some(GATHERED);
        }
        block.steps.extend(steps);
    }
    device.once(block, Worth::default());
}

/// What follows the last backward pass.
pub(crate) fn epilogue(
    input: &DeviceInput<'_>,
    pieces: &[&Piece],
    device: &mut DeviceProgram,
    details: Option<&mut Details>,
) {
    if input.schedule.is_forward_only() {
        return;
    }
    let params = params(pieces);
    let mut w = Writer::new("optimizer", input.site.profile, details);
    w.set_category(Category::Optimizer);
    w.set_pass(Pass::Optimizer);
    w.set_label("optimizer");
    // The window lets this block in beside the last backward pass: everything in it waits for
    // that pass, which the order of the compute stream says.
    w.push(anchor_step());
    left_sums(&input.site, pieces, params, &mut w);
    shared_gradients(&input.epilogue, &mut w);
    let (norm, rest): (Vec<&Op>, Vec<&Op>) = input
        .step
        .iter()
        .partition(|op| matches!(op.name, "unscale" | "grad_norm"));
    w.write(norm);
    if let Some(slot) = input.epilogue.norm {
        // A part of clipping, with one stage too: it counts for the optimizer.
        let on = (StreamKind::Pp, Category::Optimizer);
        w.push(sum(slot, Bytes::new(4), on, "grad-norm"));
    }
    update(input, &rest, pieces.len(), &mut w);
    if let Some(mirrored) = input.epilogue.mirrored
        && let Some(bytes) = mirrored.halves
    {
        let (kind, on) = (CollectiveKind::AllGather, (StreamKind::Pp, Category::Pp));
        let name = "mirrored-params";
        w.push(collective(kind, mirrored.slot, bytes, on, name));
    }
    if !input.site.data.gathers_beside() {
        for step in gathers(&input.site, params) {
            w.push(step);
        }
    }
    let (block, worth) = w.finish();
    device.once(block, worth);
}

/// Sums that did not run behind the backward passes, and the wait for those that did.
fn left_sums(site: &Site<'_>, pieces: &[&Piece], params: ParamCount, w: &mut Writer<'_>) {
    let count = reductions(site, pieces);
    if 0 < count {
        let work = Work::Delay(Seconds::ZERO);
        let (stream, category) = (StreamKind::Dp, Category::Dp);
        let mut wait = Step::new("reduced", stream, category, work, Vec::new());
        wait.wait = Some(Signal { id: REDUCED, count });
        w.push(wait);
    }
    let (dense, expert) = (params.dense_trained, params.expert_trained);
    let steps = match site.data.left() {
        Some(part) => site.data.reduce_steps(part, dense, expert),
        None => site.data.exposed_steps(dense, expert),
    };
    for step in steps {
        w.push(step);
    }
}

/// Gradients of parameters that several ranks hold besides data-parallel ones.
fn shared_gradients(epilogue: &Epilogue, w: &mut Writer<'_>) {
    if let Some((slot, bytes)) = epilogue.tied {
        let on = (StreamKind::Pp, Category::Pp);
        w.push(sum(slot, bytes, on, "tied-embedding-grads"));
    }
    if let Some(mirrored) = epilogue.mirrored {
        let kind = match mirrored.halves {
            Some(_) => CollectiveKind::ReduceScatter,
            None => CollectiveKind::AllReduce,
        };
        let on = (StreamKind::Pp, Category::Pp);
        let (slot, bytes) = (mirrored.slot, mirrored.gradients);
        w.push(collective(kind, slot, bytes, on, "mirrored-grads"));
    }
    if let Some((slot, bytes)) = epilogue.replicated {
        let on = (StreamKind::Tp, Category::Tp);
        w.push(sum(slot, bytes, on, "norm-grads"));
    }
}

fn sum(group: Slot, bytes: Bytes, on: (StreamKind, Category), name: &str) -> Step {
    collective(CollectiveKind::AllReduce, group, bytes, on, name)
}

fn collective(
    kind: CollectiveKind,
    group: Slot,
    bytes: Bytes,
    on: (StreamKind, Category),
    name: &str,
) -> Step {
    let work = Work::Collective { group, kind, bytes };
    Step::new(name, on.0, on.1, work, Vec::new())
}

/// The update: on the GPU, on the host, or a share on each at the same time.
fn update(input: &DeviceInput<'_>, ops: &[&Op], parts: usize, w: &mut Writer<'_>) {
    let copies = &input.site.copies;
    let before = w.frontier().to_vec();
    let (zero, step): (Vec<&Op>, Vec<&Op>) = ops.iter().partition(|op| op.name == "zero_grads");
    w.write_share(step, 1.0 - copies.optimizer());
    if 0.0 < copies.optimizer() {
        let last = host_update(input, parts.max(1) as u64, &before, w);
        w.wait_for(last);
    }
    let (_, down) = copies.after_step(input.epilogue.updated);
    if down != Bytes::ZERO {
        w.push(copies.down("params-down", down, Vec::new()));
    }
    w.write(zero);
}

/// Gradients down, the host's step, parameters up, in as many parts as the device has pieces:
/// each part follows the one before through the three (ZeRO-Offload, Ren et al. 2021).
fn host_update(
    input: &DeviceInput<'_>,
    parts: u64,
    before: &[StepId],
    w: &mut Writer<'_>,
) -> StepId {
    let copies = &input.site.copies;
    let share = copies.optimizer();
    let down = input.epilogue.updated * input.site.data.grad_bytes * share;
    let down = Bytes::from_f64(down) / parts;
    let (up, _) = copies.after_step(input.epilogue.updated);
    let moved = input.epilogue.moved.scale(share) / parts;
    let mut ready = None;
    for _ in 0..parts {
        let sent = w.push_beside(copies.down("grads-down", down, before.to_vec()));
        if let Some(done) = ready {
            w.push_beside(copies.up("params-up", up / parts, vec![done]));
        }
        ready = Some(w.push_beside(copies.host_step(moved, vec![sent])));
    }
    let done = ready.into_iter().collect();
    w.push_beside(copies.up("params-up", up / parts, done))
}

fn gathers(site: &Site<'_>, params: ParamCount) -> Vec<Step> {
    site.data
        .gather_steps(params.dense_trained, params.expert_trained)
}

/// Parameters of some pieces.
pub(crate) fn params(pieces: &[&Piece]) -> ParamCount {
    let mut sum = ParamCount::default();
    for piece in pieces {
        sum += piece.ops.params;
    }
    sum
}
