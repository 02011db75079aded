//! Floating-point operations of a model, as papers and frameworks count them.
//!
//! Model FLOPs are what the model needs, forward and backward, nothing computed twice; hardware
//! FLOPs add what is recomputed. Counts differ in attention: Megatron-LM counted every score
//! until 2024 and counts half of them since, as a causal mask leaves. MFU here uses the causal
//! count ([`Convention::Megatron`]); published figures may use the other.

mod parts;

use units::Flops;

use crate::ops::{Recompute, Region};
use crate::{Job, Layer, Mixer, Model, Stack};
use parts::{adapters, parts};

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Convention {
    /// `num_floating_point_operations` of Megatron-LM since 2025: half of all scores where
    /// attention is causal, whatever the window, and within documents where sequences are packed;
    /// no router; a Mamba mixer of twice the hidden
    /// width with `7 d N` for its scan. MFU uses this.
    #[default]
    Megatron,
    /// The same with all scores: Megatron-LM until 2024, `NeMo` 24, and the 72-form of
    /// Narayanan et al. 2021.
    MegatronFull,
    /// What the kernels compute: the scores that masks, windows and packing leave, routers,
    /// indexers, convolutions and scans as they are.
    Operators,
}

/// Operations of one iteration without recomputation.
///
/// ```text
/// 3 · 2 · tokens · (weights of every product that a token meets + attention)
/// ```
///
/// With adapters, frozen weights have no gradient: two passes in place of three, and the
/// adapters' own products in three.
///
/// * `vocab` — columns of the output layer: padded for Megatron's count.
pub fn model_flops(job: &Job, vocab: u64, convention: Convention) -> Flops {
    let passes = Passes::of(job);
    let layers: f64 = job
        .model
        .layers()
        .iter()
        .map(|layer| tokens(job, layer.stack) * passes.weigh(job, layer, convention))
        .sum();
    let ends = tokens(job, Stack::Main) * ends(job, vocab, convention, passes);
    Flops::new(layers + ends)
}

/// Operations of one iteration with everything that `policy` computes again in each layer.
pub fn hardware_flops(job: &Job, vocab: u64, convention: Convention, policy: Recompute) -> Flops {
    let again: f64 = job
        .model
        .layers()
        .iter()
        .map(|layer| tokens(job, layer.stack) * repeated(job, layer, convention, policy))
        .sum();
    model_flops(job, vocab, convention) + Flops::new(again)
}

/// Operations of one forward pass of a layer, for each token of sequences of `len` tokens.
pub fn layer_flops(layer: &Layer, len: u64, packed: Option<u64>, convention: Convention) -> f64 {
    let mut sum = 0.0;
    parts(layer, len, packed, convention, &mut |_, flops| sum += flops);
    sum
}

/// Operations of an iteration of a GPT with full recomputation:
/// `96 B s l h² (1 + s/(6h) + V/(16 l h))`.
///
/// Source: Narayanan et al. 2021, equation 3: four passes of the layers, with attention over all
/// scores, and three of the output layer.
///
/// * `shape` — batch, sequence length, layers, hidden width, vocabulary.
pub fn gpt_flops_recomputed(shape: [u64; 5]) -> Flops {
    gpt_form(4.0, shape)
}

/// The same without recomputation: `72 B s l h² (1 + s/(6h) + V/(12 l h))`, three passes of
/// everything, of the same shape.
pub fn gpt_flops(shape: [u64; 5]) -> Flops {
    gpt_form(3.0, shape)
}

/// `layer_passes` of the layers, at `24 B s l h² (1 + s/(6h))` each, and three of the output
/// layer, at `2 B s h V`.
fn gpt_form(layer_passes: f64, shape: [u64; 5]) -> Flops {
    let [batch, len, layers, hidden, vocab] = shape.map(|count| count as f64);
    let layer = 24.0 * hidden * hidden * (1.0 + len / (6.0 * hidden));
    let token = layer_passes * layers * layer + 3.0 * 2.0 * hidden * vocab;
    Flops::new(batch * len * token)
}

/// Tokens of an iteration in one stack.
fn tokens(job: &Job, stack: Stack) -> f64 {
    job.global_batch as f64 * length(job, stack) as f64
}

/// Tokens of a sequence in one stack.
fn length(job: &Job, stack: Stack) -> u64 {
    let decoder = job.decoder_seq_len.filter(|_| stack == Stack::Main);
    decoder.unwrap_or(job.seq_len)
}

/// How often products run: three times, or two where weights are frozen. Attention itself always
/// runs forward once and backward twice.
#[derive(Clone, Copy)]
struct Passes {
    products: f64,
}

impl Passes {
    /// The passes of a job.
    const fn of(job: &Job) -> Self {
        let products = if job.peft.is_some() { 2.0 } else { 3.0 };
        Self { products }
    }

    /// Operations of all passes of a layer for a token.
    fn weigh(self, job: &Job, layer: &Layer, convention: Convention) -> f64 {
        let len = length(job, layer.stack);
        let mut sum = 0.0;
        parts(layer, len, job.packed, convention, &mut |region, flops| {
            let core = region == Region::AttentionCore;
            sum += flops * if core { 3.0 } else { self.products };
        });
        sum + 3.0 * adapters(job, layer)
    }
}

/// Operations of the forward passes that a policy repeats in a layer, for a token.
fn repeated(job: &Job, layer: &Layer, convention: Convention, policy: Recompute) -> f64 {
    let len = length(job, layer.stack);
    let mut sum = 0.0;
    parts(layer, len, job.packed, convention, &mut |region, flops| {
        if policy.drops(region) {
            sum += flops;
        }
    });
    sum
}

/// Operations of the output layer and of modules for further tokens, in all passes for a token.
/// Megatron counts three norms of such a module, and of hybrids their logits alone.
fn ends(job: &Job, vocab: u64, convention: Convention, passes: Passes) -> f64 {
    let model = &job.model;
    let hidden = model.hidden() as f64;
    let width = model.embedding().map_or(model.hidden(), |e| e.width) as f64;
    let heads = if model.head().is_some() {
        1.0 + model.mtp().len() as f64
    } else {
        0.0
    };
    let logits = passes.products * 2.0 * width * vocab as f64 * heads;
    if is_hybrid(model) && convention != Convention::Operators {
        return logits;
    }
    let modules = model.mtp().iter().map(|module| {
        let layers = module
            .layers
            .iter()
            .map(|layer| passes.weigh(job, layer, convention));
        let norms = if convention == Convention::Operators {
            0.0
        } else {
            3.0 * hidden
        };
        layers.sum::<f64>() + passes.products * 2.0 * (norms + 2.0 * hidden * hidden)
    });
    logits + modules.sum::<f64>()
}

/// Whether a model has Mamba mixers, which Megatron counts in a function of their own.
fn is_hybrid(model: &Model) -> bool {
    let mamba = |layer: &Layer| matches!(layer.mixer, Some(Mixer::Mamba2(_)));
    model.layers().iter().any(mamba)
}

#[cfg(test)]
mod tests;
