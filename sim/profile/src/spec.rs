//! What a profile file says, as plain data.
//!
//! A file names one GPU and holds curves for it. Every section may be left out: what is missing
//! is taken from the data sheet with the efficiencies of the GPU's architecture, and marked
//! nominal. [`Profile::build`](crate::Profile::build) checks the values.
//!
//! # Keys of the file
//!
//! The names are those of the fields below; lists are arrays of tables.
//!
//! | table | struct | how often |
//! |---|---|---|
//! | top level | [`ProfileSpec`] | once |
//! | `[[gemm]]` | [`GemmSpec`] | once for each set of formats and packing |
//! | `[[gemm]]` → `fit` | [`FitSpec`] | at most once each |
//! | `[[gemm]]` → `grid` | [`GridSpec`] | at most once each |
//! | `[[gemm]]` → `points` | list of [`PointSpec`] | any number |
//! | `[[attention]]` | [`AttentionSpec`] | once for each kernel, set of formats and head size |
//! | `[unfused]` | [`UnfusedSpec`] | at most once |
//! | `[stream]` | [`StreamSpec`] | at most once |
//! | `[scan]` | [`ScanSpec`] | at most once |
//! | `[host]` | [`HostSpec`] | at most once |
//! | `[memory]` | [`MemorySpec`] | at most once |
//! | `[interference]` | [`InterferenceSpec`] | at most once |
//!
//! `[comm]`, the constants of collectives, is described where they are.

use serde::{Deserialize, Serialize};
use units::DType;

use crate::{AttentionKernel, StreamKind};

/// A profile file.
///
/// | key | TOML | default |
/// |---|---|---|
/// | `schema` | integer, 1 | 1 |
/// | `name` | string: the file's name without `.toml` | required |
/// | `gpu` | string: the name of the GPU in the hardware files | required |
/// | `relatives` | list of such names: GPUs with the same chip | `[]` |
/// | `date` | string: day of the fit, `YYYY-MM-DD` | required |
/// | `sustained` | number in (0, 2] | 1.0 |
/// | `launch_us` | number ≥ 0 | 1.0 |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    /// Version of this format.
    #[serde(default = "one_u32")]
    pub schema: u32,
    /// Name of the profile.
    pub name: String,
    /// Name of the GPU that was measured.
    pub gpu: String,
    /// GPUs with the same chip, for which the shares hold as well.
    #[serde(default)]
    pub relatives: Vec<String>,
    /// Day of the measurement or fit, `YYYY-MM-DD`.
    pub date: String,
    /// What long training keeps of a microbenchmark's tensor-core speed: microbenchmarks run
    /// short and near the peak clock, training for hours at the power limit. 1 = all of it.
    #[serde(default = "one")]
    pub sustained: f64,
    /// Gap on the GPU between two kernels of a stream, in microseconds.
    #[serde(default = "one")]
    pub launch_us: f64,
    /// Matrix products.
    #[serde(default)]
    pub gemm: Vec<GemmSpec>,
    /// Fused attention kernels.
    #[serde(default)]
    pub attention: Vec<AttentionSpec>,
    /// Attention with the scores in memory.
    #[serde(default)]
    pub unfused: Option<UnfusedSpec>,
    /// Memory-bound kernels.
    #[serde(default)]
    pub stream: Option<StreamSpec>,
    /// State-space scans.
    #[serde(default)]
    pub scan: Option<ScanSpec>,
    /// Time of the host.
    #[serde(default)]
    pub host: Option<HostSpec>,
    /// Memory that no tensor explains.
    #[serde(default)]
    pub memory: Option<MemorySpec>,
    /// What communication kernels take from compute kernels.
    #[serde(default)]
    pub interference: Option<InterferenceSpec>,
}

/// How the products of a curve are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackingKind {
    /// One product a launch.
    Single,
    /// Several of equal shape a launch.
    Batched,
    /// Rows in groups with a matrix each: experts.
    Grouped,
}

