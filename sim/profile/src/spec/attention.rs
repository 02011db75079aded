//! Attention by one kernel, and step by step.

use serde::{Deserialize, Serialize};
use units::DType;

use super::{FitSpec, one};
use crate::AttentionKernel;

/// `[[attention]]`: a curve for one fused attention kernel and head size.
///
/// ```text
/// t = base + (c⁴ + b⁴)^¼     c = flops · (1 + half_len/keys) / (peak · efficiency · u^wave)
///                            b = bytes / (bandwidth · bandwidth of the data sheet)
/// ```
///
/// with `keys` the mean number of keys that a query meets, and `u` the share of the waves
/// that thread blocks of `tile` queries of one head fill. Backward passes do 2.5 times the operations,
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
