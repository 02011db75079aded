//! What a model is: its layers and its two ends, with every shape, bias, gate and norm explicit,
//! so that operators and parameter counts both follow from the same description.

mod attention;
mod check;
mod ends;
mod ffn;
mod layer;
mod mamba;
mod norm;
mod spec;

pub use attention::{AttentionSpec, IndexerSpec, MlaSpec, Position, QkNorm, QkSpan};
pub use ends::{Embedding, Head, Mtp, Pooler, RelativeBias};
pub use ffn::{Activation, DenseSpec, ExpertGroups, MoeSpec};
pub use layer::{Ffn, Layer, MeasuredLayer, MeasuredTime, Mixer, Stack};
pub use mamba::MambaSpec;
pub use norm::{NormKind, NormPlacement, Norms};
pub use spec::{ModelSpec, Note};

use crate::error::ModelError;

/// A model whose description was checked; [`Model::build`] is the only way in.
///
/// Invariant: it has at least one layer and at most [`Model::MAX_LAYERS`]; every dimension is at
/// most [`Model::MAX_DIMENSION`] and all parameters together at most [`Model::MAX_PARAMS`], so that
/// counts of parameters, and of values of a micro-batch of moderate size, fit into 64 bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    spec: ModelSpec,
    /// The distinct layers in order of appearance.
    kinds: Vec<Layer>,
    /// The kind of each layer.
    kind_of: Vec<usize>,
}

impl Model {
    /// The most layers, those of both stacks together.
    pub const MAX_LAYERS: u64 = 100_000;
    /// The most modules for further tokens, and the most layers of one.
    pub const MAX_MTP: u64 = 64;
    /// The largest width, vocabulary or number of heads or experts.
    pub const MAX_DIMENSION: u64 = 1 << 24;
    /// The most parameters.
    pub const MAX_PARAMS: u64 = 1_000_000_000_000_000_000;

    /// Checks a description.
    ///
    /// # Errors
    ///
    /// The first field that cannot be.
    pub fn build(spec: ModelSpec) -> Result<Self, ModelError> {
        check::layers(&spec)?;
        let (kinds, kind_of) = kinds(&spec.layers);
        let model = Self {
            spec,
            kinds,
            kind_of,
        };
        check::total(&model)?;
        Ok(model)
    }

    /// The same model under another name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// What reports call it.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its architecture, as a config.json names it.
    pub fn family(&self) -> &str {
        &self.spec.family
    }

    /// Width of the residual stream; 0 for a table of measured layers.
    pub const fn hidden(&self) -> u64 {
        self.spec.hidden
    }

    /// Rows of the word embedding; 0 without one.
    pub fn vocab(&self) -> u64 {
        self.spec.embedding.map_or(0, |embedding| embedding.vocab)
    }

    /// All layers, those of an encoder first.
    pub fn layers(&self) -> &[Layer] {
        &self.spec.layers
    }

    /// How many of the layers stand in an encoder in front of the decoder.
    pub fn encoder_layers(&self) -> usize {
        let encoder = |layer: &&Layer| layer.stack == Stack::Encoder;
        self.spec.layers.iter().take_while(encoder).count()
    }

    /// Tokens to hidden states; none for a table of measured layers.
    pub const fn embedding(&self) -> Option<&Embedding> {
        self.spec.embedding.as_ref()
    }

    /// The norm behind the last layer of each stack.
    pub const fn final_norm(&self) -> Option<NormKind> {
        self.spec.final_norm
    }

    /// Hidden states to logits; none for a bare encoder or a table of measured layers.
    pub const fn head(&self) -> Option<&Head> {
        self.spec.head.as_ref()
    }

    /// Whether the head's table is the word embedding itself.
    pub fn tied_embeddings(&self) -> bool {
        self.spec.head.is_some_and(|head| head.tied)
    }

    /// A product on the first token's state.
    pub const fn pooler(&self) -> Option<&Pooler> {
        self.spec.pooler.as_ref()
    }

    /// Modules that predict further tokens, first token first.
    pub fn mtp(&self) -> &[Mtp] {
        &self.spec.mtp
    }

    /// The longest sequence it was made for.
    pub const fn max_positions(&self) -> Option<u64> {
        self.spec.max_positions
    }

    /// What was not given and what was taken for it, and what was left out.
    pub fn notes(&self) -> &[Note] {
        &self.spec.notes
    }

    /// The whole description, for a changed copy.
    pub const fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The distinct layers in order of appearance.
    pub fn kinds(&self) -> &[Layer] {
        &self.kinds
    }

    /// The kind of each layer, as an index into [`kinds`](Self::kinds).
    pub fn kind_of_layers(&self) -> &[usize] {
        &self.kind_of
    }

    /// The distinct layers in order of appearance, and the kind of each layer, as values of their
    /// own.
    pub fn layer_kinds(&self) -> (Vec<Layer>, Vec<usize>) {
        (self.kinds.clone(), self.kind_of.clone())
    }
}

/// The distinct layers in order of appearance, and the kind of each layer.
fn kinds(layers: &[Layer]) -> (Vec<Layer>, Vec<usize>) {
    let mut kinds: Vec<Layer> = Vec::new();
    let mut of = Vec::with_capacity(layers.len());
    for layer in layers {
        let known = kinds.iter().position(|kind| kind == layer);
        of.push(known.unwrap_or_else(|| {
            kinds.push(layer.clone());
            kinds.len() - 1
        }));
    }
    (kinds, of)
}
