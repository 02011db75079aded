//! Mixtures of experts, which `DeepSpeed` spreads by itself (`AutoEP`): it puts its own layers in
//! place of those of a Hugging Face model of a family that it knows.
//!
//! Megatron-DeepSpeed is not what runs then: its mixtures have other layers than our models.
//! Source: `deepspeed/module_inject/auto_ep_config.py`, `auto_ep_folding.py` and
//! `auto_ep_presets` of 0.19.8.

use predict::Scenario;
use serde_json::{Value, json};
use workload::Dispatcher;

use super::{Zero, unsupported};
use crate::error::ExportError;
use crate::export::{header, megatron};

/// The families that have a preset, by the names of Hugging Face, which the presets share.
const PRESETS: [&str; 4] = ["mixtral", "qwen3_moe", "deepseek_v2", "deepseek_v3"];

/// The section `expert_parallel` of a plan.
///
/// # Errors
///
/// What of the plan `AutoEP` does not do.
pub(super) fn section(
    scenario: &Scenario,
    zero: Zero,
    warnings: &mut Vec<String>,
) -> Result<Value, ExportError> {
    let (plan, degrees) = (&scenario.plan, scenario.plan.degrees());
    let family = scenario.job.model.family();
    if !PRESETS.contains(&family) {
        let hint = "`--to megatron` trains mixtures of other families";
        let what = format!("mixtures of experts of the family {family:?}");
        return Err(unsupported("model", what, hint));
    }
    if 1 < degrees.tp || 1 < degrees.pp || 1 < degrees.cp {
        let hint = "use tp = 1, pp = 1 and cp = 1";
        let what = "experts beside tensor, pipeline or context parallelism";
        return Err(unsupported("plan", what, hint));
    }
    if degrees.etp != 1 {
        let what = "tensor parallelism inside experts";
        return Err(unsupported("plan.etp", what, "use etp = 1"));
    }
    if plan.experts().capacity_factor.is_some() {
        let hint = "leave capacity_factor out: AutoEP drops no tokens";
        let what = "a capacity of experts";
        return Err(unsupported("plan.moe.capacity_factor", what, hint));
    }
    if zero.weights.is_some() {
        let hint = "use shard = \"zero-3\"";
        let what = "experts beside weights over part of the ranks";
        return Err(unsupported("plan.shard", what, hint));
    }
    let tokens = plan.micro_batch() * scenario.job.seq_len;
    let mut out = json!({
        "enabled": true,
        "autoep_size": degrees.ep,
        "preset_model": family,
    });
    match plan.experts().dispatcher {
        Dispatcher::AllToAll => {}
        Dispatcher::DeepEp if 1 < degrees.ep => {
            out["comm_backend"] = json!("deepep");
            out["comm_max_tokens_per_rank"] = json!(tokens);
        }
        _ => {
            let hint = "use dispatcher = \"alltoall\"";
            let what = "this exchange of tokens";
            return Err(unsupported("plan.moe.dispatcher", what, hint));
        }
    }
    quiet(scenario, warnings);
    Ok(out)
}

/// What a plan says and your program decides, or nobody.
fn quiet(scenario: &Scenario, warnings: &mut Vec<String>) {
    let plan = &scenario.plan;
    warnings.push(
        "model, training.optimizer and plan.recompute: DeepSpeed spreads the experts of a Hugging \
         Face model that a program of yours loads, whose choice these are"
            .to_owned(),
    );
    if plan.experts().shared_overlap || plan.overlap().ep && 1 < plan.degrees().ep {
        warnings.push(
            "plan.overlap.ep and plan.moe.shared_overlap: AutoEP exchanges tokens without \
             computation beside it"
                .to_owned(),
        );
    }
    if plan.expert_placement().is_some() {
        warnings.push("plan.moe.experts_file: experts stand in their own order".to_owned());
    }
}

/// `train.sh` that hands the configuration to a program.
pub(super) fn script(scenario: &Scenario) -> String {
    let mut text = String::from("#!/usr/bin/env bash\n");
    text.push_str(&header::lines(scenario, header::AUTO_EP));
    text.push_str(USAGE);
    text.push_str("set -euo pipefail\n");
    text.push_str(&megatron::world_check(scenario));
    text.push_str(END);
    text
}

const USAGE: &str = "\
# One process of the training; torchrun.sh or rank.sh sets RANK, LOCAL_RANK, WORLD_SIZE and the
# master's address. To be set by you:
#   PROGRAM   a Python program that loads the model of the scenario from Hugging Face and hands it to
#             deepspeed.initialize with the file behind --deepspeed_config
# Arguments of this script stand behind all others.
";

const END: &str = r#"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec python -u "${PROGRAM:?set PROGRAM to a program that calls deepspeed.initialize}" \
    --deepspeed --deepspeed_config "$here/ds_config.json" "$@"
"#;
