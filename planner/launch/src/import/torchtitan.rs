//! torchtitan's flags, and its TOML files of before 0.3.

mod fields;

use super::Imported;
use super::options::Options;
use super::scenario::{Draft, start};
use super::script::{self, Script};
use super::world::World;
use crate::document::{Document, Field};
use crate::error::ImportError;

use fields::{KEYS, Titan, flags, of_toml, subcommand};

const NAME: &str = "torchtitan";

pub(super) fn import(text: &str) -> Result<Imported, ImportError> {
    if let Ok(table) = text.parse::<toml::Table>() {
        let world = World {
            gpus: None,
            per_node: 8,
        };
        return of_fields(&of_toml(&table), world).map(Draft::finish);
    }
    let script = script::read(text);
    let options = Options::of(&script, NAME);
    let world = World::of(&script, &options);
    of_script(&script, &options, world).map(Draft::finish)
}

/// Whether a script has flags of torchtitan.
pub(super) fn is_in(script: &Script) -> bool {
    let options = Options::of(script, NAME);
    options.has("module") || options.has("training.seq-len")
}

/// A scenario from the flags of a script, and the subcommand behind them.
pub(super) fn of_script(
    script: &Script,
    options: &Options,
    world: World,
) -> Result<Draft, ImportError> {
    of_fields(&flags(options, subcommand(script)), world)
}

/// A scenario from a TOML file; none where the text is no TOML.
pub(super) fn of_text(text: &str, world: World) -> Option<Result<Draft, ImportError>> {
    let table = text.parse::<toml::Table>().ok()?;
    Some(of_fields(&of_toml(&table), world))
}

fn of_fields(titan: &Titan, world: World) -> Result<Draft, ImportError> {
    let (mut out, mut notes) = (start(), Vec::new());
    match titan.model {
        Some(model) => out.set("model.config", model),
        None => notes.push(
            "the model is not one that is known by this name: --set model.config=NAME gives it"
                .to_owned(),
        ),
    }
    let plan = Degrees::of(titan, world, &mut notes)?;
    world.write(plan.ranks(), &mut out, &mut notes);
    let micro = batch(titan, &plan, &mut out, &mut notes)?;
    plan.write(titan, micro, &mut out)?;
    pipeline(titan, &plan, &mut out, &mut notes)?;
    out.set("framework.name", "torchtitan");
    let unread = titan
        .fields
        .keys()
        .filter(|key| !KEYS.contains(&key.as_str()));
    let ignored = unread.cloned().collect();
    Ok(Draft {
        out,
        notes,
        ignored,
    })
}

/// Degrees of parallelism.
struct Degrees {
    tp: u32,
    pp: u32,
    cp: u32,
    ep: u32,
    replicas: u32,
    shards: u32,
}

impl Degrees {
    fn of(titan: &Titan, world: World, notes: &mut Vec<String>) -> Result<Self, ImportError> {
        let tp = titan.degree("tensor_parallel_degree")?;
        let pp = titan.degree("pipeline_parallel_degree")?;
        let cp = titan.degree("context_parallel_degree")?;
        let replicas = titan.degree("data_parallel_replicate_degree")?;
        let given = titan.number("parallelism.data_parallel_shard_degree")?;
        let shards = if let Some(shards) = given.and_then(|n| u32::try_from(n).ok()) {
            shards.max(1)
        } else {
            let block = tp.saturating_mul(pp).saturating_mul(cp);
            world.replicas(block.saturating_mul(replicas), NAME, notes)?
        };
        Ok(Self {
            tp,
            pp,
            cp,
            ep: titan.degree("expert_parallel_degree")?,
            replicas,
            shards,
        })
    }

    const fn dp(&self) -> u32 {
        self.replicas.saturating_mul(self.shards)
    }

    const fn ranks(&self) -> u32 {
        let block = self.tp.saturating_mul(self.pp).saturating_mul(self.cp);
        block.saturating_mul(self.dp())
    }

    fn write(&self, titan: &Titan, micro: u64, out: &mut Document) -> Result<(), ImportError> {
        out.set("plan.tp", self.tp);
        out.set("plan.pp", self.pp);
        out.set("plan.cp", self.cp);
        self.experts(titan, out)?;
        out.set("plan.dp", self.dp());
        out.set("plan.micro_batch", micro);
        let off = titan.text("parallelism.enable_sequence_parallel") == Some("false");
        out.set("plan.sp", 1 < self.tp && !off);
        if 1 < self.cp {
            let exchange = titan.text("parallelism.context_parallel_rotate_method");
            let method = if exchange == Some("alltoall") {
                "alltoall"
            } else {
                "allgather"
            };
            out.set("plan.cp_method", method);
        }
        let group = self.shards.saturating_mul(self.cp);
        out.set("plan.shard", shard(group));
        let chunked = titan.is_on("compile.enable_async_tensor_parallel")
            || titan.is_on("parallelism.enable_async_tensor_parallel");
        if chunked && 1 < self.tp {
            out.set("plan.overlap.tp", "chunked");
        }
        if titan.is_on("training.enable_cpu_offload") {
            out.set("plan.offload.optimizer", 1.0);
            out.set("plan.offload.weights", 1.0);
        }
        let graphs = titan.text("training.disable_cuda_graphs");
        out.set_some("plan.cuda_graphs", graphs.map(|off| off == "false"));
        let mode = titan
            .text("activation_checkpoint.mode")
            .unwrap_or("selective");
        out.set("plan.recompute", recompute(mode)?);
        Ok(())
    }
}

