//! What a pass brings to the GPU before a piece can run: sharded weights, weights and activations
//! that lie on the host.
//!
//! ```text
//! compute   .. [n-2]  [n-1]   [n]
//! loads           (n-1)   (n)
//! ```
//!
//! At most two pieces are there at a time: what a piece needs starts to arrive when the last but
//! one before it has ended. The first piece of a pass is loaded by the pass before it.

use task::StepId;
use trace::MemoryKind;
use units::Bytes;

use crate::memory::{free, take};
use crate::piece::Piece;
use crate::site::{Site, anchor_step};
use crate::writer::Writer;

/// What one piece needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    pub(crate) piece: &'a Piece,
    /// Its weights, where they are sharded.
    pub(crate) gather: bool,
    /// Its weights, where they lie on the host.
    pub(crate) weights: bool,
    /// Bytes of its activations that are elsewhere.
    pub(crate) activations: Bytes,
}

impl Load<'_> {
    /// What the pass before may load: weights only where they arrive beside kernels.
    pub(crate) fn early(self, beside: bool) -> Self {
        Self {
            gather: self.gather && beside,
            weights: self.weights && beside,
            ..self
        }
    }

    /// What is left to load where the pass before has loaded what it may.
    pub(crate) fn late(self, beside: bool) -> Self {
        Self {
            gather: self.gather && !beside,
            weights: self.weights && !beside,
            activations: Bytes::ZERO,
            ..self
        }
    }

    /// Whether it is nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.gather && !self.weights && self.activations == Bytes::ZERO
    }
}

/// Loads the pieces of one block in order.
#[derive(Debug, Default)]
pub(crate) struct Loader {
    /// Ends before the block's first kernel, when those of the block before have ended.
    anchor: Option<StepId>,
    /// The end of each piece of the block, where it has written a step.
    ends: Vec<Option<StepId>>,
}

impl Site<'_> {
    /// Whether passes load anything.
    pub(crate) fn loads(&self) -> bool {
        self.data.gather_each_pass || self.copies.weights() || self.copies.activations()
    }

    /// Bytes of a piece's weights when they are whole.
    pub(crate) fn gathered(&self, piece: &Piece) -> Bytes {
        let params = piece.ops.params;
        let steps = self.data.pass_steps(params.dense, params.expert);
        if steps.is_empty() {
            return Bytes::ZERO;
        }
        Bytes::from_f64(params.total() as f64 * self.data.param_bytes)
    }
}

impl Loader {
    /// A loader at the head of a block.
    pub(crate) fn new(site: &Site<'_>, w: &mut Writer<'_>) -> Self {
        let anchor = site.loads().then(|| w.push_beside(anchor_step()));
        Self {
            anchor,
            ends: Vec::new(),
        }
    }

    /// Notes that a piece has been written.
    pub(crate) fn ended(&mut self, w: &mut Writer<'_>) {
        self.ends.push(w.frontier().last().copied());
    }

    /// Loads what the piece at `place` needs; returns the steps that it waits for. Pieces are
    /// counted over the block; the one behind its last is the next block's first.
    ///
    /// * `beside` — whether weights may arrive beside the piece before.
    pub(crate) fn load(
        &self,
        site: &Site<'_>,
        w: &mut Writer<'_>,
        load: &Load<'_>,
        place: usize,
        beside: bool,
    ) -> Vec<StepId> {
        let early = self.end_before(place, 2);
        let weights = if beside {
            early
        } else {
            self.end_before(place, 1)
        };
        let mut waits = Vec::new();
        waits.extend(load_weights(site, w, load, weights));
        if load.activations != Bytes::ZERO {
            let step = site.copies.up("fetch", load.activations, list(early));
            let step = w.push_beside(step);
            let kind = MemoryKind::Activations;
            w.remember(usize::from(step), take(kind, load.activations));
            waits.push(step);
        }
        waits
    }

    /// The end of the piece `back` places before one, or the head of the block.
    fn end_before(&self, place: usize, back: usize) -> Option<StepId> {
        let known = place.checked_sub(back).and_then(|at| self.ends.get(at));
        known.copied().flatten().or(self.anchor)
    }
}

/// The copy from the host, then the gathers over ranks.
fn load_weights(
    site: &Site<'_>,
    w: &mut Writer<'_>,
    load: &Load<'_>,
    after: Option<StepId>,
) -> Option<StepId> {
    let params = load.piece.ops.params;
    let mut previous = None;
    let absent = site.copies.absent(params);
    if load.weights && absent != Bytes::ZERO {
        let step = w.push_beside(site.copies.up("weights-up", absent, list(after)));
        w.remember(usize::from(step), take(MemoryKind::Weights, absent));
        previous = Some(step);
    }
    if load.gather {
        let steps = site.data.pass_steps(params.dense, params.expert);
        let mut whole = site.gathered(load.piece);
        for mut step in steps {
            step.after = list(previous.or(after));
            let step = w.push_beside(step);
            w.remember(usize::from(step), take(MemoryKind::Communication, whole));
            whole = Bytes::ZERO;
            previous = Some(step);
        }
    }
    previous
}

/// Gives back what [`Loader::load`] brought, when a step of the piece's pass ends.
pub(crate) fn unload(site: &Site<'_>, w: &mut Writer<'_>, load: &Load<'_>, last: StepId) {
    let at = usize::from(last);
    if load.weights {
        let absent = site.copies.absent(load.piece.ops.params);
        w.remember(at, free(MemoryKind::Weights, absent));
    }
    if load.gather {
        w.remember(
            at,
            free(MemoryKind::Communication, site.gathered(load.piece)),
        );
    }
}

/// Gives back gathered weights that have stayed beyond their forward pass.
pub(crate) fn release(
    site: &Site<'_>,
    w: &mut Writer<'_>,
    piece: &Piece,
    last: usize,
    last_pass: bool,
) {
    let data = site.data;
    if data.gather_each_pass && (data.keep_after_forward || (data.gather_once && last_pass)) {
        w.remember(last, free(MemoryKind::Communication, site.gathered(piece)));
    }
}

fn list(step: Option<StepId>) -> Vec<StepId> {
    step.into_iter().collect()
}
