//! The blocks of one chunk of layers: forward, backward, and the two halves of backward.

use std::ops::Range;

use task::{Block, Signal, StepId};
use trace::{MemoryKind, Pass};
use units::Bytes;

use crate::chunk::{Chunk, Direction, GATHERED, Variant};
use crate::load::{Load, Loader, release, unload};
use crate::memory::{borrow, exchange, free, keeps, take, workspace};
use crate::piece::Piece;
use crate::reduce::Reducer;
use crate::sheet::PassKind;
use crate::site::{HostPart, anchor_step, host_step};
use crate::writer::{Details, Worth, Writer};

impl Chunk<'_> {
    /// The forward pass. `ahead` is what the next pass needs first.
    pub(crate) fn forward(
        &self,
        variant: Variant,
        ahead: Option<Load<'_>>,
        details: Option<&mut Details>,
    ) -> (Block, Worth) {
        let mut w = Writer::new("forward", self.site.profile, details);
        w.set_pass(Pass::Forward);
        let ahead_of_all = self.host_ahead(&mut w);
        let mut loads = Loads::new(self, &mut w, ahead, self.inherits[0]);
        self.receive(&mut w, self.wires.receive_forward);
        let host = ahead_of_all.unwrap_or_else(|| host_behind(&mut w));
        let mut leaves: Option<(StepId, Bytes)> = None;
        for (place, piece) in self.pieces.iter().enumerate() {
            let load = self.load(place, Direction::Forward, variant.first);
            loads.bring(self, &mut w, &load, place, variant.loaded);
            self.offload(&mut w, leaves.take());
            let steps = self.forward_piece(&mut w, piece, place, variant.first);
            loads.loader.ended(&mut w);
            let Some(last) = last_of(&steps) else {
                continue;
            };
            loads.use_inherited(&mut w, steps.start);
            if !self.site.data.keeps_weights() {
                unload(&self.site, &mut w, &load, last);
            }
            leaves = Some((last, self.leaving(place)));
        }
        self.offload(&mut w, leaves);
        let part = HostPart {
            passes: 1.0,
            replays: false,
            micro_batch: self.host_share,
        };
        let binds = self.site.close(&mut w, host, &self.pieces, part);
        self.send(&mut w, self.wires.send_forward);
        self.host_waits(&mut w, binds && self.wires.send_forward.is_some());
        self.leave(&mut w, Direction::Forward);
        loads.join(&mut w);
        w.finish()
    }

    /// A backward pass, or one half of it.
    pub(crate) fn backward(
        &self,
        which: PassKind,
        variant: Variant,
        ahead: Option<Load<'_>>,
        details: Option<&mut Details>,
    ) -> (Block, Worth) {
        let mut w = Writer::new(name(which), self.site.profile, details);
        w.set_pass(pass(which));
        let ahead_of_all = self.host_ahead(&mut w);
        let mut loads = Loads::new(self, &mut w, ahead, self.inherits[1]);
        let mut reducer = Reducer::default();
        let halves = which != PassKind::WeightGrad;
        if halves {
            self.receive(&mut w, self.wires.receive_backward);
        }
        let host = ahead_of_all.unwrap_or_else(|| host_behind(&mut w));
        for place in 0..self.pieces.len() {
            self.backward_at(&mut w, &mut loads, &mut reducer, place, (which, variant));
        }
        let part = HostPart {
            passes: if which == PassKind::Backward {
                2.0
            } else {
                1.0
            },
            replays: halves,
            micro_batch: 0.0,
        };
        let binds = self.site.close(&mut w, host, &self.pieces, part);
        if halves {
            self.send(&mut w, self.wires.send_backward);
            self.host_waits(&mut w, binds && self.wires.send_backward.is_some());
            self.leave(&mut w, Direction::Backward);
        }
        loads.join(&mut w);
        w.finish()
    }

    /// The host's step where it may run ahead of everything: where sends run beside passes.
    fn host_ahead(&self, w: &mut Writer<'_>) -> Option<StepId> {
        self.site.overlap_p2p.then(|| w.push_beside(host_step()))
    }

    /// Keeps the host from issuing the next pass before a message has left: frameworks whose sends
    /// do not run beside passes synchronize the device behind them (Megatron-LM,
    /// `megatron/p2p_communication.py`, `torch.cuda.synchronize()` behind `batch_isend_irecv`;
    /// Megatron-Core, `batch_p2p_sync`).
    fn host_waits(&self, w: &mut Writer<'_>, sends: bool) {
        if self.site.overlap_p2p || !sends {
            return;
        }
        let mut step = host_step();
        step.after = w.frontier().to_vec();
        w.push_beside(step);
    }

    /// Writes what the piece at a place in backward order loads, runs and sends.
    fn backward_at(
        &self,
        w: &mut Writer<'_>,
        loads: &mut Loads<'_>,
        reducer: &mut Reducer,
        place: usize,
        (which, variant): (PassKind, Variant),
    ) {
        let piece = self.pieces[self.pieces.len() - 1 - place];
        let load = self.load(place, Direction::Backward, false);
        let halves = which != PassKind::WeightGrad;
        if halves {
            loads.bring(self, w, &load, place, variant.loaded);
        } else {
            loads.only_ahead(self, w, place);
        }
        let steps = Self::backward_piece(w, piece, which);
        loads.loader.ended(w);
        if halves && place + 1 < self.pieces.len() {
            let next = self.load(place + 1, Direction::Backward, false);
            loads.prefetch(self, w, &next, place + 1);
        }
        if let (true, Some(last)) = (halves, last_of(&steps)) {
            loads.use_inherited(w, steps.start);
            unload(&self.site, w, &load, last);
        }
        let end = (&steps, variant);
        self.behind(w, reducer, piece, which, end);
    }

    /// Writes the forward operators of a piece, and what they take. In the first pass of an
    /// iteration they wait for the piece's parameters and cast them.
    fn forward_piece(
        &self,
        w: &mut Writer<'_>,
        piece: &Piece,
        place: usize,
        first: bool,
    ) -> Range<usize> {
        w.set_label(piece.label());
        let start = w.n_steps();
        let casts = first || self.site.data.gather_each_pass;
        if casts && !piece.ops.once.is_empty() {
            w.set_label("cast weights");
            w.write(&piece.ops.once);
            w.set_label(piece.label());
        }
        let own = w.write(&piece.ops.forward);
        let steps = start..own.end;
        if steps.is_empty() {
            return steps;
        }
        if first && self.site.data.gathers_beside() {
            let count = self.gathered_before + u32::try_from(place + 1).unwrap_or(u32::MAX);
            let id = GATHERED;
            w.step_mut(steps.start).wait = Some(Signal { id, count });
        }
        if !own.is_empty() {
            if piece.has_backward() {
                w.remember(own.start, take(keeps(piece), piece.kept));
            }
            w.remember(own.start, borrow(workspace(&piece.ops.forward)));
        }
        steps
    }

    /// Writes the backward operators of a piece, and what they take and give back.
    fn backward_piece(w: &mut Writer<'_>, piece: &Piece, which: PassKind) -> Range<usize> {
        w.set_label(piece.label());
        let start = w.n_steps();
        if which != PassKind::WeightGrad && !piece.replay.is_empty() {
            w.set_label("recompute");
            let replayed = w.write(&piece.replay);
            w.mark(replayed, Pass::Recompute);
            w.set_label(piece.label());
        }
        let rest = match which {
            PassKind::InputGrad => w.write(&piece.ops.input_grad),
            PassKind::WeightGrad => w.write(&piece.ops.weight_grad),
            PassKind::Forward | PassKind::Backward => w.write(piece.ops.backward()),
        };
        let steps = start..rest.end;
        backward_memory(w, piece, which, &steps);
        steps
    }

    /// What follows a piece's backward pass: its gradients are summed, and weights that stayed
    /// go.
    fn behind(
        &self,
        w: &mut Writer<'_>,
        reducer: &mut Reducer,
        piece: &Piece,
        which: PassKind,
        (steps, variant): (&Range<usize>, Variant),
    ) {
        let first = (!steps.is_empty()).then_some(steps.start);
        if let (true, Some(last)) = (which != PassKind::InputGrad, last_of(steps)) {
            release(&self.site, w, piece, usize::from(last), variant.reduces);
        }
        if which != PassKind::InputGrad {
            reducer.reduce(&self.site, w, piece, first, variant);
        }
    }

    /// Moves activations of a piece away, behind its last step.
    fn offload(&self, w: &mut Writer<'_>, leaves: Option<(StepId, Bytes)>) {
        let Some((last, bytes)) = leaves.filter(|(_, bytes)| *bytes != Bytes::ZERO) else {
            return;
        };
        let step = w.push_beside(self.site.copies.down("offload", bytes, vec![last]));
        w.remember(usize::from(step), free(MemoryKind::Activations, bytes));
    }
}

