//! Which descriptions are models.

use super::attention::{AttentionSpec, MlaSpec, Position};
use super::ends::{Embedding, Head};
use super::ffn::{DenseSpec, ExpertGroups, MoeSpec};
use super::layer::{Ffn, Layer, Mixer};
use super::mamba::MambaSpec;
use super::spec::ModelSpec;
use super::{Model, Stack};
use crate::error::{AT_MOST, ModelError};
use crate::tensor::Tensor;

/// Which field is checked, and what it is.
type Checked = Result<(), ModelError>;

/// Refuses the first field that cannot be.
pub(super) fn layers(spec: &ModelSpec) -> Checked {
    let layers = spec.layers.len() as u64;
    between("layers", layers, 1, Model::MAX_LAYERS)?;
    between("mtp", spec.mtp.len() as u64, 0, Model::MAX_MTP)?;
    for module in &spec.mtp {
        between("mtp.layers", module.layers.len() as u64, 1, Model::MAX_MTP)?;
    }
    between("hidden", spec.hidden, 0, Model::MAX_DIMENSION)?;
    let modules = spec.mtp.iter().flat_map(|module| &module.layers);
    let mut last = None;
    for one in spec.layers.iter().chain(modules) {
        if last != Some(one) {
            layer(one, spec.hidden)?;
        }
        last = Some(one);
    }
    encoder_first(&spec.layers)?;
    ends(spec)
}

/// A number outside its range.
fn between(field: &str, found: u64, low: u64, high: u64) -> Checked {
    if (low..=high).contains(&found) {
        return Ok(());
    }
    Err(ModelError::Wrong {
        field: field.to_owned(),
        found: found.to_string(),
        expected: format!("a number from {low} to {high}"),
    })
}

/// A width, or a number of heads or experts.
fn dimension(field: &str, found: u64) -> Checked {
    between(field, found, 1, Model::MAX_DIMENSION)
}

/// Two numbers of which the first has to be a multiple of the second.
fn multiple(field: &str, found: u64, other: &str, of: u64) -> Checked {
    if found.is_multiple_of(of) {
        return Ok(());
    }
    Err(ModelError::Contradiction {
        field: field.to_owned(),
        found: found.to_string(),
        other: other.to_owned(),
        other_found: of.to_string(),
        reason: "the first has to be a multiple of the second".to_owned(),
    })
}

/// Two numbers of which the first has to be at most the second.
fn at_most(field: &str, found: u64, other: &str, limit: u64) -> Checked {
    if found <= limit {
        return Ok(());
    }
    Err(ModelError::Contradiction {
        field: field.to_owned(),
        found: found.to_string(),
        other: other.to_owned(),
        other_found: limit.to_string(),
        reason: AT_MOST.to_owned(),
    })
}

/// One layer.
fn layer(layer: &Layer, hidden: u64) -> Checked {
    if let Some(measured) = &layer.measured {
        return between("params", measured.params, 0, Model::MAX_PARAMS);
    }
    dimension("hidden", layer.hidden)?;
    between("hidden", layer.hidden, hidden, hidden)?;
    if layer.branches() == 0 {
        return Err(ModelError::Wrong {
            field: "layers".to_owned(),
            found: "a layer without mixer and feed-forward part".to_owned(),
            expected: "at least one of them".to_owned(),
        });
    }
    match &layer.mixer {
        Some(Mixer::Attention(spec)) => attention(spec)?,
        Some(Mixer::Latent(spec)) => latent(spec)?,
        Some(Mixer::Mamba2(spec)) => mamba(spec)?,
        None => {}
    }
    layer.cross.as_ref().map_or(Ok(()), attention)?;
    match &layer.ffn {
        Some(Ffn::Dense(DenseSpec { ffn, .. })) => dimension("ffn", *ffn),
        Some(Ffn::Moe(spec)) => moe(spec),
        None => Ok(()),
    }
}

/// Attention with grouped heads.
fn attention(spec: &AttentionSpec) -> Checked {
    dimension("heads", spec.heads)?;
    dimension("kv_heads", spec.kv_heads)?;
    dimension("head_dim", spec.head_dim)?;
    dimension("heads * head_dim", spec.heads * spec.head_dim)?;
    multiple("heads", spec.heads, "kv_heads", spec.kv_heads)?;
    if let Position::Rotary { dims } = spec.position {
        at_most("rotary dims", dims, "head_dim", spec.head_dim)?;
    }
    spec.window
        .map_or(Ok(()), |window| between("window", window, 1, 1 << 40))
}

