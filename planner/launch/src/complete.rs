//! `[plan]` with every field given, so that no default is taken when it is read again.

use format::tree::Table;
use plan::{Offload, OffloadTarget, Plan, PlannedSchedule, RecomputePolicy, Sharded};
use workload::ops::Recompute;
use workload::{CpMethod, Dispatcher, Regions, TpOverlap};

use crate::document::{Document, Field};

/// The modules that `recompute` can name, the large ones first.
const MODULES: [&str; 7] = [
    "core_attn",
    "mlp",
    "layernorm",
    "moe",
    "moe_act",
    "mla_up_proj",
    "shared_experts",
];

/// A plan as the fields of a scenario's `[plan]`, all of them given. What stands in files of its
/// own (a schedule, shares of experts, places of experts) is not: the caller keeps their names.
pub fn plan_table(plan: &Plan) -> Table {
    let mut out = Document::new();
    degrees(plan, &mut out);
    out.set("micro_batch", plan.micro_batch());
    schedule(plan, &mut out);
    out.set("recompute", recompute(plan.recompute_policy()));
    out.set("sp", plan.sequence_parallel());
    out.set("cp_method", cp_method(plan.cp_method()));
    out.set("layer_split", layer_split(plan));
    out.set("shard", shard(plan));
    out.set("overlap", overlap(plan));
    out.set("offload", offload(plan.offload()));
    out.set("cuda_graphs", plan.cuda_graphs());
    out.set("moe", moe(plan));
    out.set("rank_order", plan.rank_order().to_string());
    let gpus = plan.rank_gpus();
    let gpus = gpus.map(|gpus| gpus.iter().map(|gpu| gpu.get()).collect::<Vec<u32>>());
    out.set_some("rank_gpus", gpus);
    out.into_table()
}

fn degrees(plan: &Plan, out: &mut Document) {
    let degrees = plan.degrees();
    out.set("tp", degrees.tp);
    out.set("pp", degrees.pp);
    // A single device has several chunks only where its schedule says so.
    if 1 < degrees.pp || plan.chunks() == 1 {
        out.set("vp", plan.chunks());
    }
    out.set("cp", degrees.cp);
    out.set("ep", degrees.ep);
    out.set("etp", degrees.etp);
    out.set("dp", degrees.dp);
}

fn schedule(plan: &Plan, out: &mut Document) {
    if let PlannedSchedule::Kind { kind, group } = plan.planned_schedule() {
        out.set("schedule", kind.name());
        if *group != plan.degrees().pp {
            out.set("interleave_group", *group);
        }
    }
}

fn recompute(policy: &RecomputePolicy) -> Field {
    match policy {
        RecomputePolicy::Uniform(Recompute::None) => "none".into(),
        RecomputePolicy::Uniform(Recompute::Selective) => "selective".into(),
        RecomputePolicy::Uniform(Recompute::Full) => "full".into(),
        RecomputePolicy::Uniform(Recompute::Modules(regions)) => modules(*regions).into(),
        RecomputePolicy::FirstLayers(counts) => counts.clone().into(),
    }
}

/// The names of the modules that a set of regions is made of.
pub(crate) fn modules(regions: Regions) -> Vec<&'static str> {
    let (mut names, mut covered) = (Vec::new(), Regions::NONE);
    for name in MODULES {
        let Some(module) = Regions::of_module(name) else {
            continue;
        };
        if regions.and(module) == regions && covered.and(module) != covered {
            names.push(name);
            covered = covered.and(module);
        }
    }
    names
}

/// Layers of the virtual stages; of one direction where the schedule has two.
fn layer_split(plan: &Plan) -> Field {
    let counts: Vec<u64> = layers_by_stage(plan);
    let half = counts.len() / 2;
    if plan.is_two_directional() {
        counts[..half].to_vec().into()
    } else {
        counts.into()
    }
}

/// How many layers each virtual stage has.
pub(crate) fn layers_by_stage(plan: &Plan) -> Vec<u64> {
    let stages = plan.stages().iter();
    stages.map(|stage| stage.layers.len() as u64).collect()
}

fn shard(plan: &Plan) -> Field {
    let shards = plan.shards();
    let cut = Sharded::ALL.into_iter().filter(|what| 1 < shards.of(*what));
    let level = |what: Sharded| {
        Field::Table(vec![
            ("what", what.name().into()),
            ("group", shards.of(what).into()),
        ])
    };
    Field::List(cut.map(level).collect())
}

fn overlap(plan: &Plan) -> Field {
    let overlap = plan.overlap();
    Field::Table(vec![
        ("grad_reduce", overlap.grad_reduce.into()),
        ("param_gather", overlap.param_gather.into()),
        ("tp", tp_overlap(overlap.tp).into()),
        ("p2p", overlap.p2p.into()),
        ("ep", overlap.ep.into()),
    ])
}

fn offload(offload: Offload) -> Field {
    let target = match offload.target {
        OffloadTarget::Host => "host",
        OffloadTarget::Ssd => "ssd",
    };
    Field::Table(vec![
        ("activations", offload.activations.into()),
        ("optimizer", offload.optimizer.into()),
        ("weights", offload.weights.into()),
        ("target", target.into()),
    ])
}

fn moe(plan: &Plan) -> Field {
    let experts = plan.experts();
    let mut fields: Vec<(&'static str, Field)> =
        vec![("dispatcher", dispatcher(experts.dispatcher).into())];
    if let Some(factor) = experts.capacity_factor {
        fields.push(("capacity_factor", factor.into()));
    }
    let formats = [
        ("dispatch_dtype", experts.dispatch_dtype),
        ("activation_dtype", experts.activation_dtype),
    ];
    for (key, dtype) in formats {
        if let Some(dtype) = dtype {
            fields.push((key, dtype.name().into()));
        }
    }
    if *plan.routing() == plan::Routing::Balanced {
        fields.push(("routing", "balanced".into()));
    }
    fields.push(("shared_overlap", experts.shared_overlap.into()));
    Field::Table(fields)
}

pub(crate) const fn cp_method(method: CpMethod) -> &'static str {
    match method {
        CpMethod::Ring => "ring",
        CpMethod::AllToAll => "alltoall",
        CpMethod::TokenRing => "token-ring",
        CpMethod::AllGather => "allgather",
    }
}

pub(crate) const fn tp_overlap(overlap: TpOverlap) -> &'static str {
    match overlap {
        TpOverlap::None => "none",
        TpOverlap::Backward => "backward",
        TpOverlap::Chunked => "chunked",
    }
}

pub(crate) const fn dispatcher(dispatcher: Dispatcher) -> &'static str {
    match dispatcher {
        Dispatcher::AllToAll => "alltoall",
        Dispatcher::AllGather => "allgather",
        Dispatcher::DeepEp => "deepep",
    }
}
