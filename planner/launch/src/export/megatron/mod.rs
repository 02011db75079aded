//! `train.sh` with the arguments of Megatron-LM.
//!
//! The flags are those of `megatron/training/arguments.py` and of the fields of
//! `megatron/core/transformer/transformer_config.py`; `checks/parse_megatron.py` hands exports to
//! that parser and compares what it read with the plan.

mod layout;
mod limits;
mod memory;
mod model;
mod parallel;
mod precision;

use std::fmt::Write as _;

use predict::Scenario;

use super::flags::Flags;
use super::{Files, header};
use crate::bundle::LaunchFile;
use crate::error::ExportError;
use crate::shell;

pub(crate) use layout::text as layout;
use model::model_arguments;
pub(crate) use parallel::uses_fsdp;
use precision::needs_distributed_optimizer;

/// What Megatron cannot say.
pub(crate) fn unsupported(
    field: &'static str,
    what: impl Into<String>,
    hint: Option<&str>,
) -> ExportError {
    ExportError::Unsupported {
        consumer: "Megatron-LM",
        field,
        what: what.into(),
        hint: hint.map(str::to_owned),
    }
}

/// `train.sh`.
///
/// # Errors
///
/// What of the scenario Megatron cannot say.
pub(crate) fn files(scenario: &Scenario, warnings: &mut Vec<String>) -> Result<Files, ExportError> {
    let flags = arguments(scenario, warnings)?;
    warnings.push(
        "a scenario has no base of rotation, no epsilon and no learning rate: set ROTARY_BASE, \
         NORM_EPSILON and LR for train.sh"
            .to_owned(),
    );
    Ok(vec![LaunchFile::script(
        "train.sh",
        script(scenario, &flags),
    )])
}

/// Everything that a scenario says, as arguments.
///
/// # Errors
///
/// What of it Megatron cannot say.
pub(crate) fn arguments(
    scenario: &Scenario,
    warnings: &mut Vec<String>,
) -> Result<Flags, ExportError> {
    let mut flags = Flags::default();
    let shape = model::shape(scenario)?;
    limits::check(scenario, &shape)?;
    model_arguments(&shape, scenario, warnings, &mut flags)?;
    batch(scenario, warnings, &mut flags);
    parallel::arguments(scenario, warnings, &mut flags)?;
    memory::arguments(scenario, &shape, warnings, &mut flags)?;
    precision::arguments(scenario, warnings, &mut flags)?;
    Ok(flags)
}

/// Sequences of an iteration, and what becomes of them.
fn batch(scenario: &Scenario, warnings: &mut Vec<String>, flags: &mut Flags) {
    let (job, plan) = (&scenario.job, &scenario.plan);
    flags.value("--micro-batch-size", plan.micro_batch());
    flags.value("--global-batch-size", job.global_batch);
    flags.value("--seq-length", job.seq_len);
    flags.value("--attention-dropout", job.dropout);
    flags.value("--hidden-dropout", job.dropout);
    if let Some(length) = job.packed {
        warnings.push(format!(
            "sequences of {length} tokens packed into one: prepare such data, and mask attention \
             between them"
        ));
    }
    if job.peft.is_some() {
        warnings.push("adapters beside frozen weights: pretraining has none".to_owned());
    }
}

/// What one process runs.
fn script(scenario: &Scenario, flags: &Flags) -> String {
    let mut text = String::from("#!/usr/bin/env bash\n");
    text.push_str(&header::lines(scenario, header::MEGATRON));
    text.push_str(USAGE);
    text.push_str("set -euo pipefail\n");
    text.push_str(&world_check(scenario));
    if needs_one_connection(scenario) {
        text.push_str(ONE_CONNECTION);
    }
    let _ = write!(
        text,
        "\nargs=(\n{}{})\n",
        shell::array(flags.options()),
        variables(scenario)
    );
    text.push_str(&data(scenario));
    text.push_str(END);
    text
}

const USAGE: &str = "\
# One process of the training; torchrun.sh or rank.sh sets RANK, LOCAL_RANK, WORLD_SIZE and the
# master's address. To be set by you:
#   MEGATRON_LM    folder of Megatron-LM (default: Megatron-LM)
#   DATA_PATH      prefix of the preprocessed data; mock data where it is not set
#   TOKENIZER      a Hugging Face tokenizer, name or folder; needed with DATA_PATH
#   ROTARY_BASE, NORM_EPSILON, LR, MIN_LR, TRAIN_ITERS, CHECKPOINTS (a folder)
# Arguments of this script stand behind all others.
";

/// Refuses another number of processes than the plan has.
pub(crate) fn world_check(scenario: &Scenario) -> String {
    let ranks = scenario.plan.n_ranks();
    format!(
        "WORLD_SIZE=${{WORLD_SIZE:-{ranks}}}\nif ((WORLD_SIZE != {ranks})); then\n    echo \"the plan has {ranks} ranks, not $WORLD_SIZE\" >&2\n    exit 1\nfi\n"
    )
}

/// Collectives of tensor and context parallelism start in order only with one connection.
fn needs_one_connection(scenario: &Scenario) -> bool {
    let degrees = scenario.plan.degrees();
    (1 < degrees.tp || 1 < degrees.cp) && !uses_fsdp(&scenario.plan)
}

const ONE_CONNECTION: &str =
    "export CUDA_DEVICE_MAX_CONNECTIONS=\"${CUDA_DEVICE_MAX_CONNECTIONS:-1}\"\n";

/// Arguments that a scenario does not have.
fn variables(scenario: &Scenario) -> String {
    let iterations = scenario.job.iterations().unwrap_or(100);
    format!(
        r#"    --rotary-base "${{ROTARY_BASE:-10000}}"
    --norm-epsilon "${{NORM_EPSILON:-1e-5}}"
    --lr "${{LR:-1.5e-4}}"
    --min-lr "${{MIN_LR:-1.5e-5}}"
    --train-iters "${{TRAIN_ITERS:-{iterations}}}"
    --eval-iters 0
    --log-interval 1
    --log-throughput
"#
    )
}

/// Mock data of the model's vocabulary, or the user's.
fn data(scenario: &Scenario) -> String {
    let words = scenario.job.model.vocab();
    format!(
        r#"
if [[ -n ${{DATA_PATH:-}} ]]; then
    args+=(--data-path "$DATA_PATH" --split "99,1,0" --tokenizer-type HuggingFaceTokenizer
        --tokenizer-model "${{TOKENIZER:?set TOKENIZER for DATA_PATH}}")
else
    args+=(--mock-data --tokenizer-type NullTokenizer --vocab-size {words})
fi
"#
    )
}

const END: &str = r#"if [[ -n ${CHECKPOINTS:-} ]]; then
    args+=(--save "$CHECKPOINTS" --load "$CHECKPOINTS" --save-interval 500)
fi
exec python -u "${MEGATRON_LM:-Megatron-LM}/pretrain_gpt.py" "${args[@]}" "$@"
"#;
