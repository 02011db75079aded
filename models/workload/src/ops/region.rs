//! Parts of a block, and which of them a recomputation policy runs again.

use units::Bytes;

use super::op::{BlockOps, Op, Overlap};

/// The part of a block to which an operator belongs; what recomputation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Region {
    /// A norm over the hidden dimension, in front of a mixer or a feed-forward part.
    Norm,
    /// Projections to queries, keys and values, with rotary embedding and q/k norms.
    Qkv,
    /// Down-projections of latent attention.
    LatentDown,
    /// Up-projections of latent attention, with rotary embedding.
    LatentUp,
    /// Scores, softmax and the product with the values.
    AttentionCore,
    /// The projection behind attention.
    AttentionOutput,
    /// Both products of a dense feed-forward part.
    Mlp,
    /// Its activation function.
    MlpActivation,
    /// Routing of tokens to experts.
    Router,
    /// Tokens on their way to the experts.
    Dispatch,
    /// Products of routed experts.
    Experts,
    /// Activation function of routed experts.
    ExpertActivation,
    /// Tokens on their way back.
    Combine,
    /// Shared experts.
    SharedExpert,
    /// A Mamba-2 mixer.
    Mamba,
    /// Additions to the residual stream, with bias and dropout.
    Residual,
    /// Word and position embeddings.
    Embedding,
    /// Projection to the vocabulary.
    Logits,
    /// Cross-entropy.
    Loss,
    /// A layer that was measured as a whole.
    Measured,
    /// The optimizer.
    Optimizer,
}

/// A set of regions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Regions(u32);

impl Regions {
    /// No region.
    pub const NONE: Self = Self(0);
    /// The attention core: `core_attn` of Megatron-Core's `recompute_modules`.
    pub const CORE_ATTENTION: Self = Self::of(&[Region::AttentionCore]);
    /// The dense feed-forward part: `mlp`.
    pub const MLP: Self = Self::of(&[Region::Mlp, Region::MlpActivation]);
    /// The norms, whose outputs are dropped: `layernorm`.
    pub const LAYER_NORM: Self = Self::of(&[Region::Norm]);
    /// The whole mixture-of-experts part, its all-to-alls included: `moe`.
    pub const MOE: Self = Self::of(&[
        Region::Router,
        Region::Dispatch,
        Region::Experts,
        Region::ExpertActivation,
        Region::Combine,
        Region::SharedExpert,
    ]);
    /// The activation function of routed experts, whose output is dropped: `moe_act`.
    pub const MOE_ACTIVATION: Self = Self::of(&[Region::ExpertActivation]);
    /// Up-projections and rotary embedding of latent attention: `mla_up_proj`.
    pub const MLA_UP_PROJECTION: Self = Self::of(&[Region::LatentUp]);
    /// The shared experts: `shared_experts`.
    pub const SHARED_EXPERTS: Self = Self::of(&[Region::SharedExpert]);

    /// What holds one row for each token and chosen expert.
    pub(crate) const ROUTED: Self = Self::of(&[
        Region::Dispatch,
        Region::Experts,
        Region::ExpertActivation,
        Region::Combine,
    ]);

    /// The set of the regions listed.
    pub const fn of(regions: &[Region]) -> Self {
        let mut set = 0;
        let mut at = 0;
        while at < regions.len() {
            set |= 1 << regions[at] as u32;
            at += 1;
        }
        Self(set)
    }

    /// The regions of one of Megatron-Core's `recompute_modules`; `None` for another name.
    pub fn of_module(name: &str) -> Option<Self> {
        Some(match name {
            "core_attn" => Self::CORE_ATTENTION,
            "mlp" => Self::MLP,
            "layernorm" => Self::LAYER_NORM,
            "moe" => Self::MOE,
            "moe_act" => Self::MOE_ACTIVATION,
            "mla_up_proj" => Self::MLA_UP_PROJECTION,
            "shared_experts" => Self::SHARED_EXPERTS,
            _ => return None,
        })
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the region is in the set.
    pub const fn contains(self, region: Region) -> bool {
        self.0 & 1 << region as u32 != 0
    }
}

/// What a block computes again in its backward pass in place of keeping it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Recompute {
    /// Nothing.
    #[default]
    None,
    /// The attention core (Korthikanti et al. 2022, section 5).
    Selective,
    /// Those regions.
    Modules(Regions),
    /// The block: only its input is kept.
    Full,
}

impl Recompute {
    /// Whether the outputs of a region are dropped.
    pub const fn drops(self, region: Region) -> bool {
        match self {
            Self::None => false,
            Self::Selective => Regions::CORE_ATTENTION.contains(region),
            Self::Modules(regions) => regions.contains(region),
            Self::Full => true,
        }
    }
}

/// The forward operators that run again before a block's backward pass, in order.
///
/// Collectives of the repeated regions are repeated with them, as checkpointing in Megatron and
/// PyTorch does.
pub fn recomputed(block: &BlockOps, policy: Recompute) -> Vec<Op> {
    let mut ops: Vec<Op> = block
        .forward
        .iter()
        .filter(|op| policy.drops(op.region))
        .copied()
        .collect();
    let launched: Vec<_> = ops
        .iter()
        .filter_map(|op| match op.overlap {
            Overlap::Async(slot) => Some(slot),
            _ => None,
        })
        .collect();
    for op in &mut ops {
        op.waits = op.waits.filter(|slot| launched.contains(slot));
    }
    ops
}

/// Bytes of a block that are kept from its forward pass until its backward pass.
pub fn kept(block: &BlockOps, policy: Recompute) -> Bytes {
    let saved = block.forward.iter().filter(|op| !policy.drops(op.region));
    block.input + saved.map(|op| op.saved).sum()
}
