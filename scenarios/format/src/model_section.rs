//! `[model]`: a name or file, or a description.

use workload::{
    ExpertGroups, IndexerSpec, LayerRow, LayerTable, LayerTime, MambaSpec, MegatronActivation,
    MegatronKind, MegatronMoe, MegatronPosition, MegatronSpec, MlaSpec, NormKind, Override,
    OverrideValue,
};

use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{
    Shape, Whole, boolean, duration, either, list, mapped, number, one_of, size, table, text, whole,
};

/// `[model]` as a file says it.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelSection {
    /// A `config.json`, with fields set over its own.
    Config {
        /// A name of the zoo, or the path of the file.
        name: String,
        /// Fields set over those of the file.
        overrides: Vec<Override>,
    },
    /// As Megatron's arguments describe it.
    Megatron(Box<MegatronSpec>),
    /// A table of measured layers.
    Measured(LayerTable),
}

pub(crate) fn model(t: &mut Fields<'_, '_>) -> ModelSection {
    t.exclude("config", "megatron");
    t.exclude("config", "measured");
    t.exclude("megatron", "measured");
    let config = t.get("config", CONFIG, text()).optional();
    let megatron = t.get("megatron", MEGATRON, table(megatron)).optional();
    let measured = t
        .get("measured", MEASURED, list(table(layer_row)))
        .optional();
    let overrides = t.rest(OVERRIDES, &override_value());
    if !["config", "megatron", "measured"]
        .iter()
        .any(|key| t.has(key))
    {
        t.missing("config", MODEL_MISSING);
    } else if !t.has("config") {
        for (key, _) in &overrides {
            let problem = Problem::Conflict {
                message: format!(
                    "`model.{key}` overrides a config.json, but `model.config` names none"
                ),
                hint: format!("write `{key}` inside [model.megatron], or remove it"),
            };
            t.report(key, problem);
        }
    }
    if let Some(spec) = megatron {
        return ModelSection::Megatron(Box::new(spec));
    }
    if let Some(rows) = measured {
        return ModelSection::Measured(LayerTable {
            name: "measured layers".to_owned(),
            layers: rows.into_iter().flatten().collect(),
        });
    }
    ModelSection::Config {
        name: config.unwrap_or_default(),
        overrides: overrides
            .into_iter()
            .map(|(field, value)| Override { field, value })
            .collect(),
    }
}

const MODEL_MISSING: &str = "a name of the zoo or the path of a config.json; or [model.megatron]";
const CONFIG: &str = "a name of the zoo, or the path of a Hugging Face config.json";
const MEGATRON: &str = "the model as Megatron-LM's arguments describe it";
const MEASURED: &str = "a table of measured layers, whatever they compute";
const OVERRIDES: &str = "a field of the model to set over its config.json, such as layers = 12";

fn override_value() -> impl Shape<Out = OverrideValue> {
    let count = mapped(whole::<u64>(0), OverrideValue::Count);
    let factor = mapped(number(Limits::ANY), OverrideValue::Number);
    let flag = mapped(boolean(), OverrideValue::Flag);
    either(
        count,
        either(factor, either(flag, mapped(text(), OverrideValue::Text))),
    )
}

const fn count() -> Whole<u64> {
    whole(1)
}

/// `[model.megatron]`: names are Megatron-LM's, shortened; what is absent has its defaults.
fn megatron(t: &mut Fields<'_, '_>) -> MegatronSpec {
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
        .get("position", "default learned", one_of(positions))
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
    .optional()
    .unwrap_or_default()
}

fn moe(t: &mut Fields<'_, '_>) -> MegatronMoe {
    MegatronMoe {
        experts: t.get("experts", "routed experts", count()).required(),
        top_k: t
            .get("top_k", "experts that a token visits", count())
            .required(),
        ffn: t
            .get(
                "ffn",
                "width of an expert, default that of dense layers",
                count(),
            )
            .optional(),
        shared_ffn: t
            .get(
                "shared_ffn",
                "width of all shared experts together",
                count(),
            )
            .optional(),
        shared_gate: t
            .get("shared_gate", "a gate on their output", boolean())
            .or(false),
        router_bias: t
            .get("router_bias", "a correction of the choice", boolean())
            .or(false),
        latent: t
            .get(
                "latent",
                "width in which experts work, default hidden",
                count(),
            )
            .optional(),
        groups: ExpertGroups {
            all: t
                .get("groups", "equal groups in which experts stand", count())
                .or(1),
            visited: t
                .get("visited_groups", "how many of them a token visits", count())
                .or(1),
        },
        first_dense: t
            .get("first_dense", "dense layers at the start", whole(0))
            .or(0),
        freq: t
            .get("freq", "every so many layers are mixtures", count())
            .or(1),
    }
}

