//! What works on each token alone: dense parts and mixtures of experts.

/// The function between two products of a feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activation {
    /// The Gaussian error linear unit, in any of its approximations.
    Gelu,
    /// x · sigmoid(x), also called swish.
    Silu,
    /// max(x, 0).
    Relu,
    /// max(x, 0)².
    SquaredRelu,
}

/// A dense feed-forward part: two products with an activation between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DenseSpec {
    /// Inner width.
    pub ffn: u64,
    /// Whether a third product gates the inner values (`SwiGLU`, `GeGLU`).
    pub gated: bool,
    /// Biases of all its products.
    pub bias: bool,
    /// The function between the products.
    pub activation: Activation,
}

impl DenseSpec {
    /// A gated part without biases, as Llama has it.
    pub const fn swiglu(ffn: u64) -> Self {
        Self {
            ffn,
            gated: true,
            bias: false,
            activation: Activation::Silu,
        }
    }

    /// Width that the first product writes, the gate included.
    pub const fn up_width(&self) -> u64 {
        if self.gated { 2 * self.ffn } else { self.ffn }
    }
}

/// A mixture of experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each gate or bias is there or not by itself"
)]
pub struct MoeSpec {
    /// Routed experts.
    pub experts: u64,
    /// How many of them a token visits.
    pub top_k: u64,
    /// Inner width of one.
    pub expert_ffn: u64,
    /// Whether experts, routed and shared, have a gate.
    pub gated: bool,
    /// Biases of the products of routed experts.
    pub bias: bool,
    /// The function between the products.
    pub activation: Activation,
    /// A value an expert in the router: a bias of its product (gpt-oss) or a correction of its
    /// choice (`DeepSeek`-V3).
    pub router_bias: bool,
    /// Width in which routed experts read and write, reached by a projection down and one up for
    /// all of them; the hidden width where absent (Nemotron-3's latent experts).
    pub latent: Option<u64>,
    /// Inner width of all shared experts together, which every token visits.
    pub shared_ffn: Option<u64>,
    /// A learned scalar gate on the output of the shared experts (Qwen2's).
    pub shared_gate: bool,
    /// Where a token's experts may lie.
    pub groups: ExpertGroups,
}

/// Routed experts stand in equal groups, and a token visits experts of some of them (`DeepSeek`'s
/// routing by node, arXiv 2405.04434, section 2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpertGroups {
    /// How many groups there are.
    pub all: u64,
    /// How many of them a token may visit.
    pub visited: u64,
}

impl ExpertGroups {
    /// One group: a token may visit any expert.
    pub const ONE: Self = Self { all: 1, visited: 1 };
}

impl MoeSpec {
    /// Routed experts without any of the extras, as Mixtral has them.
    pub const fn swiglu(experts: u64, top_k: u64, expert_ffn: u64) -> Self {
        Self {
            experts,
            top_k,
            expert_ffn,
            gated: true,
            bias: false,
            activation: Activation::Silu,
            router_bias: false,
            latent: None,
            shared_ffn: None,
            shared_gate: false,
            groups: ExpertGroups::ONE,
        }
    }

    /// Width that the first product of a routed expert writes, the gate included.
    pub const fn up_width(&self) -> u64 {
        if self.gated {
            2 * self.expert_ffn
        } else {
            self.expert_ffn
        }
    }
}
