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
    let overrides = overrides(&flags);
    Ok(vec![
        LaunchFile::script("train.sh", script(scenario)),
        LaunchFile::data(FILE, document(scenario, &overrides)),
    ])
}

fn document(scenario: &Scenario, overrides: &[(String, String)]) -> String {
    let mut text = header::lines(scenario, header::NEMO);
    text.push_str("# One override a line; the recipe says everything else of the model.\n");
    for (key, value) in overrides {
        let _ = writeln!(text, "{key}={value}");
    }
    text
}

/// The overrides that arguments of Megatron-LM stand for.
fn overrides(flags: &Flags) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for option in flags.options() {
        let (flag, values) = (option[0].as_str(), &option[1..]);
        for (key, value) in of_flag(flag, values) {
            out.push((key.to_owned(), value));
        }
    }
    if !out.iter().any(|(key, _)| key == "model.sequence_parallel") {
        out.push(("model.sequence_parallel".to_owned(), "false".to_owned()));
    }
    out.push(("mixed_precision".to_owned(), mixed_precision(flags)));
    out
}

/// Flags whose key is the name of a field of a section.
const FIELDS: [(&str, &str); 42] = [
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
    ("--cuda-graph-impl", "model.cuda_graph_impl"),
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
    ("--overlap-param-gather", "ddp.overlap_param_gather"),
    ("--optimizer", "optimizer.optimizer"),
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
        "--no-overlap-p2p-communication" => vec![("model.overlap_p2p_comm", "false".to_owned())],
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
        "--accumulate-allreduce-grads-in-fp32" => vec![("ddp.grad_reduce_in_fp32", on())],
        "--grad-reduce-in-bf16" => vec![("ddp.grad_reduce_in_fp32", "false".to_owned())],
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

/// The name of the recipe of formats.
fn mixed_precision(flags: &Flags) -> String {
    let has = |flag: &str, value: &str| {
        let mut options = flags.options().iter();
        options.any(|option| option[0] == flag && option.get(1).is_none_or(|own| own == value))
    };
    let base = match (has("--bf16", ""), has("--fp16", "")) {
        (true, _) => "bf16",
        (_, true) => "fp16",
        _ => return "fp32".to_owned(),
    };
    let recipes = [
        ("--fp8-recipe", "delayed", "fp8_delayed_scaling"),
        ("--fp8-recipe", "tensorwise", "fp8_current_scaling"),
        ("--fp8-recipe", "blockwise", "fp8_subchannel_scaling"),
        ("--fp8-recipe", "mxfp8", "mxfp8"),
        ("--fp4-recipe", "nvfp4", "nvfp4"),
    ];
    let mut found = recipes.iter().filter(|(flag, value, _)| has(flag, value));
    match found.next() {
        Some((_, _, recipe)) => format!("{base}_with_{recipe}_mixed"),
        None => format!("{base}_mixed"),
    }
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
#   DATASET           mock (default) or megatron-indexed, with dataset.data_path=... as an argument
# Arguments of this script are overrides, too, and stand behind those of the plan.
";

const END: &str = r#"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mapfile -t overrides < <(grep -v '^#' "$here/nemo_overrides.txt")
exec python -u "${MEGATRON_BRIDGE:-Megatron-Bridge}/scripts/training/run_recipe.py" \
    --recipe "${RECIPE:?set RECIPE to a recipe of the model}" --mode pretrain \
    --dataset "${DATASET:-mock}" "${overrides[@]}" "$@"
"#;
