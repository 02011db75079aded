//! Attention by one kernel, and step by step.

use serde::{Deserialize, Serialize};
use units::DType;

use super::{FitSpec, one};
use crate::{AttentionKernel, Pass};

/// `[[attention]]`: a curve for one fused attention kernel and head size.
///
/// ```text
/// t = base + (c⁴ + b⁴)^¼ + tail · l
///
/// c = flops · (1 + half_len/keys) / (peak · efficiency · u^wave)
/// b = bytes / (bandwidth · bandwidth of the data sheet)
/// l = 2 tile · all keys · (queries' + values' dimension) · SMs / (peak · efficiency)
/// ```
///
/// with `keys` the mean number of keys that a query meets, and `u` the share of the waves
/// that thread blocks of `tile` queries of one head fill. `l` is the
/// longest block of the forward pass: under a causal mask blocks differ in length, and the GPU
/// waits for the last one; backward passes were seen to wait as long. Backward passes do 2.5 times the operations,
/// each taking `backward` times as long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionSpec {
    /// The generation of the kernel.
    pub kernel: AttentionKernel,
    /// Formats that the curve holds for.
    pub dtypes: Vec<DType>,
    /// Dimension of queries and keys per head.
    pub head_dim: u64,
    /// Share of the peak reached on long sequences, counting the scores that the mask leaves.
    pub efficiency: f64,
    /// Mean keys per query at which half of the speed is lost.
    #[serde(default)]
    pub half_len: f64,
    /// Exponent of the wave utilization.
    #[serde(default = "one")]
    pub wave: f64,
    /// Queries per thread block.
    #[serde(default = "tile_rows")]
    pub tile: u32,
    /// How much of the longest thread block the end of the kernel waits for.
    #[serde(default)]
    pub tail: f64,
    /// Share of the data sheet's memory bandwidth.
    pub bandwidth: f64,
    /// Time per operation of the backward pass over that of the forward pass.
    pub backward: f64,
    /// What a kernel measured alone costs besides, in microseconds.
    #[serde(default)]
    pub base_us: f64,
    /// Where the constants come from.
    pub source: String,
    /// On what the constants were fitted, and how well.
    #[serde(default)]
    pub fit: Option<FitSpec>,
    /// Causal cores that were measured themselves.
    #[serde(default)]
    pub points: Vec<AttentionPointSpec>,
}

/// One of `points` of `[[attention]]`: a causal core over whole sequences that was measured itself,
/// `{ pass = "forward", batch = 1, len = 4096, heads = 32, kv_heads = 8, v_dim = 128, us = 412.0 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionPointSpec {
    /// Forward or backward.
    pub pass: Pass,
    /// Sequences.
    pub batch: u64,
    /// Tokens of a sequence.
    pub len: u64,
    /// Query heads.
    pub heads: u64,
    /// Key and value heads.
    pub kv_heads: u64,
    /// Dimension of values per head.
    pub v_dim: u64,
    /// Measured time in microseconds, without a launch gap.
    pub us: f64,
}

/// `[unfused]`: attention as batched products with the scores in memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnfusedSpec {
    /// Speed of a batched product whose head size is not a multiple of 8, over the usual one.
    pub misaligned: f64,
    /// Bytes moved per score by the fused scale-mask-softmax kernel, without dropout.
    pub score_bytes: f64,
    /// The same where that kernel does not apply and each step is a kernel of its own.
    pub loose_score_bytes: f64,
    /// Longest key length that the fused softmax kernel takes.
    pub fused_max_len: u64,
    /// Where the constants come from.
    pub source: String,
}

const fn tile_rows() -> u32 {
    128
}
