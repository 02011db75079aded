//! Operations of the parts of one layer, forward, for a token.

use profile::{Attention, AttentionKernel, Kernel, Mask, Pass, Scan};
use units::DType;

use super::Convention;
use crate::ops::Region;
use crate::ops::attention::mask;
use crate::{AttentionSpec, DenseSpec, Ffn, Job, Layer, MambaSpec, Mixer, MlaSpec, MoeSpec};

/// Calls `add` with the operations of each part of a layer's forward pass, for a token.
pub(super) fn parts(
    layer: &Layer,
    len: u64,
    packed: Option<u64>,
    convention: Convention,
    add: &mut impl FnMut(Region, f64),
) {
    let h = layer.hidden as f64;
    match &layer.mixer {
        Some(Mixer::Attention(attention)) => {
            projections(attention, h, add);
            add(
                Region::AttentionCore,
                core(attention, len, packed, convention),
            );
        }
        Some(Mixer::Latent(mla)) => latent(mla, h, len, packed, convention, add),
        Some(Mixer::Mamba2(mamba)) => add(Region::Mamba, mixer(mamba, h, convention)),
        None => {}
    }
    if let Some(cross) = &layer.cross {
        projections(cross, h, add);
        add(Region::AttentionCore, core(cross, len, None, convention));
    }
    match &layer.ffn {
        Some(Ffn::Dense(dense)) => add(Region::Mlp, 2.0 * h * dense_width(dense)),
        Some(Ffn::Moe(moe)) => experts(moe, h, convention, add),
        None => {}
    }
}

/// Projections to queries, keys and values, and behind the heads.
fn projections(attention: &AttentionSpec, h: f64, add: &mut impl FnMut(Region, f64)) {
    let (q, kv) = (attention.q_width() as f64, attention.kv_width() as f64);
    add(Region::Qkv, 2.0 * h * (q + 2.0 * kv));
    add(Region::AttentionOutput, 2.0 * h * q);
}

/// Scores and their product with the values.
fn core(attention: &AttentionSpec, len: u64, packed: Option<u64>, convention: Convention) -> f64 {
    let d = attention.head_dim;
    let mask = match convention {
        Convention::Megatron if attention.causal => packed
            .filter(|packed| *packed < len)
            .map_or(Mask::Causal, Mask::Packed),
        Convention::Megatron | Convention::MegatronFull => Mask::Full,
        Convention::Operators => mask(attention, len, packed),
    };
    scores(attention.heads, [d, d], len, mask)
}

/// Operations of an attention core for a token: those of the kernel over a whole sequence, over
/// its length.
fn scores(heads: u64, [qk_dim, v_dim]: [u64; 2], len: u64, mask: Mask) -> f64 {
    let kernel = Attention {
        pass: Pass::Forward,
        batch: 1,
        q_len: len,
        kv_len: len,
        heads,
        kv_heads: heads,
        qk_dim,
        v_dim,
        mask,
        kernel: AttentionKernel::Unfused,
        dtype: DType::Bf16,
        dropout: false,
    };
    kernel.flops().as_f64() / len as f64
}

/// Latent attention. Megatron counts one operation a value of each latent for its norm.
fn latent(
    mla: &MlaSpec,
    h: f64,
    len: u64,
    packed: Option<u64>,
    convention: Convention,
    add: &mut impl FnMut(Region, f64),
) {
    let (heads, kv, rope) = (
        mla.heads as f64,
        mla.kv_lora_rank as f64,
        mla.qk_rope_dim as f64,
    );
    let q_width = heads * mla.qk_dim() as f64;
    let norm = if convention == Convention::Operators {
        0.0
    } else {
        1.0
    };
    match mla.q_lora_rank {
        Some(rank) => {
            add(Region::LatentDown, 2.0 * rank as f64 * (h + norm));
            add(Region::LatentUp, 2.0 * rank as f64 * q_width);
        }
        None => add(Region::LatentUp, 2.0 * h * q_width),
    }
    let up = heads * (mla.qk_nope_dim + mla.v_dim) as f64;
    add(Region::LatentDown, 2.0 * (kv * (h + norm) + h * rope));
    add(Region::LatentUp, 2.0 * kv * up);
    add(Region::AttentionOutput, 2.0 * heads * mla.v_dim as f64 * h);
    let causal = packed.map_or(Mask::Causal, Mask::Packed);
    let mask = match (convention, mla.indexer) {
        (Convention::Megatron, _) => Mask::Causal,
        (Convention::MegatronFull, _) => Mask::Full,
        (Convention::Operators, Some(indexer)) => {
            let from = mla.q_lora_rank.map_or(h, |rank| rank as f64);
            let (heads, d) = (indexer.heads as f64, indexer.head_dim as f64);
            add(
                Region::LatentDown,
                2.0 * (from * heads * d + h * (d + heads)),
            );
            let index = scores(indexer.heads, [indexer.head_dim, 0], len, causal);
            add(Region::AttentionCore, index);
            if indexer.top_k < len {
                Mask::Window(indexer.top_k)
            } else {
                causal
            }
        }
        (Convention::Operators, None) => causal,
    };
    let dims = [mla.qk_dim(), mla.v_dim];
    add(Region::AttentionCore, scores(mla.heads, dims, len, mask));
}

