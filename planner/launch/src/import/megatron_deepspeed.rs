//! Arguments of Megatron-DeepSpeed, which are those of an older Megatron-LM with a few more, and
//! the `ds_config.json` that they name.

use serde_json::{Map, Value};

use super::options::Options;
use super::scenario::Draft;
use super::world::World;
use super::{deepspeed, megatron};
use crate::document::Field;
use crate::error::ImportError;

/// Whether options are of a run with `DeepSpeed`.
pub(super) fn is_in(options: &Options) -> bool {
    ["deepspeed", "deepspeed-config", "zero-stage"]
        .into_iter()
        .any(|name| options.has(name))
}

/// A scenario from arguments, and the configuration where it is at hand.
pub(super) fn of_options(
    mut options: Options,
    world: World,
    config: Option<&Map<String, Value>>,
) -> Result<Draft, ImportError> {
    translate(&mut options);
    let stage: u32 = options.number("zero-stage")?.unwrap_or(0);
    options.known(&SILENT);
    let mut draft = megatron::of_options(&options, world)?;
    let ranks = shared_by(&options, world)?;
    if let Some(config) = config {
        deepspeed::sharding(config, ranks, &mut draft.out)?;
        draft.ignored.extend(deepspeed::ignored(config));
    } else {
        draft.out.set("plan.shard", shard(stage, ranks));
        draft.notes.push(
            "ds_config.json is not at hand: sharding is taken from --zero-stage, and nothing is \
             offloaded"
                .to_owned(),
        );
    }
    draft.out.set("framework.name", "megatron-deepspeed");
    Ok(draft)
}

/// Options of Megatron-DeepSpeed by the names of Megatron-LM.
fn translate(options: &mut Options) {
    options.rename("ds-sequence-parallel-size", "context-parallel-size");
    options.rename("num-key-value-heads", "num-query-groups");
    if options.has("context-parallel-size") {
        options.add("cp-comm-type", &["a2a"]);
    }
    match options.text("normalization") {
        Some("rmsnorm") => options.add("normalization", &["RMSNorm"]),
        Some("layernorm") => options.add("normalization", &["LayerNorm"]),
        _ => {}
    }
    if options.has("checkpoint-activations") {
        options.add("recompute-granularity", &["full"]);
        options.add("recompute-method", &["uniform"]);
    }
    if options.has("no-pipeline-parallel") {
        options.add("pipeline-model-parallel-size", &["1"]);
    }
}

/// Ranks that share dense parameters.
fn shared_by(options: &Options, world: World) -> Result<u32, ImportError> {
    let degree = |name| Ok::<u32, ImportError>(options.number(name)?.unwrap_or(1).max(1));
    let tp = degree("tensor-model-parallel-size")?;
    let pp = degree("pipeline-model-parallel-size")?;
    let inner = tp.saturating_mul(pp);
    Ok(world.gpus.map_or(1, |gpus| (gpus / inner.max(1)).max(1)))
}

/// What the stages of `ZeRO` share.
fn shard(stage: u32, ranks: u32) -> Field {
    let what: &[&str] = match stage {
        0 => &[],
        1 => &["optimizer"],
        2 => &["gradients", "optimizer"],
        _ => &["weights", "gradients", "optimizer"],
    };
    let level = |what: &&str| Field::Table(vec![("what", (*what).into()), ("group", ranks.into())]);
    Field::List(what.iter().filter(|_| 1 < ranks).map(level).collect())
}

/// Options that say nothing more.
const SILENT: [&str; 6] = [
    "deepspeed",
    "deepspeed-config",
    "deepspeed-activation-checkpointing",
    "checkpoint-activations",
    "no-pipeline-parallel",
    "ds-sequence-parallel-size",
];
