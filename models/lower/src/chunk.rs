//! The blocks of one chunk of layers: forward, backward, and the two halves of backward.

use profile::{CollectiveKind, Profile};
use task::{Block, Effect, MemoryEffect, Signal, Slot, Step, StepId, Work};
use trace::{Category, MemoryKind, StreamKind};
use units::{Bytes, Seconds};
use workload::ops::Op;

use crate::axes;
use crate::data_parallel::DataParallel;
use crate::piece::{Piece, PieceKind, host_time};
use crate::writer::{Details, Worth, Writer};

/// The channels of a chunk's neighbors; none where the neighbor is on the same device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wires {
    pub(crate) receive_forward: Option<Slot>,
    pub(crate) send_forward: Option<Slot>,
    pub(crate) receive_backward: Option<Slot>,
    pub(crate) send_backward: Option<Slot>,
}

/// What crosses a boundary between stages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hop {
    /// Bytes that one rank sends.
    pub bytes: Bytes,
    /// The all-gather over tensor-parallel ranks that follows where each sends a part
    /// (Megatron-LM's scatter/gather; arXiv 2104.04473, section 4.1).
    pub gather: Option<Bytes>,
}

/// Signals of a lane.
pub(crate) const REDUCED: u16 = 0;
/// Raised once for each gathered piece, in order of first use.
pub(crate) const GATHERED: u16 = 1;
/// How many signals a program uses.
pub(crate) const N_SIGNALS: u16 = 2;

/// One chunk and everything that its blocks depend on.
pub(crate) struct Chunk<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) pieces: Vec<&'a Piece>,
    pub(crate) wires: Wires,
    pub(crate) hop: Hop,
    pub(crate) data: &'a DataParallel,
    /// Host time over that of the profile; 0 with CUDA graphs.
    pub(crate) host_scale: f64,
    /// Pieces of this device that the gather after the optimizer step brings before this
    /// chunk's first one.
    pub(crate) gathered_before: u32,
}

/// What differs between executions of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Variant {
    /// The first forward pass of the iteration: it waits for parameters.
    pub(crate) first: bool,
    /// The last pass that adds to the gradients: they are reduced behind it.
    pub(crate) reduces: bool,
}

/// Which backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backward {
    /// Both gradients.
    Whole,
    /// The input gradient.
    Input,
    /// The weight gradient.
    Weight,
}