/// Latent attention.
fn latent(spec: &MlaSpec) -> Checked {
    dimension("heads", spec.heads)?;
    dimension("q_lora_rank", spec.q_lora_rank.unwrap_or(1))?;
    dimension("kv_lora_rank", spec.kv_lora_rank)?;
    dimension("qk_nope_dim", spec.qk_nope_dim)?;
    between("qk_rope_dim", spec.qk_rope_dim, 0, Model::MAX_DIMENSION)?;
    dimension("v_dim", spec.v_dim)?;
    dimension("heads * qk_dim", spec.heads * spec.qk_dim())?;
    dimension("heads * v_dim", spec.heads * spec.v_dim)?;
    spec.indexer.map_or(Ok(()), |indexer| {
        dimension("indexer heads", indexer.heads)?;
        dimension("indexer head_dim", indexer.head_dim)?;
        dimension("indexer width", indexer.heads * indexer.head_dim)
    })
}

/// A state space.
fn mamba(spec: &MambaSpec) -> Checked {
    dimension("mamba heads", spec.heads)?;
    dimension("mamba head_dim", spec.head_dim)?;
    dimension("mamba state", spec.state)?;
    dimension("mamba groups", spec.groups)?;
    dimension("mamba conv", spec.conv)?;
    dimension("mamba chunk", spec.chunk)?;
    dimension("mamba heads * head_dim", spec.heads * spec.head_dim)?;
    dimension("mamba groups * state", spec.groups * spec.state)?;
    multiple("mamba heads", spec.heads, "mamba groups", spec.groups)
}

/// A mixture of experts.
fn moe(spec: &MoeSpec) -> Checked {
    dimension("experts", spec.experts)?;
    dimension("top_k", spec.top_k)?;
    at_most("top_k", spec.top_k, "experts", spec.experts)?;
    let ExpertGroups { all, visited } = spec.groups;
    dimension("groups of experts", all)?;
    dimension("visited groups", visited)?;
    multiple("experts", spec.experts, "groups of experts", all)?;
    at_most("visited groups", visited, "groups of experts", all)?;
    let open = spec.experts / all * visited;
    at_most("top_k", spec.top_k, "experts of the visited groups", open)?;
    dimension("expert_ffn", spec.expert_ffn)?;
    dimension("shared_ffn", spec.shared_ffn.unwrap_or(1))?;
    dimension("latent", spec.latent.unwrap_or(1))
}

/// No layer of an encoder behind one of the decoder.
fn encoder_first(layers: &[Layer]) -> Checked {
    let encoder = layers.iter().filter(|layer| layer.stack == Stack::Encoder);
    let leading = layers
        .iter()
        .take_while(|layer| layer.stack == Stack::Encoder);
    if encoder.count() == leading.count() {
        return Ok(());
    }
    Err(ModelError::Wrong {
        field: "layers".to_owned(),
        found: "a layer of the encoder behind one of the decoder".to_owned(),
        expected: "the encoder first".to_owned(),
    })
}

/// What stands at both ends.
fn ends(spec: &ModelSpec) -> Checked {
    spec.embedding.as_ref().map_or(Ok(()), embedding)?;
    let Some(Head { vocab, tied, .. }) = spec.head else {
        return Ok(());
    };
    dimension("vocab", vocab)?;
    match spec.embedding {
        Some(table) if tied => between("vocab of the head", vocab, table.vocab, table.vocab),
        _ => Ok(()),
    }
}

/// Tables in front of the first layer.
fn embedding(table: &Embedding) -> Checked {
    dimension("vocab", table.vocab)?;
    dimension("embedding width", table.width)?;
    between("positions", table.positions, 0, Model::MAX_DIMENSION)?;
    between("token_types", table.token_types, 0, Model::MAX_DIMENSION)?;
    table.relative_bias.map_or(Ok(()), |relative| {
        dimension("buckets", relative.buckets)?;
        dimension("heads", relative.heads)?;
        dimension("tables", relative.tables)
    })
}

/// The sum of all parameters, in 128 bits.
pub(super) fn total(model: &Model) -> Checked {
    let wide = |tensors: &[Tensor]| -> u128 {
        let values = |t: &Tensor| u128::from(t.rows) * u128::from(t.cols) * u128::from(t.count);
        tensors.iter().map(values).sum()
    };
    let each: Vec<u128> = model
        .kinds
        .iter()
        .map(|kind| wide(&kind.tensors()))
        .collect();
    let layers = model
        .kind_of
        .iter()
        .map(|kind| each[*kind])
        .fold(0, u128::saturating_add);
    let ends = wide(&model.end_tensors()) + wide(&model.mtp_tensors());
    if layers.saturating_add(ends) <= u128::from(Model::MAX_PARAMS) {
        return Ok(());
    }
    Err(ModelError::TooLarge {
        limit: Model::MAX_PARAMS,
    })
}
