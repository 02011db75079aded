//! Overrides of a recipe of Megatron-Bridge, and the `train.sh` that applies them.
//!
//! A recipe fixes the model; the overrides fix everything that a plan says, by the names of
//! `ConfigContainer`: those of Megatron-Core's configuration classes.

use std::fmt::Write as _;

use predict::Scenario;

use super::flags::Flags;
use super::{Files, header, megatron};
use crate::bundle::LaunchFile;
use crate::error::ExportError;

/// The file of overrides.
const FILE: &str = "nemo_overrides.txt";

/// `train.sh` and the overrides.
///
/// # Errors
///
/// What of the scenario Megatron-Core cannot say.
pub(crate) fn files(scenario: &Scenario, warnings: &mut Vec<String>) -> Result<Files, ExportError> {
    let flags = megatron::arguments(scenario, warnings)?;
    let overrides = overrides(scenario, &flags);
    Ok(vec![
        LaunchFile::script("train.sh", script(scenario)),
        LaunchFile::data(FILE, document(scenario, &overrides)),
    ])
}

fn document(scenario: &Scenario, overrides: &[(String, String)]) -> String {
    let mut text = header::lines(scenario, header::NEMO);
    text.push_str("# One override a line; the recipe says everything else of the model.\n");
    for (key, value) in overrides {
        let _ = match key.strip_prefix('~') {
            Some(_) => writeln!(text, "{key}"),
            None => writeln!(text, "{key}={value}"),
        };
    }
    text
}

/// The overrides that arguments of Megatron-LM stand for, and the rest of what a recipe may have
/// chosen otherwise.
fn overrides(scenario: &Scenario, flags: &Flags) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for option in flags.options() {
        let (flag, values) = (option[0].as_str(), &option[1..]);
        for (key, value) in of_flag(flag, values) {
            out.push((key.to_owned(), value));
        }
    }
    sends(scenario, &mut out);
    for (key, value) in OFF {
        if !out.iter().any(|(own, _)| own == key) {
            out.push((key.to_owned(), value.to_owned()));
        }
    }
    formats(flags, &mut out);
    out
}

/// Sends of a pipeline: overlapped between the stages of an interleaved one, else in batches.
fn sends(scenario: &Scenario, out: &mut Vec<(String, String)>) {
    let plan = &scenario.plan;
    let beside = 1 < plan.degrees().pp && 1 < plan.chunks() && plan.overlap().p2p;
    out.push(("model.overlap_p2p_comm".to_owned(), beside.to_string()));
    out.push(("model.batch_p2p_comm".to_owned(), (!beside).to_string()));
}

