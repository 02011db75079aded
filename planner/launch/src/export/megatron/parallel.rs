//! Degrees, schedule, sharding and overlap as arguments.

use plan::{Plan, PlannedSchedule, RankOrder, ScheduleKind, Shards};
use predict::Scenario;
use workload::{CpMethod, Dispatcher, TpOverlap};

use super::{layout, needs_distributed_optimizer, unsupported};
use crate::complete::layers_by_stage;
use crate::error::ExportError;
use crate::export::flags::Flags;
use crate::places::has_experts;

pub(super) fn arguments(
    scenario: &Scenario,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    let (plan, degrees) = (&scenario.plan, scenario.plan.degrees());
    flags.value("--tensor-model-parallel-size", degrees.tp);
    flags.value("--pipeline-model-parallel-size", degrees.pp);
    flags.value("--context-parallel-size", degrees.cp);
    if 1 < degrees.cp {
        flags.value("--cp-comm-type", cp_comm(plan.cp_method())?);
    }
    if has_experts(scenario) {
        experts(scenario, warnings, flags);
    }
    let swapped = plan.rank_order() == RankOrder::TP_PP_DP;
    flags.switch_if(swapped, "--use-tp-pp-dp-mapping");
    flags.switch_if(plan.sequence_parallel(), "--sequence-parallel");
    schedule(plan, flags)?;
    sharding(scenario, flags)?;
    overlap(plan, warnings, flags);
    Ok(())
}

fn cp_comm(method: CpMethod) -> Result<&'static str, ExportError> {
    match method {
        CpMethod::Ring => Ok("p2p"),
        CpMethod::AllToAll => Ok("a2a"),
        CpMethod::AllGather => Ok("all_gather"),
        CpMethod::TokenRing => {
            let hint = "use \"ring\", \"alltoall\" or \"allgather\"";
            Err(unsupported("plan.cp_method", "token-ring", Some(hint)))
        }
    }
}

fn experts(scenario: &Scenario, warnings: &mut Vec<String>, flags: &mut Flags) {
    let (degrees, experts) = (scenario.plan.degrees(), scenario.plan.experts());
    flags.value("--expert-model-parallel-size", degrees.ep);
    flags.value("--expert-tensor-parallel-size", degrees.etp);
    match experts.dispatcher {
        Dispatcher::AllToAll => flags.value("--moe-token-dispatcher-type", "alltoall"),
        Dispatcher::AllGather => flags.value("--moe-token-dispatcher-type", "allgather"),
        Dispatcher::DeepEp => {
            flags.value("--moe-token-dispatcher-type", "flex");
            flags.value("--moe-flex-dispatcher-backend", "deepep");
            // DeepEP takes weights of experts in fp32 alone.
            flags.value("--moe-router-dtype", "fp32");
        }
    }
    if let Some(factor) = experts.capacity_factor {
        flags.value("--moe-expert-capacity-factor", factor);
        flags.switch("--moe-pad-expert-input-to-capacity");
    }
    flags.switch_if(experts.shared_overlap, "--moe-shared-expert-overlap");
    if experts.dispatch_dtype.is_some() || experts.activation_dtype.is_some() {
        warnings.push(
            "plan.moe.dispatch_dtype and activation_dtype: tokens travel and wait in the format \
             that Megatron's recipe gives them"
                .to_owned(),
        );
    }
    if scenario.plan.expert_placement().is_some() {
        warnings.push("plan.moe.experts_file: experts stand in their own order".to_owned());
    }
}

/// Stages, and in which order their passes run.
fn schedule(plan: &Plan, flags: &mut Flags) -> Result<(), ExportError> {
    let PlannedSchedule::Kind { kind, group } = plan.planned_schedule() else {
        return Err(unsupported(
            "plan.schedule_file",
            "a schedule from a file",
            Some("torchtitan reads such files: `--to torchtitan`"),
        ));
    };
    if !matches!(kind, ScheduleKind::OneFOneB | ScheduleKind::Interleaved) {
        let what = format!("the schedule {}", kind.name());
        let hint = "Megatron-LM runs \"1f1b\" and \"interleaved\"";
        return Err(unsupported("plan.schedule", what, Some(hint)));
    }
    if plan.degrees().pp == 1 {
        return Ok(());
    }
    let counts = layers_by_stage(plan);
    if counts.windows(2).all(|pair| pair[0] == pair[1]) {
        if 1 < plan.chunks() {
            flags.value("--num-virtual-stages-per-pipeline-rank", plan.chunks());
        }
    } else {
        flags.value("--pipeline-model-parallel-layout", layout(plan));
    }
    if *group != plan.degrees().pp {
        flags.value("--microbatch-group-size-per-virtual-pipeline-stage", *group);
    }
    Ok(())
}

