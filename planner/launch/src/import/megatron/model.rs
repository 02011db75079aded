//! `[model.megatron]` from arguments.

use super::super::options::Options;
use super::super::pattern;
use crate::document::Document;
use crate::error::ImportError;

/// The vocabulary of Megatron-LM's examples, padded.
const USUAL_VOCABULARY: u64 = 51_200;

pub(super) fn write(
    options: &Options,
    layers: u64,
    out: &mut Document,
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    let mut set = |key: &str, value: u64| out.set(&format!("model.megatron.{key}"), value);
    set("layers", layers);
    set("hidden", options.needed("hidden-size")?);
    set("heads", options.needed("num-attention-heads")?);
    set("vocab", vocabulary(options, notes)?);
    for (key, name) in [
        ("ffn", "ffn-hidden-size"),
        ("head_dim", "kv-channels"),
        ("max_positions", "max-position-embeddings"),
        ("mtp", "mtp-num-layers"),
    ] {
        if let Some(value) = options.number(name)? {
            set(key, value);
        }
    }
    if options.has("group-query-attention") || options.has("num-query-groups") {
        set("kv_heads", options.needed("num-query-groups")?);
    }
    if let Some(window) = window(options)? {
        set("window", window);
    }
    words(options, out)?;
    switches(options, out)?;
    if options.has("multi-latent-attention") {
        latent(options, out)?;
    }
    if options.has("num-experts") {
        experts(options, layers, out)?;
    }
    Ok(())
}

fn vocabulary(options: &Options, notes: &mut Vec<String>) -> Result<u64, ImportError> {
    for name in ["padded-vocab-size", "vocab-size"] {
        if let Some(words) = options.number(name)? {
            return Ok(words);
        }
    }
    notes.push(format!(
        "the tokenizer is not in the file: a vocabulary of {USUAL_VOCABULARY} is taken, --set \
         model.megatron.vocab=N takes another"
    ));
    Ok(USUAL_VOCABULARY)
}

/// Tokens to the left, besides the token itself.
fn window(options: &Options) -> Result<Option<u64>, ImportError> {
    let Some(text) = options.text("window-size") else {
        return Ok(None);
    };
    let left = text.trim_matches(['(', ')']).split(',').next();
    let left = left.and_then(|left| left.trim().parse::<u64>().ok());
    let left = left.ok_or_else(|| options.wrong("window-size", text, "two numbers"))?;
    Ok(Some(left.saturating_add(1)))
}

/// What is one of several words.
fn words(options: &Options, out: &mut Document) -> Result<(), ImportError> {
    let position = match options.text("position-embedding-type") {
        None | Some("learned_absolute") if options.has("use-rotary-position-embeddings") => "rope",
        None | Some("learned_absolute") => "learned",
        Some("rope" | "yarn") => "rope",
        Some("none") => "none",
        Some(other) => {
            let expected = "learned_absolute, rope or none";
            return Err(options.wrong("position-embedding-type", other, expected));
        }
    };
    out.set("model.megatron.position", position);
    let norm = match options.text("normalization") {
        None | Some("LayerNorm") => "layer",
        Some("RMSNorm") => "rms",
        Some(other) => {
            return Err(options.wrong("normalization", other, "LayerNorm or RMSNorm"));
        }
    };
    out.set("model.megatron.norm", norm);
    let activation = [
        ("swiglu", "swiglu"),
        ("quick-geglu", "geglu"),
        ("squared-relu", "squared-relu"),
    ];
    let given = activation.iter().find(|(name, _)| options.has(name));
    out.set(
        "model.megatron.activation",
        given.map_or("gelu", |(_, value)| value),
    );
    Ok(())
}

fn switches(options: &Options, out: &mut Document) -> Result<(), ImportError> {
    let untied = options.has("untie-embeddings-and-output-weights");
    out.set("model.megatron.tied", !untied);
    out.set("model.megatron.bias", !options.has("disable-bias-linear"));
    out.set("model.megatron.qkv_bias", options.has("add-qkv-bias"));
    out.set("model.megatron.qk_norm", options.has("qk-layernorm"));
    let share: Option<f64> = options.number("rotary-percent")?;
    out.set_some("model.megatron.rotary_percent", share);
    Ok(())
}

fn latent(options: &Options, out: &mut Document) -> Result<(), ImportError> {
    let mut set = |key: &str, value: u64| out.set(&format!("model.megatron.mla.{key}"), value);
    set("heads", options.needed("num-attention-heads")?);
    if let Some(rank) = options.number("q-lora-rank")? {
        set("q_lora_rank", rank);
    }
    // Megatron's own defaults, `MLATransformerConfig`.
    for (key, name, usual) in [
        ("kv_lora_rank", "kv-lora-rank", 512),
        ("qk_nope_dim", "qk-head-dim", 128),
        ("qk_rope_dim", "qk-pos-emb-head-dim", 64),
        ("v_dim", "v-head-dim", 128),
    ] {
        set(key, options.number(name)?.unwrap_or(usual));
    }
    Ok(())
}

fn experts(options: &Options, layers: u64, out: &mut Document) -> Result<(), ImportError> {
    let mut set = |key: &str, value: u64| out.set(&format!("model.megatron.moe.{key}"), value);
    set("experts", options.needed("num-experts")?);
    set("top_k", options.number("moe-router-topk")?.unwrap_or(2));
    for (key, name) in [
        ("ffn", "moe-ffn-hidden-size"),
        ("shared_ffn", "moe-shared-expert-intermediate-size"),
        ("latent", "moe-latent-size"),
        ("groups", "moe-router-num-groups"),
        ("visited_groups", "moe-router-group-topk"),
    ] {
        if let Some(value) = options.number(name)? {
            set(key, value);
        }
    }
    if let Some(text) = options.text("moe-layer-freq") {
        let count = usize::try_from(layers).unwrap_or(usize::MAX).min(100_000);
        let pattern = pattern::read(text, count);
        let fields = pattern.and_then(|pattern| pattern::as_fields(&pattern));
        let expected = "dense layers at the start, or every so many layers a mixture";
        let (first, every) =
            fields.ok_or_else(|| options.wrong("moe-layer-freq", text, expected))?;
        set("first_dense", first);
        set("freq", every);
    }
    let gate = options.has("moe-shared-expert-gate");
    out.set("model.megatron.moe.shared_gate", gate);
    let bias = options.has("moe-router-enable-expert-bias");
    out.set("model.megatron.moe.router_bias", bias);
    Ok(())
}
