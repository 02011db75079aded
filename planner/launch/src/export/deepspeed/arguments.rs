//! The arguments of Megatron-DeepSpeed.

use std::fmt::Write as _;

use plan::RecomputePolicy;
use predict::Scenario;
use units::DType;
use workload::ops::Recompute;
use workload::{Activation, NormKind, Position};

use super::{Zero, unsupported};
use crate::complete::layers_by_stage;
use crate::error::ExportError;
use crate::export::flags::Flags;
use crate::export::{header, megatron};
use crate::shape::{Attention, GptShape};
use crate::shell;

/// `train.sh`.
pub(super) fn script(
    scenario: &Scenario,
    zero: Zero,
    warnings: &mut Vec<String>,
) -> Result<String, ExportError> {
    let mut flags = Flags::default();
    model(scenario, &mut flags)?;
    plan(scenario, zero, warnings, &mut flags)?;
    let mut text = String::from("#!/usr/bin/env bash\n");
    text.push_str(&header::lines(scenario, header::DEEPSPEED));
    text.push_str(USAGE);
    text.push_str("set -euo pipefail\n");
    text.push_str(&megatron::world_check(scenario));
    text.push_str("here=$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\n");
    let options = shell::array(flags.options());
    let iterations = scenario.job.iterations().unwrap_or(100);
    let _ = write!(
        text,
        "\nargs=(\n{options}    --train-iters \"${{TRAIN_ITERS:-{iterations}}}\"\n"
    );
    text.push_str(END);
    warnings.push(
        "a scenario has no learning rate and no data: set LR, DATA_PATH and TOKENIZER".to_owned(),
    );
    Ok(text)
}

const USAGE: &str = "\
# One process of the training; torchrun.sh or rank.sh sets RANK, LOCAL_RANK, WORLD_SIZE and the
# master's address. To be set by you:
#   DATA_PATH, TOKENIZER   prefix of the preprocessed data, and a Hugging Face tokenizer
#   MEGATRON_DEEPSPEED     folder of Megatron-DeepSpeed (default: Megatron-DeepSpeed)
#   LR, TRAIN_ITERS
# Arguments of this script stand behind all others.
";

const END: &str = r#"    --lr "${LR:-1.5e-4}"
    --eval-iters 0
    --log-interval 1
    --data-path "${DATA_PATH:?set DATA_PATH to the prefix of preprocessed data}"
    --tokenizer-type HFTokenizer
    --tokenizer-model "${TOKENIZER:?set TOKENIZER to a Hugging Face tokenizer}"
    --deepspeed
    --deepspeed_config "$here/ds_config.json"
)
exec python -u "${MEGATRON_DEEPSPEED:-Megatron-DeepSpeed}/pretrain_gpt.py" "${args[@]}" "$@"
"#;

fn model(scenario: &Scenario, flags: &mut Flags) -> Result<(), ExportError> {
    let hint = "Megatron-DeepSpeed's pretrain_gpt.py trains decoders of equal layers";
    let shape = GptShape::of(&scenario.job.model);
    let shape = shape.map_err(|what| unsupported("model", what, hint))?;
    let Attention::Grouped(attention) = shape.attention else {
        return Err(unsupported("model", "latent attention", hint));
    };
    flags.value("--num-layers", shape.layers);
    flags.value("--hidden-size", shape.hidden);
    flags.some("--ffn-hidden-size", shape.dense.map(|dense| dense.ffn));
    flags.value("--num-attention-heads", attention.heads);
    if attention.kv_heads != attention.heads {
        flags.value("--num-key-value-heads", attention.kv_heads);
    }
    if attention.heads * attention.head_dim != shape.hidden {
        flags.value("--kv-channels", attention.head_dim);
    }
    flags.value(
        "--max-position-embeddings",
        shape.positions.max(scenario.job.seq_len),
    );
    match attention.position {
        Position::Rotary { .. } => flags.switch("--use-rotary-position-embeddings"),
        Position::Learned => {}
        _ => return Err(unsupported("model", "these positions", hint)),
    }
    match shape.norm {
        NormKind::Rms => flags.value("--normalization", "rmsnorm"),
        NormKind::Layer => flags.value("--normalization", "layernorm"),
        _ => return Err(unsupported("model", "these norms", hint)),
    }
    match shape.activation() {
        (true, Activation::Silu) => flags.switch("--swiglu"),
        (false, Activation::Gelu) => {}
        (false, Activation::SquaredRelu) => flags.switch("--squared-relu"),
        _ => return Err(unsupported("model", "this activation", hint)),
    }
    flags.switch_if(!shape.tied, "--untie-embeddings-and-output-weights");
    flags.switch_if(!shape.has_bias(), "--disable-bias-linear");
    let multiple = scenario.framework.vocab_multiple;
    flags.value("--make-vocab-size-divisible-by", multiple);
    Ok(())
}

fn plan(
    scenario: &Scenario,
    zero: Zero,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    let (plan, job, degrees) = (&scenario.plan, &scenario.job, scenario.plan.degrees());
    flags.value("--micro-batch-size", plan.micro_batch());
    flags.value("--global-batch-size", job.global_batch);
    flags.value("--seq-length", job.seq_len);
    flags.value("--attention-dropout", job.dropout);
    flags.value("--hidden-dropout", job.dropout);
    flags.value("--tensor-model-parallel-size", degrees.tp);
    flags.value("--pipeline-model-parallel-size", degrees.pp);
    flags.switch_if(degrees.pp == 1, "--no-pipeline-parallel");
    if 1 < degrees.cp {
        flags.value("--ds-sequence-parallel-size", degrees.cp);
    }
    flags.switch_if(plan.sequence_parallel(), "--sequence-parallel");
    flags.value("--zero-stage", zero.stage);
    match job.precision.compute {
        DType::Bf16 => flags.switch("--bf16"),
        DType::Fp16 => flags.switch("--fp16"),
        _ => {}
    }
    let counts = layers_by_stage(plan);
    if counts.windows(2).any(|pair| pair[0] != pair[1]) {
        warnings.push(format!(
            "plan.layer_split = {counts:?}: DeepSpeed cuts by parameters (partition_method)"
        ));
    }
    recompute(plan.recompute_policy(), flags)
}

fn recompute(policy: &RecomputePolicy, flags: &mut Flags) -> Result<(), ExportError> {
    match policy {
        RecomputePolicy::Uniform(Recompute::None) => Ok(()),
        RecomputePolicy::Uniform(Recompute::Selective) => {
            flags.value("--recompute-granularity", "selective");
            Ok(())
        }
        RecomputePolicy::Uniform(Recompute::Full) => {
            flags.switch("--checkpoint-activations");
            flags.switch("--deepspeed-activation-checkpointing");
            Ok(())
        }
        _ => {
            let hint = "use recompute = \"none\", \"selective\" or \"full\"";
            Err(unsupported(
                "plan.recompute",
                "parts of layers or some layers",
                hint,
            ))
        }
    }
}
