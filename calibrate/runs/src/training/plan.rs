//! Batch, formats and plan of a row.

use toml::{Table as Toml, Value};

use super::spelled::has_any;
use super::{Known, Row, whole};
use crate::{Draft, Record, Rule, RunsError};

const SEQ_LEN: Rule = Rule::new(
    "sequence-length",
    "the row names none: that of GPT-2, 1,024 tokens, or the shortest image of 1,024 patches",
);
const PRECISION: Rule = Rule::new(
    "mixed-precision",
    "the row names no format: fp16 before Ampere, bf16 since",
);
const FP16_GRADS: Rule = Rule::new(
    "fp16-gradients",
    "Megatron-LM and DeepSpeed of 2021 add gradients up in the format of the weights",
);
const FP32_GRADS: Rule = Rule::new(
    "fp32-gradients",
    "with bf16 weights Megatron-DeepSpeed adds gradients up in fp32 (BF16_Optimizer)",
);
const BF16_GRADS: Rule = Rule::new(
    "bf16-gradients",
    "performance recipes of NeMo and Megatron-Bridge switch grad_reduce_in_fp32 off",
);
const DROPOUT: Rule = Rule::new(
    "dropout",
    "0.1, the default of Megatron-LM's scripts of 2021 and of NeMo-Megatron",
);
const DELAYED: Rule = Rule::new(
    "fp8-delayed",
    "NeMo of 2024 scales FP8 with a delay (Transformer Engine's DelayedScaling)",
);
const TENSORWISE: Rule = Rule::new(
    "fp8-current",
    "FP8 without a further word is current scaling by tensor in recipes since 2025",
);
const OTHER_GRAIN: Rule = Rule::new(
    "fp8-other-grain",
    "the parenthesised figure is the other granularity: MXFP8 on Blackwell, blocks on Hopper",
);
const DECODER: Rule = Rule::new(
    "decoder-length",
    "128 tokens of targets, T5's span corruption of 512 tokens",
);
const LORA: Rule = Rule::new("lora-rank", "rank 16, the recipe's default");
const ONE: Rule = Rule::new("micro-batch-of-one", "the row names no micro-batch");
const BY_STEPS: Rule = Rule::new(
    "micro-batch-by-steps",
    "global batch / (dp x steps of accumulation)",
);
const INTERLEAVED: Rule = Rule::new(
    "interleaved-recipe",
    "recipes of NeMo and Megatron-Bridge interleave down to one or two layers a chunk",
);
const EP_FITS: Rule = Rule::new(
    "ep-fits",
    "a stage has fewer GPUs than the row has expert-parallel ranks: all of them",
);
const EP_OF_NODE: Rule = Rule::new(
    "ep-of-a-node",
    "the row names none: the experts over the GPUs of a node",
);
const ETP: Rule = Rule::new(
    "etp-of-one",
    "experts are not cut by tensor parallelism where the row has expert-parallel ranks",
);
const SP: Rule = Rule::new(
    "sequence-parallel",
    "recipes with tensor parallelism switch sequence parallelism on",
);
const NO_SP: Rule = Rule::new("no-sequence-parallel", "frameworks of 2021 have none");
const PARTITIONED: Rule = Rule::new(
    "partitioned-checkpoints",
    "checkpoints cut over tensor-parallel ranks (`PA` in experiments/gpt2-meg-ds-zero): as many bytes on the links, as few kept",
);
const ON_HOST: Rule = Rule::new(
    "checkpoints-on-host",
    "`PA_CPU` in experiments/gpt2-meg-ds-zero/meg_ds_zero_gpt2_perf_n16.slurm",
);
const ZERO_OF_SCRIPT: Rule = Rule::new(
    "zero-of-script",
    "ZERO_STAGE=1 in train/tr3-1B3-baseline/tr3m-1B3-emb-norm-pile.slurm",
);
const NO_ZERO: Rule = Rule::new(
    "no-zero",
    "the row names no ZeRO stage: none, and stage 1 where that does not fit",
);
const ZERO_1: Rule = Rule::new(
    "distributed-optimizer",
    "recipes cut the optimizer over data-parallel ranks",
);
const FSDP: Rule = Rule::new("fsdp", "FSDP cuts weights, gradients and states");
const OVERLAP: Rule = Rule::new(
    "overlaps",
    "recipes run reductions and gathers beside the passes",
);
const WAITS: Rule = Rule::new(
    "waits",
    "frameworks of 2021 reduce gradients behind the last pass",
);
const TORCH_DDP: Rule = Rule::new(
    "torch-ddp",
    "runs without a pipeline used torch's DDP, which reduces beside the backward pass (jz/frameworks/megatron-lm.md)",
);
const SPLIT: Rule = Rule::new(
    "uneven-layers",
    "layers do not divide by the chunks: the first take one more",
);
const ENDS: Rule = Rule::new(
    "embedding-and-loss",
    "with embedding and loss as a layer each the split is even",
);
const REBALANCED: Rule = Rule::new(
    "rebalanced",
    "the section counts embedding and head as a layer each",
);
const LEAST: Rule = Rule::new(
    "least-recompute",
    "the row says nothing of recomputation: the least that fits into memory",
);
const CHECKPOINTS: Rule = Rule::new(
    "checkpoints",
    "Megatron's 3D examples of that time compute all activations again",
);
const DROP: Rule = Rule::new(
    "token-drop",
    "a fixed capacity of experts gives equal shapes, which CUDA graphs need",
);
const DEEPEP: Rule = Rule::new(
    "deepep",
    "recipes of Megatron-Bridge dispatch with DeepEP or HybridEP (the flex dispatcher)",
);

