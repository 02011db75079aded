//! The plan of a case, and the framework.

use toml::{Table, Value};

use super::case::{Case, Family};
use super::machine::{Machine, integer};
use super::rules::{DEFAULT, FRAMEWORK, LOCAL_ATTENTION, NAME, OLD_ATTENTION, SWITCHES};
use crate::{Draft, RunsError};

const SECTION: &str = "plan";

pub(super) fn write(case: &Case<'_>, machine: Machine, draft: &mut Draft) -> Result<(), RunsError> {
    degrees(case, draft)?;
    pipeline(case, draft)?;
    states(case, machine, draft);
    recompute(case, draft);
    if case.has_experts() {
        let dispatcher = case.text("moe-token-dispatcher-type");
        let one = |name: &str| {
            Value::Table(Table::from_iter([(
                "dispatcher".to_owned(),
                Value::from(name),
            )]))
        };
        match dispatcher {
            Some("flex") => draft.set(SECTION, "moe", one("deepep")),
            Some(name) => draft.set(SECTION, "moe", one(name)),
            None => draft.assume(SECTION, "moe", one("allgather"), DEFAULT),
        }
    }
    if case.text("cuda-graph-impl").is_some() {
        draft.set(SECTION, "cuda_graphs", true);
    }
    framework(case, draft);
    Ok(())
}

fn degrees(case: &Case<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    draft.set(SECTION, "tp", integer(case.tp));
    draft.set(SECTION, "pp", integer(case.pp));
    if 1 < case.cp {
        draft.set(SECTION, "cp", integer(case.cp));
    }
    if case.has_experts() {
        draft.set(SECTION, "ep", integer(case.ep));
        match case.count("expert-tensor-parallel-size")? {
            Some(degree) => draft.set(SECTION, "etp", integer(degree)),
            None => draft.assume(SECTION, "etp", integer(case.etp), DEFAULT),
        }
    }
    match case.count("micro-batch-size")? {
        Some(size) => draft.set(SECTION, "micro_batch", integer(size)),
        None => draft.assume(SECTION, "micro_batch", integer(case.micro_batch), NAME),
    }
    if 1 < case.tp {
        draft.set(SECTION, "sp", case.has("sequence-parallel"));
    }
    Ok(())
}

/// Chunks, and which layers stand in which stage.
fn pipeline(case: &Case<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    let layers = case.count("num-layers")?.unwrap_or(0);
    let per_chunk = case.count("num-layers-per-virtual-pipeline-stage")?;
    let chunks = case.count("num-virtual-stages-per-pipeline-rank")?;
    let chunks = chunks.or(per_chunk.map(|each| layers / case.pp / each.max(1)));
    let split = stages(case)?;
    if let Some(split) = split {
        let chunks = split.len() as u64 / case.pp;
        draft.set(SECTION, "vp", integer(chunks));
        let split = split.into_iter().map(integer).collect();
        draft.set(SECTION, "layer_split", Value::Array(split));
    } else if let Some(chunks) = chunks.filter(|chunks| 1 < *chunks) {
        draft.set(SECTION, "vp", integer(chunks));
    }
    let ends = 2 * 2;
    if case.named("uneven_pipeline") && 2 < case.pp && ends < layers {
        let inner = (layers - ends) / (case.pp - 2);
        let split = (0..case.pp).map(|stage| {
            let is_end = stage == 0 || stage + 1 == case.pp;
            integer(if is_end { 2 } else { inner })
        });
        draft.assume(SECTION, "layer_split", Value::Array(split.collect()), NAME);
    }
    if case.named("account_for_embedding_loss") {
        draft.assume(SECTION, "layer_split", "embedding-and-loss", NAME);
    }
    if case.named("tunable_overlap") {
        draft.assume(SECTION, "interleave_group", 5, NAME);
    }
    Ok(())
}

/// Layers of every stage of a layout such as `Et*3|(tt|)*6mL`: `E` is the embedding, `t` a layer,
/// `m` a module for a further token, `L` the loss, `|` ends a stage, `*n` repeats what stands
/// before it.
///
/// # Errors
///
/// [`RunsError::BadCell`] where it repeats more than a model can have.
pub(super) fn stages(case: &Case<'_>) -> Result<Option<Vec<u64>>, RunsError> {
    const COLUMN: &str = "pipeline-model-parallel-layout";
    let Some(layout) = case.text(COLUMN) else {
        return Ok(None);
    };
    let expected = "a layout such as Et*3|(tt|)*6mL of at most 100,000 letters";
    let flat = expanded(layout).ok_or_else(|| case.record.bad(COLUMN, expected))?;
    let layers = |stage: &str| stage.chars().filter(|c| *c == 't').count() as u64;
    Ok(Some(flat.split('|').map(layers).collect()))
}

