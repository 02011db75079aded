//! A forward pass and a backward pass of another micro-batch at the same time.
//!
//! ```text
//! kernels      b0  f0  b1  f1  b2  f2       in turn, from one all-to-all to the next
//! all-to-alls    B0  F0  B1  F1             beside the kernels of the other pass
//! ```
//!
//! Both passes keep their own dependencies; only the order on the streams is shared. What hides
//! then follows from the run: an all-to-all that takes longer than the other pass's kernels is
//! waited for, and kernels beside it are as much slower as the profile says. Messages stand in
//! blocks of their own around the pair, since each belongs to one micro-batch.
//!
//! Source: Megatron-Core, `--overlap-moe-expert-parallel-comm`; DeepSeek-V3 technical report, arXiv
//! 2412.19437, section 3.2.1, figure 4.

use task::{Block, Step, StepId};
use trace::StreamKind;

use crate::chunk::{Chunk, Direction, Wires};
use crate::site::anchor_step;
use crate::writer::Writer;

/// Two passes in one block: their steps in turn, from one all-to-all to the next, and behind both
/// the end of the pair. The backward pass begins, as its first all-to-all stands in front of it.
pub(crate) fn merge(forward: Block, backward: Block) -> Block {
    let mut merged = Block {
        name: "forward and backward".to_owned(),
        steps: Vec::with_capacity(forward.steps.len() + backward.steps.len() + 1),
    };
    let mut lists = [Half::new(backward), Half::new(forward)];
    while lists.iter_mut().any(|half| !half.is_done()) {
        for half in &mut lists {
            half.write_segment(&mut merged);
        }
    }
    let mut end = anchor_step();
    end.after = lists.iter().flat_map(Half::ends).collect();
    merged.push(end);
    merged
}

/// One of the two passes.
struct Half {
    steps: std::iter::Peekable<std::vec::IntoIter<Step>>,
    /// Where its steps stand in the pair.
    places: Vec<StepId>,
    /// Steps that nothing has waited for so far.
    open: Vec<StepId>,
}

impl Half {
    fn new(block: Block) -> Self {
        Self {
            steps: block.steps.into_iter().peekable(),
            places: Vec::new(),
            open: Vec::new(),
        }
    }

    fn is_done(&mut self) -> bool {
        self.steps.peek().is_none()
    }

    /// Writes steps up to and with the next all-to-all.
    fn write_segment(&mut self, merged: &mut Block) {
        for mut step in self.steps.by_ref() {
            for before in &mut step.after {
                *before = self.places[usize::from(*before)];
            }
            self.open.retain(|open| !step.after.contains(open));
            let (ends, beside) = (
                step.stream == StreamKind::Ep,
                matches!(step.stream, StreamKind::Dp | StreamKind::Offload),
            );
            let place = merged.push(step);
            self.places.push(place);
            if !beside {
                self.open.push(place);
            }
            if ends {
                return;
            }
        }
    }

    /// What the end of the pair waits for; sums of gradients and copies go on beside what follows.
    fn ends(&self) -> impl Iterator<Item = StepId> {
        self.open.iter().copied()
    }
}

impl Chunk<'_> {
    /// The same chunk without its neighbors.
    pub(crate) fn alone(&self) -> Chunk<'_> {
        Chunk {
            wires: Wires::default(),
            pieces: self.pieces.clone(),
            ..*self
        }
    }

    /// What arrives in front of a pair; kernels wait for it.
    pub(crate) fn arrival(&self, direction: Direction) -> Option<Block> {
        let channel = match direction {
            Direction::Forward => self.wires.receive_forward,
            Direction::Backward => self.wires.receive_backward,
        };
        channel?;
        let mut w = Writer::new("receive", self.site.profile, None);
        self.receive(&mut w, channel);
        w.push(anchor_step());
        Some(w.finish().0)
    }

    /// What leaves behind a pair.
    pub(crate) fn departure(&self, direction: Direction) -> Option<Block> {
        let channel = match direction {
            Direction::Forward => self.wires.send_forward,
            Direction::Backward => self.wires.send_backward,
        };
        channel?;
        let mut w = Writer::new("send", self.site.profile, None);
        w.push(anchor_step());
        self.send(&mut w, channel);
        Some(w.finish().0)
    }
}