/// Writes `[training]`.
pub(super) fn training(row: &Row<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    const T: &str = "training";
    let record = row.record;
    let batch = record
        .count("gbs")?
        .ok_or_else(|| record.bad("gbs", "the global batch"))?;
    draft.set(T, "global_batch", whole(batch));
    match record.count("seq_len")? {
        Some(len) => draft.set(T, "seq_len", whole(len)),
        None => draft.assume(T, "seq_len", 1024, SEQ_LEN),
    }
    precision(row, draft);
    let model = record.or_empty("model");
    let is_launcher = super::recipe::is_launcher(record);
    let kind = draft
        .get("model.megatron", "kind")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let is_gpt = kind.is_none();
    if row.family.of_2021 || (is_launcher && is_gpt) {
        draft.assume(T, "dropout", 0.1, DROPOUT);
    }
    if kind.as_deref() == Some("t5") {
        draft.assume(T, "decoder_seq_len", 128, DECODER);
    }
    if has_any(model, &["lora"]) {
        let mut peft = Toml::new();
        peft.insert("kind".to_owned(), Value::from("lora"));
        peft.insert("rank".to_owned(), Value::from(16));
        draft.assume(T, "peft", Value::Table(peft), LORA);
    }
    Ok(())
}

fn precision(row: &Row<'_>, draft: &mut Draft) {
    const T: &str = "training";
    let record = row.record;
    let text = record.or_empty("precision").to_ascii_lowercase();
    let is_hopper = has_any(record.or_empty("gpu"), &["h100", "h200", "h800", "h20"]);
    let has_no_bf16 = has_any(record.or_empty("gpu"), &["v100", "t4", "p100"]);
    let mut recipe = None;
    let format = if text.contains("mxfp8") || text.contains("fp8-mx") {
        "mxfp8"
    } else if text.contains("nvfp4") || text.contains("fp4") {
        "nvfp4"
    } else if text.contains("fp8") {
        let other = has_any(record.or_empty("notes"), &["parenthesised alternative"]);
        if other && !is_hopper {
            recipe = Some((None, OTHER_GRAIN));
            "mxfp8"
        } else if other || text.contains("blockwise") || text.contains("fp8-sc") {
            recipe = Some((Some("blockwise"), OTHER_GRAIN));
            "fp8"
        } else if row.family.name == "nemo" {
            recipe = Some((Some("delayed"), DELAYED));
            "fp8"
        } else {
            recipe = Some((Some("tensorwise"), TENSORWISE));
            "fp8"
        }
    } else if text.contains("bf16") {
        "bf16"
    } else if text.contains("fp16") || text.contains("half") {
        "fp16"
    } else if text.contains("fp32") || text.contains("tf32") {
        "fp32"
    } else {
        let format = if has_no_bf16 { "fp16" } else { "bf16" };
        draft.assume(T, "precision", format, PRECISION);
        format
    };
    if draft.get(T, "precision").is_none() {
        draft.set(T, "precision", format);
    }
    match recipe {
        Some((Some(name), rule)) => draft.assume(T, "fp8_recipe", name, rule),
        Some((None, rule)) => draft.assume(T, "precision", format, rule),
        None => {}
    }
    let grads = match (row.family.name, format) {
        _ if row.family.of_2021 && format == "fp16" => Some(("fp16", FP16_GRADS)),
        _ if row.family.of_2021 => Some(("fp32", FP32_GRADS)),
        ("nemo" | "megatron-bridge", _) if !super::recipe::is_launcher(record) => {
            Some(("bf16", BF16_GRADS))
        }
        _ => None,
    };
    if let Some((format, rule)) = grads {
        draft.assume(T, "grad_dtype", format, rule);
    }
}

