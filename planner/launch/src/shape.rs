//! A model as launchers describe one: a stack of equal decoder layers, some of them mixtures of
//! experts.

use workload::{
    Activation, AttentionSpec, DenseSpec, Ffn, Layer, Mixer, MlaSpec, Model, MoeSpec, NormKind,
    NormPlacement, Position, Stack,
};

/// A decoder of equal layers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GptShape {
    pub(crate) layers: usize,
    pub(crate) hidden: u64,
    pub(crate) vocab: u64,
    pub(crate) tied: bool,
    pub(crate) positions: u64,
    pub(crate) norm: NormKind,
    pub(crate) attention: Attention,
    /// The dense part; none where every layer is a mixture.
    pub(crate) dense: Option<DenseSpec>,
    /// The mixture, and by layer whether it has it.
    pub(crate) moe: Option<(MoeSpec, Vec<bool>)>,
    pub(crate) mtp: usize,
}

/// What mixes tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Attention {
    /// Grouped heads.
    Grouped(AttentionSpec),
    /// Latent attention.
    Latent(MlaSpec),
}

impl GptShape {
    /// The shape of a model, or what about it is not of this kind.
    pub(crate) fn of(model: &Model) -> Result<Self, String> {
        ends(model)?;
        let layers = model.layers();
        let first = layers.first().ok_or("a model without layers")?;
        let attention = attention_of(first)?;
        for layer in model.kinds() {
            same_layer(layer, first)?;
        }
        let embedding = model.embedding().ok_or("a table of measured layers")?;
        Ok(Self {
            layers: layers.len(),
            hidden: model.hidden(),
            vocab: embedding.vocab,
            tied: model.tied_embeddings(),
            positions: model.max_positions().unwrap_or(embedding.positions),
            norm: first.norms.kind,
            attention,
            dense: dense_of(model)?,
            moe: moe_of(model)?,
            mtp: model.mtp().len(),
        })
    }

    /// Whether linear layers have biases.
    pub(crate) fn has_bias(&self) -> bool {
        let of_attention = match self.attention {
            Attention::Grouped(attention) => attention.out_bias,
            Attention::Latent(mla) => mla.bias,
        };
        of_attention || self.dense.is_some_and(|dense| dense.bias)
    }

    /// The gate and the function of the feed-forward part.
    pub(crate) fn activation(&self) -> (bool, Activation) {
        match (&self.dense, &self.moe) {
            (Some(dense), _) => (dense.gated, dense.activation),
            (None, Some((moe, _))) => (moe.gated, moe.activation),
            (None, None) => (false, Activation::Gelu),
        }
    }
}

/// What stands in front of and behind the layers.
fn ends(model: &Model) -> Result<(), String> {
    if 0 < model.encoder_layers() {
        return Err("an encoder in front of a decoder".to_owned());
    }
    if model.pooler().is_some() || model.head().is_none_or(|head| head.transform.is_some()) {
        return Err("a model that does not predict the next token".to_owned());
    }
    let embedding = model.embedding().ok_or("a table of measured layers")?;
    if embedding.norm.is_some() {
        return Err("a norm of the embedding".to_owned());
    }
    if embedding.width != model.hidden() {
        return Err("an embedding of another width than the layers".to_owned());
    }
    Ok(())
}

fn attention_of(layer: &Layer) -> Result<Attention, String> {
    match layer.mixer {
        Some(Mixer::Attention(attention)) if !attention.causal => {
            Err("attention without causal mask".to_owned())
        }
        Some(Mixer::Attention(attention)) if attention.chunked || attention.sinks => {
            Err("chunked attention or sinks".to_owned())
        }
        Some(Mixer::Attention(attention)) if attention.position == Position::RelativeBias => {
            Err("relative biases of positions".to_owned())
        }
        Some(Mixer::Attention(attention)) => Ok(Attention::Grouped(attention)),
        Some(Mixer::Latent(mla)) if mla.indexer.is_some() => Err("sparse attention".to_owned()),
        Some(Mixer::Latent(mla)) => Ok(Attention::Latent(mla)),
        Some(Mixer::Mamba2(_)) => Err("state-space layers".to_owned()),
        None => Err("layers without attention".to_owned()),
    }
}

/// Whether a layer differs from the first one in its feed-forward part alone.
fn same_layer(layer: &Layer, first: &Layer) -> Result<(), String> {
    if layer.mixer != first.mixer || layer.norms != first.norms {
        return Err("layers with different attention or norms".to_owned());
    }
    let plain = layer.norms.placement == NormPlacement::Before && !layer.parallel;
    if !plain || layer.cross.is_some() || layer.stack != Stack::Main {
        return Err("norms that do not stand in front of each branch".to_owned());
    }
    Ok(())
}

/// The one dense part of all layers that have one.
fn dense_of(model: &Model) -> Result<Option<DenseSpec>, String> {
    let parts = model.kinds().iter().filter_map(|layer| match layer.ffn {
        Some(Ffn::Dense(dense)) => Some(dense),
        _ => None,
    });
    one(parts).map_err(|Unlike| "layers with different dense parts".to_owned())
}

/// The one mixture of all layers that have one.
fn moe_of(model: &Model) -> Result<Option<(MoeSpec, Vec<bool>)>, String> {
    if model.kinds().iter().any(|layer| layer.ffn.is_none()) {
        return Err("layers without feed-forward part".to_owned());
    }
    let parts = model
        .kinds()
        .iter()
        .filter_map(|layer| layer.moe().copied());
    let moe = one(parts).map_err(|Unlike| "layers with different experts".to_owned())?;
    let is_moe = |layer: &Layer| layer.moe().is_some();
    Ok(moe.map(|moe| (moe, model.layers().iter().map(is_moe).collect())))
}

/// Items differ.
struct Unlike;

/// The value that all items have, where there are any.
fn one<T: PartialEq>(mut items: impl Iterator<Item = T>) -> Result<Option<T>, Unlike> {
    let Some(first) = items.next() else {
        return Ok(None);
    };
    if items.all(|item| item == first) {
        Ok(Some(first))
    } else {
        Err(Unlike)
    }
}
