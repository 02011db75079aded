//! Decoders before Llama: learned or linear positions, biases, parallel branches.

use serde_json::Value;

use super::super::decoder::{
    Decoder, Defaults, activation, head_dim, n_layers, positions, rotated, shared_heads, tied,
};
use super::super::layers::full;
use super::super::reader::Config;
use crate::model::{
    Activation, AttentionSpec, DenseSpec, Ffn, ModelSpec, NormKind, NormPlacement, Norms, Position,
    QkNorm, QkSpan,
};

/// A decoder of layer norms and one key head a query head.
fn decoder(c: &Config<'_>, vocab: u64, tie: bool, longest: u64) -> Decoder {
    let hidden = c.required("hidden_size");
    let heads = c.required("num_attention_heads");
    let width = head_dim(c, hidden, heads, None);
    Decoder {
        hidden,
        n: n_layers(c),
        attention: AttentionSpec::rotary(heads, heads, width),
        norms: Norms::PRE_LAYER,
        parallel: false,
        vocab: c.default("vocab_size", vocab),
        tied: tied(c, tie),
        head_bias: false,
        positions: positions(c, longest),
    }
}

/// A part of four times the hidden width unless the file says otherwise, without gate.
fn plain(c: &Config<'_>, hidden: u64, bias: bool) -> DenseSpec {
    let keys = ["activation_function", "hidden_act", "activation"];
    DenseSpec {
        ffn: c.optional("n_inner").unwrap_or(4 * hidden),
        gated: false,
        bias,
        activation: activation(c, &keys, Activation::Gelu),
    }
}

/// The model of equal layers.
fn equal(c: &Config<'_>, decoder: &Decoder, ffn: DenseSpec) -> ModelSpec {
    decoder.with_windows(c, &full(decoder.n), Ffn::Dense(ffn))
}

/// The model of equal layers behind learned positions.
fn with_positions(c: &Config<'_>, decoder: &Decoder, ffn: DenseSpec, rows: u64) -> ModelSpec {
    // A table of positions is a dimension, whatever its key allows elsewhere.
    let limit = crate::model::Model::MAX_DIMENSION;
    c.number("max_position_embeddings", 1, limit - 2);
    let mut spec = equal(c, decoder, ffn);
    if let Some(embedding) = &mut spec.embedding {
        embedding.positions = rows;
    }
    spec
}

/// GPT-2 and GPT-3.
pub(super) fn gpt2(c: &Config<'_>) -> ModelSpec {
    let mut decoder = decoder(c, 50_257, true, 1_024).with_biases(true, true);
    decoder.attention.position = Position::Learned;
    let ffn = plain(c, decoder.hidden, true);
    let rows = decoder.positions;
    with_positions(c, &decoder, ffn, rows)
}

/// `StarCoder` and `SantaCoder`: GPT-2 with one head of keys and values.
pub(super) fn gpt_bigcode(c: &Config<'_>) -> ModelSpec {
    let mut decoder = decoder(c, 50_257, true, 1_024).with_biases(true, true);
    decoder.attention.position = Position::Learned;
    if c.flag("multi_query", true) {
        decoder.attention.kv_heads = 1;
    }
    let ffn = plain(c, decoder.hidden, true);
    let rows = decoder.positions;
    with_positions(c, &decoder, ffn, rows)
}

/// GPT-NeoX and Pythia: a quarter of a head rotated, parallel branches with a norm each.
pub(super) fn gpt_neox(c: &Config<'_>) -> ModelSpec {
    let bias = c.flag("attention_bias", true);
    let mut decoder = decoder(c, 50_432, false, 2_048).with_biases(bias, bias);
    let dims = rotated(c, decoder.attention.head_dim, 0.25);
    decoder.attention.position = Position::Rotary { dims };
    decoder.parallel = c.flag("use_parallel_residual", true);
    let ffn = plain(c, decoder.hidden, true);
    equal(c, &decoder, ffn)
}

/// GPT-J: parallel branches behind one norm, a bias of the head, none in attention.
pub(super) fn gptj(c: &Config<'_>) -> ModelSpec {
    let mut decoder = decoder(c, 50_400, false, 2_048);
    let width = decoder.attention.head_dim;
    let dims = c.number("rotary_dim", 0, width).unwrap_or(64.min(width));
    decoder.attention.position = Position::Rotary { dims };
    decoder.parallel = true;
    decoder.norms.placement = NormPlacement::BeforeShared;
    decoder.head_bias = !decoder.tied;
    let ffn = plain(c, decoder.hidden, true);
    equal(c, &decoder, ffn)
}

/// Phi-1, 1.5 and 2: parallel branches behind one norm, biases everywhere.
pub(super) fn phi(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        vocab: 51_200,
        rotated: 0.5,
        ..Defaults::LLAMA
    };
    let mut decoder = Decoder::read(c, &defaults).with_biases(true, true);
    decoder.norms = Norms {
        kind: NormKind::Layer,
        placement: NormPlacement::BeforeShared,
    };
    decoder.parallel = true;
    decoder.head_bias = true;
    let normed = c.flag("qk_layernorm", false);
    decoder.attention.qk_norm = normed.then_some(QkNorm {
        kind: NormKind::Layer,
        span: QkSpan::Head,
    });
    let ffn = plain(c, decoder.hidden, true);
    equal(c, &decoder, ffn)
}

