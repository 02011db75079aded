//! What is computed again or kept elsewhere, as arguments.

use plan::{OffloadTarget, Plan, RecomputePolicy};
use predict::Scenario;
use workload::ops::Recompute;

use super::unsupported;
use crate::complete::modules;
use crate::error::ExportError;
use crate::export::flags::Flags;
use crate::shape::GptShape;

pub(super) fn arguments(
    scenario: &Scenario,
    shape: &GptShape,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    recompute(scenario.plan.recompute_policy(), flags)?;
    offload(scenario, warnings, flags)?;
    if scenario.plan.cuda_graphs() {
        flags.value("--cuda-graph-impl", "local");
        flags.switch("--te-rng-tracker");
        if let Some((_, mixtures)) = &shape.moe {
            graphed(&scenario.plan, mixtures, flags);
        }
    }
    Ok(())
}

/// What of layers with experts a graph can hold: all with a fixed number of rows an expert, else
/// what stands in front of the dispatch.
fn graphed(plan: &Plan, mixtures: &[bool], flags: &mut Flags) {
    let fixed = plan.experts().capacity_factor.is_some();
    let mut held = vec!["attn", if fixed { "moe" } else { "moe_router" }];
    if mixtures.contains(&false) {
        held.push("mlp");
    }
    flags.values("--cuda-graph-modules", held);
}

fn recompute(policy: &RecomputePolicy, flags: &mut Flags) -> Result<(), ExportError> {
    match policy {
        RecomputePolicy::Uniform(Recompute::None) => {}
        RecomputePolicy::Uniform(Recompute::Selective) => {
            flags.value("--recompute-granularity", "selective");
        }
        RecomputePolicy::Uniform(Recompute::Modules(regions)) => {
            flags.value("--recompute-granularity", "selective");
            flags.values("--recompute-modules", modules(*regions));
        }
        RecomputePolicy::Uniform(Recompute::Full) => whole_layers("uniform", 1, flags),
        RecomputePolicy::FirstLayers(counts) => {
            let first = counts.first().copied().unwrap_or(0);
            if counts.iter().any(|count| *count != first) {
                let hint = "recompute as many layers of every virtual stage";
                let what = "another number of recomputed layers for each stage";
                return Err(unsupported("plan.recompute", what, Some(hint)));
            }
            if 0 < first {
                whole_layers("block", first, flags);
            }
        }
    }
    Ok(())
}

fn whole_layers(method: &str, count: u32, flags: &mut Flags) {
    flags.value("--recompute-granularity", "full");
    flags.value("--recompute-method", method);
    flags.value("--recompute-num-layers", count);
}

/// Megatron keeps a share of the optimizer's states in host memory, and no more.
fn offload(
    scenario: &Scenario,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    let offload = scenario.plan.offload();
    if 0.0 < offload.weights {
        let hint = "leave weights on the GPU";
        return Err(unsupported(
            "plan.offload",
            "weights in host memory",
            Some(hint),
        ));
    }
    if offload.target == OffloadTarget::Ssd && 0.0 < offload.activations + offload.optimizer {
        let hint = "offload to \"host\"";
        return Err(unsupported("plan.offload", "data on a drive", Some(hint)));
    }
    if 0.0 < offload.optimizer {
        flags.switch("--optimizer-cpu-offload");
        flags.value("--optimizer-offload-fraction", offload.optimizer);
    }
    if 0.0 < offload.activations {
        warnings.push(format!(
            "plan.offload.activations = {}: Megatron offloads by module, choose them with \
             --fine-grained-activation-offloading and --offload-modules",
            offload.activations
        ));
    }
    Ok(())
}