fn mla(t: &mut Fields<'_, '_>) -> MlaSpec {
    MlaSpec {
        heads: t.get("heads", "heads", count()).required(),
        q_lora_rank: t
            .get("q_lora_rank", "latent of queries, default none", count())
            .optional(),
        kv_lora_rank: t
            .get("kv_lora_rank", "latent of keys and values", count())
            .required(),
        qk_nope_dim: t
            .get("qk_nope_dim", "width that is not rotated", count())
            .required(),
        qk_rope_dim: t
            .get("qk_rope_dim", "width that is rotated", count())
            .required(),
        v_dim: t
            .get("v_dim", "width of a head of values", count())
            .required(),
        bias: t
            .get("bias", "biases of the projections", boolean())
            .or(false),
        indexer: t
            .get("indexer", "sparse attention", table(indexer))
            .optional(),
    }
}

fn indexer(t: &mut Fields<'_, '_>) -> IndexerSpec {
    IndexerSpec {
        heads: t.get("heads", "heads of the scorer", count()).required(),
        head_dim: t.get("head_dim", "width of one", count()).required(),
        top_k: t
            .get("top_k", "tokens that each token reads", count())
            .required(),
    }
}

fn mamba(t: &mut Fields<'_, '_>) -> MambaSpec {
    MambaSpec {
        heads: t.get("heads", "heads", count()).required(),
        head_dim: t.get("head_dim", "width of one", count()).required(),
        state: t
            .get("state", "size of the state of a channel", count())
            .required(),
        groups: t
            .get("groups", "groups of heads that share B and C", count())
            .required(),
        conv: t.get("conv", "taps of the convolution", count()).or(4),
        conv_bias: t
            .get("conv_bias", "a bias of the convolution", boolean())
            .or(true),
        bias: t
            .get("bias", "biases of both projections", boolean())
            .or(false),
        chunk: t
            .get("chunk", "tokens of a chunk of the scan", count())
            .or(128),
    }
}

/// The most equal layers that one row may stand for.
const MOST_REPEATS: usize = 4096;

/// One of `[[model.measured]]`, as often as it says.
fn layer_row(t: &mut Fields<'_, '_>) -> Vec<LayerRow> {
    let times = t
        .get(
            "times",
            "of one sample, by tensor-parallel degree",
            list(table(layer_time)),
        )
        .optional();
    let forward = t
        .get("forward", "without tensor parallelism", duration())
        .optional();
    let backward = t
        .get("backward", "the same, default twice forward", duration())
        .optional();
    t.exclude("times", "forward");
    if !t.has("times") && !t.has("forward") {
        t.missing(
            "forward",
            "the time of one sample; or `times`, by tensor-parallel degree".to_owned(),
        );
    }
    let alone = forward.map(|forward| LayerTime {
        tp: 1,
        forward,
        backward,
    });
    let repeats = t
        .get("count", "equal layers in a row", whole::<u32>(1))
        .or(1);
    let row = LayerRow {
        name: t.get("name", "what it is called", text()).required(),
        times: times.unwrap_or_else(|| alone.into_iter().collect()),
        params: t.get("params", "its parameters", whole(0)).required(),
        output: t
            .get("output", "what it hands on, for one sample", size())
            .required(),
        saved: t
            .get(
                "saved",
                "what it keeps until backward, default output",
                size(),
            )
            .optional(),
    };
    vec![row; usize::try_from(repeats).map_or(MOST_REPEATS, |n| n.min(MOST_REPEATS + 1))]
}

fn layer_time(t: &mut Fields<'_, '_>) -> LayerTime {
    LayerTime {
        tp: t.get("tp", "tensor-parallel degree", whole(1)).required(),
        forward: t.get("forward", "of one sample", duration()).required(),
        backward: t
            .get("backward", "default twice forward", duration())
            .optional(),
    }
}