/// What the pieces of one block load, and what the block loads for the next one.
struct Loads<'a> {
    loader: Loader,
    /// Steps that bring what the next piece needs, where those are written already.
    fetched: Option<Vec<StepId>>,
    ahead: Option<Load<'a>>,
    /// Steps that bring what the next block needs.
    coming: Vec<StepId>,
    /// A buffer that another pass has left, until the first piece has used it.
    inherited: Bytes,
}

impl<'a> Loads<'a> {
    fn new(
        chunk: &Chunk<'_>,
        w: &mut Writer<'_>,
        ahead: Option<Load<'a>>,
        inherited: Bytes,
    ) -> Self {
        Self {
            loader: Loader::new(&chunk.site, w),
            fetched: None,
            ahead,
            coming: Vec::new(),
            inherited,
        }
    }

    /// Gives the inherited buffer back when the first step that reads it ends.
    fn use_inherited(&mut self, w: &mut Writer<'_>, first: usize) {
        let buffer = std::mem::take(&mut self.inherited);
        w.remember(first, free(MemoryKind::Communication, buffer));
    }

    /// Brings what a piece needs, and behind the last piece's what the next block needs first.
    fn bring(
        &mut self,
        chunk: &Chunk<'_>,
        w: &mut Writer<'_>,
        load: &Load<'_>,
        place: usize,
        loaded: bool,
    ) {
        let site = &chunk.site;
        let beside = site.data.overlap_gather;
        let own = if place == 0 && loaded {
            load.late(beside)
        } else {
            *load
        };
        let fetched = self.fetched.take();
        for step in fetched.unwrap_or_else(|| self.loader.load(site, w, &own, place, beside)) {
            w.wait_for(step);
        }
        self.only_ahead(chunk, w, place);
    }