/// What a plan says by leaving it out, and recipes set: without these, a recipe's own pipeline,
/// recomputation or overlap would stay. `comm_overlap` would overrule the sections behind it.
const OFF: [(&str, &str); 44] = [
    ("comm_overlap", "null"),
    ("model.virtual_pipeline_model_parallel_size", "null"),
    ("model.pipeline_model_parallel_layout", "null"),
    ("model.num_layers_in_first_pipeline_stage", "null"),
    ("model.num_layers_in_last_pipeline_stage", "null"),
    ("model.account_for_embedding_in_pipeline_split", "false"),
    ("model.account_for_loss_in_pipeline_split", "false"),
    ("model.microbatch_group_size_per_vp_stage", "null"),
    ("model.expert_model_parallel_size", "1"),
    ("model.expert_tensor_parallel_size", "null"),
    ("model.sequence_parallel", "false"),
    ("model.tp_comm_overlap", "false"),
    ("model.defer_embedding_wgrad_compute", "false"),
    ("model.delay_wgrad_compute", "false"),
    (
        "model.overlap_dispatch_backward_with_experts_wgrad",
        "false",
    ),
    ("model.overlap_moe_expert_parallel_comm", "false"),
    ("model.moe_shared_expert_overlap", "false"),
    ("model.moe_expert_capacity_factor", "null"),
    ("model.moe_pad_expert_input_to_capacity", "false"),
    ("model.mtp_num_layers", "null"),
    ("model.recompute_granularity", "null"),
    ("model.recompute_method", "null"),
    ("model.recompute_num_layers", "null"),
    ("model.recompute_modules", "null"),
    ("model.cpu_offloading", "false"),
    ("model.fine_grained_activation_offloading", "false"),
    ("model.cuda_graph_impl", "none"),
    ("model.cuda_graph_scope", "null"),
    ("model.cuda_graph_modules", "[]"),
    ("dist.use_tp_pp_dp_mapping", "false"),
    ("dist.use_megatron_fsdp", "false"),
    ("ddp.use_megatron_fsdp", "false"),
    ("ddp.data_parallel_sharding_strategy", "no_shard"),
    ("ddp.use_distributed_optimizer", "false"),
    ("optimizer.use_distributed_optimizer", "false"),
    ("ddp.num_distributed_optimizer_instances", "1"),
    ("ddp.overlap_grad_reduce", "false"),
    ("ddp.overlap_param_gather", "false"),
    ("optimizer.overlap_param_gather", "false"),
    ("ddp.align_param_gather", "false"),
    ("optimizer.optimizer_cpu_offload", "false"),
    ("optimizer.use_precision_aware_optimizer", "false"),
    ("optimizer.exp_avg_dtype", "torch.float32"),
    ("optimizer.exp_avg_sq_dtype", "torch.float32"),
];

/// Flags whose key is the name of a field of a section.
const FIELDS: [(&str, &str); 44] = [
    ("--num-layers", "model.num_layers"),
    ("--hidden-size", "model.hidden_size"),
    ("--ffn-hidden-size", "model.ffn_hidden_size"),
    ("--num-attention-heads", "model.num_attention_heads"),
    ("--num-query-groups", "model.num_query_groups"),
    ("--kv-channels", "model.kv_channels"),
    ("--attention-dropout", "model.attention_dropout"),
    ("--hidden-dropout", "model.hidden_dropout"),
    (
        "--tensor-model-parallel-size",
        "model.tensor_model_parallel_size",
    ),
    (
        "--pipeline-model-parallel-size",
        "model.pipeline_model_parallel_size",
    ),
    (
        "--num-virtual-stages-per-pipeline-rank",
        "model.virtual_pipeline_model_parallel_size",
    ),
    (
        "--microbatch-group-size-per-virtual-pipeline-stage",
        "model.microbatch_group_size_per_vp_stage",
    ),
    ("--context-parallel-size", "model.context_parallel_size"),
    ("--cp-comm-type", "model.cp_comm_type"),
    (
        "--expert-model-parallel-size",
        "model.expert_model_parallel_size",
    ),
    (
        "--expert-tensor-parallel-size",
        "model.expert_tensor_parallel_size",
    ),
    ("--sequence-parallel", "model.sequence_parallel"),
    ("--num-experts", "model.num_moe_experts"),
    ("--moe-router-topk", "model.moe_router_topk"),
    ("--moe-ffn-hidden-size", "model.moe_ffn_hidden_size"),
    (
        "--moe-shared-expert-intermediate-size",
        "model.moe_shared_expert_intermediate_size",
    ),
    (
        "--moe-shared-expert-overlap",
        "model.moe_shared_expert_overlap",
    ),
    (
        "--moe-token-dispatcher-type",
        "model.moe_token_dispatcher_type",
    ),
    (
        "--moe-flex-dispatcher-backend",
        "model.moe_flex_dispatcher_backend",
    ),
    (
        "--moe-expert-capacity-factor",
        "model.moe_expert_capacity_factor",
    ),
    (
        "--moe-pad-expert-input-to-capacity",
        "model.moe_pad_expert_input_to_capacity",
    ),
    (
        "--overlap-moe-expert-parallel-comm",
        "model.overlap_moe_expert_parallel_comm",
    ),
    ("--tp-comm-overlap", "model.tp_comm_overlap"),
    ("--recompute-granularity", "model.recompute_granularity"),
    ("--recompute-method", "model.recompute_method"),
    ("--recompute-num-layers", "model.recompute_num_layers"),
    ("--mtp-num-layers", "model.mtp_num_layers"),
    ("--moe-router-dtype", "model.moe_router_dtype"),
    ("--te-rng-tracker", "rng.te_rng_tracker"),
    ("--use-tp-pp-dp-mapping", "dist.use_tp_pp_dp_mapping"),
    (
        "--num-distributed-optimizer-instances",
        "ddp.num_distributed_optimizer_instances",
    ),
    (
        "--data-parallel-sharding-strategy",
        "ddp.data_parallel_sharding_strategy",
    ),
    ("--overlap-grad-reduce", "ddp.overlap_grad_reduce"),
    ("--optimizer", "optimizer.optimizer"),
    ("--sgd-momentum", "optimizer.sgd_momentum"),
    ("--muon-num-ns-steps", "optimizer.muon_num_ns_steps"),
    (
        "--optimizer-offload-fraction",
        "optimizer.optimizer_offload_fraction",
    ),
    ("--micro-batch-size", "train.micro_batch_size"),
    ("--global-batch-size", "train.global_batch_size"),
];

