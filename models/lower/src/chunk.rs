//! One chunk of layers on a device: what its blocks depend on, and what they share.

use profile::CollectiveKind;
use task::{Slot, Step, Work};
use trace::{Category, StreamKind};
use units::{Bytes, Seconds};

use crate::axes;
use crate::barrier::SHARED;
use crate::data_parallel::Part;
use crate::hop::Hop;
use crate::load::Load;
use crate::piece::Piece;
use crate::site::{Site, anchor_step};
use crate::writer::Writer;

/// The channels of a chunk's neighbors; none where the neighbor is on the same device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wires {
    pub(crate) receive_forward: Option<Slot>,
    pub(crate) send_forward: Option<Slot>,
    pub(crate) receive_backward: Option<Slot>,
    pub(crate) send_backward: Option<Slot>,
}

/// Raised once for each piece whose gradients are summed behind a pass.
pub(crate) const REDUCED: u16 = 0;
/// Raised once for each gathered piece, in order of first use.
pub(crate) const GATHERED: u16 = 1;

/// One chunk and everything that its blocks depend on.
pub(crate) struct Chunk<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) stage: u32,
    pub(crate) pieces: Vec<&'a Piece>,
    pub(crate) wires: Wires,
    pub(crate) hop: Hop,
    /// Pieces of this device that the gather after the optimizer step brings before this
    /// chunk's first one.
    pub(crate) gathered_before: u32,
    /// Whether every backward pass follows its forward pass at once: then the last layer's
    /// activations are not worth moving.
    pub(crate) turns_at_once: bool,
    /// Share of a micro-batch's host time that a forward pass carries.
    pub(crate) host_share: f64,
    /// Buffers that spread vocabularies leave for the forward and for the backward pass.
    pub(crate) inherits: [Bytes; 2],
    /// With a spread vocabulary, whether all devices need the gradient of the backward pass (the
    /// first stage) and the result of the forward pass (the last one).
    pub(crate) shares: Option<[bool; 2]>,
}

/// What differs between executions of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Variant {
    /// The first forward pass of the iteration: it waits for parameters and casts them.
    pub(crate) first: bool,
    /// The last pass that adds to the gradients: they are reduced behind it.
    pub(crate) reduces: bool,
    /// The pass before it has loaded its first piece.
    pub(crate) loaded: bool,
    /// The pass whose first piece it loads.
    pub(crate) ahead: Option<Ahead>,
    /// Its place among the passes whose gradients are summed at once, where they are kept in shards.
    pub(crate) round: Round,
}

/// Backward passes in a row of one stage of a pipeline: their gradients add up whole, and are
/// summed over ranks behind the last of them (Chu et al. 2025, Scaling Llama 3 training, on `ZeRO`-2
/// with pipelines). Without a pipeline each pass is a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Round {
    pub(crate) opens: bool,
    pub(crate) closes: bool,
}

impl Default for Round {
    fn default() -> Self {
        Self {
            opens: true,
            closes: true,
        }
    }
}

/// The pass of a chunk that comes next on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ahead {
    pub(crate) stage: u32,
    pub(crate) pass: Direction,
    /// Whether it is the first forward pass of its stage.
    pub(crate) first: bool,
}

/// What a pass needs of its pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// Weights.
    Forward,
    /// Weights and activations.
    Backward,
}

impl<'a> Chunk<'a> {
    /// What a pass loads for a piece.
    ///
    /// * `first` — whether it is the first forward pass of the iteration.
    pub(crate) fn load(&self, place: usize, direction: Direction, first: bool) -> Load<'a> {
        let data = self.site.data;
        let (piece, leaves, runs) = match direction {
            Direction::Forward => {
                let piece = self.pieces[place];
                (piece, Bytes::ZERO, !piece.ops.forward.is_empty())
            }
            Direction::Backward => {
                let at = self.pieces.len() - 1 - place;
                let piece = self.pieces[at];
                let runs = !piece.ops.input_grad.is_empty() || !piece.replay.is_empty();
                (piece, self.leaving(at), runs)
            }
        };
        let again = match direction {
            Direction::Forward => !data.gather_once || first,
            Direction::Backward => !data.gather_once && !data.keep_after_forward,
        };
        Load {
            piece,
            gather: data.gather_each_pass && runs && again,
            weights: self.site.copies.weights() && runs,
            activations: leaves,
        }
    }

    /// Bytes of a piece's activations that leave the GPU between its passes.
    pub(crate) fn leaving(&self, at: usize) -> Bytes {
        let site = &self.site;
        let later = &self.pieces[at + 1..];
        let is_last = later
            .iter()
            .all(|piece| site.copies.leaving(piece) == Bytes::ZERO);
        if self.turns_at_once && is_last {
            Bytes::ZERO
        } else {
            site.copies.leaving(self.pieces[at])
        }
    }

    pub(crate) fn receive(&self, w: &mut Writer<'_>, channel: Option<Slot>) {
        let Some(channel) = channel else { return };
        let work = Work::Receive { channel };
        let (stream, category) = (StreamKind::Pp, Category::Pp);
        w.push(Step::new("receive", stream, category, work, Vec::new()));
        if let Some(bytes) = self.hop.gather {
            let work = Work::Collective {
                group: axes::slot(workload::ops::Axis::Tp),
                kind: CollectiveKind::AllGather,
                bytes,
            };
            let (stream, category) = (StreamKind::Tp, Category::Tp);
            w.push(Step::new("gather", stream, category, work, Vec::new()));
        }
    }

    /// Tells that what all devices need is there.
    pub(crate) fn leave(&self, w: &mut Writer<'_>, direction: Direction) {
        let [first, last] = self.shares.unwrap_or_default();
        let signal = match direction {
            Direction::Forward if last => SHARED[0],
            Direction::Backward if first => SHARED[1],
            _ => return,
        };
        let mut step = anchor_step();
        step.raise = Some(signal);
        w.push(step);
    }

    /// Sends a result. Without overlap the next kernel waits until it has left: a step on the
    /// compute stream, whose time follows from the channel ([`crate::departure`]).
    pub(crate) fn send(&self, w: &mut Writer<'_>, channel: Option<Slot>) {
        let Some(channel) = channel else { return };
        let work = Work::Send {
            channel,
            bytes: self.hop.bytes,
        };
        let (stream, category) = (StreamKind::Pp, Category::Pp);
        w.push(Step::new("send", stream, category, work, Vec::new()));
        if !self.site.overlap_p2p {
            let work = Work::Delay(Seconds::ZERO);
            let (stream, category) = (StreamKind::Compute, Category::Pp);
            w.push(Step::new("send", stream, category, work, Vec::new()));
        }
    }
}

/// How many of some pieces have gradients that are summed behind their last pass.
pub(crate) fn reductions(site: &Site<'_>, pieces: &[&Piece]) -> u32 {
    let Some(part) = site.data.behind(true) else {
        return 0;
    };
    let reduced = pieces
        .iter()
        .filter(|piece| !reduce_steps(site, part, piece).is_empty());
    u32::try_from(reduced.count()).unwrap_or(u32::MAX)
}

/// The steps that sum a piece's gradients.
pub(crate) fn reduce_steps(site: &Site<'_>, part: Part, piece: &Piece) -> Vec<Step> {
    let params = piece.ops.params;
    site.data
        .reduce_steps(part, params.dense_trained, params.expert_trained)
}
