//! Formats and optimizer as arguments.

use predict::Scenario;
use units::DType;
use workload::{Fp8Recipe, Optimizer, Precision};

use super::unsupported;
use crate::error::ExportError;
use crate::export::flags::Flags;

pub(super) fn arguments(
    scenario: &Scenario,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    let precision = scenario.job.precision;
    compute(precision, warnings, flags);
    if let Some(recipe) = precision.fp8 {
        fewer_bits(recipe, flags);
    }
    gradients(precision, scenario.job.grad_dtype, warnings, flags);
    optimizer(scenario, warnings, flags)
}

fn compute(precision: Precision, warnings: &mut Vec<String>, flags: &mut Flags) {
    match precision.compute {
        DType::Bf16 => flags.switch("--bf16"),
        DType::Fp16 => flags.switch("--fp16"),
        DType::Tf32 => warnings.push(
            "training.precision = \"tf32\": PyTorch multiplies so with \
             NVIDIA_TF32_OVERRIDE=1 in the environment"
                .to_owned(),
        ),
        _ => {}
    }
    if precision.params != precision.compute && precision.compute != DType::Tf32 {
        warnings.push(format!(
            "training.param_dtype = \"{}\": Megatron keeps parameters in the format of activations",
            precision.params
        ));
    }
}

fn fewer_bits(recipe: Fp8Recipe, flags: &mut Flags) {
    match recipe {
        Fp8Recipe::NvFp4 => {
            flags.value("--fp4-format", "e2m1");
            flags.value("--fp4-recipe", "nvfp4");
        }
        Fp8Recipe::MxFp8 | Fp8Recipe::Blockwise => {
            flags.value("--fp8-format", "e4m3");
            flags.value("--fp8-recipe", recipe.name());
        }
        Fp8Recipe::Delayed | Fp8Recipe::Tensorwise => {
            flags.value("--fp8-format", "hybrid");
            flags.value("--fp8-recipe", recipe.name());
        }
    }
}

fn gradients(precision: Precision, dtype: DType, warnings: &mut Vec<String>, flags: &mut Flags) {
    match (precision.compute, dtype) {
        (DType::Bf16 | DType::Fp16, DType::Fp32) => {
            flags.switch("--accumulate-allreduce-grads-in-fp32");
        }
        (DType::Bf16, DType::Bf16) => flags.switch("--grad-reduce-in-bf16"),
        (compute, dtype) if compute != dtype && compute != DType::Tf32 => warnings.push(format!(
            "training.grad_dtype = \"{dtype}\": Megatron adds gradients up in fp32 or in the format \
             of activations"
        )),
        _ => {}
    }
}

fn optimizer(
    scenario: &Scenario,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    match scenario.job.optimizer {
        Optimizer::Adam { moments, decoupled } => {
            flags.value("--optimizer", "adam");
            if !decoupled {
                warnings.push(
                    "training.optimizer = \"adam\": Megatron's Adam decouples weight decay"
                        .to_owned(),
                );
            }
            states(scenario, moments, warnings, flags)
        }
        Optimizer::Sgd { momentum } => {
            flags.value("--optimizer", "sgd");
            flags.value("--sgd-momentum", if momentum { 0.9 } else { 0.0 });
            Ok(())
        }
        Optimizer::Muon { steps } => {
            flags.value("--optimizer", "muon");
            flags.value("--muon-num-ns-steps", steps);
            Ok(())
        }
        _ => {
            let hint = "Megatron-LM has adam, sgd and muon";
            let what = "this optimizer";
            Err(unsupported("training.optimizer", what, Some(hint)))
        }
    }
}

/// Whether only Megatron's distributed optimizer can do what is asked: states in other formats
/// than fp32, or outside the GPU, whose code is the same.
pub(super) fn needs_distributed_optimizer(scenario: &Scenario) -> bool {
    let Optimizer::Adam { moments, .. } = scenario.job.optimizer else {
        return false;
    };
    let main = scenario.job.precision.main_params;
    moments != DType::Fp32 || main == Some(DType::Fp16) || 0.0 < scenario.plan.offload().optimizer
}

/// The formats of the optimizer's states, which only the distributed optimizer can have.
fn states(
    scenario: &Scenario,
    moments: DType,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    let main = scenario.job.precision.main_params;
    let main = main.filter(|main| *main == DType::Fp16);
    let mixed = scenario.job.precision.compute != DType::Fp32;
    if mixed
        && !matches!(
            scenario.job.precision.main_params,
            Some(DType::Fp32 | DType::Fp16)
        )
    {
        warnings.push(
            "training.main_param_dtype: Megatron keeps a copy of the parameters in fp32 or fp16"
                .to_owned(),
        );
    }
    if !needs_distributed_optimizer(scenario) {
        return Ok(());
    }
    let (plan, outside) = (&scenario.plan, 0.0 < scenario.plan.offload().optimizer);
    if plan.shards().optimizer == 1 && 1 < plan.degrees().dense_data() {
        let hint = "shard the optimizer, or keep its states in fp32 on the GPU";
        let (field, what) = if outside {
            ("plan.offload", "states in host memory".to_owned())
        } else {
            ("training.optimizer", format!("moments in {moments}"))
        };
        let what = format!("{what} without the distributed optimizer");
        return Err(unsupported(field, what, Some(hint)));
    }
    flags.switch("--use-precision-aware-optimizer");
    let name = match moments {
        DType::Fp32 | DType::Fp16 | DType::Bf16 | DType::Fp8 => moments.name(),
        _ => {
            let what = format!("moments in {moments}");
            return Err(unsupported("training.optimizer", what, None));
        }
    };
    flags.value("--exp-avg-dtype", name);
    flags.value("--exp-avg-sq-dtype", name);
    flags.some("--main-params-dtype", main.map(DType::name));
    Ok(())
}