/// OPT: learned positions with two rows more than positions; the 350M model has norms behind its
/// branches and a narrower embedding.
pub(super) fn opt(c: &Config<'_>) -> ModelSpec {
    let bias = c.flag("enable_bias", true);
    let mut decoder = decoder(c, 50_272, true, 2_048).with_biases(bias, bias);
    decoder.attention.position = Position::Learned;
    let before = c.flag("do_layer_norm_before", true);
    let affine = c.flag("layer_norm_elementwise_affine", true);
    decoder.norms = Norms {
        kind: if affine {
            NormKind::Layer
        } else {
            NormKind::PlainLayer
        },
        placement: if before {
            NormPlacement::Before
        } else {
            NormPlacement::AfterSum
        },
    };
    let mut ffn = plain(c, decoder.hidden, bias);
    ffn.activation = activation(c, &["activation_function"], Activation::Relu);
    let rows = decoder.positions + 2;
    let mut spec = with_positions(c, &decoder, ffn, rows);
    let width = c.optional("word_embed_proj_dim").unwrap_or(decoder.hidden);
    if let Some(embedding) = &mut spec.embedding {
        embedding.width = width;
    }
    if !before || c.flag("_remove_final_layer_norm", false) {
        spec.final_norm = None;
    }
    spec
}

/// BLOOM: linear biases by distance, a norm behind the embedding.
pub(super) fn bloom(c: &Config<'_>) -> ModelSpec {
    let mut decoder = decoder(c, 250_880, true, 2_048).with_biases(true, true);
    decoder.attention.position = Position::Alibi;
    let length = c.number("seq_length", 1, 1 << 40);
    decoder.positions = length.unwrap_or(decoder.positions);
    let ffn = plain(c, decoder.hidden, true);
    let mut spec = equal(c, &decoder, ffn);
    if let Some(embedding) = &mut spec.embedding {
        embedding.norm = Some(NormKind::Layer);
    }
    spec
}

/// MPT: linear biases by distance, no biases of products or norms.
pub(super) fn mpt(c: &Config<'_>) -> ModelSpec {
    let bias = !c.flag("no_bias", true);
    let mut decoder = decoder(c, 50_368, true, 2_048).with_biases(bias, bias);
    decoder.norms.kind = if bias {
        NormKind::Layer
    } else {
        NormKind::LayerNoBias
    };
    let settings = c.raw("attn_config").map(|(_, value)| value);
    let setting = |key: &str| settings.and_then(|settings| settings.get(key));
    let alibi = setting("alibi").and_then(Value::as_bool).unwrap_or(true);
    decoder.attention.position = if alibi {
        Position::Alibi
    } else {
        Position::Learned
    };
    let kinds = [
        ("multiquery_attention", Some(1)),
        ("grouped_query_attention", None),
    ];
    let kind = setting("attn_type").and_then(Value::as_str);
    if let Some((_, kv)) = kinds.into_iter().find(|(name, _)| kind == Some(*name)) {
        let given = setting("kv_n_heads").and_then(Value::as_u64);
        let kv = kv.or(given).unwrap_or(decoder.attention.heads).max(1);
        shared_heads(c, decoder.attention.heads, kv);
        decoder.attention.kv_heads = kv;
    }
    if setting("qk_ln").and_then(Value::as_bool) == Some(true) {
        decoder.attention.qk_norm = Some(QkNorm {
            kind: decoder.norms.kind,
            span: QkSpan::AllHeads,
        });
    }
    let mut ffn = plain(c, decoder.hidden, bias);
    if let Some(ratio) = c.number("expansion_ratio", 1, 1 << 16) {
        ffn.ffn = ratio * decoder.hidden;
    }
    if alibi {
        return equal(c, &decoder, ffn);
    }
    let rows = decoder.positions;
    with_positions(c, &decoder, ffn, rows)
}

/// Falcon. 7B: one head of keys and values, parallel branches behind one norm; 40B and 180B
/// (`new_decoder_architecture`): groups, and a norm for each parallel branch; the RW models are
/// sequential with linear biases.
pub(super) fn falcon(c: &Config<'_>) -> ModelSpec {
    let bias = c.flag("bias", false);
    let mut decoder = decoder(c, 65_024, true, 2_048).with_biases(bias, bias);
    let grouped = c.flag("new_decoder_architecture", false);
    let single = c.flag("multi_query", true);
    let heads = decoder.attention.heads;
    let given = c.optional("num_kv_heads").unwrap_or(heads);
    let kv_heads = if single && !grouped { 1 } else { given };
    shared_heads(c, heads, kv_heads);
    decoder.attention.kv_heads = kv_heads;
    if c.flag("alibi", false) {
        decoder.attention.position = Position::Alibi;
    }
    decoder.parallel = grouped || c.flag("parallel_attn", true);
    let norms = c.number("num_ln_in_parallel_attn", 1, 2);
    let two = norms.map_or(grouped, |norms| norms == 2);
    if decoder.parallel && !two {
        decoder.norms.placement = NormPlacement::BeforeShared;
    }
    let ffn = plain(c, decoder.hidden, bias);
    equal(c, &decoder, ffn)
}
