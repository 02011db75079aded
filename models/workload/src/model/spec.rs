//! What a model is, before it is checked.

use super::ends::{Embedding, Head, Mtp, Pooler};
use super::layer::Layer;
use super::norm::NormKind;

/// What a model is, before [`Model::build`](crate::Model::build) checks it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// What reports call it.
    pub name: String,
    /// Its architecture, as a config.json names it (`model_type`).
    pub family: String,
    /// Width of the residual stream; 0 for a table of measured layers.
    pub hidden: u64,
    /// All layers, those of an encoder first.
    pub layers: Vec<Layer>,
    /// Tokens to hidden states; none for a table of measured layers.
    pub embedding: Option<Embedding>,
    /// The norm behind the last layer of each stack.
    pub final_norm: Option<NormKind>,
    /// Hidden states to logits; none for a bare encoder.
    pub head: Option<Head>,
    /// A product on the first token's state.
    pub pooler: Option<Pooler>,
    /// Modules that predict further tokens.
    pub mtp: Vec<Mtp>,
    /// The longest sequence it was made for.
    pub max_positions: Option<u64>,
    /// What was not given and what was taken for it, and what was left out.
    pub notes: Vec<Note>,
}

/// Something that a model's description left open, or that this model leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The field of the description.
    pub field: String,
    /// What was taken for it.
    pub taken: String,
}
