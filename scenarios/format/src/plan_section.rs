//! `[plan]`: degrees, schedule, memory.

use plan::ranks::RankOrder;
use plan::schedule::ScheduleKind;
use plan::shard::{ShardLevel, Sharded};
use plan::split::LayerSplit;
use plan::{MoeSpec, Offload, OffloadTarget, OverlapSpec, PlanSpec, RecomputeSpec, Routing};
use units::DType;
use workload::ops::{CpMethod, Dispatcher, Regions, TpOverlap};

use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{
    Shape, boolean, checked, either, list, mapped, number, one_of, table, text, whole,
};

/// `[plan]` as a file says it: a plan, and the files that it names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanSection {
    /// The plan without what stands in files.
    pub spec: PlanSpec,
    /// The fields that a planner must keep.
    pub fixed: Vec<String>,
    /// The schedule as CSV.
    pub schedule_file: Option<String>,
    /// The GPU of every rank.
    pub rank_order_file: Option<String>,
    /// The share of every expert in the tokens of its layer.
    pub routing_file: Option<String>,
    /// The expert of every slot.
    pub experts_file: Option<String>,
}

/// Reads `[plan]`.
pub(crate) fn plan(t: &mut Fields<'_, '_>) -> PlanSection {
    let fixed = t
        .get("fixed", "fields that `plan` must keep", list(text()))
        .optional();
    let moe = t
        .get("moe", "how tokens reach their experts", table(moe))
        .optional();
    let (moe, routing_file, experts_file) = moe.unwrap_or_default();
    t.exclude("schedule", "schedule_file");
    t.exclude("rank_order", "rank_order_file");
    t.exclude("rank_gpus", "rank_order_file");
    let schedule_file = t.get("schedule_file", SCHEDULE_FILE, text()).optional();
    let rank_order_file = t.get("rank_order_file", RANK_FILE, text()).optional();
    let kinds = ScheduleKind::ALL.map(|kind| (kind.name(), kind)).to_vec();
    let spec = PlanSpec {
        tp: degree(t, "tp", "tensor-parallel degree, default 1"),
        pp: degree(t, "pp", "pipeline-parallel degree, default 1"),
        vp: degree(
            t,
            "vp",
            "model chunks on each device of the pipeline, default 1",
        ),
        cp: degree(t, "cp", "context-parallel degree, default 1"),
        ep: degree(t, "ep", "expert-parallel degree, default 1"),
        etp: degree(t, "etp", "tensor-parallel degree inside experts"),
        dp: degree(t, "dp", "data-parallel degree, fills the GPUs by default"),
        micro_batch: t
            .get("micro_batch", "sequences of one micro-batch", whole(1))
            .optional(),
        schedule: t
            .get(
                "schedule",
                "the pipeline schedule, or order of passes",
                one_of(kinds),
            )
            .optional(),
        schedule_file: None,
        interleave_group: t
            .get(
                "interleave_group",
                "interleaved schedules: micro-batches in a row through one model chunk",
                whole(1),
            )
            .optional(),
        recompute: t.get("recompute", RECOMPUTE, recompute()).optional(),
        sp: t
            .get(
                "sp",
                "whether norms and residuals are cut over tp by sequence (sequence parallelism)",
                boolean(),
            )
            .optional(),
        cp_method: t
            .get(
                "cp_method",
                "how cp ranks exchange keys and values",
                one_of(cp_methods()),
            )
            .optional(),
        layer_split: t.get("layer_split", LAYER_SPLIT, layer_split()).optional(),
        shard: t.get("shard", SHARD, shard()).optional(),
        overlap: t
            .get(
                "overlap",
                "which communication runs beside computation",
                table(overlap),
            )
            .or_default(),
        offload: t
            .get(
                "offload",
                "what is kept outside the GPU's memory",
                table(offload),
            )
            .optional(),
        rank_order: t.get("rank_order", RANK_ORDER, rank_order()).optional(),
        rank_gpus: t.get("rank_gpus", RANK_GPUS, list(whole(0))).optional(),
        cuda_graphs: t
            .get(
                "cuda_graphs",
                "whether kernels are launched from CUDA graphs",
                boolean(),
            )
            .optional(),
        moe,
    };
    PlanSection {
        spec,
        fixed: fixed.unwrap_or_default(),
        schedule_file,
        rank_order_file,
        routing_file,
        experts_file,
    }
}

