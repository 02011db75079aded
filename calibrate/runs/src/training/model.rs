//! The model of a row.

use std::sync::OnceLock;

use format::Shelf;

use super::recipe::{Given, Recipe};
use super::spelled::{has_any, number_behind, plain};
use super::{Row, whole};
use crate::{Draft, Record, Rule, RunsError};

const BY_SIZE: Rule = Rule::new(
    "layers-by-size",
    "layers = (parameters - V h) / (12 h^2), rounded to a multiple of pp that is within 2.5 %, else to a whole number",
);
const SHAPE_BY_SIZE: Rule = Rule::new(
    "shape-by-size",
    "the row gives parameters alone: a GPT 128 times as wide as deep, 12 l h^2 parameters",
);
const HEADS: Rule = Rule::new(
    "heads-of-128",
    "heads of 128 channels, as most models have them",
);
const TR11_HEADS: Rule = Rule::new(
    "heads-of-tr11",
    "the heads of BigScience's scripts by width (train/tr11-176B-ml): 96 for 14,400 and 13,824, 64 for 14,336",
);
const GPT2_PERF: Rule = Rule::new(
    "heads-of-gpt2-perf",
    "32 heads: experiments/gpt2-meg-ds-zero/meg_ds_zero_gpt2_perf_n16.slurm",
);
const GPT2_WIDTH: Rule = Rule::new(
    "width-of-gpt2-perf",
    "width 8,192 and depth by size: experiments/gpt2-meg-ds-zero/meg_ds_zero_gpt2_perf_n16.slurm",
);
const VOCAB: Rule = Rule::new(
    "megatron-vocabulary",
    "the row names no vocabulary: 51,200 words, GPT-2's 50,257 padded, as Megatron-LM's papers have it",
);
const GPT2_VOCAB: Rule = Rule::new("gpt2-vocabulary", "GPT-2's 50,257 words");
const BLOOM_VOCAB: Rule = Rule::new(
    "bloom-vocabulary",
    "BLOOM's tokenizer, 250,880 words with padding (train/tr11-176B-ml)",
);
const BLOOM_NORM: Rule = Rule::new(
    "bloom-embedding-norm",
    "runs of that section have BLOOM's norm behind the embedding",
);
const ZOO: Rule = Rule::new(
    "nearest-model",
    "no model of that name: the nearest one known",
);
const TRUNCATED: Rule = Rule::new(
    "truncated-model",
    "of a model cut to a few layers one is dense, and no module predicts further tokens",
);
const RECIPE: Rule = Rule::new(
    "recipe-shape",
    "the shape of the published recipe of that name",
);
const SIBLING: Rule = Rule::new(
    "sibling-shape",
    "another row of the table with the same model has the cell",
);
const POSITIONS: Rule = Rule::new(
    "positions",
    "as many learned positions as a sequence has tokens",
);

/// Writes `[model]`.
pub(super) fn model(row: &Row<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    let record = row.record;
    let hidden = sibling(row, "hidden")?;
    let layers = sibling(row, "layers")?;
    if let Some(depth) = number_behind(record.or_empty("model"), "truncated to") {
        return truncated(record, depth, draft);
    }
    if let (Some(recipe), None) = (row.recipe, hidden.0) {
        from_recipe(row, recipe, draft)?;
        return Ok(());
    }
    if hidden.0.is_none()
        && let Some((name, rule)) = zoo_name(record.or_empty("model"))
    {
        match rule {
            Some(rule) => draft.assume("model", "config", name, rule),
            None => draft.set("model", "config", name),
        }
        if has_any(
            record.or_empty("model"),
            &["w/o mtp", "without mtp", "no mtp"],
        ) {
            draft.set("model", "mtp", 0);
        }
        return Ok(());
    }
    gpt(row, hidden, layers, draft)
}

/// A cell, or that of the nearest row above or below with the same model of the same table.
fn sibling(row: &Row<'_>, column: &'static str) -> Result<(Option<u64>, bool), RunsError> {
    if let Some(value) = row.record.count(column)? {
        return Ok((Some(value), false));
    }
    let same = |other: &&Record| {
        ["source_path", "model"]
            .iter()
            .all(|name| other.text(name) == row.record.text(name))
            && other.text(column).is_some()
    };
    let mut others: Vec<&Record> = row.table.records.iter().filter(same).collect();
    others.sort_by_key(|other| other.line.abs_diff(row.record.line));
    match others.first() {
        Some(other) if row.record.text("model").is_some() => Ok((other.count(column)?, true)),
        _ => Ok((None, false)),
    }
}