/// `[[gemm]]`: a curve for matrix products `C[m,n] = A[m,k]·B[k,n]`.
///
/// ```text
/// t = base + (c⁴ + b⁴)^¼     c = 2MNK / (peak · efficiency · u^wave · K/(K + half_k))
///                            b = bytes / (bandwidth · bandwidth of the data sheet)
/// ```
///
/// with `u` the share of the waves of tiles that is filled, after split-K, and `M` and `N` rounded
/// up to whole tiles where there is more than one.
///
/// | key | TOML | default |
/// |---|---|---|
/// | `dtypes` | list of `"bf16"`, `"fp16"`, `"fp8"`, `"tf32"`, … | required |
/// | `packing` | `"single"`, `"batched"`, `"grouped"` | `"single"` |
/// | `efficiency` | number in (0, 1] | required |
/// | `half_k` | number ≥ 0 | 0 |
/// | `half_rows` | number ≥ 0 | 0 |
/// | `wave` | number in [0, 1] | 0 |
/// | `tile` | two integers ≥ 1: rows, columns | `[128, 128]` |
/// | `split_k` | integer ≥ 1 | 1 |
/// | `bandwidth` | number in (0, 1] | required |
/// | `accumulate` | number in (0, 1] | 1 |
/// | `base_us` | number ≥ 0 | 0 |
/// | `source` | string | required |
/// | `fit` | table, [`FitSpec`] | none: nominal |
/// | `grid` | table, [`GridSpec`] | none |
/// | `points` | list of tables, [`PointSpec`] | `[]` |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GemmSpec {
    /// Input formats that the curve holds for.
    pub dtypes: Vec<DType>,
    /// How the products are packed.
    #[serde(default = "single")]
    pub packing: PackingKind,
    /// Share of the data sheet's peak that large products reach.
    pub efficiency: f64,
    /// The inner length at which half of the speed is lost.
    #[serde(default)]
    pub half_k: f64,
    /// The rows (of one group) at which half of the speed is lost.
    #[serde(default)]
    pub half_rows: f64,
    /// Exponent of the wave utilisation: 0 ignores it, 1 is full quantisation.
    #[serde(default)]
    pub wave: f64,
    /// Rows and columns of the result that one thread block computes.
    #[serde(default = "square_tile")]
    pub tile: [u32; 2],
    /// Largest number of parts into which the inner dimension is split to fill the GPU.
    #[serde(default = "one_u32")]
    pub split_k: u32,
    /// Share of the data sheet's memory bandwidth that thin products reach.
    pub bandwidth: f64,
    /// Speed of a product that is added to an fp32 result (a weight gradient), over the usual.
    #[serde(default = "one")]
    pub accumulate: f64,
    /// What a kernel measured alone costs besides, in microseconds. A run does not pay it: it
    /// pays the gap of `launch_us`.
    #[serde(default)]
    pub base_us: f64,
    /// Where the constants come from.
    pub source: String,
    /// On what the constants were fitted, and how well.
    #[serde(default)]
    pub fit: Option<FitSpec>,
    /// Correction of the curve by shape.
    #[serde(default)]
    pub grid: Option<GridSpec>,
    /// Shapes that were measured themselves.
    #[serde(default)]
    pub points: Vec<PointSpec>,
}

/// `fit`: the data behind a curve. Shapes inside the ranges are interpolated, others
/// extrapolated.
///
/// | key | TOML | default |
/// |---|---|---|
/// | `rows` | integer ≥ 1 | required |
/// | `mape` | number ≥ 0: 0.06 is 6 % | required |
/// | `held_out` | number ≥ 0 | none |
/// | `held_out_by` | string | `""` |
/// | `x`, `y`, `z` | two numbers each: least, largest | any |
///
/// `x, y, z` are `m, n, k` of a product (rows of one group where grouped); tokens of a sequence,
/// heads × sequences and nothing for attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitSpec {
    /// Rows of the table that were fitted.
    pub rows: u64,
    /// Mean absolute relative error on them.
    pub mape: f64,
    /// The same on rows that were not fitted.
    #[serde(default)]
    pub held_out: Option<f64>,
    /// Which rows those were.
    #[serde(default)]
    pub held_out_by: String,
    /// Range of the first dimension.
    #[serde(default)]
    pub x: Option<[f64; 2]>,
    /// Range of the second dimension.
    #[serde(default)]
    pub y: Option<[f64; 2]>,
    /// Range of the third dimension.
    #[serde(default)]
    pub z: Option<[f64; 2]>,
}

/// `grid`: what the curve is to be multiplied with, on a grid of shapes; between the nodes
/// linear in the logarithms of shape and factor, outside as on the border.
///
/// | key | TOML | default |
/// |---|---|---|
/// | `m`, `n`, `k` | rising lists of numbers ≥ 1, at least one each | required |
/// | `factor` | list of `len(m)·len(n)·len(k)` numbers in [1/8, 8], `k` running fastest | required |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridSpec {
    /// Nodes of `m`.
    pub m: Vec<f64>,
    /// Nodes of `n`.
    pub n: Vec<f64>,
    /// Nodes of `k`.
    pub k: Vec<f64>,
    /// Measured time over the curve's, `k` running fastest, then `n`.
    pub factor: Vec<f64>,
}

/// One of `points`: a product that was measured itself, `{ m = 8192, n = 4096, k = 4096, us = 412.0 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointSpec {
    /// Rows.
    pub m: u64,
    /// Columns.
    pub n: u64,
    /// Inner length.
    pub k: u64,
    /// Measured time in microseconds, without a launch gap.
    pub us: f64,
}

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
///
/// | key | TOML | default |
/// |---|---|---|
/// | `kernel` | `"flash1"`, `"flash2"`, `"flash3"` | required |
/// | `dtypes` | list of formats | required |
/// | `head_dim` | integer ≥ 1 | required |
/// | `efficiency` | number in (0, 1] | required |
/// | `half_len` | number ≥ 0 | 0 |
/// | `wave` | number in [0, 1] | 1 |
/// | `tile` | integer ≥ 1 | 128 |
/// | `bandwidth` | number in (0, 1] | required |
/// | `backward` | number ≥ 0.4 | required |
/// | `base_us` | number ≥ 0 | 0 |
/// | `source` | string | required |
/// | `fit` | table, [`FitSpec`] | none |
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
    /// Exponent of the wave utilisation.
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
///
/// | key | TOML | default |
/// |---|---|---|
/// | `misaligned` | number in (0, 1] | required |
/// | `score_bytes` | number > 0 | required |
/// | `loose_score_bytes` | number ≥ `score_bytes` | required |
/// | `fused_max_len` | integer | required |
/// | `source` | string | required |
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