    /// Writes what brings the piece at `place` before the sum of the gradients of the piece in
    /// front of it: both take turns on the links of a group, and the kernels wait for this one
    /// (FSDP's `backward_prefetch`).
    fn prefetch(&mut self, chunk: &Chunk<'_>, w: &mut Writer<'_>, load: &Load<'_>, place: usize) {
        let beside = chunk.site.data.overlap_gather;
        if beside {
            self.fetched = Some(self.loader.load(&chunk.site, w, load, place, beside));
        }
    }

    fn only_ahead(&mut self, chunk: &Chunk<'_>, w: &mut Writer<'_>, place: usize) {
        let site = &chunk.site;
        let beside = site.data.overlap_gather;
        if place + 1 == chunk.pieces.len()
            && let Some(next) = self.ahead.take()
        {
            let next = next.early(beside);
            self.coming = self.loader.load(site, w, &next, place + 1, beside);
        }
    }

    /// Ends the block when what the next one needs is there: it could not start before.
    fn join(self, w: &mut Writer<'_>) {
        if self.coming.is_empty() {
            return;
        }
        for step in self.coming {
            w.wait_for(step);
        }
        w.push(anchor_step());
    }
}

/// The host's step behind what was received: the host waited for it.
fn host_behind(w: &mut Writer<'_>) -> StepId {
    let mut step = host_step();
    step.after = w.frontier().to_vec();
    w.push_beside(step)
}

/// What a backward pass takes and gives back.
///
/// A piece without input gradients (embeddings) gives its memory back with its weight gradients.
fn backward_memory(w: &mut Writer<'_>, piece: &Piece, which: PassKind, steps: &Range<usize>) {
    let Some(last) = last_of(steps).map(usize::from) else {
        return;
    };
    let (kind, kept, held) = (keeps(piece), piece.kept, piece.ops.held());
    let rebuilds = which != PassKind::WeightGrad;
    let needs = match which {
        PassKind::InputGrad => workspace(&piece.ops.input_grad),
        PassKind::WeightGrad => workspace(&piece.ops.weight_grad),
        PassKind::Forward | PassKind::Backward => workspace(piece.ops.backward()),
    };
    if rebuilds {
        w.remember(steps.start, take(MemoryKind::Workspace, piece.rebuilt));
        w.remember(last, free(MemoryKind::Workspace, piece.rebuilt));
    }
    w.remember(steps.start, borrow(needs));
    let effect = match which {
        PassKind::InputGrad => exchange(kind, kept, held),
        PassKind::WeightGrad if !piece.ops.input_grad.is_empty() => free(kind, held),
        _ => free(kind, kept),
    };
    w.remember(last, effect);
}

const fn name(which: PassKind) -> &'static str {
    match which {
        PassKind::Forward => "forward",
        PassKind::Backward => "backward",
        PassKind::InputGrad => "input-grad",
        PassKind::WeightGrad => "weight-grad",
    }
}

const fn pass(which: PassKind) -> Pass {
    match which {
        PassKind::Forward => Pass::Forward,
        PassKind::Backward => Pass::Backward,
        PassKind::InputGrad => Pass::InputGrad,
        PassKind::WeightGrad => Pass::WeightGrad,
    }
}

/// The last of some steps.
pub(crate) fn last_of(steps: &Range<usize>) -> Option<StepId> {
    let last = steps.clone().next_back()?;
    StepId::try_from(last).ok()
}
