//! The pieces that a pipeline stage is made of, and what each costs.

use units::Bytes;
use workload::ops::{BlockOps, Op, Recompute, kept, recomputed};

use crate::framework::Replay;

/// What a piece of a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PieceKind {
    /// Word and position embeddings.
    Embedding,
    /// A layer of that kind, an index into the model's distinct layers.
    Layer(u32),
    /// The norm behind an encoder.
    EncoderEnd,
    /// A module that predicts a later token: which one, and whether the embedding is here.
    Mtp(u32, bool),
    /// Final norm, logits and loss; whether the embedding is here.
    Head(bool),
    /// One of that many parts of a word embedding that is spread over the pipeline's devices.
    Words(u32),
    /// What the first stage does beside a spread word embedding.
    Positions,
    /// What the last stage does in front of a spread output layer.
    FinalNorm,
    /// One of that many parts of a spread output layer, with its share of the loss.
    Output(u32),
}

/// The operators of one piece on one GPU under one recomputation policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Its operators.
    pub ops: BlockOps,
    /// Forward operators that run again before the backward pass.
    pub replay: Vec<Op>,
    /// Bytes kept from the forward to the backward pass.
    pub kept: Bytes,
    /// Bytes that the replay brings back.
    pub rebuilt: Bytes,
    /// Whether the host waits for token counts in it.
    pub routed: bool,
    /// Whether the host issues all of it once more for the replay.
    pub replays_all: bool,
}

impl Piece {
    /// The piece under a policy.
    pub fn new(kind: PieceKind, ops: BlockOps, policy: Recompute, routed: bool) -> Self {
        // Embedding, head and loss are never recomputed as a layer is.
        let policy = if matches!(kind, PieceKind::Layer(_) | PieceKind::Mtp(..)) {
            policy
        } else {
            Recompute::None
        };
        let held = kept(&ops, policy);
        let replay = recomputed(&ops, policy);
        Self {
            kind,
            replays_all: replay.len() == ops.forward.len(),
            replay,
            kept: held,
            rebuilt: ops.saved().saturating_sub(held),
            routed,
            ops,
        }
    }

    /// The same piece, replayed as a framework does: some stop when everything that the backward
    /// pass needs is back, and leave out the product at the end of a layer.
    #[must_use]
    pub fn replayed(mut self, replay: Replay) -> Self {
        if replay == Replay::UntilNeeded {
            let brings = |op: &Op| op.saved != Bytes::ZERO;
            let needed = self.replay.iter().rposition(brings);
            self.replay.truncate(needed.map_or(0, |last| last + 1));
        }
        self
    }

    /// Whether anything of it runs in the backward pass.
    pub(crate) const fn has_backward(&self) -> bool {
        !(self.ops.input_grad.is_empty() && self.ops.weight_grad.is_empty())
    }

    /// A short name for steps.
    pub(crate) const fn label(&self) -> &'static str {
        match self.kind {
            PieceKind::Embedding => "embedding",
            PieceKind::Layer(_) => "layer",
            PieceKind::EncoderEnd => "encoder-end",
            PieceKind::Mtp(..) => "mtp",
            PieceKind::Head(_) => "head",
            PieceKind::Words(_) => "words",
            PieceKind::Positions => "positions",
            PieceKind::FinalNorm => "final-norm",
            PieceKind::Output(_) => "logits",
        }
    }
}
