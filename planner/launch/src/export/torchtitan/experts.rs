//! Mixtures of experts as torchtitan spreads them, and what of a model it does not cut.
//!
//! ```text
//! dense parameters   pp x dp_replicate x dp_shard x cp x tp
//! experts            pp x dp_replicate x efsdp x ep          efsdp = dp_shard cp tp / ep
//! ```
//!
//! Source: `torchtitan/distributed/parallel_dims.py` and `torchtitan/models/common` of 0.3.0;
//! `torchtitan/config/job_config.py` of 0.2.2.

use plan::Plan;
use predict::Scenario;
use workload::Dispatcher;

use super::settings::{SettingValue, Settings};
use super::{Form, refused, unsupported};
use crate::error::ExportError;
use crate::places::has_experts;
use crate::shape::{Attention, GptShape};

/// Refuses what torchtitan's models do not run, and warns of what its configurations lack.
pub(super) fn check_model(
    scenario: &Scenario,
    warnings: &mut Vec<String>,
) -> Result<(), ExportError> {
    let degrees = scenario.plan.degrees();
    let Ok(shape) = GptShape::of(&scenario.job.model) else {
        return Ok(());
    };
    if let Attention::Grouped(attention) = shape.attention
        && !attention.kv_heads.is_multiple_of(u64::from(degrees.tp))
    {
        let what = format!(
            "tensor parallelism that cuts {} key-value heads in {} parts",
            attention.kv_heads, degrees.tp
        );
        return refused("plan.tp", what, "use a tp that divides the heads");
    }
    if shape.tied && 1 < degrees.pp {
        let what = "a pipeline whose ends share the embedding";
        return refused("plan.pp", what, "use pp = 1");
    }
    if 0 < shape.mtp {
        warnings.push(
            "model: torchtitan's configurations have no modules for further tokens: choose CONFIG \
             so"
            .to_owned(),
        );
    }
    Ok(())
}

/// The fields of experts.
///
/// * `shards` — ranks that share dense parameters, `dp_shard`.
pub(super) fn write(
    scenario: &Scenario,
    form: Form,
    shards: u32,
    warnings: &mut Vec<String>,
    out: &mut Settings,
) -> Result<(), ExportError> {
    if !has_experts(scenario) {
        return Ok(());
    }
    let plan = &scenario.plan;
    inner(plan, form, out)?;
    let (degrees, experts) = (plan.degrees(), plan.experts());
    let region = shards * degrees.cp * degrees.tp;
    if 1 < degrees.ep && !region.is_multiple_of(degrees.ep * degrees.etp) {
        let what = format!(
            "experts over {} ranks, of {region} that share dense parameters",
            degrees.ep * degrees.etp
        );
        let hint = "use an ep that divides shards x cp x tp";
        return refused("plan.ep", what, hint);
    }
    if experts.capacity_factor.is_some() {
        let what = "a capacity of experts";
        let hint = "leave capacity_factor out: torchtitan drops no tokens";
        return Err(unsupported("plan.moe.capacity_factor", what, hint));
    }
    dispatcher(plan, form, warnings, out)?;
    quiet(plan, warnings);
    Ok(())
}

/// Tensor parallelism inside experts: that of the other layers without expert parallelism. Beside
/// it there is none, before 0.3 also all of it.
fn inner(plan: &Plan, form: Form, out: &mut Settings) -> Result<(), ExportError> {
    let degrees = plan.degrees();
    let (fits, hint) = match (degrees.ep, form) {
        (1, _) => (
            degrees.etp == degrees.tp,
            "use etp = tp, or expert parallelism",
        ),
        (_, Form::Flags) => (degrees.etp == 1, "use etp = 1"),
        (_, Form::Toml) => (
            degrees.etp == 1 || degrees.etp == degrees.tp,
            "use etp = 1 or etp = tp",
        ),
    };
    if !fits {
        let what = format!(
            "tensor parallelism of degree {} inside experts",
            degrees.etp
        );
        return Err(unsupported("plan.etp", what, hint));
    }
    if 1 < degrees.ep {
        let key = "parallelism.expert_tensor_parallel_degree";
        let value = SettingValue::Number(u64::from(degrees.etp));
        out.push(key, value, Some(Form::Toml));
    }
    Ok(())
}

fn dispatcher(
    plan: &Plan,
    form: Form,
    warnings: &mut Vec<String>,
    out: &mut Settings,
) -> Result<(), ExportError> {
    if plan.degrees().ep == 1 {
        return Ok(());
    }
    let key = "parallelism.expert_parallel_comm_backend";
    match (plan.experts().dispatcher, form) {
        (Dispatcher::AllToAll, _) => {}
        (Dispatcher::DeepEp, Form::Toml) => {
            out.push(key, SettingValue::Text("deepep"), Some(Form::Toml));
        }
        (Dispatcher::DeepEp, Form::Flags) => warnings.push(
            "plan.moe.dispatcher: which exchange experts use is part of a configuration's function \
             (moe_comm_backend): choose CONFIG so"
                .to_owned(),
        ),
        (Dispatcher::AllGather, _) => {
            let hint = "use dispatcher = \"alltoall\"";
            let field = "plan.moe.dispatcher";
            return Err(unsupported(field, "an all-gather of tokens", hint));
        }
    }
    Ok(())
}

/// What a plan says of experts and torchtitan has no switch for.
fn quiet(plan: &Plan, warnings: &mut Vec<String>) {
    let experts = plan.experts();
    let said = [
        (
            experts.shared_overlap,
            "plan.moe.shared_overlap: torchtitan runs shared experts by themselves",
        ),
        (
            experts.dispatch_dtype.is_some() || experts.activation_dtype.is_some(),
            "plan.moe.dispatch_dtype and activation_dtype: tokens travel and wait in the format of \
             activations",
        ),
        (
            plan.expert_placement().is_some(),
            "plan.moe.experts_file: experts stand in their own order",
        ),
        (
            plan.overlap().ep && 1 < plan.degrees().ep,
            "plan.overlap.ep: torchtitan exchanges tokens without computation beside it",
        ),
    ];
    let said = said.into_iter().filter(|(found, _)| *found);
    warnings.extend(said.map(|(_, text)| text.to_owned()));
}