/// Writes `[plan]`.
///
/// * `gpus` — in all.
pub(super) fn plan(row: &Row<'_>, gpus: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let tp = row.degree("tp")?.put(draft, P, "tp").unwrap_or(1);
    let pp = row.degree("pp")?.put(draft, P, "pp").unwrap_or(1);
    let cp = row.degree("cp")?.put(draft, P, "cp").unwrap_or(1);
    let replica = (tp * pp * cp).max(1);
    let dp = (gpus / replica).max(1);
    experts(row, gpus, pp, draft)?;
    chunks(row, pp, draft)?;
    micro_batch(row, dp, draft)?;
    recompute(row, draft);
    shard(row, dp, draft)?;
    sequence_parallel(row, tp, draft);
    overlap(row, pp, draft);
    layers(row, pp, draft);
    offload(row, tp, draft)
}

fn experts(row: &Row<'_>, gpus: u64, pp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let record = row.record;
    let config = draft
        .get("model", "config")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let routed = is_routed(config);
    let stage = (gpus / pp.max(1)).max(1);
    match record.count("ep")? {
        Some(ep) if stage < ep => draft.assume(P, "ep", whole(stage), EP_FITS),
        Some(ep) => draft.set(P, "ep", whole(ep)),
        None if routed => draft.assume(P, "ep", whole(stage.min(8)), EP_OF_NODE),
        None => {}
    }
    if let Some(etp) = record.count("etp")? {
        draft.set(P, "etp", whole(etp));
    } else if draft.count(P, "ep").is_some_and(|ep| 1 < ep) {
        draft.assume(P, "etp", 1, ETP);
    }
    let mut moe = Toml::new();
    if has_any(
        record.or_empty("model"),
        &["tokendrop", "token drop", "token-drop"],
    ) {
        moe.insert("capacity_factor".to_owned(), Value::from(1.0));
        draft.assume(P, "moe", Value::Table(moe), DROP);
        draft.assume(P, "cuda_graphs", true, DROP);
    } else if row.family.name == "megatron-bridge" && routed {
        moe.insert("dispatcher".to_owned(), Value::from("deepep"));
        draft.assume(P, "moe", Value::Table(moe), DEEPEP);
    }
    Ok(())
}

/// Whether a model of the zoo has routed experts.
fn is_routed(config: &str) -> bool {
    has_any(
        config,
        &[
            "moe",
            "mixtral",
            "deepseek-v",
            "deepseek-r",
            "qwen3-30b",
            "qwen3-235b",
            "qwen3-coder",
            "qwen2-57b",
            "kimi",
            "glm-4.5",
            "glm-5",
            "gpt-oss",
            "llama4",
            "minimax",
            "nemotron-3",
            "moonlight",
            "a400m",
            "a800m",
        ],
    )
}

fn chunks(row: &Row<'_>, pp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let known = row.degree("vp")?;
    if known.put(draft, P, "vp").is_some() || pp == 1 {
        return Ok(());
    }
    let recipes = matches!(row.family.name, "nemo" | "megatron-bridge");
    let Some(depth) = depth(draft).filter(|_| recipes) else {
        return Ok(());
    };
    let best = [1, 2]
        .into_iter()
        .find(|chunk| depth.is_multiple_of(pp * chunk));
    if let Some(chunk) = best {
        Known::Inferred(depth / (pp * chunk), INTERLEAVED).put(draft, P, "vp");
    }
    Ok(())
}

/// Layers of the draft's model, where it is no encoder-decoder.
fn depth(draft: &Draft) -> Option<u64> {
    if let Some(layers) = draft.count("model.megatron", "layers") {
        return Some(layers);
    }
    if let Some(layers) = draft.count("model", "layers") {
        return Some(layers);
    }
    let config = draft.get("model", "config")?.as_str()?;
    layers_of(config)
}