/// What an argument sets; nothing where the recipe says it.
fn of_flag(flag: &str, values: &[String]) -> Vec<(&'static str, String)> {
    let value = || values.first().cloned().unwrap_or_else(|| "true".to_owned());
    if let Some((_, key)) = FIELDS.iter().find(|(name, _)| *name == flag) {
        return vec![(key, value())];
    }
    let on = || "true".to_owned();
    match flag {
        "--seq-length" => vec![
            ("model.seq_length", value()),
            ("dataset.seq_length", value()),
        ],
        "--pipeline-model-parallel-layout" => {
            vec![(
                "model.pipeline_model_parallel_layout",
                format!("'{}'", value()),
            )]
        }
        "--recompute-modules" => {
            vec![("model.recompute_modules", format!("[{}]", values.join(",")))]
        }
        // Its own graphs hold whole iterations; those of layers are Transformer Engine's.
        "--cuda-graph-impl" => vec![("model.cuda_graph_impl", "transformer_engine".to_owned())],
        "--cuda-graph-modules" => {
            vec![(
                "model.cuda_graph_modules",
                format!("[{}]", values.join(",")),
            )]
        }
        "--overlap-param-gather" => vec![
            ("ddp.overlap_param_gather", on()),
            ("optimizer.overlap_param_gather", on()),
        ],
        "--ckpt-format" => vec![("checkpoint.ckpt_format", value())],
        "--no-gradient-accumulation-fusion" => {
            vec![("model.gradient_accumulation_fusion", "false".to_owned())]
        }
        "--megatron-fsdp-main-grads-dtype" => {
            vec![("ddp.megatron_fsdp_main_grads_dtype", torch_type(&value()))]
        }
        "--use-distributed-optimizer" => vec![
            ("ddp.use_distributed_optimizer", on()),
            ("optimizer.use_distributed_optimizer", on()),
        ],
        "--use-megatron-fsdp" => {
            vec![
                ("ddp.use_megatron_fsdp", on()),
                ("dist.use_megatron_fsdp", on()),
            ]
        }
        "--optimizer-cpu-offload" => vec![("optimizer.optimizer_cpu_offload", on())],
        "--use-precision-aware-optimizer" => {
            vec![("optimizer.use_precision_aware_optimizer", on())]
        }
        "--exp-avg-dtype" => vec![("optimizer.exp_avg_dtype", torch_dtype(&value()))],
        "--exp-avg-sq-dtype" => vec![("optimizer.exp_avg_sq_dtype", torch_dtype(&value()))],
        _ => Vec::new(),
    }
}

fn torch_dtype(name: &str) -> String {
    let name = match name {
        "bf16" => "bfloat16",
        "fp16" => "float16",
        "fp8" => "uint8",
        _ => "float32",
    };
    format!("torch.{name}")
}