/// A GPT from its dimensions, or from its size.
fn gpt(
    row: &Row<'_>,
    (hidden, hidden_inferred): (Option<u64>, bool),
    (layers, layers_inferred): (Option<u64>, bool),
    draft: &mut Draft,
) -> Result<(), RunsError> {
    const M: &str = "model.megatron";
    let record = row.record;
    let params = record
        .number("params_b")?
        .or_else(|| size_in(record.or_empty("model")))
        .unwrap_or(7.0)
        * 1e9;
    let is_gpt2_perf = has_any(record.or_empty("source_path"), &["experiments/gpt2"]);
    let is_1b3 = has_any(record.or_empty("source_path"), &["tr3m-1b3"]);
    let (hidden, rule) = match hidden {
        Some(hidden) => (hidden, hidden_inferred.then_some(SIBLING)),
        None if is_gpt2_perf => (8192, Some(GPT2_WIDTH)),
        None if is_1b3 => (2048, Some(SHAPE_BY_SIZE)),
        None => (width_of(params), Some(SHAPE_BY_SIZE)),
    };
    let vocab = vocabulary(row)?;
    let pp = record.count("pp")?.unwrap_or(1);
    let by_size = depth_of(params, hidden, vocab.0, pp);
    let depth = match layers {
        // Siblings of one name differ in depth where they differ in size.
        Some(layers) if !layers_inferred => (layers, None),
        _ if is_1b3 => (24, Some(SHAPE_BY_SIZE)),
        Some(layers) if record.text("params_b").is_none() => (layers, Some(SIBLING)),
        _ => (by_size, Some(BY_SIZE)),
    };
    put(draft, M, "layers", depth.0, depth.1);
    put(draft, M, "hidden", hidden, rule);
    let is_bloom = has_any(record.or_empty("source_path"), &["tr11-176b"]);
    let (heads, rule) = match record.count("heads")? {
        Some(heads) => (heads, None),
        None if is_bloom => (tr11_heads(hidden), Some(TR11_HEADS)),
        None if is_gpt2_perf => (32, Some(GPT2_PERF)),
        None => (heads_of(hidden), Some(HEADS)),
    };
    put(draft, M, "heads", heads, rule);
    if let Some(kv) = record.count("kv_heads")? {
        draft.set(M, "kv_heads", whole(kv));
    }
    put(draft, M, "vocab", vocab.0, vocab.1);
    draft.assume(M, "vocab_divisible_by", 128, VOCAB);
    if let Some(seq_len) = record.count("seq_len")? {
        draft.assume(M, "max_positions", whole(seq_len), POSITIONS);
    } else {
        draft.assume(M, "max_positions", 1024, POSITIONS);
    }
    if is_bloom {
        draft.assume(M, "position", "alibi", BLOOM_VOCAB);
        if record.text("section") == Some("Rebalancing layers") {
            draft.assume(M, "embedding_norm", true, BLOOM_NORM);
        }
    }
    Ok(())
}

fn vocabulary(row: &Row<'_>) -> Result<(u64, Option<Rule>), RunsError> {
    let record = row.record;
    if let Some(vocab) = record.count("vocab_size")? {
        return Ok((vocab, None));
    }
    let path = record.or_empty("source_path");
    Ok(if has_any(path, &["tr11-176b"]) {
        (250_880, Some(BLOOM_VOCAB))
    } else if has_any(path, &["experiments/gpt2", "tr3m-1b3"])
        || has_any(record.or_empty("model"), &["gpt-2", "gpt2"])
    {
        (50_257, Some(GPT2_VOCAB))
    } else {
        (51_200, Some(VOCAB))
    })
}

fn put(draft: &mut Draft, section: &'static str, key: &str, value: u64, rule: Option<Rule>) {
    match rule {
        Some(rule) => draft.assume(section, key, whole(value), rule),
        None => draft.set(section, key, whole(value)),
    }
}

fn from_recipe(row: &Row<'_>, recipe: &Recipe, draft: &mut Draft) -> Result<(), RunsError> {
    const M: &str = "model.megatron";
    for (key, value) in recipe.shape {
        match *value {
            Given::Count(count) => draft.assume(M, key, whole(count), RECIPE),
            Given::Word(word) => draft.assume(M, key, word, RECIPE),
            Given::Flag(flag) => draft.assume(M, key, flag, RECIPE),
        }
    }
    draft.note("model", recipe.source, RECIPE);
    let learns = draft.get(M, "position").is_none();
    if learns && let Some(seq_len) = row.record.count("seq_len")? {
        draft.assume(M, "max_positions", whole(seq_len), POSITIONS);
    }
    Ok(())
}

/// `deepseekv3 truncated to 4 layers`.
fn truncated(record: &Record, depth: u64, draft: &mut Draft) -> Result<(), RunsError> {
    let name = record.or_empty("model");
    let base = name.split("truncated").next().unwrap_or(name);
    let Some((config, rule)) = zoo_name(base) else {
        return Err(record.bad("model", "a model that is known, cut to some layers"));
    };
    match rule {
        Some(rule) => draft.assume("model", "config", config, rule),
        None => draft.set("model", "config", config),
    }
    draft.set("model", "layers", whole(depth));
    if config.starts_with("deepseek") {
        draft.assume("model", "first_k_dense", 1, TRUNCATED);
        if config.starts_with("deepseek-v3") {
            draft.assume("model", "mtp", 0, TRUNCATED);
        }
    }
    Ok(())
}