/// A layout without repetitions; nothing where it is longer than any model.
fn expanded(layout: &str) -> Option<String> {
    const LONGEST: usize = 100_000;
    let mut flat = String::new();
    let mut last = String::new();
    let mut letters = layout.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '(' => {
                last = letters.by_ref().take_while(|c| *c != ')').collect();
                flat.push_str(&last);
            }
            '*' => {
                let mut times = 0_usize;
                while let Some(digit) = letters.peek().and_then(|c| c.to_digit(10)) {
                    times = times.saturating_mul(10).saturating_add(digit as usize);
                    letters.next();
                }
                if LONGEST < times.saturating_mul(last.len()).saturating_add(flat.len()) {
                    return None;
                }
                flat.push_str(&last.repeat(times.saturating_sub(1)));
            }
            other => {
                last = other.to_string();
                flat.push(other);
            }
        }
    }
    Some(flat)
}

/// What data-parallel ranks cut among them, and what runs beside the passes.
fn states(case: &Case<'_>, machine: Machine, draft: &mut Draft) {
    let data = machine.gpus / (case.tp * case.pp);
    if case.has("use-megatron-fsdp") {
        draft.set(SECTION, "shard", "zero-3");
    } else if case.named("multi_dist_optimizer_instances") && 1 < data {
        let level = Table::from_iter([
            ("what".to_owned(), Value::from("optimizer")),
            ("group".to_owned(), integer(data / 2)),
        ]);
        let levels = Value::Array(vec![Value::Table(level)]);
        draft.assume(SECTION, "shard", levels, NAME);
    } else {
        let is_cut = case.has("use-distributed-optimizer");
        draft.set(SECTION, "shard", if is_cut { "zero-1" } else { "none" });
    }
    let overlap = Table::from_iter([
        (
            "grad_reduce".to_owned(),
            Value::from(case.has("overlap-grad-reduce")),
        ),
        (
            "param_gather".to_owned(),
            Value::from(case.has("overlap-param-gather")),
        ),
    ]);
    draft.set(SECTION, "overlap", Value::Table(overlap));
}

fn recompute(case: &Case<'_>, draft: &mut Draft) {
    let modules = case.text("recompute-modules").map(|list| {
        let names = list.trim_matches(['[', ']', '"']).split_whitespace();
        Value::Array(names.map(Value::from).collect())
    });
    match (case.text("recompute-granularity"), modules) {
        (Some("full"), _) => draft.set(SECTION, "recompute", "full"),
        (Some(_), Some(modules)) => draft.set(SECTION, "recompute", modules),
        (Some(_), None) => draft.set(SECTION, "recompute", "selective"),
        (None, _) => draft.assume(SECTION, "recompute", "none", DEFAULT),
    }
}

fn framework(case: &Case<'_>, draft: &mut Draft) {
    const FRAMEWORKS: &str = "framework";
    draft.assume(FRAMEWORKS, "name", "megatron-lm", FRAMEWORK);
    let backend = case.text("attention-backend");
    let is_flash = case.has("use-flash-attn");
    let local = case.text("transformer-impl") == Some("local");
    let masks = matches!(case.family, Family::Bert | Family::T5);
    let old = case.env.contains("dracooci")
        || (case.env == "lts_dgx_a100" && case.text("nodes").is_none());
    match backend {
        Some("unfused" | "local") => draft.set(FRAMEWORKS, "attention", "unfused"),
        None if !is_flash && (local || masks) => {
            draft.assume(FRAMEWORKS, "attention", "unfused", LOCAL_ATTENTION);
        }
        None if !is_flash && old && !case.is_release() => {
            draft.assume(FRAMEWORKS, "attention", "unfused", OLD_ATTENTION);
        }
        _ => {}
    }
    draft.assume(FRAMEWORKS, "choices", choices(case), SWITCHES);
}

/// What a case does otherwise than the script without being asked.
fn choices(case: &Case<'_>) -> Value {
    let proxy = case.is_proxy();
    let free_dense = !case.has_experts() && case.family == Family::Gpt;
    let is_free = case.is_release()
        || proxy
        || (free_dense && 1 < case.cp)
        || (free_dense && case.named("nondeterministic"))
        || case.named("cross_entropy_loss_fusion");
    let switches = [
        ("deterministic", !is_free),
        ("fused_grad_accumulation", case.is_release() || proxy),
        (
            "fused_cross_entropy",
            proxy || case.named("cross_entropy_loss_fusion"),
        ),
        ("grouped_gemm", case.has("moe-grouped-gemm")),
        ("fused_permute", proxy),
    ];
    let all = switches.map(|(name, on)| (name.to_owned(), Value::from(on)));
    Value::Table(Table::from_iter(all))
}