/// A format where the recipe has none to tell the type of the value from.
fn torch_type(name: &str) -> String {
    format!("{{_target_:{},_call_:false}}", torch_dtype(name))
}

/// The formats of a run, which overrule those of every other section: `bf16_mixed` or `fp16_mixed`
/// of `megatron/bridge/training/mixed_precision.py` where that is all, else every field. Its
/// recipes of fewer bits choose more than a plan says: weights that are gathered in 8 bits, some
/// layers in bf16.
fn formats(flags: &Flags, out: &mut Vec<(String, String)>) {
    let has = |flag: &str| flags.options().iter().any(|option| option[0] == flag);
    let dtype = match (has("--bf16"), has("--fp16")) {
        (true, _) => "bf16",
        (_, true) => "fp16",
        _ => "fp32",
    };
    let in_fp32 = dtype == "fp32" || has("--accumulate-allreduce-grads-in-fp32");
    let plain = !has("--fp8-recipe") && !has("--fp4-recipe");
    if plain && dtype != "fp32" && in_fp32 == (dtype == "bf16") {
        out.push(("mixed_precision".to_owned(), format!("{dtype}_mixed")));
        return;
    }
    let all = whole_formats(flags, dtype, in_fp32);
    out.push(("~mixed_precision".to_owned(), String::new()));
    out.push(("+mixed_precision".to_owned(), all));
}

/// The value of a flag.
fn given<'f>(flags: &'f Flags, flag: &str) -> Option<&'f str> {
    let mut options = flags.options().iter();
    let found = options.find(|option| option[0] == flag)?;
    found.get(1).map(String::as_str)
}

/// `MixedPrecisionConfig` with every field that a plan says.
fn whole_formats(flags: &Flags, dtype: &str, in_fp32: bool) -> String {
    let class = "megatron.bridge.training.mixed_precision.MixedPrecisionConfig";
    let weights = torch_type(dtype);
    let mut fields = vec![
        format!("_target_:{class}"),
        format!("{dtype}:true"),
        format!("params_dtype:{weights}"),
        format!("pipeline_dtype:{weights}"),
        format!("grad_reduce_in_fp32:{in_fp32}"),
    ];
    for (flag, field) in [
        ("--fp8-format", "fp8"),
        ("--fp8-recipe", "fp8_recipe"),
        ("--fp4-format", "fp4"),
        ("--fp4-recipe", "fp4_recipe"),
    ] {
        fields.extend(given(flags, flag).map(|value| format!("{field}:{value}")));
    }
    format!("{{{}}}", fields.join(","))
}

fn script(scenario: &Scenario) -> String {
    let mut text = String::from("#!/usr/bin/env bash\n");
    text.push_str(&header::lines(scenario, header::NEMO));
    text.push_str(USAGE);
    text.push_str("set -euo pipefail\n");
    text.push_str(&megatron::world_check(scenario));
    text.push_str(END);
    text
}

const USAGE: &str = "\
# One process of the training; torchrun.sh or rank.sh sets RANK, LOCAL_RANK, WORLD_SIZE and the
# master's address. To be set by you:
#   RECIPE            the recipe of the model, such as llama3_70b_pretrain_config
#   MEGATRON_BRIDGE   folder of Megatron-Bridge (default: Megatron-Bridge)
#   DATASET           mock (default) or megatron-indexed, with dataset.blend=[[PREFIX],null] as an argument
# Arguments of this script are overrides, too, and stand behind those of the plan.
";

const END: &str = r#"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mapfile -t overrides < <(grep -v '^#' "$here/nemo_overrides.txt")
exec python -u "${MEGATRON_BRIDGE:-Megatron-Bridge}/scripts/training/run_recipe.py" \
    --recipe "${RECIPE:?set RECIPE to a recipe of the model}" --mode pretrain \
    --dataset "${DATASET:-mock}" "${overrides[@]}" "$@"
"#;