/// `[stream]`: memory-bound kernels.
///
/// ```text
/// t = (bytes + launches · ramp) / (bandwidth · bandwidth of the data sheet)
/// ```
///
/// | key | TOML | default |
/// |---|---|---|
/// | `bandwidth` | number in (0, 1] | required |
/// | `ramp_bytes` | number ≥ 0 | 0 |
/// | `kinds` | list of `{ kind = "norm", bandwidth = 0.7, measured = true }` | `[]` |
/// | `source` | string | required |
/// | `measured` | boolean | false: nominal |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSpec {
    /// Share of the data sheet's bandwidth that a large kernel reaches.
    pub bandwidth: f64,
    /// Bytes at which a single launch reaches half of it.
    #[serde(default)]
    pub ramp_bytes: f64,
    /// Kinds that reach another share.
    #[serde(default)]
    pub kinds: Vec<StreamKindSpec>,
    /// Where the constants come from.
    pub source: String,
    /// Whether they were measured on this GPU.
    #[serde(default)]
    pub measured: bool,
}

/// One of `kinds` of `[stream]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamKindSpec {
    /// The kind.
    pub kind: StreamKind,
    /// Share of the data sheet's bandwidth that it reaches.
    pub bandwidth: f64,
    /// Whether it was measured on this GPU.
    #[serde(default)]
    pub measured: bool,
}

/// `[scan]`: the chunked scan of Mamba-2, `t = (c⁴ + b⁴)^¼` of operations and bytes.
///
/// | key | TOML | default |
/// |---|---|---|
/// | `efficiency` | number in (0, 1] | required |
/// | `bandwidth` | number in (0, 1] | required |
/// | `source` | string | required |
/// | `fit` | table, [`FitSpec`] of tokens, heads and state | none: nominal |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanSpec {
    /// Share of the peak.
    pub efficiency: f64,
    /// Share of the data sheet's memory bandwidth.
    pub bandwidth: f64,
    /// Where the constants come from.
    pub source: String,
    /// On what the constants were fitted, and how well.
    #[serde(default)]
    pub fit: Option<FitSpec>,
}

/// `[host]`: what the host needs to issue work. A pass takes the larger of GPU and host time.
///
/// | key | TOML | default |
/// |---|---|---|
/// | `kernel_us` | number ≥ 0 | required |
/// | `layer_us` | number ≥ 0 | required |
/// | `expert_layer_us` | number ≥ 0 | required |
/// | `micro_batch_us` | number ≥ 0 | required |
/// | `source` | string | required |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// Per kernel that is launched one by one, in microseconds.
    pub kernel_us: f64,
    /// Per layer and pass besides its kernels, in microseconds.
    pub layer_us: f64,
    /// The same for a mixture-of-experts layer, whose token counts the host waits for.
    pub expert_layer_us: f64,
    /// Per micro-batch, in microseconds.
    pub micro_batch_us: f64,
    /// Where the constants come from.
    pub source: String,
}

/// `[memory]`: what a device holds besides tensors. Sizes in MiB (2²⁰ bytes).
///
/// | key | TOML | default |
/// |---|---|---|
/// | `context_mib` | number ≥ 0 | required |
/// | `framework_mib` | number ≥ 0 | required |
/// | `workspace_mib` | number ≥ 0 | required |
/// | `communicator_mib` | number ≥ 0 | required |
/// | `slack` | number in [0, 1) | required |
/// | `source` | string | required |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemorySpec {
    /// Driver context and loaded kernels, outside the framework's allocator.
    pub context_mib: f64,
    /// Small buffers of the framework that no tensor of the model explains, allocated.
    pub framework_mib: f64,
    /// Workspace of the matrix library, allocated.
    pub workspace_mib: f64,
    /// Buffers of one communicator, outside the allocator.
    pub communicator_mib: f64,
    /// Reserved but unused memory of the allocator, as a share of the allocated peak.
    pub slack: f64,
    /// Where the constants come from.
    pub source: String,
}

/// `[interference]`: what a communication kernel takes from compute kernels while it runs.
///
/// | key | TOML | default |
/// |---|---|---|
/// | `channels` | number ≥ 0 | required |
/// | `bandwidth` | number in [0, 1) | required |
/// | `source` | string | required |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterferenceSpec {
    /// SMs that communication kernels hold: one for each channel.
    pub channels: f64,
    /// Share of the memory bandwidth that they take.
    pub bandwidth: f64,
    /// Where the constants come from.
    pub source: String,
}

const fn one() -> f64 {
    1.0
}

const fn one_u32() -> u32 {
    1
}

const fn single() -> PackingKind {
    PackingKind::Single
}

const fn square_tile() -> [u32; 2] {
    [128, 128]
}

const fn tile_rows() -> u32 {
    128
}
