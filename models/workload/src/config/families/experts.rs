//! Decoders with mixtures of experts behind attention with grouped heads.

use super::super::decoder::{Decoder, Defaults, activation, gated};
use super::super::layers::{Reach, full, indices, one_window, qwen_windows, reaches, windows};
use super::super::reader::Config;
use super::dense::{ALL_HEADS_NORM, HEAD_NORM};
use crate::model::{
    Activation, DenseSpec, Ffn, Mixer, Model, ModelSpec, MoeSpec, Mtp, NormKind, Position, QkNorm,
    QkSpan,
};

/// Routed experts with a gate, of that width.
pub(super) fn routed(c: &Config<'_>, [experts, top_k]: [u64; 2], width: &'static str) -> MoeSpec {
    let key = "num_local_experts";
    let experts = c.default(key, experts);
    let top_k = c.default("num_experts_per_tok", top_k);
    if experts < top_k {
        c.contradict(
            [
                "num_experts_per_tok",
                c.raw(key).map_or(key, |(key, _)| key),
            ],
            [top_k.to_string(), experts.to_string()],
            "a token visits at most all experts",
        );
    }
    let mut moe = MoeSpec::swiglu(experts, top_k, c.required(width));
    moe.activation = activation(c, &["hidden_act"], Activation::Silu);
    moe
}

/// Mixtral: every layer has experts of `intermediate_size`.
pub(super) fn mixtral(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(8),
        positions: 131_072,
        ..Defaults::LLAMA
    };
    let decoder = Decoder::read(c, &defaults);
    let moe = routed(c, [8, 2], "intermediate_size");
    let windows = one_window(c, decoder.n, None);
    decoder.with_windows(c, &windows, Ffn::Moe(moe))
}

/// Phi-3.5-MoE: layer norms, biases of attention and of the head.
pub(super) fn phimoe(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(8),
        vocab: 32_064,
        positions: 131_072,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    let mut decoder = decoder.with_norm(NormKind::Layer);
    decoder.head_bias = c.flag("lm_head_bias", false);
    let moe = routed(c, [16, 2], "intermediate_size");
    let windows = one_window(c, decoder.n, None);
    decoder.with_windows(c, &windows, Ffn::Moe(moe))
}

/// Granite's mixtures, with a shared expert where `shared_intermediate_size` is not 0.
pub(super) fn granite_moe(c: &Config<'_>) -> ModelSpec {
    let bias = c.flag("attention_bias", false);
    let decoder = Decoder::read(c, &Defaults::LLAMA).with_biases(bias, bias);
    let mut moe = routed(c, [8, 2], "intermediate_size");
    let shared = c.count("shared_intermediate_size", 0);
    moe.shared_ffn = (0 < shared).then_some(shared);
    decoder.with_windows(c, &full(decoder.n), Ffn::Moe(moe))
}

/// `OLMoE`: norms over all heads of queries and keys.
pub(super) fn olmoe(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        vocab: 50_304,
        positions: 4_096,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let mut decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    decoder.attention.qk_norm = Some(ALL_HEADS_NORM);
    let moe = routed(c, [64, 8], "intermediate_size");
    decoder.with_windows(c, &full(decoder.n), Ffn::Moe(moe))
}

/// Qwen's decoder, whose layers are mixtures but for `mlp_only_layers` and those that
/// `decoder_sparse_step` skips.
fn qwen_layers(
    c: &Config<'_>,
    decoder: &Decoder,
    windows: &[Option<u64>],
    moe: MoeSpec,
    ffn: u64,
) -> ModelSpec {
    let step = c.number("decoder_sparse_step", 1, 1 << 24).unwrap_or(1);
    let plain = indices(c, "mlp_only_layers").unwrap_or_default();
    let sparse =
        |layer: u64| plain.binary_search(&layer).is_err() && (layer + 1).is_multiple_of(step);
    let mut layers = Vec::with_capacity(windows.len());
    for (layer, window) in (0..).zip(windows) {
        let ffn = if sparse(layer) {
            Ffn::Moe(moe)
        } else {
            Ffn::Dense(gated(c, ffn, false))
        };
        layers.push(decoder.layer(*window, ffn));
    }
    decoder.finish(c, layers)
}

