//! `[plan]` from arguments.

use super::super::layout;
use super::super::options::Options;
use super::super::world::World;
use super::NAME;
use crate::document::{Document, Field};
use crate::error::ImportError;

/// Degrees of parallelism.
pub(super) struct Degrees {
    tp: u32,
    pp: u32,
    cp: u32,
    dp: u32,
}

impl Degrees {
    /// Ranks in all.
    pub(super) const fn ranks(&self) -> u32 {
        let ranks = self.tp.saturating_mul(self.pp);
        ranks.saturating_mul(self.cp).saturating_mul(self.dp)
    }
}

pub(super) fn degrees(
    options: &Options,
    world: World,
    notes: &mut Vec<String>,
) -> Result<Degrees, ImportError> {
    let degree = |name| {
        let given = options.number::<u32>(name)?;
        Ok::<u32, ImportError>(given.unwrap_or(1).max(1))
    };
    let tp = degree("tensor-model-parallel-size")?;
    let pp = degree("pipeline-model-parallel-size")?;
    let cp = degree("context-parallel-size")?;
    let replica = tp.saturating_mul(pp).saturating_mul(cp);
    let dp = world.replicas(replica, NAME, notes)?;
    Ok(Degrees { tp, pp, cp, dp })
}

pub(super) fn write(
    options: &Options,
    degrees: &Degrees,
    layers: u64,
    out: &mut Document,
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    out.set("plan.tp", degrees.tp);
    out.set("plan.pp", degrees.pp);
    out.set("plan.cp", degrees.cp);
    out.set("plan.dp", degrees.dp);
    let micro: u64 = options.number("micro-batch-size")?.unwrap_or(1);
    out.set("plan.micro_batch", micro);
    out.set(
        "plan.sp",
        options.has("sequence-parallel") && 1 < degrees.tp,
    );
    if 1 < degrees.cp {
        out.set("plan.cp_method", cp_method(options)?);
    }
    if options.has("use-tp-pp-dp-mapping") {
        out.set("plan.rank_order", "tp-cp-ep-pp-dp");
    }
    stages(options, degrees, layers, out)?;
    recompute(options, out, notes)?;
    sharding(options, degrees, out)?;
    overlap(options, degrees, out);
    offload(options, out)?;
    let graphs = options
        .text("cuda-graph-impl")
        .is_some_and(|kind| kind != "none");
    out.set(
        "plan.cuda_graphs",
        graphs || options.has("enable-cuda-graph"),
    );
    if options.has("num-experts") {
        experts(options, out)?;
    }
    Ok(())
}

fn cp_method(options: &Options) -> Result<&'static str, ImportError> {
    match options.text("cp-comm-type") {
        None | Some("p2p") => Ok("ring"),
        Some("a2a") => Ok("alltoall"),
        Some("all_gather" | "allgather") => Ok("allgather"),
        Some(other) => Err(options.wrong("cp-comm-type", other, "p2p, a2a or all_gather")),
    }
}

/// Virtual stages: how many on a device, and the layers of each.
fn stages(
    options: &Options,
    degrees: &Degrees,
    layers: u64,
    out: &mut Document,
) -> Result<(), ImportError> {
    let pp = u64::from(degrees.pp);
    let mut chunks: u64 = options
        .number("num-virtual-stages-per-pipeline-rank")?
        .unwrap_or(1);
    if let Some(each) = options.number::<u64>("num-layers-per-virtual-pipeline-stage")? {
        chunks = (layers / pp).checked_div(each).unwrap_or(1);
    }
    if let Some(text) = options.text("pipeline-model-parallel-layout") {
        let counts = layout::read(text).filter(|counts| (counts.len() as u64).is_multiple_of(pp));
        let expected = "a layout with as many stages on every device";
        let counts = counts
            .ok_or_else(|| options.wrong("pipeline-model-parallel-layout", text, expected))?;
        chunks = counts.len() as u64 / pp;
        out.set("plan.layer_split", counts);
    } else {
        split(options, pp, layers, out)?;
    }
    let chunks = if pp == 1 { 1 } else { chunks.max(1) };
    out.set("plan.vp", chunks);
    out.set(
        "plan.schedule",
        if 1 < chunks { "interleaved" } else { "1f1b" },
    );
    let group: Option<u32> = options.number("microbatch-group-size-per-virtual-pipeline-stage")?;
    out.set_some("plan.interleave_group", group.filter(|_| 1 < chunks));
    Ok(())
}

/// Fewer layers in the first or the last stage, or what counts as a layer.
fn split(options: &Options, pp: u64, layers: u64, out: &mut Document) -> Result<(), ImportError> {
    let first: Option<u64> = options.number("decoder-first-pipeline-num-layers")?;
    let last: Option<u64> = options.number("decoder-last-pipeline-num-layers")?;
    let embedding = options.has("account-for-embedding-in-pipeline-split");
    let loss = options.has("account-for-loss-in-pipeline-split");
    let word = match (embedding, loss) {
        (true, true) => Some("embedding-and-loss"),
        (true, false) => Some("embedding"),
        (false, true) => Some("loss"),
        (false, false) => None,
    };
    out.set_some("plan.layer_split", word);
    let ends = u64::from(first.is_some()) + u64::from(last.is_some());
    if ends == 0 || pp <= ends || 4096 < pp {
        return Ok(());
    }
    let taken = first.unwrap_or(0).saturating_add(last.unwrap_or(0));
    let each = layers.saturating_sub(taken) / (pp - ends);
    let inner = usize::try_from(pp - ends).unwrap_or(0);
    let mut counts: Vec<u64> = first.into_iter().collect();
    counts.extend(std::iter::repeat_n(each, inner));
    counts.extend(last);
    out.set("plan.layer_split", counts);
    Ok(())
}