/// `num_hidden_layers` of a model of the zoo.
fn layers_of(config: &str) -> Option<u64> {
    let source = format::Shelf::Models.open(config).ok()?;
    let keys = [
        "\"num_hidden_layers\"",
        "\"n_layer\"",
        "\"n_layers\"",
        "\"num_layers\"",
    ];
    keys.iter().find_map(|key| {
        let at = source.text.find(key)? + key.len();
        let digits: String = source.text[at..]
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().ok()
    })
}

fn micro_batch(row: &Row<'_>, dp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let record = row.record;
    if row.degree("mbs")?.put(draft, P, "micro_batch").is_some() {
        return Ok(());
    }
    let batch = record.count("gbs")?.unwrap_or(1);
    if let Some(steps) = record.count("grad_accum")? {
        let size = (batch / (dp * steps).max(1)).max(1);
        draft.assume(P, "micro_batch", whole(size), BY_STEPS);
    } else {
        draft.assume(P, "micro_batch", 1, ONE);
    }
    Ok(())
}

fn recompute(row: &Row<'_>, draft: &mut Draft) {
    const P: &str = "plan";
    let text = row.record.or_empty("recompute").to_ascii_lowercase();
    let word = ["full", "selective", "none"]
        .into_iter()
        .find(|word| text.starts_with(word));
    match word {
        Some(word) => draft.set(P, "recompute", word),
        None if matches!(text.as_str(), "no" | "false" | "off") => {
            draft.set(P, "recompute", "none");
        }
        None if row.family.of_2021 => draft.assume(P, "recompute", "full", CHECKPOINTS),
        None => draft.assume(P, "recompute", "none", LEAST),
    }
}

fn shard(row: &Row<'_>, dp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let record = row.record;
    let group = record.text("fsdp_shard").unwrap_or("0");
    if let Ok(ranks) = group.parse::<u64>() {
        if 1 < ranks {
            let level = |what: &str| {
                let mut table = Toml::new();
                table.insert("what".to_owned(), Value::from(what));
                table.insert("group".to_owned(), Value::from(whole(ranks.min(dp))));
                Value::Table(table)
            };
            let levels = ["weights", "gradients", "optimizer"].map(level);
            draft.set(P, "shard", Value::Array(levels.to_vec()));
            return Ok(());
        }
    } else if !group.is_empty() {
        let name = if has_any(group, &["grad_op"]) {
            "zero-2"
        } else {
            "zero-3"
        };
        draft.set(P, "shard", name);
        return Ok(());
    }
    let stage = record.number("zero_stage")?;
    if let Some(stage) = stage {
        let name = match stage {
            s if s < 0.5 => "none",
            s if s < 1.5 => "zero-1",
            s if s < 2.5 => "zero-2",
            _ => "zero-3",
        };
        draft.set(P, "shard", name);
    } else if has_any(record.or_empty("source_path"), &["tr3m-1b3"]) {
        draft.assume(P, "shard", "zero-1", ZERO_OF_SCRIPT);
    } else if row.family.of_2021 {
        draft.assume(P, "shard", "none", NO_ZERO);
    } else if matches!(row.family.name, "torchtitan" | "composer-fsdp") {
        draft.assume(P, "shard", "zero-3", FSDP);
    } else {
        draft.assume(P, "shard", "zero-1", ZERO_1);
    }
    Ok(())
}

fn sequence_parallel(row: &Row<'_>, tp: u64, draft: &mut Draft) {
    const P: &str = "plan";
    match row.record.text("sp") {
        Some(text) => {
            draft.set(P, "sp", has_any(text, &["yes", "true", "1"]));
        }
        None if row.family.of_2021 => draft.assume(P, "sp", false, NO_SP),
        None if 1 < tp => draft.assume(P, "sp", true, SP),
        None => {}
    }
}

fn overlap(row: &Row<'_>, pp: u64, draft: &mut Draft) {
    let switches = |reduce: bool, gather: bool| {
        let mut table = Toml::new();
        table.insert("grad_reduce".to_owned(), Value::from(reduce));
        table.insert("param_gather".to_owned(), Value::from(gather));
        Value::Table(table)
    };
    let (value, rule) = if !row.family.of_2021 {
        (switches(true, true), OVERLAP)
    } else if row.family.name == "megatron-lm-2021" && pp == 1 {
        (switches(true, false), TORCH_DDP)
    } else {
        (switches(false, false), WAITS)
    };
    draft.assume("plan", "overlap", value, rule);
}

