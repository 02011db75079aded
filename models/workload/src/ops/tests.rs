//! Claims about the operators of whole blocks.

mod activation;
mod blocks;
mod context;
mod experts;
mod formats;
mod params;
mod properties;
mod shapes;

use profile::{AttentionKernel, Gemm};
use units::{Bytes, Flops};

use super::*;
use crate::{
    Activation, AttentionSpec, DenseSpec, Embedding, Ffn, Head, Job, JobSpec, Layer, Mixer, Model,
    ModelSpec, Norms, Position, Precision, Stack,
};

/// A layer of one mixer and one feed-forward part with pre-norms.
fn layer(hidden: u64, mixer: Mixer, ffn: Ffn, norms: Norms) -> Layer {
    Layer {
        hidden,
        stack: Stack::Main,
        mixer: Some(mixer),
        cross: None,
        ffn: Some(ffn),
        norms,
        parallel: false,
        measured: None,
    }
}

/// A layer of GPT-2: multi-head attention, GELU of four times the width, biases.
fn gpt_layer(hidden: u64, heads: u64) -> Layer {
    let attention = AttentionSpec {
        qkv_bias: true,
        out_bias: true,
        position: Position::Learned,
        ..AttentionSpec::rotary(heads, heads, hidden / heads)
    };
    let dense = DenseSpec {
        ffn: 4 * hidden,
        gated: false,
        bias: true,
        activation: Activation::Gelu,
    };
    layer(
        hidden,
        Mixer::Attention(attention),
        Ffn::Dense(dense),
        Norms::PRE_LAYER,
    )
}

/// A layer of Llama 3 405B.
fn llama_405b_layer() -> Layer {
    let attention = AttentionSpec::rotary(128, 8, 128);
    let ffn = Ffn::Dense(DenseSpec::swiglu(53_248));
    layer(16_384, Mixer::Attention(attention), ffn, Norms::PRE_RMS)
}

/// A model of `n` equal layers.
fn model(layer: &Layer, n: usize, vocab: u64) -> Model {
    let spec = ModelSpec {
        name: "test".to_owned(),
        family: "test".to_owned(),
        hidden: layer.hidden,
        layers: vec![layer.clone(); n],
        embedding: Some(Embedding::words(vocab, layer.hidden)),
        final_norm: Some(layer.norms.kind),
        head: Some(Head {
            vocab,
            tied: false,
            bias: false,
            transform: None,
        }),
        pooler: None,
        mtp: Vec::new(),
        max_positions: None,
        notes: Vec::new(),
    };
    Model::build(spec).unwrap()
}

/// A job in fp16 without dropout.
fn job_of(layer: &Layer, change: impl FnOnce(&mut JobSpec)) -> Job {
    let mut spec = JobSpec {
        precision: Precision::FP16,
        ..JobSpec::new(64, 2048)
    };
    change(&mut spec);
    spec.check(model(layer, 2, 51_200)).unwrap()
}

/// Operations of the products alone.
fn gemm_flops(ops: &[Op]) -> f64 {
    let gemms = ops.iter().filter_map(Op::gemm);
    gemms.map(Gemm::flops).sum::<Flops>().as_f64()
}

/// The collectives of a list by name, with their sizes.
fn collectives(ops: &[Op]) -> Vec<(&'static str, Bytes)> {
    let of = |op: &Op| match op.work {
        Work::Collective { bytes, .. } => Some((op.name, bytes)),
        _ => None,
    };
    ops.iter().filter_map(of).collect()
}

/// Unfused attention, everything else fused.
fn unfused() -> Fusion {
    Fusion {
        attention: AttentionKernel::Unfused,
        ..Fusion::MODERN
    }
}
