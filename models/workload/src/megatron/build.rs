//! Megatron's arguments to layers and ends.

use super::padded_vocab;
use super::{MegatronActivation, MegatronKind, MegatronMoe, MegatronPosition, MegatronSpec};
use crate::error::ModelError;
use crate::model::{
    Activation, AttentionSpec, DenseSpec, Embedding, Ffn, Head, Layer, Mixer, Model, ModelSpec,
    MoeSpec, Mtp, NormKind, NormPlacement, Norms, Pooler, Position, QkNorm, QkSpan, Stack,
};

/// The model, still to be checked as a whole.
pub(super) fn build(spec: &MegatronSpec) -> Result<ModelSpec, ModelError> {
    limits(spec)?;
    let vocab = padded_vocab(spec.vocab, spec.vocab_divisible_by, spec.tp);
    let layers = layers(spec)?;
    let bert = spec.kind == MegatronKind::Bert;
    let learned = spec.position == MegatronPosition::Learned;
    Ok(ModelSpec {
        name: spec.name.clone(),
        family: "megatron".to_owned(),
        hidden: spec.hidden,
        mtp: modules(spec, &layers),
        layers,
        embedding: Some(Embedding {
            positions: if learned { spec.max_positions } else { 0 },
            token_types: if bert { 2 } else { 0 },
            norm: spec.embedding_norm.then_some(spec.norm),
            ..Embedding::words(vocab, spec.hidden)
        }),
        final_norm: Some(spec.norm),
        head: Some(Head {
            vocab,
            tied: spec.tied,
            bias: spec.kind != MegatronKind::Gpt,
            transform: bert.then_some(NormKind::Layer),
        }),
        pooler: bert.then_some(Pooler { classes: 2 }),
        max_positions: Some(spec.max_positions),
        notes: Vec::new(),
    })
}

/// Numbers that would overflow products before the model as a whole is checked.
fn limits(spec: &MegatronSpec) -> Result<(), ModelError> {
    let decoder = match spec.kind {
        MegatronKind::T5 { decoder_layers } => decoder_layers.unwrap_or(spec.layers),
        _ => 1,
    };
    between("layers", spec.layers, Model::MAX_LAYERS)?;
    between("decoder_layers", decoder, Model::MAX_LAYERS)?;
    if 0 < spec.mtp {
        between("mtp", spec.mtp, Model::MAX_MTP)?;
    }
    for (field, number) in [
        ("hidden", spec.hidden),
        ("ffn", spec.ffn.unwrap_or(1)),
        ("heads", spec.heads),
        ("kv_heads", spec.kv_heads.unwrap_or(1)),
        ("head_dim", spec.head_dim.unwrap_or(1)),
        ("vocab", spec.vocab),
        ("vocab_divisible_by", spec.vocab_divisible_by),
        ("tp", spec.tp),
        ("max_positions", spec.max_positions),
        ("moe.freq", spec.moe.map_or(1, |moe| moe.freq)),
    ] {
        between(field, number, Model::MAX_DIMENSION)?;
    }
    if (0.0..=1.0).contains(&spec.rotary_percent) {
        return Ok(());
    }
    Err(ModelError::Wrong {
        field: "rotary_percent".to_owned(),
        found: spec.rotary_percent.to_string(),
        expected: "a share from 0 to 1".to_owned(),
    })
}

/// A number from 1 to a limit.
fn between(field: &str, found: u64, limit: u64) -> Result<(), ModelError> {
    if (1..=limit).contains(&found) {
        return Ok(());
    }
    Err(ModelError::Wrong {
        field: field.to_owned(),
        found: found.to_string(),
        expected: format!("a number from 1 to {limit}"),
    })
}

/// All layers, those of an encoder first.
fn layers(spec: &MegatronSpec) -> Result<Vec<Layer>, ModelError> {
    if let Some((pattern, mamba)) = &spec.hybrid {
        let one = |letter| hybrid(spec, letter, Mixer::Mamba2(*mamba));
        return matched(spec, pattern)?.chars().map(one).collect();
    }
    let attention = attention(spec)?;
    let layer = |index, stack, causal, cross| Layer {
        hidden: spec.hidden,
        stack,
        mixer: Some(mixer(spec, attention, causal)),
        cross,
        ffn: Some(ffn(spec, index)),
        norms: norms(spec),
        parallel: false,
        measured: None,
    };
    let across = AttentionSpec {
        causal: false,
        position: Position::None,
        window: None,
        ..attention
    };
    let main = Stack::Main;
    Ok(match spec.kind {
        MegatronKind::Gpt => (0..spec.layers)
            .map(|i| layer(i, main, true, None))
            .collect(),
        MegatronKind::Bert => (0..spec.layers)
            .map(|i| layer(i, main, false, None))
            .collect(),
        MegatronKind::T5 { decoder_layers } => {
            let decoder = decoder_layers.unwrap_or(spec.layers);
            let encoder = (0..spec.layers).map(|i| layer(i, Stack::Encoder, false, None));
            let decoder = (0..decoder).map(|i| layer(i, main, true, Some(across)));
            encoder.chain(decoder).collect()
        }
    })
}

/// A pattern with one letter for each layer.
fn matched<'a>(spec: &MegatronSpec, pattern: &'a str) -> Result<&'a str, ModelError> {
    let letters = pattern.chars().count() as u64;
    if letters == spec.layers {
        return Ok(pattern);
    }
    Err(ModelError::Contradiction {
        field: "hybrid".to_owned(),
        found: format!("a pattern of {letters}"),
        other: "layers".to_owned(),
        other_found: spec.layers.to_string(),
        reason: "a pattern has one letter for each layer".to_owned(),
    })
}