/// `layer_split`, where layers do not divide by the chunks, or the row says it.
fn layers(row: &Row<'_>, pp: u64, draft: &mut Draft) {
    const P: &str = "plan";
    if pp == 1 {
        return;
    }
    if row.record.text("section") == Some("Rebalancing layers") {
        draft.assume(P, "layer_split", "embedding-and-loss", REBALANCED);
        return;
    }
    if let Some(split) = partition(row.record, pp) {
        draft.set(P, "layer_split", Value::Array(split));
        return;
    }
    let chunks = pp * draft.count(P, "vp").unwrap_or(1);
    let Some(depth) = depth(draft).filter(|depth| !depth.is_multiple_of(chunks)) else {
        return;
    };
    if (depth + 2).is_multiple_of(chunks) && !row.family.of_2021 {
        draft.assume(P, "layer_split", "embedding-and-loss", ENDS);
        return;
    }
    let split = (0..chunks).map(|chunk| depth / chunks + u64::from(chunk < depth % chunks));
    let split: Vec<Value> = split.map(|layers| Value::from(whole(layers))).collect();
    draft.assume(P, "layer_split", Value::Array(split), SPLIT);
}

/// `layer partition=[0; 8; 14; 20; 30]`: the first unit of each stage, of two units of the
/// embedding, the layers, and four of norm, head and loss.
fn partition(record: &Record, pp: u64) -> Option<Vec<Value>> {
    const AHEAD: u64 = 2;
    let notes = record.or_empty("notes");
    let list = notes.split("layer partition=[").nth(1)?.split(']').next()?;
    let starts: Option<Vec<u64>> = list
        .split(';')
        .map(|part| part.trim().parse().ok())
        .collect();
    let starts = starts.filter(|starts| starts.len() as u64 == pp + 1)?;
    let depth = record.count("layers").ok().flatten()?;
    if *starts.last()? != depth + 6 {
        return None;
    }
    let layers_before = |unit: u64| unit.saturating_sub(AHEAD).min(depth);
    let split = starts
        .windows(2)
        .map(|pair| layers_before(pair[1]) - layers_before(pair[0]));
    Some(split.map(|layers| Value::from(whole(layers))).collect())
}

fn offload(row: &Row<'_>, tp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let record = row.record;
    let notes = record.or_empty("notes");
    let mut table = Toml::new();
    if notes.contains("offload opt=Y") {
        table.insert("optimizer".to_owned(), Value::from(true));
    }
    if notes.contains("par=Y") {
        table.insert("weights".to_owned(), Value::from(true));
    }
    if !table.is_empty() {
        draft.set(P, "offload", Value::Table(table));
        return Ok(());
    }
    let is_zero_3 = record
        .number("zero_stage")?
        .is_some_and(|stage| 2.5 < stage);
    let is_perf = has_any(record.or_empty("source_path"), &["experiments/gpt2"])
        && has_any(record.or_empty("framework"), &["megatron"]);
    if is_zero_3 && is_perf {
        let mut table = Toml::new();
        table.insert("activations".to_owned(), Value::from(true));
        draft.assume(P, "offload", Value::Table(table), ON_HOST);
        if 1 < tp {
            draft.assume(P, "sp", true, PARTITIONED);
        }
    }
    Ok(())
}

/// What else a row may stand for, where it leaves out what decides over memory.
pub(super) fn alternatives(row: &Row<'_>, draft: &Draft) -> Vec<Draft> {
    const P: &str = "plan";
    let record = row.record;
    let word =
        |draft: &Draft, key: &str| draft.get(P, key).and_then(Value::as_str).map(str::to_owned);
    let inferred = record.text("recompute").is_none() && !row.family.of_2021;
    let recompute: &[&str] = if inferred {
        &["none", "selective", "full"]
    } else {
        &[]
    };
    let guessed_shard = record.text("zero_stage").is_none()
        && word(draft, "shard").as_deref() == Some("none")
        && row.family.of_2021;
    let mut all = vec![draft.clone()];
    for word in recompute.iter().skip(1) {
        let mut other = draft.clone();
        other.assume(P, "recompute", *word, LEAST);
        all.push(other);
    }
    if guessed_shard {
        let mut other = draft.clone();
        other.assume(P, "shard", "zero-1", NO_ZERO);
        all.push(other);
    }
    all
}
