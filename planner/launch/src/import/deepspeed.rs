//! `DeepSpeed`'s JSON: batch, formats and sharding, and nothing of model or degrees.

use serde_json::{Map, Value};

use super::Imported;
use super::scenario::{Draft, start};
use super::world::World;
use crate::document::{Document, Field};
use crate::error::ImportError;
use crate::export::DEEPSPEED_KEYS;

const NAME: &str = "DeepSpeed";

pub(super) fn import(text: &str) -> Result<Imported, ImportError> {
    let config = read(text)?;
    let (mut out, mut notes) = (start(), Vec::new());
    notes.push("the file has no model: --set model.config=NAME gives it".to_owned());
    let batch = Batch::of(&config, &mut notes)?;
    let world = World {
        gpus: Some(batch.dp),
        per_node: 8,
    };
    world.write(batch.dp, &mut out, &mut notes);
    training(&config, &batch, &mut out, &mut notes);
    plan(&config, &batch, &mut out, &mut notes)?;
    out.set("framework.name", "deepspeed-zero");
    let ignored = ignored(&config);
    Ok(Draft {
        out,
        notes,
        ignored,
    }
    .finish())
}

/// The JSON object of a configuration.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, ImportError> {
    let document: Value = serde_json::from_str(text).map_err(|error| ImportError::Syntax {
        producer: NAME,
        message: error.to_string(),
    })?;
    let Value::Object(config) = document else {
        return Err(ImportError::Syntax {
            producer: NAME,
            message: "the file is no JSON object".to_owned(),
        });
    };
    // DeepSpeed takes keys that it does not know without a word.
    if let Some(key) = config
        .keys()
        .find(|key| !DEEPSPEED_KEYS.contains(&key.as_str()))
    {
        return Err(ImportError::UnknownKey {
            producer: NAME,
            key: key.chars().take(80).collect(),
        });
    }
    Ok(config)
}

/// The batch: `train_batch_size` is micro-batch times accumulation times data-parallel ranks.
struct Batch {
    global: u64,
    micro: u64,
    dp: u32,
}

impl Batch {
    fn of(config: &Map<String, Value>, notes: &mut Vec<String>) -> Result<Self, ImportError> {
        let number = |key: &str| match config.get(key) {
            None => Ok(None),
            Some(Value::String(auto)) if auto == "auto" => Ok(None),
            Some(value) => match value.as_u64().filter(|n| 0 < *n) {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(key, value, "a positive number, or \"auto\"")),
            },
        };
        let global = number("train_batch_size")?;
        let micro = number("train_micro_batch_size_per_gpu")?;
        let steps = number("gradient_accumulation_steps")?;
        let micro = micro.unwrap_or(1);
        let share = micro.saturating_mul(steps.unwrap_or(1));
        let (Some(global), Some(_)) = (global, steps) else {
            notes.push(
                "the file does not say how many data-parallel ranks there are: one is taken, --set \
                 plan.dp=N takes more"
                    .to_owned(),
            );
            return Ok(Self {
                global: global.unwrap_or(share),
                micro,
                dp: 1,
            });
        };
        let dp = global.is_multiple_of(share).then_some(global / share);
        let dp = dp
            .and_then(|dp| u32::try_from(dp).ok())
            .filter(|dp| 0 < *dp);
        let expected = "a multiple of micro-batch and accumulation";
        let value = Value::from(global);
        Ok(Self {
            global,
            micro,
            dp: dp.ok_or_else(|| wrong("train_batch_size", &value, expected))?,
        })
    }
}

fn wrong(key: &str, value: &Value, expected: &'static str) -> ImportError {
    ImportError::Value {
        producer: NAME,
        name: key.to_owned(),
        value: value.to_string().chars().take(80).collect(),
        expected,
    }
}

fn training(
    config: &Map<String, Value>,
    batch: &Batch,
    out: &mut Document,
    notes: &mut Vec<String>,
) {
    out.set("training.global_batch", batch.global);
    out.set("training.seq_len", 4096_u64);
    notes.push("the file has no length of a sequence: 4096 is taken, --set training.seq_len=N takes another".to_owned());
    let enabled = |key: &str| {
        let section = config.get(key).and_then(|section| section.get("enabled"));
        section.and_then(Value::as_bool).unwrap_or(false)
    };
    let precision = match (enabled("bf16") || enabled("bfloat16"), enabled("fp16")) {
        (true, _) => "bf16",
        (_, true) => "fp16",
        _ => "fp32",
    };
    out.set("training.precision", precision);
    let types = config
        .get("data_types")
        .and_then(|types| types.get("grad_accum_dtype"));
    let dtype = types.and_then(Value::as_str);
    let known = dtype.filter(|dtype| ["fp32", "fp16", "bf16"].contains(dtype));
    out.set_some("training.grad_dtype", known);
}

fn plan(
    config: &Map<String, Value>,
    batch: &Batch,
    out: &mut Document,
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    out.set("plan.dp", batch.dp);
    out.set("plan.micro_batch", batch.micro);
    notes.push("tensor and pipeline parallelism are not in the file: tp and pp are 1".to_owned());
    experts(config, out)?;
    sharding(config, batch.dp, out)
}