const SCHEDULE_FILE: &str = "a schedule as CSV, in the form of torch.distributed.pipelining";
const RANK_FILE: &str = "the GPU of every rank, one a line: a number, or a name such as n0g0";
const RANK_GPUS: &str = "the GPU of every rank, as numbers; default rank i on GPU i";
const RANK_ORDER: &str = "how the axes number the ranks, innermost first: tp-cp-ep-dp-pp";
const RECOMPUTE: &str = "what is computed again: none, selective or full; a number or list of \
     numbers: whole layers of each virtual stage; a list of names: parts of every layer";
const LAYER_SPLIT: &str = "layers of each virtual stage; or even, or what counts as a layer: \
     embedding, loss, embedding-and-loss";
const SHARD: &str = "which states data-parallel ranks cut among them, over how many of them; zero-1, \
     zero-2 and zero-3 stand for all ranks";

fn degree(t: &mut Fields<'_, '_>, key: &'static str, doc: &'static str) -> Option<u32> {
    t.get(key, doc, whole(1)).optional()
}

/// How attention over context-parallel ranks is named.
pub(crate) fn cp_methods() -> Vec<(&'static str, CpMethod)> {
    vec![
        ("ring", CpMethod::Ring),
        ("alltoall", CpMethod::AllToAll),
        ("token-ring", CpMethod::TokenRing),
        ("allgather", CpMethod::AllGather),
    ]
}

fn rank_order() -> impl Shape<Out = RankOrder> {
    let parse = |text: String| text.parse::<RankOrder>();
    checked(
        text(),
        || RankOrder::MEGATRON,
        move |text| {
            parse(text).map_err(|_| {
                "an order of tp, cp, ep, dp and pp such as \"tp-cp-ep-dp-pp\"".to_owned()
            })
        },
    )
}

/// An entry of `recompute` as a list.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Layers(u32),
    Module(String),
}

fn recompute() -> impl Shape<Out = RecomputeSpec> {
    let names = one_of(vec![("none", 0_u8), ("selective", 1), ("full", 2)]);
    let word = mapped(names, |name| match name {
        0 => RecomputeSpec::None,
        1 => RecomputeSpec::Selective,
        _ => RecomputeSpec::Full,
    });
    let entry = either(
        mapped(whole(0), Entry::Layers),
        mapped(text(), Entry::Module),
    );
    let entries = checked(list(entry), || RecomputeSpec::None, by_entries);
    either(
        word,
        either(mapped(whole(0), RecomputeSpec::Layers), entries),
    )
}

fn by_entries(entries: Vec<Entry>) -> Result<RecomputeSpec, String> {
    let (mut layers, mut regions) = (Vec::new(), Regions::NONE);
    let mut n_modules = 0;
    for entry in entries {
        match entry {
            Entry::Layers(count) => layers.push(count),
            Entry::Module(name) => {
                let region = Regions::of_module(&name).ok_or_else(|| {
                    format!("names such as \"core_attn\", \"mlp\", \"layernorm\", not {name:?}")
                })?;
                regions = regions.and(region);
                n_modules += 1;
            }
        }
    }
    match (layers.is_empty(), n_modules) {
        (true, 0) => Ok(RecomputeSpec::None),
        (true, _) => Ok(RecomputeSpec::Modules(regions)),
        (false, 0) => Ok(RecomputeSpec::LayersByStage(layers)),
        (false, _) => Err("numbers or names, not both".to_owned()),
    }
}

fn layer_split() -> impl Shape<Out = LayerSplit> {
    let account = |embedding, loss| (embedding, loss);
    let names = one_of(vec![
        ("even", account(false, false)),
        ("embedding", account(true, false)),
        ("loss", account(false, true)),
        ("embedding-and-loss", account(true, true)),
    ]);
    let word = mapped(names, |(embedding, loss)| {
        if embedding || loss {
            LayerSplit::Account { embedding, loss }
        } else {
            LayerSplit::Even
        }
    });
    either(word, mapped(list(whole(0)), LayerSplit::Counts))
}