/// A layer of one branch, by its letter.
fn hybrid(spec: &MegatronSpec, letter: char, mamba: Mixer) -> Result<Layer, ModelError> {
    let moe = spec.moe.as_ref();
    let (mixer, ffn) = match (letter, moe) {
        ('M', _) => (Some(mamba), None),
        ('*', _) => (Some(mixer(spec, attention(spec)?, true)), None),
        ('-', _) => (None, Some(Ffn::Dense(dense(spec)))),
        ('E', Some(moe)) => (None, Some(Ffn::Moe(experts(spec, moe)))),
        _ => {
            return Err(ModelError::Unsupported {
                field: "hybrid".to_owned(),
                found: letter.to_string(),
                supported: "M, *, -, and E with a description of experts".to_owned(),
            });
        }
    };
    Ok(Layer {
        hidden: spec.hidden,
        stack: Stack::Main,
        mixer,
        cross: None,
        ffn,
        norms: norms(spec),
        parallel: false,
        measured: None,
    })
}

/// Norms in front of each branch.
const fn norms(spec: &MegatronSpec) -> Norms {
    Norms {
        kind: spec.norm,
        placement: NormPlacement::Before,
    }
}

/// Latent attention where it is described, else attention with grouped heads.
fn mixer(spec: &MegatronSpec, attention: AttentionSpec, causal: bool) -> Mixer {
    match spec.mla {
        Some(mla) => Mixer::Latent(mla),
        None => Mixer::Attention(AttentionSpec {
            causal,
            ..attention
        }),
    }
}

/// Attention with grouped heads.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a width of at most 2^24"
)]
fn attention(spec: &MegatronSpec) -> Result<AttentionSpec, ModelError> {
    let head_dim = match spec.head_dim {
        Some(given) => given,
        None if spec.hidden.is_multiple_of(spec.heads) => spec.hidden / spec.heads,
        None if spec.mla.is_some() => 1,
        None => return Err(uneven(spec)),
    };
    let position = match spec.position {
        MegatronPosition::Learned => Position::Learned,
        MegatronPosition::Rope => Position::Rotary {
            dims: (head_dim as f64 * spec.rotary_percent) as u64,
        },
        MegatronPosition::Alibi => Position::Alibi,
        MegatronPosition::None => Position::None,
    };
    let kv_heads = spec.kv_heads.unwrap_or(spec.heads);
    Ok(AttentionSpec {
        qkv_bias: spec.bias || spec.qkv_bias,
        out_bias: spec.bias,
        qk_norm: spec.qk_norm.then_some(QkNorm {
            kind: spec.norm,
            span: QkSpan::Head,
        }),
        position,
        window: spec.window,
        ..AttentionSpec::rotary(spec.heads, kv_heads, head_dim)
    })
}

/// Heads that do not share the hidden width evenly.
fn uneven(spec: &MegatronSpec) -> ModelError {
    ModelError::Contradiction {
        field: "hidden".to_owned(),
        found: spec.hidden.to_string(),
        other: "heads".to_owned(),
        other_found: spec.heads.to_string(),
        reason: "without head_dim, heads share the hidden width evenly".to_owned(),
    }
}

/// The feed-forward part of a layer.
fn ffn(spec: &MegatronSpec, index: u64) -> Ffn {
    let sparse = |moe: &&MegatronMoe| moe.first_dense <= index && index.is_multiple_of(moe.freq);
    match spec.moe.as_ref().filter(sparse) {
        Some(moe) => Ffn::Moe(experts(spec, moe)),
        None => Ffn::Dense(dense(spec)),
    }
}

/// The dense part. Without a width, Megatron takes 4 times the hidden one, and with a gate two
/// thirds of that, rounded down to a multiple of 64.
fn dense(spec: &MegatronSpec) -> DenseSpec {
    let (gated, activation) = function(spec.activation);
    let whole = 4 * spec.hidden;
    let swiglu = spec.activation == MegatronActivation::Swiglu;
    let default = if swiglu {
        whole * 2 / 3 / 64 * 64
    } else {
        whole
    };
    DenseSpec {
        ffn: spec.ffn.unwrap_or(default),
        gated,
        bias: spec.bias,
        activation,
    }
}

/// Whether there is a gate, and the function.
const fn function(activation: MegatronActivation) -> (bool, Activation) {
    match activation {
        MegatronActivation::Gelu => (false, Activation::Gelu),
        MegatronActivation::Swiglu => (true, Activation::Silu),
        MegatronActivation::Geglu => (true, Activation::Gelu),
        MegatronActivation::SquaredRelu => (false, Activation::SquaredRelu),
    }
}

/// A mixture; Megatron's grouped experts have no biases.
fn experts(spec: &MegatronSpec, moe: &MegatronMoe) -> MoeSpec {
    let part = dense(spec);
    MoeSpec {
        gated: part.gated,
        activation: part.activation,
        router_bias: moe.router_bias,
        latent: moe.latent,
        shared_ffn: moe.shared_ffn.filter(|width| 0 < *width),
        shared_gate: moe.shared_gate,
        groups: moe.groups,
        ..MoeSpec::swiglu(moe.experts, moe.top_k, moe.ffn.unwrap_or(part.ffn))
    }
}

/// Modules for further tokens, each with a layer like the last.
fn modules(spec: &MegatronSpec, layers: &[Layer]) -> Vec<Mtp> {
    let one = Mtp {
        layers: layers.last().cloned().into_iter().collect(),
        norm: spec.norm,
    };
    (0..spec.mtp).map(|_| one.clone()).collect()
}
