//! `ds_config.json` and the `train.sh` of Megatron-DeepSpeed that reads it.
//!
//! `DeepSpeed`'s own configuration knows batch, formats and sharding; degrees, schedule and the model
//! are arguments of the program that it runs in.

mod arguments;
mod experts;

use plan::{OffloadTarget, ScheduleKind, Shards};
use predict::Scenario;
use serde_json::{Map, Value, json};
use units::DType;
use workload::CpMethod;

use super::{Files, header};
use crate::bundle::LaunchFile;
use crate::error::ExportError;
use crate::places::has_experts;

/// Every key that `DeepSpeed` reads at the top of its configuration. It takes others without a
/// word, so the import refuses them. Source: `deepspeed/runtime/config.py` and the sections that
/// it calls, version 0.19.8.
pub const TOP_LEVEL_KEYS: [&str; 63] = [
    "_comment",
    "activation_checkpointing",
    "aio",
    "amp",
    "autotuning",
    "bf16",
    "bf16_master_weights_and_grads",
    "bfloat16",
    "checkpoint",
    "comms_logger",
    "communication_data_type",
    "compile",
    "compression_training",
    "csv_monitor",
    "curriculum_learning",
    "data_efficiency",
    "data_types",
    "datastates_ckpt",
    "dataloader_drop_last",
    "disable_allgather",
    "disable_python_gc",
    "dump_state",
    "eigenvalue",
    "elasticity",
    "expert_parallel",
    "flops_profiler",
    "fp16",
    "fp16_master_weights_and_grads",
    "gradient_accumulation_steps",
    "gradient_allreduce_op",
    "gradient_clipping",
    "gradient_predivide_factor",
    "graph_harvesting",
    "hybrid_engine",
    "log_level",
    "managed_gradient_accumulation",
    "memory_breakdown",
    "nebula",
    "optimizer",
    "pipeline",
    "prescale_gradients",
    "progressive_layer_drop",
    "quantize_training",
    "scheduler",
    "seq_parallel_communication_data_type",
    "sparse_attention",
    "sparse_gradients",
    "steps_per_print",
    "tensor_parallel",
    "tensorboard",
    "timers",
    "torch_autocast",
    "train_batch_size",
    "train_micro_batch_size_per_gpu",
    "vocabulary_size",
    "use_data_before_expert_parallelism",
    "wall_clock_breakdown",
    "wandb",
    "weight_quantization",
    "zero_allow_untested_optimizer",
    "zero_force_ds_cpu_optimizer",
    "zero_optimization",
    "zenflow",
];

/// What `DeepSpeed` cannot say.
fn unsupported(field: &'static str, what: impl Into<String>, hint: &str) -> ExportError {
    ExportError::Unsupported {
        consumer: "DeepSpeed",
        field,
        what: what.into(),
        hint: Some(hint.to_owned()),
    }
}

/// `train.sh` and `ds_config.json`.
///
/// # Errors
///
/// What of the scenario `DeepSpeed` cannot say.
pub(crate) fn files(scenario: &Scenario, warnings: &mut Vec<String>) -> Result<Files, ExportError> {
    check(scenario)?;
    let stage = stage(scenario)?;
    let mut config = config(scenario, stage, warnings);
    let script = if has_experts(scenario) {
        config["expert_parallel"] = experts::section(scenario, stage, warnings)?;
        experts::script(scenario)
    } else {
        arguments::script(scenario, stage, warnings)?
    };
    let text = format!("{config:#}\n");
    Ok(vec![
        LaunchFile::script("train.sh", script),
        LaunchFile::data("ds_config.json", text),
    ])
}

/// What `DeepSpeed` or Megatron-DeepSpeed has no counterpart for.
fn check(scenario: &Scenario) -> Result<(), ExportError> {
    let (plan, degrees) = (&scenario.plan, scenario.plan.degrees());
    let one = plan.schedule_kind() == Some(ScheduleKind::OneFOneB) && plan.chunks() == 1;
    if 1 < degrees.pp && !one {
        let hint = "DeepSpeed's pipeline runs \"1f1b\" with one chunk a device";
        return Err(unsupported("plan.schedule", "this schedule", hint));
    }
    if 1 < degrees.cp && plan.cp_method() != CpMethod::AllToAll {
        let hint = "use cp_method = \"alltoall\" (Ulysses)";
        return Err(unsupported(
            "plan.cp_method",
            "context parallelism by a ring",
            hint,
        ));
    }
    if 1 < degrees.cp && plan.sequence_parallel() {
        return Err(ExportError::NotRun {
            consumer: "DeepSpeed",
            field: "plan.sp",
            what: "Ulysses beside sequence parallelism".to_owned(),
            hint: "use sp = false, or cp = 1".to_owned(),
        });
    }
    if scenario.job.precision.fp8.is_some() {
        let hint = "use precision = \"bf16\"";
        return Err(unsupported(
            "training.precision",
            "products in 8 bits",
            hint,
        ));
    }
    Ok(())
}