/// The degree of tensor parallelism inside experts that expert parallelism leaves.
const INNER: &str = "expert_tensor_parallel_degree";

impl Degrees {
    /// Without expert parallelism, experts are cut as the other layers are.
    fn experts(&self, titan: &Titan, out: &mut Document) -> Result<(), ImportError> {
        if self.ep == 1 {
            out.set("plan.etp", self.tp);
            return Ok(());
        }
        out.set("plan.ep", self.ep);
        out.set("plan.etp", titan.degree(INNER)?);
        let deep = titan.text("parallelism.expert_parallel_comm_backend") == Some("deepep");
        let dispatcher = if deep { "deepep" } else { "alltoall" };
        out.set("plan.moe.dispatcher", dispatcher);
        Ok(())
    }
}

/// FSDP shares everything over one group.
fn shard(group: u32) -> Field {
    if group == 1 {
        return Field::List(Vec::new());
    }
    let level = |what: &str| Field::Table(vec![("what", what.into()), ("group", group.into())]);
    Field::List(["weights", "gradients", "optimizer"].map(level).to_vec())
}

fn recompute(mode: &str) -> Result<&str, ImportError> {
    match mode {
        "none" | "selective" | "full" => Ok(mode),
        other => Err(ImportError::Value {
            producer: NAME,
            name: "activation_checkpoint".to_owned(),
            value: other.chars().take(80).collect(),
            expected: "none, selective or full",
        }),
    }
}

/// `[training]`, and the sequences of a micro-batch.
fn batch(
    titan: &Titan,
    plan: &Degrees,
    out: &mut Document,
    notes: &mut Vec<String>,
) -> Result<u64, ImportError> {
    let local = titan
        .number("training.local_batch_size")?
        .unwrap_or(8)
        .max(1);
    let global = titan.number("training.global_batch_size")?;
    let global = global.unwrap_or_else(|| local.saturating_mul(u64::from(plan.dp())));
    out.set("training.global_batch", global);
    let seq_len = titan.number("training.seq_len")?;
    if seq_len.is_none() {
        notes.push(
            "the file has no training.seq_len: 2048, torchtitan's default, is taken".to_owned(),
        );
    }
    out.set("training.seq_len", seq_len.unwrap_or(2048));
    let full = titan.text("training.mixed_precision_param") == Some("float32");
    out.set("training.precision", if full { "fp32" } else { "bf16" });
    out.set("training.grad_dtype", "fp32");
    if 1 < plan.pp {
        let micro = titan.number("parallelism.pipeline_parallel_microbatch_size")?;
        return Ok(micro.unwrap_or(1));
    }
    Ok(local)
}

fn pipeline(
    titan: &Titan,
    plan: &Degrees,
    out: &mut Document,
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    if plan.pp == 1 {
        return Ok(());
    }
    if let Some(file) = titan
        .text("parallelism.pipeline_parallel_schedule_csv")
        .filter(|f| !f.is_empty())
    {
        let name = file.rsplit('/').next().unwrap_or(file);
        out.set("plan.schedule_file", name);
        notes.push(format!(
            "the schedule is read from {name} beside the scenario"
        ));
    } else {
        out.set("plan.schedule", schedule(titan)?);
    }
    split(titan, plan, out)
}

fn schedule(titan: &Titan) -> Result<&'static str, ImportError> {
    let name = titan.text("parallelism.pipeline_parallel_schedule");
    match name.map(str::to_ascii_lowercase).as_deref() {
        None | Some("1f1b") => Ok("1f1b"),
        Some("gpipe") => Ok("gpipe"),
        Some("interleaved1f1b") => Ok("interleaved"),
        Some("zbvzerobubble") => Ok("zb-v"),
        Some("dualpipev") => Ok("dualpipev"),
        Some(other) => Err(ImportError::Value {
            producer: NAME,
            name: "parallelism.pipeline_parallel_schedule".to_owned(),
            value: other.chars().take(80).collect(),
            expected: "1F1B, GPipe, Interleaved1F1B, ZBVZeroBubble or DualPipeV",
        }),
    }
}

/// Layers by stage, where the file says how many layers a stage has and how many the ends lack:
/// then the stages follow from the model, which is known by its name.
fn split(titan: &Titan, plan: &Degrees, out: &mut Document) -> Result<(), ImportError> {
    let less = |end: &str| {
        let key = format!("parallelism.pipeline_parallel_{end}_stage_less_layers");
        titan.number(&key).map(|given| given.unwrap_or(1))
    };
    let (first, last) = (less("first")?, less("last")?);
    let each = titan.number("parallelism.pipeline_parallel_layers_per_stage")?;
    let layers = titan.model.and_then(crate::export::titan_layers);
    let (Some(each), Some(layers)) = (each.filter(|each| 0 < *each), layers) else {
        return Ok(());
    };
    let counted = (layers as u64).saturating_add(first).saturating_add(last);
    let stages = counted.div_ceil(each).min(1 << 14);
    let pp = u64::from(plan.pp);
    if !stages.is_multiple_of(pp) || stages < 2 {
        return Ok(());
    }
    let mut counts = vec![each; usize::try_from(stages).unwrap_or(0)];
    let end = counts.len() - 1;
    counts[0] = each.saturating_sub(first);
    counts[end] = each.saturating_sub(last);
    out.set("plan.vp", stages / pp);
    out.set("plan.layer_split", counts);
    Ok(())
}