/// The name of the zoo that is meant, and a rule where it is not the same model.
fn zoo_name(text: &str) -> Option<(&'static str, Option<Rule>)> {
    static NAMES: OnceLock<Vec<(&'static str, String)>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        Shelf::Models
            .names()
            .map(|name| (name, squashed(name)))
            .collect()
    });
    let mut wanted = plain(text);
    for ending in [
        "-sft",
        "-lora",
        "-pretrain",
        "-base",
        "-instruct",
        "-chat",
        "-hf",
    ] {
        if let Some(cut) = wanted.strip_suffix(ending) {
            wanted = cut.to_owned();
        }
    }
    let wanted = squashed(&wanted);
    if wanted.is_empty() {
        return None;
    }
    let exact = names.iter().find(|(_, known)| *known == wanted);
    if let Some((name, _)) = exact {
        return Some((name, None));
    }
    // `llama2` without a size, `meta-llama-3-8b`, or a later release of a family that is known.
    let inside = names
        .iter()
        .filter(|(_, known)| 5 < known.len() && wanted.contains(known.as_str()));
    if let Some((name, _)) = inside.max_by_key(|(_, known)| known.len()) {
        return Some((name, None));
    }
    let alike = |known: &str| {
        known
            .chars()
            .zip(wanted.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    // Of several, the first: the smallest of a family stands first in most.
    let near = names.iter().rev().max_by_key(|(_, known)| alike(known));
    near.filter(|(_, known)| 9 <= alike(known))
        .map(|(name, _)| (*name, Some(ZOO)))
}

fn squashed(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Billions of parameters in a name such as `GPT-3 175B` or `mpt-760m`.
pub(crate) fn size_in(name: &str) -> Option<f64> {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words.find_map(|word| {
        let (digits, scale) = [("b", 1.0), ("m", 1e-3), ("t", 1e3)]
            .iter()
            .find_map(|(unit, scale)| word.strip_suffix(unit).map(|digits| (digits, scale)))?;
        let value: f64 = digits.parse().ok()?;
        (0.0 < value).then_some(value * scale)
    })
}

/// The width of a GPT of that many parameters that is 128 times as wide as deep.
fn width_of(params: f64) -> u64 {
    let cube = params * 128.0 / 12.0;
    let width = units::math::powf(cube, 1.0 / 3.0);
    rounded(width / 128.0).max(1) * 128
}

/// Layers of a GPT of that size and width, on `pp` stages.
fn depth_of(params: f64, hidden: u64, vocab: u64, pp: u64) -> u64 {
    let hidden = hidden as f64;
    let depth = ((params - vocab as f64 * hidden) / (12.0 * hidden * hidden)).max(1.0);
    let even = (rounded(depth / pp as f64) * pp).max(pp);
    if (even as f64 / depth - 1.0).abs() <= 0.025 {
        return even;
    }
    rounded(depth).max(pp)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is positive, and what is too large saturates"
)]
fn rounded(value: f64) -> u64 {
    value.round() as u64
}

fn tr11_heads(hidden: u64) -> u64 {
    match hidden {
        14_400 | 13_824 => 96,
        14_336 => 64,
        _ => heads_of(hidden),
    }
}

fn heads_of(hidden: u64) -> u64 {
    let fits = [128, 64, 96, 80, 160, 256]
        .into_iter()
        .find(|size| hidden.is_multiple_of(*size));
    fits.map_or(1, |size| (hidden / size).max(1))
}

/// Width and depth that a row states or that follow from its size; for grouping.
pub fn shape_of(draft: &Draft) -> (Option<u64>, Option<u64>) {
    const M: &str = "model.megatron";
    (draft.count(M, "hidden"), draft.count(M, "layers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_performance_pages_find_their_models() {
        let of = |text| zoo_name(text).map(|(name, rule)| (name, rule.is_some()));
        assert_eq!(of("LLAMA3_70B SFT"), Some(("llama3-70b", false)));
        assert_eq!(of("Qwen3_30B_a3B"), Some(("qwen3-30b-a3b", false)));
        assert_eq!(of("Nemotron_3_Nano"), Some(("nemotron-3-nano", false)));
        assert_eq!(of("DeepSeekV3 (w/o MTP)"), Some(("deepseek-v3", false)));
        assert_eq!(of("GPT3-175B"), Some(("gpt3-175b", false)));
        assert_eq!(of("LLAMA2-7B LoRA"), Some(("llama2-7b", false)));
        assert_eq!(
            of("Nemotron_3_5_Lightning"),
            Some(("nemotron-3-nano", true))
        );
        assert_eq!(of("a model of our own"), None);
    }

    #[test]
    fn sizes_give_shapes() {
        assert_eq!(size_in("GPT-3 175B"), Some(175.0));
        assert_eq!(size_in("mT5 170M"), Some(0.17));
        assert_eq!(depth_of(52e9, 8192, 50_257, 1), 64);
        assert_eq!(depth_of(200e9, 14_400, 250_880, 10), 80);
        assert_eq!(depth_of(195e9, 14_400, 250_880, 11), 77);
        assert_eq!(width_of(7e9) % 128, 0);
    }
}
