//! The model of a case, and how it is trained.

use toml::{Table, Value};

use super::case::{Case, Family};
use super::machine::integer;
use super::plan::stages;
use super::rules::{
    CONTEXT_DROPOUT, DEFAULT, EXPERT_BIAS, EXPERT_LAYERS, FROZEN, GRADIENTS, LATENT, MAMBA, MODERN,
    NAME, PADDING, RELEASE_BATCH, T5, VOCABULARY,
};
use crate::{Draft, RunsError};

/// The section of the shape.
const SHAPE: &str = "model.megatron";

pub(super) fn write(case: &Case<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    match case.family {
        Family::Bert => draft.set(SHAPE, "kind", "bert"),
        Family::T5 => draft.set(SHAPE, "kind", "t5"),
        _ => {}
    }
    shape(case, draft)?;
    vocabulary(case, draft)?;
    habits(case, draft);
    if case.has_experts() {
        experts(case, draft)?;
    }
    if case.has("multi-latent-attention") {
        latent(case, draft)?;
    }
    if let Some(modules) = case.count("mtp-num-layers")? {
        draft.set(SHAPE, "mtp", integer(modules));
    }
    training(case, draft)
}

/// Widths and layers.
fn shape(case: &Case<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    let pattern = case.text("hybrid-layer-pattern");
    let pattern = pattern.or(case.text("hybrid-override-pattern"));
    let sizes = [
        ("layers", "num-layers", 12),
        ("hidden", "hidden-size", 768),
        ("heads", "num-attention-heads", 12),
        ("max_positions", "max-position-embeddings", 512),
    ];
    for (key, column, in_t5) in sizes {
        match case.count(column)? {
            Some(count) => draft.set(SHAPE, key, integer(count)),
            None if key == "layers" && pattern.is_some() => {}
            None => draft.assume(SHAPE, key, integer(in_t5), T5),
        }
    }
    let more = [
        ("ffn", "ffn-hidden-size"),
        ("kv_heads", "num-query-groups"),
        ("head_dim", "kv-channels"),
    ];
    for (key, column) in more {
        if let Some(count) = case.count(column)? {
            draft.set(SHAPE, key, integer(count));
        }
    }
    if case.family == Family::T5 && case.text("ffn-hidden-size").is_none() {
        draft.assume(SHAPE, "ffn", 3072, T5);
    }
    if let Some(pattern) = pattern {
        let pattern = pattern.trim_matches('"');
        draft.set(SHAPE, "hybrid_pattern", pattern);
        draft.set(SHAPE, "layers", integer(pattern.chars().count() as u64));
        let hidden = case.count("hidden-size")?.unwrap_or(1024);
        let mamba = Table::from_iter([
            ("heads".to_owned(), integer(2 * hidden / 64)),
            ("head_dim".to_owned(), integer(64)),
            ("state".to_owned(), integer(128)),
            ("groups".to_owned(), integer(8)),
        ]);
        draft.assume(SHAPE, "mamba", Value::Table(mamba), MAMBA);
    }
    Ok(())
}

fn vocabulary(case: &Case<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    if let Some(words) = case.count("vocab-size")? {
        draft.set(SHAPE, "vocab", integer(words));
    } else {
        let words = match case.text("tokenizer-type") {
            Some("GPTSentencePieceTokenizer") => 256_000,
            Some("Llama2Tokenizer") => 32_000,
            _ => match case.family {
                Family::Bert => 30_522,
                Family::T5 => 28_996 + 100,
                Family::Mimo => 32_000,
                _ => 50_257,
            },
        };
        draft.assume(SHAPE, "vocab", words, VOCABULARY);
    }
    if case.is_proxy() {
        draft.assume(SHAPE, "vocab_divisible_by", 3232, PADDING);
    } else {
        draft.assume(SHAPE, "vocab_divisible_by", 128, DEFAULT);
    }
    if case.has("untie-embeddings-and-output-weights") {
        draft.set(SHAPE, "tied", false);
    }
    Ok(())
}

/// Functions, norms, positions, biases.
fn habits(case: &Case<'_>, draft: &mut Draft) {
    if case.has("swiglu") {
        draft.set(SHAPE, "activation", "swiglu");
        draft.assume(SHAPE, "norm", "rms", MODERN);
    } else if case.has("squared-relu") {
        draft.set(SHAPE, "activation", "squared-relu");
    }
    let latent = case.has("multi-latent-attention");
    if case.is_modern() {
        draft.assume(SHAPE, "position", "rope", MODERN);
        draft.assume(SHAPE, "bias", false, MODERN);
    } else if case.named("rope") || latent {
        draft.assume(SHAPE, "position", "rope", NAME);
    } else if case.family == Family::Hybrid {
        draft.assume(SHAPE, "position", "none", MAMBA);
    }
    if case.named("disable_bias_linear") {
        draft.assume(SHAPE, "bias", false, NAME);
    } else if case.has_experts() && !case.is_modern() {
        draft.assume(SHAPE, "bias", false, EXPERT_BIAS);
    }
    if case.named("qk_layernorm") && !latent {
        draft.assume(SHAPE, "qk_norm", true, NAME);
    }
}