/// Qwen's defaults.
const QWEN: Defaults = Defaults {
    vocab: 151_936,
    positions: 32_768,
    ..Defaults::LLAMA
};

/// Qwen2's mixtures: biases of queries, keys and values, a shared expert behind a gate.
pub(super) fn qwen2_moe(c: &Config<'_>) -> ModelSpec {
    let bias = c.flag("qkv_bias", true);
    let decoder = Decoder::read(c, &QWEN).with_biases(bias, false);
    let mut moe = routed(c, [60, 4], "moe_intermediate_size");
    moe.shared_ffn = Some(c.default("shared_expert_intermediate_size", 5_632));
    moe.shared_gate = true;
    let windows = qwen_windows(c, decoder.n);
    qwen_layers(c, &decoder, &windows, moe, 5_632)
}

/// Qwen3's mixtures: norms of queries and keys, no shared expert.
pub(super) fn qwen3_moe(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(4),
        ..QWEN
    };
    let bias = c.flag("attention_bias", false);
    let mut decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    decoder.attention.qk_norm = Some(HEAD_NORM);
    let moe = routed(c, [128, 8], "moe_intermediate_size");
    let windows = qwen_windows(c, decoder.n);
    qwen_layers(c, &decoder, &windows, moe, 6_144)
}

/// gpt-oss: sinks, biases everywhere, a window in every second layer.
pub(super) fn gpt_oss(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(8),
        head_dim: Some(64),
        vocab: 201_088,
        positions: 131_072,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", true);
    let mut decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    decoder.attention.sinks = true;
    let mut moe = routed(c, [128, 4], "intermediate_size");
    (moe.bias, moe.router_bias) = (true, true);
    let windows = windows(c, decoder.n, Some(128), |layer| layer.is_multiple_of(2));
    decoder.with_windows(c, &windows, Ffn::Moe(moe))
}

/// MiniMax-M2: norms over all heads, a correction of the choice of experts.
pub(super) fn minimax_m2(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(8),
        head_dim: Some(128),
        vocab: 200_064,
        positions: 196_608,
        ..Defaults::LLAMA
    };
    let mut decoder = Decoder::read(c, &defaults);
    let normed = c.flag("use_qk_norm", true);
    decoder.attention.qk_norm = normed.then_some(ALL_HEADS_NORM);
    let mut moe = routed(c, [256, 8], "intermediate_size");
    moe.router_bias = c.flag("use_routing_bias", true);
    let mut spec = decoder.with_windows(c, &full(decoder.n), Ffn::Moe(moe));
    add_mtp(c, &mut spec, 0);
    spec
}

/// GLM-4.5: first layers dense, then mixtures with shared experts and a correction of the choice.
pub(super) fn glm4_moe(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(8),
        vocab: 151_552,
        rotated: 0.5,
        positions: 131_072,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let mut decoder = Decoder::read(c, &defaults).with_biases(bias, false);
    let normed = c.flag("use_qk_norm", false);
    decoder.attention.qk_norm = normed.then_some(HEAD_NORM);
    let mut moe = routed(c, [128, 8], "moe_intermediate_size");
    let shared = c.count("n_shared_experts", 1);
    moe.shared_ffn = (0 < shared).then_some(shared * moe.expert_ffn);
    moe.router_bias = true;
    let dense = c.count("first_k_dense_replace", 1);
    let mut layers = Vec::new();
    for layer in 0..decoder.n {
        let ffn = if layer < dense {
            Ffn::Dense(gated(c, 10_944, false))
        } else {
            Ffn::Moe(moe)
        };
        layers.push(decoder.layer(None, ffn));
    }
    let mut spec = decoder.finish(c, layers);
    add_mtp(c, &mut spec, 1);
    spec
}