/// The stage of `ZeRO`, and over how many ranks weights are cut where not over all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Zero {
    stage: u32,
    /// `zero_hpz_partition_size`.
    weights: Option<u32>,
}

fn stage(scenario: &Scenario) -> Result<Zero, ExportError> {
    let (shards, all) = (scenario.plan.shards(), scenario.plan.degrees().dense_data());
    let plain = |stage| Zero {
        stage,
        weights: None,
    };
    let Shards {
        weights,
        gradients,
        optimizer,
    } = shards;
    let zero = match (weights, gradients, optimizer) {
        (1, 1, 1) => plain(0),
        (1, 1, o) if o == all => plain(1),
        (1, g, o) if g == all && o == all => plain(2),
        (w, g, o) if w == all && g == all && o == all => plain(3),
        (w, g, o) if g == all && o == all => Zero {
            weights: Some(w),
            ..plain(3)
        },
        _ => {
            let what = format!(
                "weights over {weights}, gradients over {gradients} and optimizer over {optimizer} of {all} ranks"
            );
            let hint = "use shard = \"zero-1\", \"zero-2\" or \"zero-3\"";
            return Err(unsupported("plan.shard", what, hint));
        }
    };
    if 1 < scenario.plan.degrees().pp && 1 < zero.stage {
        let hint = "use shard = \"zero-1\" with a pipeline";
        let what = format!("ZeRO stage {} with a pipeline", zero.stage);
        return Err(unsupported("plan.shard", what, hint));
    }
    Ok(zero)
}

fn config(scenario: &Scenario, zero: Zero, warnings: &mut Vec<String>) -> Value {
    let (plan, job) = (&scenario.plan, &scenario.job);
    let mut out = Map::new();
    let mut set = |key: &str, value: Value| out.insert(key.to_owned(), value);
    set(
        "_comment",
        json!(format!("Written by windtunnel for {}.", header::DEEPSPEED)),
    );
    set("train_batch_size", json!(job.global_batch));
    set("train_micro_batch_size_per_gpu", json!(plan.micro_batch()));
    set("gradient_accumulation_steps", json!(plan.n_micro_batches()));
    set("gradient_clipping", json!(1.0));
    set("steps_per_print", json!(1));
    set("zero_optimization", zero_section(scenario, zero));
    match job.precision.compute {
        DType::Bf16 => drop(set("bf16", json!({ "enabled": true }))),
        DType::Fp16 => drop(set("fp16", json!({ "enabled": true, "loss_scale": 0 }))),
        _ => {}
    }
    set(
        "data_types",
        json!({ "grad_accum_dtype": job.grad_dtype.name() }),
    );
    set("zero_allow_untested_optimizer", json!(true));
    set("wall_clock_breakdown", json!(false));
    if 0.0 < plan.offload().activations {
        warnings.push(format!(
            "plan.offload.activations = {}: DeepSpeed keeps the inputs of recomputed layers in host \
             memory, or nothing",
            plan.offload().activations
        ));
    }
    Value::Object(out)
}

fn zero_section(scenario: &Scenario, zero: Zero) -> Value {
    let (overlap, offload) = (scenario.plan.overlap(), scenario.plan.offload());
    let mut out = Map::new();
    let mut set = |key: &str, value: Value| out.insert(key.to_owned(), value);
    set("stage", json!(zero.stage));
    let comm = if zero.stage == 3 {
        overlap.param_gather
    } else {
        overlap.grad_reduce
    };
    set("overlap_comm", json!(comm));
    set("reduce_scatter", json!(1 < zero.stage));
    set("contiguous_gradients", json!(true));
    if let Some(weights) = zero.weights {
        set("zero_hpz_partition_size", json!(weights));
    }
    let device = match offload.target {
        OffloadTarget::Host => "cpu",
        OffloadTarget::Ssd => "nvme",
    };
    if 0.0 < offload.optimizer {
        let section = json!({ "device": device, "pin_memory": true, "ratio": offload.optimizer });
        set("offload_optimizer", section);
    }
    if 0.0 < offload.weights {
        set(
            "offload_param",
            json!({ "device": device, "pin_memory": true }),
        );
    }
    Value::Object(out)
}
