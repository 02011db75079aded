//! The model as arguments.

use predict::Scenario;
use workload::{Activation, AttentionSpec, MlaSpec, MoeSpec, NormKind, Position};

use super::unsupported;
use crate::error::ExportError;
use crate::export::flags::Flags;
use crate::shape::{Attention, GptShape};

const HINT: &str = "Megatron-LM's pretrain_gpt.py trains decoders of equal layers";

/// The model as a decoder of equal layers.
pub(super) fn shape(scenario: &Scenario) -> Result<GptShape, ExportError> {
    GptShape::of(&scenario.job.model).map_err(|what| unsupported("model", what, Some(HINT)))
}

/// The arguments of the model.
///
/// # Errors
///
/// What of it Megatron cannot say.
pub(crate) fn model_arguments(
    shape: &GptShape,
    scenario: &Scenario,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    flags.value("--num-layers", shape.layers);
    flags.value("--hidden-size", shape.hidden);
    let width = shape.dense.map(|dense| dense.ffn);
    let width = width.or_else(|| shape.moe.as_ref().map(|(moe, _)| moe.expert_ffn));
    flags.some("--ffn-hidden-size", width);
    match shape.attention {
        Attention::Grouped(attention) => grouped(shape, &attention, flags)?,
        Attention::Latent(mla) => latent(&mla, flags),
    }
    let positions = shape.positions.max(scenario.job.seq_len);
    flags.value("--max-position-embeddings", positions);
    norm(shape.norm, flags)?;
    function(shape, warnings, flags)?;
    flags.switch_if(!shape.tied, "--untie-embeddings-and-output-weights");
    flags.switch_if(!shape.has_bias(), "--disable-bias-linear");
    let multiple = scenario.framework.vocab_multiple;
    flags.value("--make-vocab-size-divisible-by", multiple);
    if let Some((moe, pattern)) = &shape.moe {
        experts(moe, pattern, flags);
    }
    if 0 < shape.mtp {
        flags.value("--mtp-num-layers", shape.mtp);
    }
    Ok(())
}

fn grouped(
    shape: &GptShape,
    attention: &AttentionSpec,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    flags.value("--num-attention-heads", attention.heads);
    if attention.kv_heads != attention.heads {
        flags.switch("--group-query-attention");
        flags.value("--num-query-groups", attention.kv_heads);
    }
    flags.value("--kv-channels", attention.head_dim);
    position(attention, flags)?;
    flags.switch_if(attention.qkv_bias && !shape.has_bias(), "--add-qkv-bias");
    flags.switch_if(attention.qk_norm.is_some(), "--qk-layernorm");
    if let Some(window) = attention.window {
        // How many tokens to the left and to the right are seen besides the token itself.
        flags.value("--window-size", format!("{},0", window.saturating_sub(1)));
    }
    Ok(())
}

fn position(attention: &AttentionSpec, flags: &mut Flags) -> Result<(), ExportError> {
    let name = match attention.position {
        Position::None => "none",
        Position::Learned => "learned_absolute",
        Position::Rotary { .. } => "rope",
        Position::Alibi | Position::RelativeBias => {
            return Err(unsupported("model", "biases of positions", Some(HINT)));
        }
    };
    flags.value("--position-embedding-type", name);
    let dims = attention.rotary_dims();
    if 0 < dims && dims != attention.head_dim {
        let share = dims as f64 / attention.head_dim as f64;
        flags.value("--rotary-percent", share);
    }
    Ok(())
}

fn latent(mla: &MlaSpec, flags: &mut Flags) {
    flags.switch("--multi-latent-attention");
    flags.value("--num-attention-heads", mla.heads);
    flags.some("--q-lora-rank", mla.q_lora_rank);
    flags.value("--kv-lora-rank", mla.kv_lora_rank);
    flags.value("--qk-head-dim", mla.qk_nope_dim);
    flags.value("--qk-pos-emb-head-dim", mla.qk_rope_dim);
    flags.value("--v-head-dim", mla.v_dim);
    flags.value("--position-embedding-type", "rope");
}

fn norm(norm: NormKind, flags: &mut Flags) -> Result<(), ExportError> {
    let name = match norm {
        NormKind::Rms => "RMSNorm",
        NormKind::Layer => "LayerNorm",
        _ => {
            let what = format!("norms of the kind {}", norm.name());
            return Err(unsupported("model", what, None));
        }
    };
    flags.value("--normalization", name);
    Ok(())
}

fn function(
    shape: &GptShape,
    warnings: &mut Vec<String>,
    flags: &mut Flags,
) -> Result<(), ExportError> {
    match shape.activation() {
        (true, Activation::Silu) => flags.switch("--swiglu"),
        (true, Activation::Gelu) => {
            flags.switch("--quick-geglu");
            warnings.push(
                "model: Megatron gates with x sigmoid(1.702 x) in place of GELU, which takes as \
                 long and learns another model"
                    .to_owned(),
            );
        }
        (false, Activation::Gelu) => {}
        (false, Activation::SquaredRelu) => {
            flags.switch("--squared-relu");
            // Only GELU and SwiGLU are fused with the bias.
            flags.switch_if(shape.has_bias(), "--no-bias-gelu-fusion");
        }
        (gated, activation) => {
            let gate = if gated { "with" } else { "without" };
            let what = format!("{activation:?} {gate} a gate");
            return Err(unsupported("model", what, None));
        }
    }
    Ok(())
}

fn experts(moe: &MoeSpec, pattern: &[bool], flags: &mut Flags) {
    flags.value("--num-experts", moe.experts);
    flags.value("--moe-router-topk", moe.top_k);
    flags.value("--moe-ffn-hidden-size", moe.expert_ffn);
    if let Some(pattern) = freq_pattern(pattern) {
        flags.value("--moe-layer-freq", pattern);
    }
    flags.some("--moe-shared-expert-intermediate-size", moe.shared_ffn);
    flags.switch_if(moe.shared_gate, "--moe-shared-expert-gate");
    flags.some("--moe-latent-size", moe.latent);
    if 1 < moe.groups.all {
        flags.value("--moe-router-num-groups", moe.groups.all);
        flags.value("--moe-router-group-topk", moe.groups.visited);
    }
    if moe.router_bias {
        // Megatron corrects the choice of sigmoid scores alone.
        flags.switch("--moe-router-enable-expert-bias");
        flags.value("--moe-router-score-function", "sigmoid");
    }
    if moe.top_k == 1 && !moe.router_bias {
        // The softmax of the one chosen score would have no gradient.
        flags.switch("--moe-router-pre-softmax");
    }
    flags.switch("--moe-grouped-gemm");
    flags.switch("--moe-permute-fusion");
}

/// `--moe-layer-freq`: by layer whether it is a mixture, in runs; none where all are.
pub(crate) fn freq_pattern(pattern: &[bool]) -> Option<String> {
    if pattern.iter().all(|moe| *moe) {
        return None;
    }
    let runs = pattern.chunk_by(|a, b| a == b);
    let runs = runs.map(|run| format!("[{}]*{}", u8::from(run[0]), run.len()));
    Some(format!("({})", runs.collect::<Vec<_>>().join("+")))
}
