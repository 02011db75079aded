//! The tensors of the branches of a layer.

use super::{bias, norm};
use crate::model::{
    AttentionSpec, DenseSpec, Ffn, IndexerSpec, Layer, MambaSpec, Mixer, MlaSpec, MoeSpec, NormKind,
};
use crate::tensor::{Tensor, TensorKind};

/// Every tensor of a layer.
pub(super) fn layer(layer: &Layer, out: &mut Vec<Tensor>) {
    let hidden = layer.hidden;
    norm("norm", layer.norms.kind, hidden, layer.n_norms(), out);
    match &layer.mixer {
        Some(Mixer::Attention(spec)) => attention(spec, hidden, &SELF, out),
        Some(Mixer::Latent(spec)) => latent(spec, hidden, out),
        Some(Mixer::Mamba2(spec)) => mamba(spec, hidden, out),
        None => {}
    }
    if let Some(spec) = &layer.cross {
        attention(spec, hidden, &CROSS, out);
    }
    match &layer.ffn {
        Some(Ffn::Dense(spec)) => dense(spec, hidden, out),
        Some(Ffn::Moe(spec)) => moe(spec, hidden, out),
        None => {}
    }
    if let Some(measured) = &layer.measured {
        let one = Tensor::new("measured", TensorKind::Measured, measured.params, 1);
        out.push(one);
    }
}