/// Experts that `DeepSpeed` spreads by itself.
fn experts(config: &Map<String, Value>, out: &mut Document) -> Result<(), ImportError> {
    let section = config.get("expert_parallel").and_then(Value::as_object);
    let enabled =
        |section: &&Map<String, Value>| section.get("enabled") == Some(&Value::from(true));
    let Some(section) = section.filter(enabled) else {
        return Ok(());
    };
    let size = section.get("autoep_size").cloned();
    let size = size.unwrap_or_else(|| Value::from(1));
    let degree = size.as_u64().and_then(|n| u32::try_from(n).ok());
    let degree = degree.filter(|degree| 0 < *degree);
    let name = "expert_parallel.autoep_size";
    let degree = degree.ok_or_else(|| wrong(name, &size, "a positive number"))?;
    out.set("plan.ep", degree);
    out.set("plan.etp", 1_u32);
    let deep = section.get("comm_backend").and_then(Value::as_str) == Some("deepep");
    let dispatcher = if deep { "deepep" } else { "alltoall" };
    out.set("plan.moe.dispatcher", dispatcher);
    Ok(())
}

/// What data-parallel ranks share, overlap and keep elsewhere.
///
/// * `ranks` — those that share dense parameters.
pub(super) fn sharding(
    config: &Map<String, Value>,
    ranks: u32,
    out: &mut Document,
) -> Result<(), ImportError> {
    let empty = Map::new();
    let zero = config.get("zero_optimization").and_then(Value::as_object);
    let zero = zero.unwrap_or(&empty);
    let stage = match zero.get("stage") {
        None => 0,
        Some(value) => match value.as_u64().filter(|stage| *stage <= 3) {
            Some(stage) => stage,
            None => return Err(wrong("zero_optimization.stage", value, "0, 1, 2 or 3")),
        },
    };
    let weights = zero.get("zero_hpz_partition_size").and_then(Value::as_u64);
    let weights = weights
        .and_then(|n| u32::try_from(n).ok())
        .filter(|n| 1 < *n);
    out.set("plan.shard", shard(stage, ranks, weights));
    if 1 < ranks {
        let overlap = zero.get("overlap_comm").and_then(Value::as_bool);
        let overlap = overlap.unwrap_or(stage == 3);
        out.set("plan.overlap.grad_reduce", overlap);
        out.set("plan.overlap.param_gather", overlap && stage == 3);
    }
    offload(zero, out);
    Ok(())
}

/// What the stages of `ZeRO` share.
fn shard(stage: u64, ranks: u32, weights: Option<u32>) -> Field {
    let what: &[&str] = match stage {
        0 => &[],
        1 => &["optimizer"],
        2 => &["gradients", "optimizer"],
        _ => &["weights", "gradients", "optimizer"],
    };
    let level = |what: &&str| {
        let group = match (*what, weights) {
            ("weights", Some(group)) => group,
            _ => ranks,
        };
        Field::Table(vec![("what", (*what).into()), ("group", group.into())])
    };
    Field::List(what.iter().filter(|_| 1 < ranks).map(level).collect())
}

fn offload(zero: &Map<String, Value>, out: &mut Document) {
    let section = |key: &str| {
        let section = zero.get(key)?;
        let device = section.get("device").and_then(Value::as_str)?;
        (device != "none").then_some((section, device))
    };
    if let Some((section, device)) = section("offload_optimizer") {
        let ratio = section.get("ratio").and_then(Value::as_f64);
        out.set("plan.offload.optimizer", ratio.unwrap_or(1.0));
        out.set("plan.offload.target", target(device));
    }
    if let Some((_, device)) = section("offload_param") {
        out.set("plan.offload.weights", 1.0);
        out.set("plan.offload.target", target(device));
    }
}

fn target(device: &str) -> &'static str {
    if device == "nvme" { "ssd" } else { "host" }
}

/// The keys that were read, at the top and in `zero_optimization`.
const READ: [&str; 11] = [
    "_comment",
    "expert_parallel",
    "train_batch_size",
    "train_micro_batch_size_per_gpu",
    "gradient_accumulation_steps",
    "zero_optimization",
    "bf16",
    "bfloat16",
    "fp16",
    "data_types",
    "steps_per_print",
];
const READ_ZERO: [&str; 5] = [
    "stage",
    "overlap_comm",
    "zero_hpz_partition_size",
    "offload_optimizer",
    "offload_param",
];

pub(super) fn ignored(config: &Map<String, Value>) -> Vec<String> {
    let top = config.keys().filter(|key| !READ.contains(&key.as_str()));
    let mut all: Vec<String> = top.cloned().collect();
    let zero = config.get("zero_optimization").and_then(Value::as_object);
    let keys = zero.into_iter().flat_map(Map::keys);
    let keys = keys.filter(|key| !READ_ZERO.contains(&key.as_str()));
    all.extend(keys.map(|key| format!("zero_optimization.{key}")));
    all
}
