//! Passes.

use std::fmt;

/// What a device does in one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// The forward pass of a stage.
    Forward,
    /// The backward pass of a stage, both gradients at once.
    Backward,
    /// The gradient of a stage's input (`B` in the zero-bubble papers, `I` in PyTorch).
    InputGrad,
    /// The gradient of a stage's weights (`W`).
    WeightGrad,
    /// Logits of this device's part of the vocabulary and their softmax statistics (`S`).
    VocabularyForward,
    /// Gradients of this device's part of the output layer (`T`).
    VocabularyBackward,
    /// Input embedding from this device's part of the vocabulary.
    EmbeddingForward,
    /// Gradient of this device's part of the input embedding.
    EmbeddingBackward,
}

impl ActionKind {
    /// Whether the pass belongs to a part of the vocabulary: its `stage` then is the device.
    pub const fn is_vocabulary(self) -> bool {
        matches!(
            self,
            Self::VocabularyForward
                | Self::VocabularyBackward
                | Self::EmbeddingForward
                | Self::EmbeddingBackward
        )
    }

    /// Whether the pass yields the gradient of its stage's input.
    pub const fn gives_gradient(self) -> bool {
        matches!(self, Self::Backward | Self::InputGrad)
    }

    /// The letters of the kind in a schedule file. The first four are PyTorch's; the others
    /// are ours, since PyTorch has no such passes.
    pub const fn letters(self) -> &'static str {
        match self {
            Self::Forward => "F",
            Self::Backward => "B",
            Self::InputGrad => "I",
            Self::WeightGrad => "W",
            Self::VocabularyForward => "S",
            Self::VocabularyBackward => "T",
            Self::EmbeddingForward => "EF",
            Self::EmbeddingBackward => "EB",
        }
    }

    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Forward,
        Self::Backward,
        Self::InputGrad,
        Self::WeightGrad,
        Self::VocabularyForward,
        Self::VocabularyBackward,
        Self::EmbeddingForward,
        Self::EmbeddingBackward,
    ];
}

/// One pass of one micro-batch through one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action {
    /// What is done.
    pub kind: ActionKind,
    /// The virtual stage, counted from 0 in the order of the layers; for a vocabulary pass
    /// the device, whose part of the vocabulary it is.
    pub stage: u32,
    /// The micro-batch, counted from 0.
    pub micro_batch: u32,
}

impl Action {
    /// A pass.
    pub const fn new(kind: ActionKind, stage: u32, micro_batch: u32) -> Self {
        Self {
            kind,
            stage,
            micro_batch,
        }
    }
}

impl fmt::Display for Action {
    /// As a schedule file writes it: stage, kind, micro-batch, for example `2F0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            stage,
            micro_batch,
        } = self;
        write!(f, "{stage}{}{micro_batch}", kind.letters())
    }
}
