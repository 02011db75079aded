//! What decides over memory: recomputation, sharding, offload.

use toml::{Table as Toml, Value};

use super::words::{Fsdp, Recompute, fsdp, recompute as recompute_word, zero_stage};
use crate::spelled::has_any;
use crate::training::{Row, whole};
use crate::{Draft, Rule, RunsError};

const LEAST: Rule = Rule::new(
    "least-recompute",
    "the row says nothing of recomputation: the least that fits into memory",
);
const CHECKPOINTS: Rule = Rule::new(
    "checkpoints",
    "Megatron's 3D examples of that time compute all activations again",
);
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
const HYBRID: Rule = Rule::new(
    "hybrid-shard",
    "hybrid sharding cuts within a node and repeats the node: its data-parallel ranks",
);
const GROUP_FITS: Rule = Rule::new(
    "shard-fits",
    "there are fewer data-parallel ranks than the row shards over: all of them",
);

const P: &str = "plan";

/// Writes what is computed again.
pub(super) fn recompute(row: &Row<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    match recompute_word(row.record)? {
        Some(Recompute::Full) => draft.set(P, "recompute", "full"),
        Some(Recompute::Selective) => draft.set(P, "recompute", "selective"),
        Some(Recompute::None) => draft.set(P, "recompute", "none"),
        Some(Recompute::Layers(layers)) => draft.set(P, "recompute", whole(layers)),
        None if row.family.of_2021 => draft.assume(P, "recompute", "full", CHECKPOINTS),
        None => draft.assume(P, "recompute", "none", LEAST),
    }
    Ok(())
}

/// Writes what data-parallel ranks cut among them.
pub(super) fn shard(row: &Row<'_>, dp: u64, tp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    let record = row.record;
    let stage = zero_stage(record)?;
    let word = fsdp(record)?;
    match word.unwrap_or(Fsdp::Off) {
        Fsdp::Off => unsharded(row, stage, word.is_some(), draft),
        Fsdp::Full => draft.set(P, "shard", "zero-3"),
        Fsdp::Gradients => draft.set(P, "shard", "zero-2"),
        Fsdp::Ranks(ranks) if dp < ranks => {
            draft.assume(P, "shard", levels(&WHOLE, dp), GROUP_FITS);
        }
        Fsdp::Ranks(ranks) => draft.set(P, "shard", levels(&WHOLE, ranks)),
        Fsdp::Hybrid => hybrid(&WHOLE, "zero-3", dp, tp, draft),
        Fsdp::HybridGradients => hybrid(&WHOLE[1..], "zero-2", dp, tp, draft),
    }
    Ok(())
}

const WHOLE: [&str; 3] = ["weights", "gradients", "optimizer"];

/// Levels of sharding in groups of so many ranks.
fn levels(parts: &[&str], group: u64) -> Value {
    let level = |what: &&str| {
        let mut table = Toml::new();
        table.insert("what".to_owned(), Value::from(*what));
        table.insert("group".to_owned(), Value::from(whole(group)));
        Value::Table(table)
    };
    Value::Array(parts.iter().map(level).collect())
}

/// Sharding inside a node; over all ranks where a node has one of them or all.
fn hybrid(parts: &[&str], all: &str, dp: u64, tp: u64, draft: &mut Draft) {
    let nodes = draft.get("cluster", "nodes").and_then(Value::as_array);
    let first = nodes.and_then(|nodes| nodes.first()?.get("gpus")?.as_integer());
    let of_node = first.and_then(|gpus| u64::try_from(gpus).ok()).unwrap_or(1) / tp.max(1);
    let group = (1..=of_node.min(dp))
        .rev()
        .find(|group| dp.is_multiple_of(*group));
    match group.filter(|group| 1 < *group && *group < dp) {
        Some(group) => draft.assume(P, "shard", levels(parts, group), HYBRID),
        None => draft.assume(P, "shard", all, HYBRID),
    }
}

/// Sharding without FSDP, by the stage of `ZeRO`.
///
/// * `is_said` — whether the row says that there is no FSDP.
fn unsharded(row: &Row<'_>, stage: Option<u8>, is_said: bool, draft: &mut Draft) {
    let record = row.record;
    if let Some(stage) = stage {
        const NAMES: [&str; 4] = ["none", "zero-1", "zero-2", "zero-3"];
        draft.set(P, "shard", NAMES[usize::from(stage.min(3))]);
    } else if has_any(record.or_empty("source_path"), &["tr3m-1b3"]) {
        draft.assume(P, "shard", "zero-1", ZERO_OF_SCRIPT);
    } else if row.family.of_2021 {
        draft.assume(P, "shard", "none", NO_ZERO);
    } else if matches!(row.family.name, "torchtitan" | "composer-fsdp") {
        if is_said {
            draft.set(P, "shard", "none");
            return;
        }
        draft.assume(P, "shard", "zero-3", FSDP);
    } else {
        draft.assume(P, "shard", "zero-1", ZERO_1);
    }
}

/// Writes what the host keeps.
pub(super) fn offload(row: &Row<'_>, tp: u64, draft: &mut Draft) -> Result<(), RunsError> {
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
    let is_zero_3 = zero_stage(record)? == Some(3);
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
pub(in crate::training) fn alternatives(row: &Row<'_>, draft: &Draft) -> Vec<Draft> {
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