fn recompute(
    options: &Options,
    out: &mut Document,
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    let count: Option<u32> = options.number("recompute-num-layers")?;
    let selective = options.has("recompute-activations");
    match options.text("recompute-granularity") {
        None if selective => out.set("plan.recompute", "selective"),
        None => out.set("plan.recompute", "none"),
        Some("selective") => match options.texts("recompute-modules") {
            Some(modules) => out.set("plan.recompute", modules.to_vec()),
            None => out.set("plan.recompute", "selective"),
        },
        Some("full") => match (options.text("recompute-method"), count) {
            (Some("block"), count) => out.set("plan.recompute", count.unwrap_or(1)),
            (_, count) => {
                if count.is_some_and(|count| 1 < count) {
                    notes.push(
                        "--recompute-num-layers with the method uniform: inputs are kept of every \
                         layer, not of groups of them"
                            .to_owned(),
                    );
                }
                out.set("plan.recompute", "full");
            }
        },
        Some(other) => {
            let expected = "selective or full";
            return Err(options.wrong("recompute-granularity", other, expected));
        }
    }
    Ok(())
}

/// What data-parallel ranks share, over groups of how many.
fn sharding(options: &Options, degrees: &Degrees, out: &mut Document) -> Result<(), ImportError> {
    let instances: u32 = options
        .number("num-distributed-optimizer-instances")?
        .unwrap_or(1);
    let all = degrees.dp.saturating_mul(degrees.cp);
    let group = (all / instances.max(1)).max(1);
    let fsdp = options.has("use-megatron-fsdp") || options.has("use-custom-fsdp");
    let strategy = options.text("data-parallel-sharding-strategy");
    let distributed = options.has("use-distributed-optimizer");
    let what: &[&str] = match (fsdp, strategy) {
        (true, Some("optim_grads_params") | None) => &["weights", "gradients", "optimizer"],
        (true, Some("optim_grads")) => &["gradients", "optimizer"],
        (true, Some("optim")) => &["optimizer"],
        (false, _) if distributed => &["optimizer"],
        _ => &[],
    };
    let level =
        |what: &&'static str| Field::Table(vec![("what", (*what).into()), ("group", group.into())]);
    let shared = what.iter().filter(|_| 1 < group).map(level);
    out.set("plan.shard", Field::List(shared.collect()));
    Ok(())
}

/// What Megatron overlaps; where there is nothing to overlap, nothing is said.
fn overlap(options: &Options, degrees: &Degrees, out: &mut Document) {
    let mut fields: Vec<(&'static str, Field)> = Vec::new();
    let reduce = options.has("overlap-grad-reduce");
    let gather = options.has("overlap-param-gather");
    if 1 < degrees.dp.saturating_mul(degrees.cp) {
        fields.push(("grad_reduce", reduce.into()));
        if options.has("use-distributed-optimizer") || options.has("use-megatron-fsdp") {
            fields.push(("param_gather", gather.into()));
        }
    }
    if options.has("tp-comm-overlap") {
        fields.push(("tp", "chunked".into()));
    }
    if options.has("no-overlap-p2p-communication") {
        fields.push(("p2p", false.into()));
    }
    if options.has("overlap-moe-expert-parallel-comm") {
        fields.push(("ep", true.into()));
    }
    if !fields.is_empty() {
        out.set("plan.overlap", Field::Table(fields));
    }
}

fn offload(options: &Options, out: &mut Document) -> Result<(), ImportError> {
    let share: Option<f64> = options.number("optimizer-offload-fraction")?;
    if options.has("optimizer-cpu-offload") {
        let fields = vec![("optimizer", share.unwrap_or(1.0).into())];
        out.set("plan.offload", Field::Table(fields));
    }
    Ok(())
}

fn experts(options: &Options, out: &mut Document) -> Result<(), ImportError> {
    let ep: u32 = options.number("expert-model-parallel-size")?.unwrap_or(1);
    let tp: u32 = options.number("tensor-model-parallel-size")?.unwrap_or(1);
    // Megatron takes the degree of tensor parallelism inside experts, too.
    let etp: u32 = options.number("expert-tensor-parallel-size")?.unwrap_or(tp);
    out.set("plan.ep", ep);
    out.set("plan.etp", etp);
    let flex = options.text("moe-flex-dispatcher-backend");
    let dispatcher = match options.text("moe-token-dispatcher-type") {
        Some("alltoall" | "alltoall_seq") => "alltoall",
        Some("flex") if flex.is_none_or(|name| name == "deepep" || name == "hybridep") => "deepep",
        None | Some("allgather") => "allgather",
        Some(other) => {
            let expected = "allgather, alltoall or flex";
            return Err(options.wrong("moe-token-dispatcher-type", other, expected));
        }
    };
    out.set("plan.moe.dispatcher", dispatcher);
    let factor: Option<f64> = options.number("moe-expert-capacity-factor")?;
    out.set_some("plan.moe.capacity_factor", factor);
    let shared = options.has("moe-shared-expert-overlap");
    out.set("plan.moe.shared_overlap", shared);
    Ok(())
}
