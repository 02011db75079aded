//! Norms: their kind, what they store, and where they stand in a layer.

/// A normalisation over a hidden dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NormKind {
    /// Division by the root mean square, times a weight.
    Rms,
    /// Division by the root mean square, without weights (Llama 4's norm of queries and keys).
    PlainRms,
    /// Layer norm with weight and bias.
    Layer,
    /// Layer norm with a weight and no bias (MPT, Cohere).
    LayerNoBias,
    /// Layer norm without weights (`OLMo` 1).
    PlainLayer,
}

impl NormKind {
    /// Stored vectors: 0, 1 (weight) or 2 (weight and bias).
    pub const fn vectors(self) -> u64 {
        match self {
            Self::PlainRms | Self::PlainLayer => 0,
            Self::Rms | Self::LayerNoBias => 1,
            Self::Layer => 2,
        }
    }

    /// Parameters over a dimension of that width.
    pub const fn params(self, width: u64) -> u64 {
        self.vectors() * width
    }

    /// The name of the kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rms => "rms_norm",
            Self::PlainRms => "rms_norm_without_weights",
            Self::Layer => "layer_norm",
            Self::LayerNoBias => "layer_norm_without_bias",
            Self::PlainLayer => "layer_norm_without_weights",
        }
    }
}

/// Where the norms of a layer stand, seen from its branches (mixer, cross-attention, feed-forward
/// part).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NormPlacement {
    /// One in front of each branch: pre-norm.
    Before,
    /// One for all branches, which read it in parallel (GPT-J, Falcon-7B, Phi-2, Cohere).
    BeforeShared,
    /// One behind each residual addition: post-norm (BERT, OPT-350M).
    AfterSum,
    /// One on the output of each branch, before its residual addition (`OLMo` 2).
    AfterBranch,
    /// One in front of each branch and one on its output (Gemma 2 and 3, GLM-4).
    BeforeAndAfter,
}

/// The norms of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Norms {
    /// What they compute and store.
    pub kind: NormKind,
    /// Where they stand.
    pub placement: NormPlacement,
}

impl Norms {
    /// Root-mean-square norms in front of each branch, as Llama has them.
    pub const PRE_RMS: Self = Self {
        kind: NormKind::Rms,
        placement: NormPlacement::Before,
    };

    /// Layer norms in front of each branch, as GPT-2 has them.
    pub const PRE_LAYER: Self = Self {
        kind: NormKind::Layer,
        placement: NormPlacement::Before,
    };

    /// Norms of a layer of that many branches.
    pub const fn count(&self, branches: u64) -> u64 {
        match self.placement {
            NormPlacement::Before | NormPlacement::AfterSum | NormPlacement::AfterBranch => {
                branches
            }
            NormPlacement::BeforeShared => 1,
            NormPlacement::BeforeAndAfter => 2 * branches,
        }
    }
}