fn shard() -> impl Shape<Out = Vec<ShardLevel>> {
    let names = one_of(vec![
        ("none", &[] as &'static [ShardLevel]),
        ("zero-1", ShardLevel::ZERO_1),
        ("zero-2", ShardLevel::ZERO_2),
        ("zero-3", ShardLevel::ZERO_3),
    ]);
    either(
        mapped(names, <[ShardLevel]>::to_vec),
        list(table(shard_level)),
    )
}

fn shard_level(t: &mut Fields<'_, '_>) -> ShardLevel {
    let what = Sharded::ALL.map(|what| (what.name(), what)).to_vec();
    ShardLevel {
        what: t.get("what", "what is cut", one_of(what)).required(),
        group: t
            .get(
                "group",
                "over how many ranks, default all of dp x cp",
                whole(1),
            )
            .optional(),
    }
}

fn overlap(t: &mut Fields<'_, '_>) -> OverlapSpec {
    let switch = mapped(boolean(), |on| {
        if on {
            TpOverlap::Backward
        } else {
            TpOverlap::None
        }
    });
    let named = one_of(vec![
        ("none", TpOverlap::None),
        ("backward", TpOverlap::Backward),
        ("chunked", TpOverlap::Chunked),
    ]);
    OverlapSpec {
        grad_reduce: t
            .get("grad_reduce", "the reduction of gradients", boolean())
            .optional(),
        param_gather: t
            .get(
                "param_gather",
                "the gathering of sharded parameters",
                boolean(),
            )
            .optional(),
        tp: t
            .get(
                "tp",
                "collectives of tensor parallelism",
                either(switch, named),
            )
            .optional(),
        p2p: t
            .get("p2p", "sends and receives between stages", boolean())
            .optional(),
        ep: t
            .get("ep", "all-to-alls of expert parallelism", boolean())
            .optional(),
    }
}

fn offload(t: &mut Fields<'_, '_>) -> Offload {
    let part = || {
        let switch = mapped(boolean(), |on| f64::from(u8::from(on)));
        either(number(Limits::within(0.0, 1.0)), switch)
    };
    let targets = vec![("host", OffloadTarget::Host), ("ssd", OffloadTarget::Ssd)];
    Offload {
        activations: t
            .get(
                "activations",
                "share of the activations that is kept there, 0 to 1",
                part(),
            )
            .or(0.0),
        optimizer: t
            .get(
                "optimizer",
                "share of the optimizer's states that is kept there, 0 to 1",
                part(),
            )
            .or(0.0),
        weights: t
            .get(
                "weights",
                "share of the weights that is kept there, 0 to 1",
                part(),
            )
            .or(0.0),
        target: t
            .get("target", "where it is kept instead", one_of(targets))
            .optional()
            .unwrap_or(OffloadTarget::Host),
    }
}

/// `moe`, with the files of routing and experts.
fn moe(t: &mut Fields<'_, '_>) -> (MoeSpec, Option<String>, Option<String>) {
    let dispatchers = vec![
        ("alltoall", Dispatcher::AllToAll),
        ("allgather", Dispatcher::AllGather),
        ("deepep", Dispatcher::DeepEp),
    ];
    let routing = t
        .get(
            "routing",
            "balanced, or a CSV file of shares by expert",
            text(),
        )
        .optional();
    let is_balanced = routing.as_deref() == Some("balanced");
    let formats = [DType::Fp8, DType::Bf16, DType::Fp16, DType::Fp32]
        .map(|dtype| (dtype.name(), dtype))
        .to_vec();
    let spec = MoeSpec {
        dispatcher: t
            .get("dispatcher", "the method of exchange", one_of(dispatchers))
            .optional(),
        capacity_factor: t
            .get(
                "capacity_factor",
                "rows of an expert over the mean",
                number(Limits::POSITIVE),
            )
            .optional(),
        dispatch_dtype: t
            .get(
                "dispatch_dtype",
                "format in which tokens travel to the experts, default that of activations",
                one_of(formats.clone()),
            )
            .optional(),
        activation_dtype: t
            .get(
                "activation_dtype",
                "format in which inputs of the experts' activation function are kept, default that of activations",
                one_of(formats),
            )
            .optional(),
        routing: is_balanced.then_some(Routing::Balanced),
        experts: None,
        shared_overlap: t
            .get(
                "shared_overlap",
                "whether shared experts run beside the dispatch",
                boolean(),
            )
            .optional(),
    };
    let experts = t
        .get(
            "experts_file",
            "a CSV file: the expert of every slot",
            text(),
        )
        .optional();
    (spec, routing.filter(|_| !is_balanced), experts)
}
