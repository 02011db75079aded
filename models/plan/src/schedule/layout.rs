//! Where a replay keeps the end of each pass, and who reads it.

use super::{Action, ActionKind, Costs, Schedule, Vocabulary};

/// The pass waits for nothing.
pub(super) const NONE: usize = usize::MAX;

/// Where each pass's end is kept: forwards by stage and micro-batch, then gradients, then
/// the three barriers by micro-batch.
pub(super) struct Layout {
    pub(super) n: usize,
    pub(super) n_stages: usize,
    /// Stages of one direction.
    pub(super) chain: usize,
    pub(super) width: usize,
    pub(super) first_barrier: usize,
    pub(super) has_vocabulary: bool,
    pub(super) last_barrier: usize,
    pub(super) barrier: u64,
    pub(super) broadcast: u64,
}

pub(super) enum Gives {
    Nothing,
    Slot(usize),
    Barrier(usize),
}

impl Layout {
    pub(super) fn new(schedule: &Schedule, costs: &Costs) -> Self {
        let n = schedule.n_micro_batches() as usize;
        let n_stages = schedule.n_stages();
        let last = schedule.vocabulary().map(Vocabulary::last_barrier);
        Self {
            n,
            n_stages,
            chain: schedule.n_model_stages(),
            width: n_stages.max(schedule.n_devices()),
            first_barrier: 2 * n_stages * n,
            has_vocabulary: last.is_some(),
            last_barrier: last.map_or(0, barrier_row),
            barrier: costs.vocabulary.barrier,
            broadcast: costs.vocabulary.broadcast,
        }
    }

    /// The slot that a pass waits for and how long its result travels.
    #[inline]
    pub(super) fn need(&self, action: Action, hops: &[u64]) -> (usize, u64) {
        let (stage, k) = (action.stage as usize, action.micro_batch as usize);
        match action.kind {
            ActionKind::Forward if stage.is_multiple_of(self.chain) => self.barrier_slot(0, k),
            ActionKind::Forward => ((stage - 1) * self.n + k, hops[stage - 1]),
            ActionKind::Backward | ActionKind::InputGrad
                if (stage + 1).is_multiple_of(self.chain) =>
            {
                self.barrier_slot(self.last_barrier, k)
            }
            ActionKind::Backward | ActionKind::InputGrad => {
                ((self.n_stages + stage + 1) * self.n + k, hops[stage])
            }
            ActionKind::WeightGrad | ActionKind::EmbeddingForward => (NONE, 0),
            ActionKind::VocabularyForward => ((self.n_stages - 1) * self.n + k, self.broadcast),
            ActionKind::VocabularyBackward => (self.first_barrier + self.n + k, 0),
            ActionKind::EmbeddingBackward => (self.n_stages * self.n + k, self.broadcast),
        }
    }

    #[inline]
    fn barrier_slot(&self, row: usize, k: usize) -> (usize, u64) {
        if self.has_vocabulary {
            (self.first_barrier + row * self.n + k, 0)
        } else {
            (NONE, 0)
        }
    }

    #[inline]
    pub(super) fn gives(&self, action: Action) -> Gives {
        let (stage, k) = (action.stage as usize, action.micro_batch as usize);
        match action.kind {
            ActionKind::Forward => Gives::Slot(stage * self.n + k),
            ActionKind::Backward | ActionKind::InputGrad => {
                Gives::Slot((self.n_stages + stage) * self.n + k)
            }
            ActionKind::WeightGrad | ActionKind::EmbeddingBackward => Gives::Nothing,
            kind => Gives::Barrier(barrier_row(kind) * self.n + k),
        }
    }

    #[inline]
    pub(super) fn duration(&self, action: Action) -> usize {
        action.kind as usize * self.width + action.stage as usize
    }
}

/// The row of a barrier: input embedding, statistics, gradients.
const fn barrier_row(kind: ActionKind) -> usize {
    match kind {
        ActionKind::VocabularyForward => 1,
        ActionKind::VocabularyBackward => 2,
        _ => 0,
    }
}
