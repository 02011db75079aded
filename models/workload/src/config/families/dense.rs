//! Decoders of equal layers with rotated attention and a dense part: Llama and its relatives.

use super::super::decoder::{Decoder, Defaults, activation, gated};
use super::super::layers::{every, full, one_window, qwen_windows, windows};
use super::super::reader::Config;
use crate::model::{
    Activation, DenseSpec, Ffn, Layer, ModelSpec, NormKind, NormPlacement, Norms, Position, QkNorm,
    QkSpan,
};

/// A norm of each head of queries and keys with one weight vector for all heads.
pub(super) const HEAD_NORM: QkNorm = QkNorm {
    kind: NormKind::Rms,
    span: QkSpan::Head,
};

/// A norm over all heads of queries and one over all heads of keys.
pub(super) const ALL_HEADS_NORM: QkNorm = QkNorm {
    kind: NormKind::Rms,
    span: QkSpan::AllHeads,
};

/// Llama 1 to 3 and what shares its code.
pub(super) fn llama(c: &Config<'_>) -> ModelSpec {
    let bias = c.flag("attention_bias", false);
    let decoder = Decoder::read(c, &Defaults::LLAMA).with_biases(bias, bias);
    let ffn = gated(c, Defaults::LLAMA.ffn, c.flag("mlp_bias", false));
    let windows = full(decoder.n);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Mistral: grouped heads and a sliding window.
pub(super) fn mistral(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(8),
        ffn: 14_336,
        positions: 131_072,
        ..Defaults::LLAMA
    };
    let decoder = Decoder::read(c, &defaults);
    let windows = one_window(c, decoder.n, Some(4_096));
    let ffn = gated(c, defaults.ffn, false);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Qwen2 and 2.5: biases of queries, keys and values.
pub(super) fn qwen2(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        ffn: 22_016,
        vocab: 151_936,
        positions: 32_768,
        ..Defaults::LLAMA
    };
    let decoder = Decoder::read(c, &defaults).with_biases(true, false);
    let windows = qwen_windows(c, decoder.n);
    let ffn = gated(c, defaults.ffn, false);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Qwen3: norms of queries and keys in place of biases.
pub(super) fn qwen3(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        head_dim: Some(128),
        ffn: 22_016,
        vocab: 151_936,
        positions: 32_768,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let mut decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    decoder.attention.qk_norm = Some(HEAD_NORM);
    let windows = qwen_windows(c, decoder.n);
    let ffn = gated(c, defaults.ffn, false);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Phi-3 and Phi-4: queries, keys and values in one matrix, gate and up in another.
pub(super) fn phi3(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        ffn: 8_192,
        vocab: 32_064,
        positions: 4_096,
        ..Defaults::LLAMA
    };
    let decoder = Decoder::read(c, &defaults);
    let windows = one_window(c, decoder.n, None);
    let ffn = gated(c, defaults.ffn, false);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// What Gemma's three generations share.
fn gemma_decoder(c: &Config<'_>, defaults: &Defaults) -> (Decoder, DenseSpec) {
    let bias = c.flag("attention_bias", false);
    let decoder = Decoder::read(c, defaults).with_biases(bias, bias);
    let keys = ["hidden_activation", "hidden_act"];
    let ffn = DenseSpec {
        ffn: c.given("intermediate_size", defaults.ffn),
        gated: true,
        bias: false,
        activation: activation(c, &keys, Activation::Gelu),
    };
    (decoder, ffn)
}

/// Gemma's defaults.
const GEMMA: Defaults = Defaults {
    heads: 16,
    kv_heads: Some(16),
    head_dim: Some(256),
    ffn: 24_576,
    vocab: 256_000,
    tied: true,
    positions: 8_192,
    ..Defaults::LLAMA
};

/// Gemma 1: a wide gated part and tied embeddings.
pub(super) fn gemma(c: &Config<'_>) -> ModelSpec {
    let (decoder, ffn) = gemma_decoder(c, &GEMMA);
    let windows = full(decoder.n);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Gemma 2: norms on both sides of each branch, a window in every second layer.
pub(super) fn gemma2(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        heads: 8,
        kv_heads: Some(4),
        ffn: 9_216,
        ..GEMMA
    };
    let (mut decoder, ffn) = gemma_decoder(c, &defaults);
    decoder.norms.placement = NormPlacement::BeforeAndAfter;
    let windows = every(c, decoder.n, Some(4_096), 2);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Gemma 3: norms of queries and keys besides, a window in five layers of six.
pub(super) fn gemma3(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        heads: 8,
        kv_heads: Some(4),
        ffn: 9_216,
        vocab: 262_208,
        positions: 131_072,
        ..GEMMA
    };
    let (mut decoder, ffn) = gemma_decoder(c, &defaults);
    decoder.norms.placement = NormPlacement::BeforeAndAfter;
    decoder.attention.qk_norm = Some(HEAD_NORM);
    let windows = every(c, decoder.n, Some(4_096), 6);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// GLM-4 without experts, first code: biases of queries, keys and values, half a head rotated.
pub(super) fn glm(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(2),
        head_dim: Some(128),
        ffn: 13_696,
        vocab: 151_552,
        rotated: 0.5,
        positions: 131_072,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", true);
    let decoder = Decoder::read(c, &defaults).with_biases(bias, false);
    let windows = full(decoder.n);
    let ffn = gated(c, defaults.ffn, false);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// GLM-4 of 2025: norms on both sides of each branch besides.
pub(super) fn glm4(c: &Config<'_>) -> ModelSpec {
    let mut spec = glm(c);
    for layer in &mut spec.layers {
        layer.norms.placement = NormPlacement::BeforeAndAfter;
    }
    spec
}

/// Granite: Llama with multipliers.
pub(super) fn granite(c: &Config<'_>) -> ModelSpec {
    llama(c)
}

/// `InternLM` 1 to 3: one flag for biases of attention, another for those of queries, keys and
/// values in the third generation.
pub(super) fn internlm(c: &Config<'_>) -> ModelSpec {
    let third = c.family == "internlm3";
    let defaults = Defaults {
        kv_heads: third.then_some(2),
        head_dim: third.then_some(128),
        vocab: if third { 128_512 } else { 103_168 },
        ..Defaults::LLAMA
    };
    let bias = c.flag("bias", !third);
    let qkv = c.flag("qkv_bias", bias);
    let decoder = Decoder::read(c, &defaults).with_biases(qkv, bias);
    let windows = full(decoder.n);
    let ffn = gated(c, defaults.ffn, third && bias);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Nemotron-4: layer norms and a squared rectifier without gate.
pub(super) fn nemotron(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        vocab: 256_000,
        rotated: 0.5,
        positions: 4_096,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    let decoder = decoder.with_norm(NormKind::Layer);
    let ffn = DenseSpec {
        ffn: c.given("intermediate_size", 24_576),
        gated: false,
        bias: c.flag("mlp_bias", false),
        activation: activation(c, &["hidden_act"], Activation::SquaredRelu),
    };
    let windows = full(decoder.n);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// `StarCoder2`: layer norms, biases everywhere, no gate.
pub(super) fn starcoder2(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        kv_heads: Some(2),
        vocab: 49_152,
        tied: true,
        positions: 4_096,
        ..Defaults::LLAMA
    };
    let bias = c.flag("use_bias", true);
    let decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    let decoder = decoder.with_norm(NormKind::Layer);
    let ffn = DenseSpec {
        ffn: c.given("intermediate_size", 12_288),
        gated: false,
        bias,
        activation: activation(c, &["hidden_act"], Activation::Gelu),
    };
    let windows = one_window(c, decoder.n, None);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Cohere's defaults.
const COHERE: Defaults = Defaults {
    heads: 64,
    ffn: 22_528,
    vocab: 256_000,
    tied: true,
    positions: 8_192,
    ..Defaults::LLAMA
};

/// What Cohere's generations share: parallel branches behind one layer norm without bias.
fn cohere_decoder(c: &Config<'_>) -> (Decoder, DenseSpec) {
    let bias = c.flag("attention_bias", false);
    let mut decoder = Decoder::read(c, &COHERE).with_biases(bias, bias);
    decoder.parallel = true;
    decoder.norms = Norms {
        kind: NormKind::LayerNoBias,
        placement: NormPlacement::BeforeShared,
    };
    (decoder, gated(c, COHERE.ffn, false))
}

/// Command R: optional norms of queries and keys, with weights for every head.
pub(super) fn cohere(c: &Config<'_>) -> ModelSpec {
    let (mut decoder, ffn) = cohere_decoder(c);
    let normed = c.flag("use_qk_norm", false);
    decoder.attention.qk_norm = normed.then_some(QkNorm {
        kind: NormKind::LayerNoBias,
        span: QkSpan::EachHead,
    });
    let windows = full(decoder.n);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// Command A: a window and rotation in three layers of four, neither in the fourth.
pub(super) fn cohere2(c: &Config<'_>) -> ModelSpec {
    let (decoder, ffn) = cohere_decoder(c);
    let windows = every(c, decoder.n, Some(4_096), 4);
    let still = |window: &Option<u64>| {
        let mut decoder = decoder.clone();
        if window.is_none() {
            decoder.attention.position = Position::None;
        }
        decoder.layer(*window, Ffn::Dense(ffn))
    };
    let layers: Vec<Layer> = windows.iter().map(still).collect();
    decoder.finish(c, layers)
}

/// `OLMo` 1: norms without weights.
pub(super) fn olmo(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        vocab: 50_304,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    let decoder = decoder.with_norm(NormKind::PlainLayer);
    let windows = full(decoder.n);
    let ffn = gated(c, defaults.ffn, false);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}

/// `OLMo` 2 and 3: norms on the outputs of branches, of queries and of keys; in the third
/// generation a window in three layers of four.
pub(super) fn olmo2(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        vocab: 50_304,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let mut decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    decoder.norms.placement = NormPlacement::AfterBranch;
    decoder.attention.qk_norm = Some(ALL_HEADS_NORM);
    let third = c.family == "olmo3";
    let window = third.then_some(4_096);
    let windows = windows(c, decoder.n, window, |layer| {
        third && !(layer + 1).is_multiple_of(4)
    });
    let ffn = gated(c, defaults.ffn, false);
    decoder.with_windows(c, &windows, Ffn::Dense(ffn))
}