/// Names of the tensors of one attention.
struct Names {
    q: &'static str,
    k: &'static str,
    v: &'static str,
    out: &'static str,
    biases: [&'static str; 4],
}

const SELF: Names = Names {
    q: "q",
    k: "k",
    v: "v",
    out: "o",
    biases: ["q.bias", "k.bias", "v.bias", "o.bias"],
};

const CROSS: Names = Names {
    q: "cross.q",
    k: "cross.k",
    v: "cross.v",
    out: "cross.o",
    biases: [
        "cross.q.bias",
        "cross.k.bias",
        "cross.v.bias",
        "cross.o.bias",
    ],
};

/// The weight of a product that every token meets.
const fn matrix(name: &'static str, rows: u64, cols: u64) -> Tensor {
    Tensor::new(name, TensorKind::Matrix, rows, cols)
}

/// Attention with grouped heads.
fn attention(spec: &AttentionSpec, hidden: u64, names: &Names, out: &mut Vec<Tensor>) {
    let (q, kv) = (spec.q_width(), spec.kv_width());
    out.push(matrix(names.q, q, hidden));
    out.push(matrix(names.k, kv, hidden));
    out.push(matrix(names.v, kv, hidden));
    out.push(matrix(names.out, hidden, q));
    for (name, width) in names.biases.into_iter().zip([q, kv, kv]) {
        bias(name, spec.qkv_bias, width, out);
    }
    bias(names.biases[3], spec.out_bias, hidden, out);
    if let (Some(qk), Some((q, k))) = (spec.qk_norm, spec.qk_norm_widths()) {
        norm("q_norm", qk.kind, q, 1, out);
        norm("k_norm", qk.kind, k, 1, out);
    }
    if spec.sinks {
        out.push(Tensor::new("sinks", TensorKind::Vector, spec.heads, 1));
    }
}

/// Latent attention.
fn latent(spec: &MlaSpec, hidden: u64, out: &mut Vec<Tensor>) {
    let (queries, kv) = (spec.heads * spec.qk_dim(), spec.kv_lora_rank);
    if let Some(rank) = spec.q_lora_rank {
        out.push(matrix("q_down", rank, hidden));
        bias("q_down.bias", spec.bias, rank, out);
        norm("q_norm", NormKind::Rms, rank, 1, out);
        out.push(matrix("q_up", queries, rank));
    } else {
        out.push(matrix("q", queries, hidden));
    }
    out.push(matrix("kv_down", kv + spec.qk_rope_dim, hidden));
    bias("kv_down.bias", spec.bias, kv + spec.qk_rope_dim, out);
    norm("kv_norm", NormKind::Rms, kv, 1, out);
    out.push(matrix(
        "kv_up",
        spec.heads * (spec.qk_nope_dim + spec.v_dim),
        kv,
    ));
    out.push(matrix("o", hidden, spec.heads * spec.v_dim));
    bias("o.bias", spec.bias, hidden, out);
    if let Some(scorer) = &spec.indexer {
        indexer(scorer, spec.q_lora_rank.unwrap_or(hidden), hidden, out);
    }
}

/// The scorer of sparse attention: queries from their latent, one key and a weight a head.
fn indexer(spec: &IndexerSpec, latent: u64, hidden: u64, out: &mut Vec<Tensor>) {
    out.push(matrix("indexer.q", spec.heads * spec.head_dim, latent));
    out.push(matrix("indexer.k", spec.head_dim, hidden));
    norm("indexer.k_norm", NormKind::Layer, spec.head_dim, 1, out);
    out.push(matrix("indexer.weights", spec.heads, hidden));
}

/// A state space: both projections, a convolution, three values a head and the gated norm.
fn mamba(spec: &MambaSpec, hidden: u64, out: &mut Vec<Tensor>) {
    let convolved = spec.convolved();
    out.push(matrix("mamba.in", spec.projected(), hidden));
    bias("mamba.in.bias", spec.bias, spec.projected(), out);
    out.push(Tensor::new(
        "mamba.conv",
        TensorKind::Convolution,
        convolved,
        spec.conv,
    ));
    bias("mamba.conv.bias", spec.conv_bias, convolved, out);
    out.push(Tensor::new("mamba.heads", TensorKind::Vector, spec.heads, 1).times(3));
    norm("mamba.norm", NormKind::Rms, spec.inner(), 1, out);
    out.push(matrix("mamba.out", hidden, spec.inner()));
    bias("mamba.out.bias", spec.bias, hidden, out);
}

/// A dense feed-forward part.
fn dense(spec: &DenseSpec, hidden: u64, out: &mut Vec<Tensor>) {
    if spec.gated {
        out.push(matrix("gate", spec.ffn, hidden));
    }
    out.push(matrix("up", spec.ffn, hidden));
    bias("up.bias", spec.bias, spec.up_width(), out);
    out.push(matrix("down", hidden, spec.ffn));
    bias("down.bias", spec.bias, hidden, out);
}

/// A mixture of experts.
fn moe(spec: &MoeSpec, hidden: u64, out: &mut Vec<Tensor>) {
    out.push(Tensor::new(
        "router",
        TensorKind::Router,
        spec.experts,
        hidden,
    ));
    bias("router.bias", spec.router_bias, spec.experts, out);
    let width = spec.latent.unwrap_or(hidden);
    let expert = |name, rows, cols| Tensor {
        count: spec.experts,
        active: spec.top_k,
        ..Tensor::new(name, TensorKind::Expert, rows, cols)
    };
    if let Some(latent) = spec.latent {
        out.push(matrix("latent.down", latent, hidden));
        out.push(matrix("latent.up", hidden, latent));
    }
    if spec.gated {
        out.push(expert("expert.gate", spec.expert_ffn, width));
    }
    out.push(expert("expert.up", spec.expert_ffn, width));
    out.push(expert("expert.down", width, spec.expert_ffn));
    if spec.bias {
        out.push(expert("expert.up.bias", spec.up_width(), 1));
        out.push(expert("expert.down.bias", width, 1));
    }
    if let Some(ffn) = spec.shared_ffn {
        let inner = [("shared.gate", spec.gated), ("shared.up", true)];
        let there = inner.into_iter().filter(|(_, there)| *there);
        out.extend(there.map(|(name, _)| matrix(name, ffn, hidden)));
        out.push(matrix("shared.down", hidden, ffn));
        if spec.shared_gate {
            out.push(matrix("shared.scale", 1, hidden));
        }
    }
}
