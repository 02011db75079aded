//! What Megatron-LM has flags for, but does not run together.
//!
//! Source: `validate_args` of `megatron/training/arguments.py`, `__post_init__` of
//! `megatron/core/transformer/transformer_config.py` and of
//! `megatron/core/optimizer/optimizer_config.py`, of Megatron-Core 0.19.2; other places are named
//! where they are meant.

use plan::{Plan, RankOrder, RecomputePolicy};
use predict::Scenario;
use units::DType;
use workload::ops::Recompute;
use workload::{CpMethod, Dispatcher, Fp8Recipe, MoeSpec, Optimizer, TpOverlap};

use super::uses_fsdp;
use crate::complete::modules;
use crate::error::ExportError;
use crate::shape::{Attention, GptShape};

/// Refuses what Megatron-LM would refuse at its start.
pub(super) fn check(scenario: &Scenario, shape: &GptShape) -> Result<(), ExportError> {
    let all = [
        overlap(&scenario.plan),
        mesh(&scenario.plan),
        context(scenario, shape),
        optimizer(scenario),
        eight_bits(scenario),
        graphs(scenario),
        further_tokens(shape),
    ];
    all.into_iter().collect::<Result<(), _>>()?;
    match &shape.moe {
        Some((moe, _)) => experts(scenario, shape, moe),
        None => Ok(()),
    }
}

fn refused<T>(field: &'static str, what: &str, hint: &str) -> Result<T, ExportError> {
    Err(ExportError::NotRun {
        consumer: "Megatron-LM",
        field,
        what: what.to_owned(),
        hint: hint.to_owned(),
    })
}

/// The modules that a plan computes again, by Megatron's names; none where whole layers are.
fn recomputed(plan: &Plan) -> Vec<&'static str> {
    match plan.recompute_policy() {
        RecomputePolicy::Uniform(Recompute::Selective) => vec!["core_attn"],
        RecomputePolicy::Uniform(Recompute::Modules(regions)) => modules(*regions),
        _ => Vec::new(),
    }
}

/// Whether whole layers are computed again.
fn recomputes_layers(plan: &Plan) -> bool {
    match plan.recompute_policy() {
        RecomputePolicy::Uniform(recompute) => *recompute == Recompute::Full,
        RecomputePolicy::FirstLayers(counts) => counts.iter().any(|count| 0 < *count),
    }
}

fn overlap(plan: &Plan) -> Result<(), ExportError> {
    let (overlap, degrees) = (plan.overlap(), plan.degrees());
    let gathers = 1 < degrees.dense_data() && 1 < plan.shards().optimizer && overlap.param_gather;
    if gathers && !overlap.grad_reduce && !uses_fsdp(plan) {
        return refused(
            "plan.overlap",
            "an overlapped gathering of parameters beside a reduction of gradients that is not",
            "overlap both, or the reduction alone",
        );
    }
    if 1 < degrees.tp && overlap.tp == TpOverlap::Chunked && !plan.sequence_parallel() {
        let what = "chunked collectives without sequence parallelism";
        return refused("plan.overlap.tp", what, "use sp = true");
    }
    if degrees.pp == 2 && 1 < plan.chunks() && !overlap.p2p {
        return refused(
            "plan.overlap.p2p",
            "an interleaved pipeline of 2 devices whose sends are not overlapped",
            "use overlap.p2p = true, or more devices",
        );
    }
    Ok(())
}

/// Megatron-FSDP takes all ranks as tensor- and data-parallel ones, and Megatron-Bridge no other
/// order of them (`megatron/core/distributed/fsdp/mcore_fsdp_adapter.py`, `_get_dp_tp_mesh`;
/// `megatron/bridge/training/config.py`).
fn mesh(plan: &Plan) -> Result<(), ExportError> {
    if !uses_fsdp(plan) {
        return Ok(());
    }
    if 1 < plan.degrees().pp {
        let hint = "use shard = \"zero-1\" with a pipeline";
        let what = "sharded weights or gradients in a pipeline";
        return refused("plan.shard", what, hint);
    }
    if plan.rank_order() == RankOrder::TP_PP_DP {
        let what = "sharded weights or gradients in another order of the ranks";
        return refused("plan.rank_order", what, "leave `rank_order` out");
    }
    Ok(())
}

