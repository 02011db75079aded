//! What mixes tokens: attention of several kinds.

use super::norm::NormKind;

/// How attention knows where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// Not at all (Nemotron-H, every fourth layer of Llama 4).
    None,
    /// From vectors added to the embedding.
    Learned,
    /// By rotation of the first `dims` dimensions of every query and key head.
    Rotary {
        /// Rotated dimensions of a head.
        dims: u64,
    },
    /// By a bias that falls with distance, one slope a head, without parameters.
    Alibi,
    /// By a learned bias by head and bucket of distances, one table a stack of layers (T5).
    RelativeBias,
}

/// Over which values a norm of queries and keys runs, and what it stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QkSpan {
    /// Over a head, with one weight vector of a head's width for all heads (Qwen3).
    Head,
    /// Over a head, with weights of its own for every head (Cohere).
    EachHead,
    /// Over all heads together (`OLMoE`, MiniMax-M2).
    AllHeads,
}

/// A norm of queries and one of keys, between projection and rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QkNorm {
    /// What it computes and stores.
    pub kind: NormKind,
    /// Over which values.
    pub span: QkSpan,
}

/// Attention with `heads` query heads that share `kv_heads` heads of keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each bias or mask is there or not by itself"
)]
pub struct AttentionSpec {
    /// Query heads.
    pub heads: u64,
    /// Heads of keys and values: `heads` for multi-head, 1 for multi-query attention.
    pub kv_heads: u64,
    /// Width of a head of queries, keys and values; `heads * head_dim` may differ from the hidden
    /// width.
    pub head_dim: u64,
    /// Biases of the projections to queries, keys and values.
    pub qkv_bias: bool,
    /// A bias of the projection behind the heads.
    pub out_bias: bool,
    /// Norms of queries and keys.
    pub qk_norm: Option<QkNorm>,
    /// How positions enter.
    pub position: Position,
    /// Whether a token sees only itself and those before it.
    pub causal: bool,
    /// The number of tokens that a token sees, itself included; all where absent.
    pub window: Option<u64>,
    /// Whether the window is a chunk: tokens of one chunk of `window` tokens see each other, none
    /// across its border (Llama 4). A sliding window otherwise.
    pub chunked: bool,
    /// A learned logit a head that takes part in the softmax (gpt-oss).
    pub sinks: bool,
}

impl AttentionSpec {
    /// Causal multi-head attention without biases, with rotation of whole heads.
    pub const fn rotary(heads: u64, kv_heads: u64, head_dim: u64) -> Self {
        Self {
            heads,
            kv_heads,
            head_dim,
            qkv_bias: false,
            out_bias: false,
            qk_norm: None,
            position: Position::Rotary { dims: head_dim },
            causal: true,
            window: None,
            chunked: false,
            sinks: false,
        }
    }

    /// Width of all query heads.
    pub const fn q_width(&self) -> u64 {
        self.heads * self.head_dim
    }

    /// Width of all key heads; that of values is the same.
    pub const fn kv_width(&self) -> u64 {
        self.kv_heads * self.head_dim
    }

    /// Rotated dimensions of a head; 0 without rotation.
    pub const fn rotary_dims(&self) -> u64 {
        match self.position {
            Position::Rotary { dims } => dims,
            _ => 0,
        }
    }

    /// Weights of the norm of queries and of that of keys, each for a number of vectors
    /// ([`NormKind::vectors`]); `None` without norms.
    pub const fn qk_norm_widths(&self) -> Option<(u64, u64)> {
        match self.qk_norm {
            None => None,
            Some(norm) => Some(match norm.span {
                QkSpan::Head => (self.head_dim, self.head_dim),
                QkSpan::EachHead | QkSpan::AllHeads => (self.q_width(), self.kv_width()),
            }),
        }
    }
}

/// Scores that choose the tokens which sparse attention reads (`DeepSeek` sparse attention).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexerSpec {
    /// Heads of the scorer.
    pub heads: u64,
    /// Width of one.
    pub head_dim: u64,
    /// Tokens that each token reads at most.
    pub top_k: u64,
}

/// Multi-head latent attention (`DeepSeek`-V2, section 2.1): keys and values come from one narrow
/// latent, queries from another or directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MlaSpec {
    /// Heads.
    pub heads: u64,
    /// Width of the latent of queries; queries are not compressed where absent.
    pub q_lora_rank: Option<u64>,
    /// Width of the latent of keys and values.
    pub kv_lora_rank: u64,
    /// Width of a head of queries and keys that is not rotated.
    pub qk_nope_dim: u64,
    /// Width that is rotated: a part of each query head, and one key part for all heads.
    pub qk_rope_dim: u64,
    /// Width of a head of values.
    pub v_dim: u64,
    /// Biases of the projections into the latents and behind the heads.
    pub bias: bool,
    /// Chooses the tokens read, where attention is sparse.
    pub indexer: Option<IndexerSpec>,
}

impl MlaSpec {
    /// Width of a head of queries and keys.
    pub const fn qk_dim(&self) -> u64 {
        self.qk_nope_dim + self.qk_rope_dim
    }
}
