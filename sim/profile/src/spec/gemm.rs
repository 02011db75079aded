//! Curves of matrix products.

use serde::{Deserialize, Serialize};
use units::DType;

use super::{FitSpec, one, one_u32};

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
/// t = base + (c⁴ + b⁴ + l⁴)^¼   c = 2MNK / (peak · efficiency · u^wave · K/(K + half_k))
///                               b = bytes / (bandwidth · bandwidth of the data sheet)
///                               l = product_us · experts
/// ```
///
/// with `u` the share of the waves of tiles that is filled, after split-K, and `M` and `N` rounded
/// up to whole tiles where there is more than one. `l` counts for products
/// of experts, grouped or in batches of weight gradients, and is 0 for others. A grid multiplies
/// what `c` and `b` give.
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
    /// Exponent of the wave utilization: 0 ignores it, 1 is full quantization.
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
    /// Least time of the product of each expert, in microseconds: what libraries need that
    /// launch a kernel for each expert, such as Transformer Engine on cuBLAS.
    #[serde(default)]
    pub product_us: f64,
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

/// `grid`: what the curve is to be multiplied with, on a grid of shapes; between the nodes
/// linear in the logarithms of shape and factor, outside as on the border.
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
///
/// It holds for that `n` and `k` and for `m` within one percent, in proportion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointSpec {
    /// Rows.
    pub m: u64,
    /// Columns.
    pub n: u64,
    /// Inner length.
    pub k: u64,
    /// Products of a batch, or groups; 1 for a single product. With groups, `m` counts the rows of
    /// all of them.
    #[serde(default = "one_u64")]
    pub count: u64,
    /// Whether the result was added to what stood there, in fp32 (a weight gradient).
    #[serde(default)]
    pub accumulate: bool,
    /// Measured time in microseconds, without a launch gap.
    pub us: f64,
}

const fn one_u64() -> u64 {
    1
}

const fn single() -> PackingKind {
    PackingKind::Single
}

const fn square_tile() -> [u32; 2] {
    [128, 128]
}
