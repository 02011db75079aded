//! What stands before the first and behind the last layer, and the modules beside the last one.

use super::layer::Layer;
use super::norm::NormKind;

/// Tables and norms between tokens and the first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Embedding {
    /// Rows of the word table, padding included.
    pub vocab: u64,
    /// Width of the word table; where it differs from the hidden width, a projection without
    /// bias joins them at both ends of the model (OPT-350M).
    pub width: u64,
    /// Rows of the table of learned positions; 0 without one.
    pub positions: u64,
    /// Rows of the table of token types; 0 without one.
    pub token_types: u64,
    /// A norm of the sum (BERT, BLOOM).
    pub norm: Option<NormKind>,
    /// Learned biases of attention by distance, one table a stack (T5).
    pub relative_bias: Option<RelativeBias>,
}

impl Embedding {
    /// A word table of the hidden width, and nothing else.
    pub const fn words(vocab: u64, hidden: u64) -> Self {
        Self {
            vocab,
            width: hidden,
            positions: 0,
            token_types: 0,
            norm: None,
            relative_bias: None,
        }
    }
}

/// Tables of biases of attention by distance and head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelativeBias {
    /// Distances are sorted into that many buckets.
    pub buckets: u64,
    /// Heads.
    pub heads: u64,
    /// Tables: one for each stack of layers.
    pub tables: u64,
}

/// The projection of hidden states to the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// Rows of its table, padding included.
    pub vocab: u64,
    /// Whether its table is the word embedding itself.
    pub tied: bool,
    /// A bias of its product, one value a row.
    pub bias: bool,
    /// A product, an activation and a norm of that kind in front of it, with bias (BERT's masked
    /// language modeling).
    pub transform: Option<NormKind>,
}

/// A product on the state of a sequence's first token (BERT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pooler {
    /// Classes of a classifier with bias on top of it; 0 without one (2 for next-sentence
    /// prediction).
    pub classes: u64,
}

/// A module that predicts one further token from the last hidden state and the embedding of the
/// token before it (`DeepSeek`-V3, section 2.2): two norms, a projection of both side by side, its
/// own layers, a norm, and the model's head.
#[derive(Clone, Debug, PartialEq)]
pub struct Mtp {
    /// Its layers: one of the model's last kind, or a short pattern.
    pub layers: Vec<Layer>,
    /// The kind of its three norms.
    pub norm: NormKind,
}