fn experts(case: &Case<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    let mut moe = Table::new();
    let columns = [
        ("experts", "num-experts"),
        ("top_k", "moe-router-topk"),
        ("ffn", "moe-ffn-hidden-size"),
        ("shared_ffn", "moe-shared-expert-intermediate-size"),
    ];
    for (key, column) in columns {
        if let Some(count) = case.count(column)? {
            moe.insert(key.to_owned(), integer(count));
        }
    }
    if case.has("multi-latent-attention") {
        let first = stages(case)?.and_then(|all| all.first().copied());
        let dense = if case.text("pipeline-model-parallel-layout").is_some() {
            first.unwrap_or(1)
        } else {
            1
        };
        moe.insert("first_dense".to_owned(), integer(dense));
        draft.assume(SHAPE, "moe", Value::Table(moe), EXPERT_LAYERS);
    } else {
        draft.set(SHAPE, "moe", Value::Table(moe));
    }
    Ok(())
}

fn latent(case: &Case<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    let heads = case.count("num-attention-heads")?.unwrap_or(1);
    let hidden = case.count("hidden-size")?.unwrap_or(1);
    let is_small = case.text("kv-channels").is_none();
    let [queries, keys, plain, rotated, values] = if is_small {
        let head = hidden / heads;
        [3 * hidden / 8, hidden / 8, head / 4, head / 8, head / 4]
    } else {
        [1536, 512, 128, 64, 128]
    };
    let mla = Table::from_iter([
        ("heads".to_owned(), integer(heads)),
        ("q_lora_rank".to_owned(), integer(queries)),
        ("kv_lora_rank".to_owned(), integer(keys)),
        ("qk_nope_dim".to_owned(), integer(plain)),
        ("qk_rope_dim".to_owned(), integer(rotated)),
        ("v_dim".to_owned(), integer(values)),
    ]);
    let rule = if is_small { LATENT } else { PADDING };
    draft.assume(SHAPE, "mla", Value::Table(mla), rule);
    draft.remove(SHAPE, "head_dim");
    Ok(())
}

fn training(case: &Case<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    const SECTION: &str = "training";
    match case.count("global-batch-size")? {
        Some(batch) => draft.set(SECTION, "global_batch", integer(batch)),
        None if case.is_release() => draft.assume(SECTION, "global_batch", 1152, RELEASE_BATCH),
        None => draft.assume(SECTION, "global_batch", 32, T5),
    }
    match case.count("seq-length")? {
        Some(tokens) => draft.set(SECTION, "seq_len", integer(tokens)),
        None => draft.assume(SECTION, "seq_len", 512, T5),
    }
    if case.family == Family::T5 {
        draft.assume(SECTION, "decoder_seq_len", 128, T5);
    }
    let fp16 = case.has("fp16");
    if case.text("fp8-format").is_some() {
        draft.set(SECTION, "precision", "fp8");
        if let Some(recipe) = case.text("fp8-recipe") {
            draft.set(SECTION, "fp8_recipe", recipe);
        }
    } else if fp16 {
        draft.set(SECTION, "precision", "fp16");
    } else if case.has("bf16") {
        draft.set(SECTION, "precision", "bf16");
    } else {
        draft.assume(SECTION, "precision", "bf16", NAME);
    }
    let gradients = if fp16 { "fp16" } else { "fp32" };
    draft.assume(SECTION, "grad_dtype", gradients, GRADIENTS);
    let (dropout, rule) = if case.is_modern() || case.family == Family::Mimo {
        (0.0, MODERN)
    } else if 1 < case.cp && case.family != Family::Hybrid {
        (0.0, CONTEXT_DROPOUT)
    } else {
        (0.1, DEFAULT)
    };
    draft.assume(SECTION, "dropout", dropout, rule);
    if let Some(optimizer) = case.text("optimizer") {
        draft.set(SECTION, "optimizer", optimizer);
    }
    if case.family == Family::Mimo {
        let lora = Table::from_iter([
            ("kind".to_owned(), Value::from("lora")),
            ("rank".to_owned(), integer(16)),
        ]);
        draft.assume(SECTION, "peft", Value::Table(lora), FROZEN);
    }
    Ok(())
}
