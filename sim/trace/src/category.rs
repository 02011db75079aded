//! What time and memory are spent on.

use serde::{Deserialize, Serialize};

/// What a span of time is spent on. The order is that of attribution: at each instant a rank's
/// time counts for the first category in this order that is active on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Forward and backward kernels.
    Compute,
    /// The optimizer step and the clipping before it.
    Optimizer,
    /// Tensor-parallel communication.
    Tp,
    /// Context-parallel communication.
    Cp,
    /// Expert-parallel communication.
    Ep,
    /// Data-parallel communication, sharded or not.
    Dp,
    /// Transfers between pipeline stages.
    Pp,
    /// Transfers to host memory or storage.
    Offload,
    /// Host time and everything else.
    Other,
}

impl Category {
    /// Every category, in order of attribution.
    pub const ALL: [Self; 9] = [
        Self::Compute,
        Self::Optimizer,
        Self::Tp,
        Self::Cp,
        Self::Ep,
        Self::Dp,
        Self::Pp,
        Self::Offload,
        Self::Other,
    ];

    /// The position in [`Category::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A short lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Optimizer => "optimizer",
            Self::Tp => "tp",
            Self::Cp => "cp",
            Self::Ep => "ep",
            Self::Dp => "dp",
            Self::Pp => "pp",
            Self::Offload => "offload",
            Self::Other => "other",
        }
    }

    /// Whether the category is communication between GPUs.
    pub const fn is_communication(self) -> bool {
        matches!(self, Self::Tp | Self::Cp | Self::Ep | Self::Dp | Self::Pp)
    }
}

/// An ordered queue of work on a GPU. Work of one stream runs in order; streams run beside
/// each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// Kernels.
    Compute,
    /// Tensor-parallel collectives.
    Tp,
    /// Context-parallel exchanges.
    Cp,
    /// Expert-parallel all-to-alls.
    Ep,
    /// Gradient reductions and parameter gathers.
    Dp,
    /// Sends to and receives from other stages.
    Pp,
    /// Copies to and from host memory or storage.
    Offload,
    /// The host thread that issues the work.
    Host,
}

impl StreamKind {
    /// Every stream, in the order of its index.
    pub const ALL: [Self; 8] = [
        Self::Compute,
        Self::Tp,
        Self::Cp,
        Self::Ep,
        Self::Dp,
        Self::Pp,
        Self::Offload,
        Self::Host,
    ];

    /// The position in [`StreamKind::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A short lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Tp => "tp",
            Self::Cp => "cp",
            Self::Ep => "ep",
            Self::Dp => "dp",
            Self::Pp => "pp",
            Self::Offload => "offload",
            Self::Host => "host",
        }
    }
}

/// Which pass of the training step a stretch of work belongs to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// None: what surrounds the passes.
    #[default]
    None,
    /// The forward pass.
    Forward,
    /// The whole backward pass.
    Backward,
    /// The part of the backward pass that the stage before waits for.
    InputGrad,
    /// The part of the backward pass that nobody but the optimizer waits for.
    WeightGrad,
    /// A part of the forward pass that runs again within the backward pass.
    Recompute,
    /// The optimizer's step.
    Optimizer,
}

impl Pass {
    /// Every pass, in the order of its index.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Forward,
        Self::Backward,
        Self::InputGrad,
        Self::WeightGrad,
        Self::Recompute,
        Self::Optimizer,
    ];

    /// The position in [`Pass::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A short lower-case name; empty for none.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::InputGrad => "input grad",
            Self::WeightGrad => "weight grad",
            Self::Recompute => "recompute",
            Self::Optimizer => "optimizer",
        }
    }
}

/// What memory of a GPU is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryKind {
    /// Weights in the compute precision.
    Weights,
    /// Gradients.
    Gradients,
    /// Optimizer states and master weights.
    Optimizer,
    /// Activations kept for the backward pass.
    Activations,
    /// Logits and buffers of the loss.
    Logits,
    /// Temporary buffers of operators.
    Workspace,
    /// Buffers of communication that the framework allocates.
    Communication,
}

impl MemoryKind {
    /// Every kind, in the order of its index.
    pub const ALL: [Self; 7] = [
        Self::Weights,
        Self::Gradients,
        Self::Optimizer,
        Self::Activations,
        Self::Logits,
        Self::Workspace,
        Self::Communication,
    ];

    /// The position in [`MemoryKind::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A short lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Gradients => "gradients",
            Self::Optimizer => "optimizer",
            Self::Activations => "activations",
            Self::Logits => "logits",
            Self::Workspace => "workspace",
            Self::Communication => "communication",
        }
    }
}