/// Context parallelism cuts sequences in pairs of slices, and by all-to-all keys and values by
/// heads (Transformer Engine, `AttnFuncWithCPAndQKVOA2A`).
fn context(scenario: &Scenario, shape: &GptShape) -> Result<(), ExportError> {
    let degrees = scenario.plan.degrees();
    if degrees.cp == 1 {
        return Ok(());
    }
    let slices = 2 * u64::from(degrees.cp);
    if !scenario.job.seq_len.is_multiple_of(slices) {
        let what = format!("sequences that are no multiple of 2 cp = {slices} tokens");
        return refused("training.seq_len", &what, "lengthen the sequences");
    }
    if let Attention::Grouped(attention) = shape.attention
        && scenario.plan.cp_method() == CpMethod::AllToAll
    {
        let heads = (attention.kv_heads / u64::from(degrees.tp)).max(1);
        if !heads.is_multiple_of(u64::from(degrees.cp)) {
            let what = format!(
                "an all-to-all of {heads} key-value heads over cp {}",
                degrees.cp
            );
            return refused("plan.cp_method", &what, "use cp_method = \"ring\"");
        }
    }
    Ok(())
}

fn optimizer(scenario: &Scenario) -> Result<(), ExportError> {
    let (plan, job) = (&scenario.plan, &scenario.job);
    let field = "training.optimizer";
    let offloaded = 0.0 < plan.offload().optimizer;
    if offloaded && !matches!(job.optimizer, Optimizer::Adam { .. }) {
        let what = "another optimizer than Adam in host memory";
        return refused("plan.offload", what, "use optimizer = \"adamw\"");
    }
    if !matches!(job.optimizer, Optimizer::Muon { .. }) {
        return Ok(());
    }
    if uses_fsdp(plan) {
        let hint = "use shard = \"zero-1\" or \"none\"";
        return refused(field, "Muon over sharded weights or gradients", hint);
    }
    // `megatron/core/optimizer/__init__.py`, `_get_megatron_emerging_optimizer`, and
    // `layer_wise_optimizer.py`.
    if job.precision.compute == DType::Fp16 {
        return refused(field, "Muon in fp16", "use precision = \"bf16\"");
    }
    let group = plan.shards().optimizer;
    if 1 < group && group < plan.degrees().dense_data() {
        let what = "Muon over part of the data-parallel ranks";
        return refused(field, what, "use shard = \"zero-1\"");
    }
    Ok(())
}

fn eight_bits(scenario: &Scenario) -> Result<(), ExportError> {
    let delayed = scenario.job.precision.fp8 == Some(Fp8Recipe::Delayed);
    let parts = ["layernorm", "moe_act"];
    let part = recomputed(&scenario.plan)
        .into_iter()
        .find(|module| parts.contains(module));
    match part.filter(|_| delayed) {
        Some(part) => refused(
            "plan.recompute",
            &format!("recomputation of {part} with delayed scaling"),
            "use another fp8_recipe, or recompute other parts",
        ),
        None => Ok(()),
    }
}

fn graphs(scenario: &Scenario) -> Result<(), ExportError> {
    let (plan, field) = (&scenario.plan, "plan.cuda_graphs");
    if !plan.cuda_graphs() {
        return Ok(());
    }
    if recomputes_layers(plan) {
        let what = "CUDA graphs of layers that are computed again as a whole";
        return refused(field, what, "recompute parts of layers, or use no graphs");
    }
    // Random numbers are drawn anew where a graph holds both passes.
    let again = ["core_attn", "mlp"];
    let drops = 0.0 < scenario.job.dropout;
    if drops && recomputed(plan).iter().any(|module| again.contains(module)) {
        let what = "CUDA graphs with dropout in parts that are computed again";
        return refused(field, what, "use dropout = 0, or recompute other parts");
    }
    // `megatron/core/distributed/fsdp/mcore_fsdp_adapter.py`.
    if uses_fsdp(plan) && plan.overlap().ep && 1 < plan.degrees().ep {
        let what = "CUDA graphs of sharded weights beside overlapped all-to-alls";
        return refused(field, what, "use overlap.ep = false");
    }
    Ok(())
}

