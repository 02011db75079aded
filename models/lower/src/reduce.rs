//! Sums of gradients behind the backward passes.

use task::{Step, StepId};
use trace::MemoryKind;
use units::Bytes;

use crate::chunk::{REDUCED, Variant, reduce_steps};
use crate::memory::{free, take};
use crate::piece::Piece;
use crate::site::Site;
use crate::writer::Writer;

/// The sums of the pieces of one block, in order.
///
/// Where gradients are kept in shards, a piece's whole gradients exist from its backward pass, the
/// first one of a [round](crate::chunk::Round), to the end of its sum, and at most two pieces have such gradients: before a further sum starts,
/// the kernels wait for the one before (FSDP's `post_backward`; `DeepSpeed`'s buckets).
#[derive(Debug, Default)]
pub(crate) struct Reducer {
    previous: Option<StepId>,
}

impl Reducer {
    /// Sums the gradients of a piece that has just been written.
    ///
    /// * `first` — the first step of its backward pass.
    /// * `variant` — of its pass: whether later ones add to the same gradients.
    pub(crate) fn reduce(
        &mut self,
        site: &Site<'_>,
        w: &mut Writer<'_>,
        piece: &Piece,
        first: Option<usize>,
        variant: Variant,
    ) {
        let (last_pass, round) = (variant.reduces, variant.round);
        let Some(part) = site.data.behind(last_pass) else {
            return;
        };
        let whole = gradients(site, piece);
        if !round.closes {
            if let (true, Some(first)) = (round.opens, first) {
                w.remember(first, take(MemoryKind::Communication, whole));
            }
            return;
        }
        let mut steps = reduce_steps(site, part, piece);
        if last_pass && let Some(step) = steps.last_mut() {
            step.raise = Some(REDUCED);
        }
        let Some((start, last)) = chain(w, steps) else {
            return;
        };
        if site.data.reduce_each {
            // A piece whose weight gradients come with its input gradients has no steps here.
            if round.opens || first.is_none() {
                let first = first.unwrap_or(usize::from(start));
                w.remember(first, take(MemoryKind::Communication, whole));
            }
            w.remember(usize::from(start), free(MemoryKind::Communication, whole));
        }
        if !site.data.overlap_reduce {
            w.wait_for(last);
        } else if site.data.reduce_each
            && let Some(previous) = self.previous.replace(last)
        {
            w.wait_for(previous);
        }
    }
}

/// Bytes of a piece's gradients when they are whole.
fn gradients(site: &Site<'_>, piece: &Piece) -> Bytes {
    Bytes::from_f64(piece.ops.params.trained() as f64 * site.data.grad_bytes)
}

/// Appends steps one after the other behind what has been written; returns the first and the last.
fn chain(w: &mut Writer<'_>, steps: Vec<Step>) -> Option<(StepId, StepId)> {
    let mut after: Vec<StepId> = w.frontier().to_vec();
    let mut ends = None;
    for mut step in steps {
        step.after = after;
        let id = w.push_beside(step);
        ends = Some((ends.map_or(id, |(start, _)| start), id));
        after = vec![id];
    }
    ends
}