impl Chunk<'_> {
    pub(crate) fn forward(
        &self,
        variant: Variant,
        details: Option<&mut Details>,
    ) -> (Block, Worth) {
        let mut w = Writer::new("forward", self.profile, details);
        let host = w.push_beside(host_step());
        self.receive(&mut w, self.wires.receive_forward);
        let mut ends: Vec<StepId> = Vec::new();
        for (number, piece) in (0_u32..).zip(&self.pieces) {
            if self.data.gather_each_pass {
                self.gather(&mut w, piece, &ends);
            }
            w.set_label(piece.label());
            let steps = w.write(&piece.ops.forward);
            if variant.first && !steps.is_empty() {
                let count = self.gathered_before + number + 1;
                w.step_mut(steps.start).wait = Some(Signal {
                    id: GATHERED,
                    count,
                });
            }
            if !steps.is_empty() {
                if piece.has_backward() {
                    w.remember(steps.start, take(keeps(piece), piece.kept));
                }
                w.remember(steps.start, borrow(workspace(&piece.ops.forward)));
            }
            ends.extend(w.frontier().last());
        }
        self.close(&mut w, host, 1.0);
        self.send(&mut w, self.wires.send_forward);
        w.finish()
    }

    pub(crate) fn backward(
        &self,
        which: Backward,
        variant: Variant,
        details: Option<&mut Details>,
    ) -> (Block, Worth) {
        let name = match which {
            Backward::Whole => "backward",
            Backward::Input => "input-grad",
            Backward::Weight => "weight-grad",
        };
        let mut w = Writer::new(name, self.profile, details);
        let host = w.push_beside(host_step());
        if which != Backward::Weight {
            self.receive(&mut w, self.wires.receive_backward);
        }
        let mut ends: Vec<StepId> = Vec::new();
        for piece in self.pieces.iter().rev() {
            if self.data.gather_each_pass && !self.data.keep_after_forward {
                self.gather(&mut w, piece, &ends);
            }
            self.backward_piece(&mut w, piece, which);
            ends.extend(w.frontier().last());
            if which != Backward::Input {
                self.reduce(&mut w, piece, variant);
            }
        }
        self.close(
            &mut w,
            host,
            if which == Backward::Whole { 2.0 } else { 1.0 },
        );
        if which != Backward::Weight {
            self.send(&mut w, self.wires.send_backward);
        }
        w.finish()
    }

    fn backward_piece(&self, w: &mut Writer<'_>, piece: &Piece, which: Backward) {
        w.set_label(piece.label());
        let mut steps = 0..0;
        if which != Backward::Weight && !piece.replay.is_empty() {
            w.set_label("recompute");
            steps = w.write(&piece.replay);
            w.set_label(piece.label());
        }
        let rest = match which {
            Backward::Whole => w.write(piece.ops.backward()),
            Backward::Input => w.write(&piece.ops.input_grad),
            Backward::Weight => w.write(&piece.ops.weight_grad),
        };
        let steps = if steps.is_empty() {
            rest
        } else {
            steps.start..rest.end
        };
        let Some(last) = steps.clone().next_back() else {
            return;
        };
        // A piece without input gradients (embeddings) gives its memory back with its weight
        // gradients.
        let split = !piece.ops.input_grad.is_empty();
        let held = piece.ops.held();
        match which {
            Backward::Whole => {
                w.remember(last, free(keeps(piece), piece.kept));
                w.remember(steps.start, take(MemoryKind::Workspace, piece.rebuilt));
                w.remember(last, free(MemoryKind::Workspace, piece.rebuilt));
                w.remember(steps.start, borrow(workspace(piece.ops.backward())));
            }
            Backward::Input => {
                w.remember(last, free(keeps(piece), piece.kept));
                w.remember(steps.start, take(MemoryKind::Workspace, piece.rebuilt));
                w.remember(last, free(MemoryKind::Workspace, piece.rebuilt));
                if !piece.ops.weight_grad.is_empty() {
                    w.remember(last, take(MemoryKind::Activations, held));
                }
                w.remember(steps.start, borrow(workspace(&piece.ops.input_grad)));
            }
            Backward::Weight => {
                if split {
                    w.remember(last, free(MemoryKind::Activations, held));
                } else {
                    w.remember(last, free(keeps(piece), piece.kept));
                }
                w.remember(steps.start, borrow(workspace(&piece.ops.weight_grad)));
            }
        }
    }

    /// Gathers the sharded weights of a piece, at most two pieces ahead of the compute.
    fn gather(&self, w: &mut Writer<'_>, piece: &Piece, ends: &[StepId]) {
        let params = piece.ops.params;
        let after = ends.iter().rev().nth(1).copied();
        let mut previous: Option<StepId> = None;
        for mut step in self.data.pass_steps(params.dense, params.expert) {
            step.after = previous.or(after).into_iter().collect();
            previous = Some(w.push_beside(step));
        }
        if let Some(last) = previous {
            w.wait_for(last);
        }
    }

    fn reduce(&self, w: &mut Writer<'_>, piece: &Piece, variant: Variant) {
        if !(self.data.reduce_each || (variant.reduces && self.data.overlap_reduce)) {
            return;
        }
        let params = piece.ops.params;
        let steps = self
            .data
            .reduce_steps(params.dense_trained, params.expert_trained);
        let count = steps.len();
        let mut after: Vec<StepId> = w.frontier().to_vec();
        for (number, mut step) in steps.into_iter().enumerate() {
            step.after = after;
            if number + 1 == count && variant.reduces {
                step.raise = Some(REDUCED);
            }
            after = vec![w.push_beside(step)];
        }
    }

    /// How often the passes of this chunk raise [`REDUCED`].
    pub(crate) fn reductions(&self) -> u32 {
        if !(self.data.reduce_each || self.data.overlap_reduce) {
            return 0;
        }
        let reduced = self.pieces.iter().filter(|piece| {
            let params = piece.ops.params;
            !self
                .data
                .reduce_steps(params.dense_trained, params.expert_trained)
                .is_empty()
        });
        u32::try_from(reduced.count()).unwrap_or(u32::MAX)
    }

    fn receive(&self, w: &mut Writer<'_>, channel: Option<Slot>) {
        let Some(channel) = channel else { return };
        let work = Work::Receive { channel };
        let step = Step::new("receive", StreamKind::Pp, Category::Pp, work, Vec::new());
        w.push(step);
        if let Some(bytes) = self.hop.gather {
            let group = axes::slot(workload::ops::Axis::Tp);
            let work = Work::Collective {
                group,
                kind: CollectiveKind::AllGather,
                bytes,
            };
            w.push(Step::new(
                "gather",
                StreamKind::Tp,
                Category::Tp,
                work,
                Vec::new(),
            ));
        }
    }

    fn send(&self, w: &mut Writer<'_>, channel: Option<Slot>) {
        let Some(channel) = channel else { return };
        let work = Work::Send {
            channel,
            bytes: self.hop.bytes,
        };
        w.push(Step::new(
            "send",
            StreamKind::Pp,
            Category::Pp,
            work,
            Vec::new(),
        ));
    }

    /// Makes the block take at least the host's time, where that can matter.
    fn close(&self, w: &mut Writer<'_>, host: StepId, passes: f64) {
        let time = host_time(self.profile, &self.pieces, w.n_launches(), self.host_scale) * passes;
        let gpu = w.compute_time();
        if time <= gpu * 0.7 {
            return;
        }
        w.step_mut(usize::from(host)).work = Work::Delay(time);
        w.wait_for(host);
        let join = Step::compute("host", Seconds::ZERO, Vec::new());
        w.push(join);
    }
}

/// A place for the host's time, nothing until [`Chunk::close`] fills it.
fn host_step() -> Step {
    let work = Work::Delay(Seconds::ZERO);
    Step::new("host", StreamKind::Host, Category::Other, work, Vec::new())
}

fn keeps(piece: &Piece) -> MemoryKind {
    if matches!(piece.kind, PieceKind::Head(_)) {
        MemoryKind::Logits
    } else {
        MemoryKind::Activations
    }
}

fn workspace<'o>(ops: impl IntoIterator<Item = &'o Op>) -> Bytes {
    ops.into_iter()
        .map(|op| op.workspace)
        .max()
        .unwrap_or_default()
}

const fn take(kind: MemoryKind, bytes: Bytes) -> MemoryEffect {
    MemoryEffect {
        kind,
        effect: Effect::Take,
        bytes,
    }
}

const fn free(kind: MemoryKind, bytes: Bytes) -> MemoryEffect {
    MemoryEffect {
        kind,
        effect: Effect::Free,
        bytes,
    }
}

const fn borrow(bytes: Bytes) -> MemoryEffect {
    MemoryEffect {
        kind: MemoryKind::Workspace,
        effect: Effect::Borrow,
        bytes,
    }
}
