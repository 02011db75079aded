//! `[model.megatron]`: the model as Megatron-LM's arguments describe it.

use workload::{MegatronActivation, MegatronKind, MegatronPosition, MegatronSpec, NormKind};

use super::blocks::{mamba, mla, moe};
use super::count;
use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{boolean, number, one_of, table, text, whole};

/// `[model.megatron]`: names are Megatron-LM's, shortened; what is absent has its defaults.
pub(super) fn megatron(t: &mut Fields<'_, '_>) -> MegatronSpec {
    let name = t.get("name", "what reports call it", text()).optional();
    let kind = kind(t);
    let layers = t
        .get("layers", "layers; of the encoder for t5", count())
        .required();
    let hidden = t
        .get("hidden", "width of the residual stream", count())
        .required();
    let heads = t.get("heads", "attention heads", count()).required();
    let shape = MegatronSpec {
        kind,
        name: name.unwrap_or_else(|| format!("{layers} layers of width {hidden}")),
        ffn: t.get("ffn", FFN, count()).optional(),
        kv_heads: t
            .get("kv_heads", "query groups, default one a head", count())
            .optional(),
        head_dim: t
            .get("head_dim", "kv channels, default hidden / heads", count())
            .optional(),
        vocab: t
            .get("vocab", "words of the vocabulary", count())
            .required(),
        vocab_divisible_by: t.get("vocab_divisible_by", DIVISIBLE, count()).or(1),
        max_positions: t
            .get("max_positions", "rows of learned positions", count())
            .or(2048),
        window: t
            .get(
                "window",
                "a sliding window in every layer, in tokens",
                count(),
            )
            .optional(),
        mtp: t
            .get("mtp", "modules that predict further tokens", whole(0))
            .or(0),
        ..MegatronSpec::gpt(layers, hidden, heads)
    };
    let shape = switches(t, shape);
    let pattern = t
        .get("hybrid_pattern", "M, *, - and E by layer", text())
        .optional();
    let mamba = t
        .get("mamba", "its Mamba-2 layers", table(mamba))
        .optional();
    if pattern.is_some() && mamba.is_none() {
        t.missing(
            "mamba",
            "the shape of the layers that hybrid_pattern calls M",
        );
    }
    MegatronSpec {
        moe: t.get("moe", "mixtures of experts", table(moe)).optional(),
        mla: t.get("mla", "latent attention", table(mla)).optional(),
        hybrid: pattern.zip(mamba),
        ..shape
    }
}

const FFN: &str = "feed-forward width, default 4 x hidden (SwiGLU: 8/3)";
const DIVISIBLE: &str = "pad the vocabulary to a multiple of this and tp";

/// What is one way or another.
fn switches(t: &mut Fields<'_, '_>, shape: MegatronSpec) -> MegatronSpec {
    let positions = vec![
        ("learned", MegatronPosition::Learned),
        ("rope", MegatronPosition::Rope),
        ("alibi", MegatronPosition::Alibi),
        ("none", MegatronPosition::None),
    ];
    let norms = vec![("layer", NormKind::Layer), ("rms", NormKind::Rms)];
    let portion = number(Limits::within(0.0, 1.0));
    let norm = t
        .get("norm", "layer or rms, default layer", one_of(norms))
        .optional();
    let position = t
        .get(
            "position",
            "kind of positions, default learned",
            one_of(positions),
        )
        .optional();
    MegatronSpec {
        tied: t
            .get(
                "tied",
                "whether embedding and head share a table",
                boolean(),
            )
            .or(true),
        activation: activation(t),
        norm: norm.unwrap_or(NormKind::Layer),
        position: position.unwrap_or_default(),
        rotary_percent: t
            .get(
                "rotary_percent",
                "share of a head that rope rotates",
                portion,
            )
            .or(1.0),
        bias: t.get("bias", "biases of linear layers", boolean()).or(true),
        qkv_bias: t
            .get("qkv_bias", "biases of q, k and v without `bias`", boolean())
            .or(false),
        qk_norm: t
            .get("qk_norm", "a norm of each head of q and k", boolean())
            .or(false),
        embedding_norm: t
            .get("embedding_norm", "a norm of the embedding", boolean())
            .or(false),
        ..shape
    }
}

fn kind(t: &mut Fields<'_, '_>) -> MegatronKind {
    let kinds = vec![("gpt", 0_u8), ("bert", 1), ("t5", 2)];
    let kind = t
        .get("kind", "gpt, bert or t5, default gpt", one_of(kinds))
        .optional();
    let decoder_layers = t
        .get("decoder_layers", "t5: layers of the decoder", count())
        .optional();
    if kind != Some(2) && t.has("decoder_layers") {
        let problem = Problem::Conflict {
            message: "`decoder_layers` is only for `kind = \"t5\"`".to_owned(),
            hint: "remove it, or set `kind = \"t5\"`".to_owned(),
        };
        t.report("decoder_layers", problem);
    }
    match kind {
        Some(1) => MegatronKind::Bert,
        Some(2) => MegatronKind::T5 { decoder_layers },
        _ => MegatronKind::Gpt,
    }
}

fn activation(t: &mut Fields<'_, '_>) -> MegatronActivation {
    let activations = vec![
        ("gelu", MegatronActivation::Gelu),
        ("swiglu", MegatronActivation::Swiglu),
        ("geglu", MegatronActivation::Geglu),
        ("squared-relu", MegatronActivation::SquaredRelu),
    ];
    t.get(
        "activation",
        "of the feed-forward part, default gelu",
        one_of(activations),
    )
    .or_default()
}