fn further_tokens(shape: &GptShape) -> Result<(), ExportError> {
    let rotates = match shape.attention {
        Attention::Grouped(attention) => {
            matches!(
                attention.position,
                workload::Position::Rotary { .. } | workload::Position::None
            )
        }
        Attention::Latent(_) => true,
    };
    if 0 < shape.mtp && !rotates {
        let what = "modules for further tokens with learned positions";
        return refused("model", what, "use rotary positions");
    }
    Ok(())
}

fn experts(scenario: &Scenario, shape: &GptShape, moe: &MoeSpec) -> Result<(), ExportError> {
    let (plan, degrees) = (&scenario.plan, scenario.plan.degrees());
    if shape.has_bias() && degrees.etp != 1 {
        let what = "biases of experts that are cut by tensor parallelism";
        return refused("plan.etp", what, "use etp = 1");
    }
    // `megatron/core/transformer/moe/moe_layer.py`, `MoELayer.forward`.
    if 1 < degrees.tp && !plan.sequence_parallel() {
        let what = "experts beside tensor parallelism without sequence parallelism";
        return refused("plan.sp", what, "use sp = true");
    }
    dispatch(plan)?;
    if plan.experts().shared_overlap {
        shared(plan, moe)?;
    }
    if plan.overlap().ep && 1 < degrees.ep {
        exchange(scenario, shape)?;
    }
    Ok(())
}

fn dispatch(plan: &Plan) -> Result<(), ExportError> {
    let (degrees, experts) = (plan.degrees(), plan.experts());
    if experts.dispatcher != Dispatcher::DeepEp {
        return Ok(());
    }
    let (field, hint) = ("plan.moe.dispatcher", "use dispatcher = \"alltoall\"");
    if experts.capacity_factor.is_some() {
        return refused(field, "DeepEP with a capacity of experts", hint);
    }
    // `megatron/core/transformer/moe/token_dispatcher.py`, `MoEFlexTokenDispatcher`.
    if degrees.ep * degrees.etp == 1 {
        return refused(field, "DeepEP where every rank has all experts", hint);
    }
    Ok(())
}

/// Shared experts beside the dispatch.
fn shared(plan: &Plan, moe: &MoeSpec) -> Result<(), ExportError> {
    let (field, off) = ("plan.moe.shared_overlap", "use shared_overlap = false");
    if plan.experts().dispatcher == Dispatcher::AllGather {
        let hint = "use dispatcher = \"alltoall\"";
        return refused(field, "shared experts beside an all-gather", hint);
    }
    if recomputed(plan).contains(&"shared_experts") {
        let what = "overlapped shared experts that are computed again";
        return refused(field, what, off);
    }
    // `MoELayer.forward`.
    if moe.latent.is_some() {
        let what = "shared experts beside experts of another width";
        return refused(field, what, off);
    }
    Ok(())
}

/// All-to-alls beside another micro-batch's computation.
fn exchange(scenario: &Scenario, shape: &GptShape) -> Result<(), ExportError> {
    let plan = &scenario.plan;
    let (field, degrees) = ("plan.overlap.ep", plan.degrees());
    let compute = scenario.job.precision.compute;
    let reasons = [
        (
            plan.experts().dispatcher == Dispatcher::AllGather,
            "an all-gather of tokens",
        ),
        (
            1 < degrees.pp && plan.chunks() == 1,
            "a pipeline of one chunk a device",
        ),
        (
            recomputes_layers(plan) || recomputed(plan).contains(&"moe"),
            "recomputed experts",
        ),
        (plan.experts().shared_overlap, "overlapped shared experts"),
        (
            !matches!(compute, DType::Bf16 | DType::Fp16),
            "activations of 32 bits",
        ),
        (1 < shape.mtp, "several modules for further tokens"),
    ];
    match reasons.into_iter().find(|(found, _)| *found) {
        Some((_, what)) => refused(
            field,
            &format!("all-to-alls beside computation with {what}"),
            "use overlap.ep = false",
        ),
        None => Ok(()),
    }
}