/// Widths that a token meets in a dense part, all products together.
fn dense_width(dense: &DenseSpec) -> f64 {
    (dense.up_width() + dense.ffn) as f64
}

/// A mixture of experts: those that a token visits.
fn experts(moe: &MoeSpec, h: f64, convention: Convention, add: &mut impl FnMut(Region, f64)) {
    let products = if moe.gated { 3.0 } else { 2.0 };
    let width = moe.latent.map_or(h, |latent| latent as f64);
    let visited = (moe.top_k * moe.expert_ffn) as f64;
    add(Region::Experts, 2.0 * width * products * visited);
    if let Some(latent) = moe.latent {
        add(Region::Dispatch, 2.0 * h * latent as f64);
        add(Region::Combine, 2.0 * h * latent as f64);
    }
    let shared = moe.shared_ffn.unwrap_or(0) as f64;
    add(Region::SharedExpert, 2.0 * h * products * shared);
    if convention == Convention::Operators {
        add(Region::Router, 2.0 * h * moe.experts as f64);
        if moe.shared_gate {
            add(Region::SharedExpert, 2.0 * h);
        }
    }
}

/// A Mamba-2 mixer.
fn mixer(mamba: &MambaSpec, h: f64, convention: Convention) -> f64 {
    let groups = (mamba.groups * mamba.state) as f64;
    if convention != Convention::Operators {
        let d = 2.0 * h;
        let projected = 2.0 * d + 2.0 * groups + mamba.heads as f64;
        return 2.0 * h * projected + 7.0 * d * mamba.state as f64 + 2.0 * d * h;
    }
    let scan = Kernel::Scan(Scan {
        pass: Pass::Forward,
        tokens: 1,
        heads: mamba.heads,
        head_dim: mamba.head_dim,
        state: mamba.state,
        groups: mamba.groups,
        chunk: mamba.chunk,
        dtype: DType::Bf16,
    });
    2.0 * h * (mamba.projected() + mamba.inner()) as f64 + scan.flops().as_f64()
}

/// Operations of a layer's adapters forward, for a token: `2 r (m + n)` for an m x n product.
pub(super) fn adapters(job: &Job, layer: &Layer) -> f64 {
    let Some(lora) = job.peft else { return 0.0 };
    let mut sides = 0;
    let mut adapt = |wanted: bool, rows: u64, cols: u64, times: u64| {
        sides += if wanted { times * (rows + cols) } else { 0 };
    };
    let (h, targets) = (layer.hidden, lora.targets);
    match &layer.mixer {
        Some(Mixer::Attention(attention)) => {
            adapt(
                targets.qkv,
                h,
                attention.q_width() + 2 * attention.kv_width(),
                1,
            );
            adapt(targets.output, attention.q_width(), h, 1);
        }
        Some(Mixer::Latent(mla)) => {
            let rank = mla.q_lora_rank.unwrap_or(h);
            adapt(targets.qkv && mla.q_lora_rank.is_some(), h, rank, 1);
            adapt(targets.qkv, rank, mla.heads * mla.qk_dim(), 1);
            adapt(targets.qkv, h, mla.kv_lora_rank + mla.qk_rope_dim, 1);
            let up = mla.heads * (mla.qk_nope_dim + mla.v_dim);
            adapt(targets.qkv, mla.kv_lora_rank, up, 1);
            adapt(targets.output, mla.heads * mla.v_dim, h, 1);
        }
        Some(Mixer::Mamba2(mamba)) => {
            adapt(targets.qkv, h, mamba.projected(), 1);
            adapt(targets.output, mamba.inner(), h, 1);
        }
        None => {}
    }
    match &layer.ffn {
        Some(Ffn::Dense(dense)) => {
            adapt(targets.up, h, dense.up_width(), 1);
            adapt(targets.down, dense.ffn, h, 1);
        }
        Some(Ffn::Moe(moe)) => {
            let width = moe.latent.unwrap_or(h);
            adapt(targets.up, width, moe.up_width(), moe.top_k);
            adapt(targets.down, moe.expert_ffn, width, moe.top_k);
            let shared = moe.shared_ffn.unwrap_or(0);
            let gate = if moe.gated { 2 } else { 1 };
            adapt(targets.up && shared != 0, h, gate * shared, 1);
            adapt(targets.down && shared != 0, shared, h, 1);
        }
        None => {}
    }
    (2 * lora.rank * sides) as f64
}