/// Adds the modules for further tokens that a file names, each with one layer like the last.
pub(super) fn add_mtp(c: &Config<'_>, spec: &mut ModelSpec, default: u64) {
    let key = "num_nextn_predict_layers";
    let given = c.number(key, 0, Model::MAX_MTP);
    let modules = given.unwrap_or_else(|| {
        c.note(key, format!("{default} modules for further tokens"));
        default
    });
    if !c.flag("use_mtp", true) {
        return;
    }
    let norm = spec.final_norm.unwrap_or(NormKind::Rms);
    let last = spec.layers.last().cloned();
    spec.mtp = (0..modules)
        .map(|_| Mtp {
            layers: last.clone().into_iter().collect(),
            norm,
        })
        .collect();
}

/// Llama 4: one shared and one routed expert a token, chunks with rotation in three layers of
/// four, neither in the fourth.
pub(super) fn llama4(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        heads: 40,
        kv_heads: Some(8),
        head_dim: Some(128),
        vocab: 202_048,
        positions: 131_072,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    let rotated = rotated_layers(c, decoder.n);
    let reaches = reaches(c, decoder.n, |layer| {
        let at = usize::try_from(layer).unwrap_or(usize::MAX);
        if rotated.get(at).copied().unwrap_or(true) {
            Reach::Chunked
        } else {
            Reach::Full
        }
    });
    let chunk = c
        .number("attention_chunk_size", 1, 1 << 40)
        .unwrap_or(8_192);
    let normed = c.flag("use_qk_norm", true);
    let sparse = sparse_layers(c, decoder.n);
    let mut moe = routed(c, [16, 1], "intermediate_size");
    moe.shared_ffn = Some(moe.expert_ffn);
    let mut layers = Vec::new();
    for (index, (reach, turned)) in (0..).zip(reaches.into_iter().zip(rotated)) {
        let mut attention = decoder.attention;
        attention.chunked = reach == Reach::Chunked;
        attention.window = (reach != Reach::Full).then_some(chunk);
        attention.qk_norm = (normed && turned).then_some(UNIT_NORM);
        if !turned {
            attention.position = Position::None;
        }
        let ffn = if sparse.binary_search(&index).is_ok() {
            Ffn::Moe(moe)
        } else {
            Ffn::Dense(plain_part(c))
        };
        layers.push(decoder.layer_of(Mixer::Attention(attention), ffn));
    }
    decoder.finish(c, layers)
}

/// Queries and keys scaled to unit length, without weights.
const UNIT_NORM: QkNorm = QkNorm {
    kind: NormKind::PlainRms,
    span: QkSpan::Head,
};

/// Which layers of Llama 4 rotate: a list of ones and zeros, else all but every fourth.
fn rotated_layers(c: &Config<'_>, n: u64) -> Vec<bool> {
    let step = c.number("no_rope_layer_interval", 1, 1 << 24).unwrap_or(4);
    let empty = c.list("no_rope_layers").is_none_or(<[_]>::is_empty);
    if empty {
        return (0..n)
            .map(|layer| !(layer + 1).is_multiple_of(step))
            .collect();
    }
    let list = c.by_layer("no_rope_layers", n).unwrap_or_default();
    list.iter().map(|entry| entry.as_u64() != Some(0)).collect()
}

/// Which layers of Llama 4 are mixtures: a list, else every `interleave_moe_layer_step`-th.
fn sparse_layers(c: &Config<'_>, n: u64) -> Vec<u64> {
    let step = c
        .number("interleave_moe_layer_step", 1, 1 << 24)
        .unwrap_or(1);
    let rule = || {
        (0..n)
            .filter(|layer| (layer + 1).is_multiple_of(step))
            .collect()
    };
    indices(c, "moe_layers").unwrap_or_else(rule)
}

/// The dense part of Llama 4's layers without experts.
fn plain_part(c: &Config<'_>) -> DenseSpec {
    let mut part = DenseSpec::swiglu(c.default("intermediate_size_mlp", 16_384));
    part.activation = activation(c, &["hidden_act"], Activation::Silu);
    part
}