/// Whether a plan shards more than Megatron's distributed optimizer does.
pub(crate) const fn uses_fsdp(plan: &Plan) -> bool {
    let shards = plan.shards();
    1 < shards.weights || 1 < shards.gradients
}

/// What data-parallel ranks share.
fn sharding(scenario: &Scenario, flags: &mut Flags) -> Result<(), ExportError> {
    let plan = &scenario.plan;
    let (shards, all) = (plan.shards(), plan.degrees().dense_data());
    if shards == Shards::NONE {
        // With one rank the distributed optimizer is the same, and some formats need it.
        flags.switch_if(
            all == 1 && needs_distributed_optimizer(scenario),
            "--use-distributed-optimizer",
        );
        return Ok(());
    }
    let group = shards.optimizer;
    let strategy = match (shards.weights, shards.gradients) {
        (1, 1) => None,
        (1, gradients) if gradients == group => Some("optim_grads"),
        (weights, gradients) if weights == group && gradients == group => {
            Some("optim_grads_params")
        }
        _ => return Err(uneven_shards(shards)),
    };
    if let Some(strategy) = strategy {
        flags.switch("--use-megatron-fsdp");
        flags.value("--data-parallel-sharding-strategy", strategy);
        flags.switch("--no-gradient-accumulation-fusion");
        // Gradients would add up in the format of the weights.
        flags.value(
            "--megatron-fsdp-main-grads-dtype",
            scenario.job.grad_dtype.name(),
        );
        flags.value("--ckpt-format", "fsdp_dtensor");
    }
    flags.switch("--use-distributed-optimizer");
    if group < all {
        flags.value("--num-distributed-optimizer-instances", all / group);
    }
    Ok(())
}

fn uneven_shards(shards: Shards) -> ExportError {
    let Shards {
        weights,
        gradients,
        optimizer,
    } = shards;
    unsupported(
        "plan.shard",
        format!(
            "weights over {weights}, gradients over {gradients} and optimizer over {optimizer} ranks"
        ),
        Some("shard what is sharded over groups of one size"),
    )
}

/// Reduction of gradients and gathering of parameters. Megatron-FSDP overlaps what it shards
/// (`megatron_fsdp.py`, `MegatronFSDP.__init__`).
fn data_parallel(plan: &Plan, warnings: &mut Vec<String>, flags: &mut Flags) {
    let (overlap, shards) = (plan.overlap(), plan.shards());
    let many = 1 < plan.degrees().dense_data();
    let (fsdp, all) = (uses_fsdp(plan), 1 < shards.weights);
    let reduce = many && (overlap.grad_reduce || fsdp);
    let gather = many && 1 < shards.optimizer && (overlap.param_gather || all);
    if fsdp && (!overlap.grad_reduce || all && !overlap.param_gather) {
        warnings
            .push("plan.overlap: Megatron-FSDP overlaps both ways without being asked".to_owned());
    }
    flags.switch_if(reduce, "--overlap-grad-reduce");
    flags.switch_if(gather, "--overlap-param-gather");
}

fn overlap(plan: &Plan, warnings: &mut Vec<String>, flags: &mut Flags) {
    let (overlap, degrees) = (plan.overlap(), plan.degrees());
    data_parallel(plan, warnings, flags);
    if 1 < degrees.tp {
        match overlap.tp {
            TpOverlap::Chunked => flags.switch("--tp-comm-overlap"),
            TpOverlap::Backward => {}
            TpOverlap::None => warnings.push(
                "plan.overlap.tp = \"none\": Megatron overlaps in the backward pass without being \
                 asked"
                    .to_owned(),
            ),
        }
    }
    if 1 < degrees.pp {
        let interleaved = 1 < plan.chunks();
        flags.switch_if(
            interleaved && !overlap.p2p,
            "--no-overlap-p2p-communication",
        );
        if overlap.p2p && !interleaved {
            warnings.push(
                "plan.overlap.p2p: Megatron overlaps sends with interleaved schedules alone"
                    .to_owned(),
            );
        }
    }
    let experts = overlap.ep && 1 < degrees.ep;
    flags.switch_if(experts, "--overlap-moe-expert-parallel-comm");
}
