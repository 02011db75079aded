//! A plan as the JSON that other programs read: every field, given or assumed.

use plan::{Plan, PlannedSchedule, RecomputePolicy, Sharded};
use serde_json::{Value, json};
use workload::ops::{Recompute, TpOverlap};

/// The `plan` of a prediction.
pub(crate) fn plan_json(plan: &Plan) -> Value {
    let degrees = plan.degrees();
    let overlap = plan.overlap();
    let shards = plan.shards();
    let shard: Vec<Value> = Sharded::ALL
        .into_iter()
        .filter(|what| 1 < shards.of(*what))
        .map(|what| json!({ "what": what.name(), "group": shards.of(what) }))
        .collect();
    let split: Vec<usize> = plan
        .stages()
        .iter()
        .map(|stage| stage.layers.len())
        .collect();
    json!({
        "tp": degrees.tp,
        "pp": degrees.pp,
        "vp": plan.chunks(),
        "cp": degrees.cp,
        "ep": degrees.ep,
        "etp": degrees.etp,
        "dp": degrees.dp,
        "gpus": plan.n_ranks(),
        "micro_batch": plan.micro_batch(),
        "n_micro_batches": plan.n_micro_batches(),
        "schedule": schedule(plan),
        "recompute": recompute(plan),
        "sp": plan.sequence_parallel(),
        "layer_split": split,
        "shard": shard,
        "overlap": {
            "grad_reduce": overlap.grad_reduce,
            "param_gather": overlap.param_gather,
            "tp": tp_overlap(overlap.tp),
            "p2p": overlap.p2p,
            "ep": overlap.ep,
        },
        "cuda_graphs": plan.cuda_graphs(),
    })
}

const fn tp_overlap(overlap: TpOverlap) -> &'static str {
    match overlap {
        TpOverlap::None => "none",
        TpOverlap::Backward => "backward",
        TpOverlap::Chunked => "chunked",
    }
}

fn schedule(plan: &Plan) -> &'static str {
    match plan.planned_schedule() {
        PlannedSchedule::Kind { kind, .. } => kind.name(),
        PlannedSchedule::File(_) => "file",
    }
}

fn recompute(plan: &Plan) -> Value {
    match plan.recompute_policy() {
        RecomputePolicy::Uniform(Recompute::None) => "none".into(),
        RecomputePolicy::Uniform(Recompute::Selective) => "selective".into(),
        RecomputePolicy::Uniform(Recompute::Full) => "full".into(),
        RecomputePolicy::Uniform(Recompute::Modules(_)) => "modules".into(),
        RecomputePolicy::FirstLayers(counts) => json!(counts),
    }
}
