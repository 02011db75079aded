//! `[plan]` of a row.
//!
//! ```text
//! degrees ─▶ experts ─▶ chunks and layers of stages ─▶ micro-batch
//!         └▶ memory: recomputation, sharding, offload ─▶ alternatives, where the row is silent
//! ```

mod experts;
mod memory;
mod stages;
mod words;

pub(super) use memory::alternatives;
pub(super) use words::recomputes_all;

use toml::{Table as Toml, Value};

use super::{Known, Row, whole};
use crate::{Draft, Rule, RunsError};

const ONE: Rule = Rule::new("micro-batch-of-one", "the row names no micro-batch");
const BY_STEPS: Rule = Rule::new(
    "micro-batch-by-steps",
    "global batch / (dp x steps of accumulation)",
);
const SP: Rule = Rule::new(
    "sequence-parallel",
    "recipes with tensor parallelism switch sequence parallelism on",
);
const NO_SP: Rule = Rule::new("no-sequence-parallel", "frameworks of 2021 have none");
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

const NEAREST: Rule = Rule::new(
    "micro-batch-fits",
    "the micro-batch of the recipe, or of the run that the row repeats, does not divide the global batch over the ranks: the nearest that does",
);

/// Writes `[plan]`.
///
/// * `gpus` — in all.
pub(super) fn plan(row: &Row<'_>, gpus: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let tp = row.degree("tp")?.put(draft, P, "tp").unwrap_or(1);
    let pp = row.degree("pp")?.put(draft, P, "pp").unwrap_or(1);
    let cp = row.degree("cp")?.put(draft, P, "cp").unwrap_or(1);
    let replica = tp.saturating_mul(pp).saturating_mul(cp).max(1);
    let dp = (gpus / replica).max(1);
    experts::experts(row, gpus, pp, draft)?;
    stages::chunks(row, pp, draft)?;
    micro_batch(row, dp, draft)?;
    memory::recompute(row, draft)?;
    memory::shard(row, dp, tp, draft)?;
    sequence_parallel(row, tp, draft)?;
    overlap(row, pp, draft);
    stages::layers(row, pp, draft)?;
    memory::offload(row, tp, draft)
}

fn micro_batch(row: &Row<'_>, dp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let record = row.record;
    let batch = draft.count("training", "global_batch").unwrap_or(1);
    let known = match row.degree("mbs")? {
        Known::Inferred(size, _) if !batch.is_multiple_of(dp.saturating_mul(size)) => {
            nearest(size, batch / dp).map_or(Known::Missing, |size| Known::Inferred(size, NEAREST))
        }
        known => known,
    };
    if known.put(draft, P, "micro_batch").is_some() {
        return Ok(());
    }
    if let Some(steps) = record.count("grad_accum")? {
        let size = (batch / dp.saturating_mul(steps).max(1)).max(1);
        draft.assume(P, "micro_batch", whole(size), BY_STEPS);
    } else {
        draft.assume(P, "micro_batch", 1, ONE);
    }
    Ok(())
}

/// The divisor of a share of the batch that is nearest to a micro-batch, in proportion.
fn nearest(size: u64, share: u64) -> Option<u64> {
    const MOST: u64 = 1 << 12;
    let off = |divisor: &u64| {
        let (low, high) = (size.min(*divisor), size.max(*divisor));
        high as f64 / low as f64
    };
    let divisors = (1..=share.min(MOST)).filter(|divisor| share.is_multiple_of(*divisor));
    divisors.min_by(|a, b| off(a).total_cmp(&off(b)))
}

fn sequence_parallel(row: &Row<'_>, tp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    match row.record.flag("sp")? {
        Some(is_on) => draft.set(P, "sp", is_on),
        None if row.family.of_2021 => draft.assume(P, "sp", false, NO_SP),
        None if 1 < tp => draft.assume(P, "sp", true, SP),
        None => {}
    }
    Ok(())
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
