//! What a profile file says, as plain data.
//!
//! A file names one GPU and holds curves for it. Every section may be left out: what is missing
//! is taken from the data sheet with the efficiencies of the GPU's architecture, and marked
//! nominal. [`Profile::build`](crate::Profile::build) checks the values.
//!
//! # Keys of the file
//!
//! The names are those of the fields below; lists are arrays of tables. Which values a key takes
//! and what its absence means is declared once, by the reader of files (`scenarios/format`), and
//! printed by `windtunnel schema profile`.
//!
//! | table | struct | how often |
//! |---|---|---|
//! | top level | [`ProfileSpec`] | once |
//! | `[[gemm]]` | [`GemmSpec`] | once for each set of formats and packing |
//! | `[[gemm]]` → `fit` | [`FitSpec`] | at most once each |
//! | `[[gemm]]` → `grid` | [`GridSpec`] | at most once each |
//! | `[[gemm]]` → `points` | list of [`PointSpec`] | any number |
//! | `[[attention]]` → `points` | list of [`AttentionPointSpec`] | any number |
//! | `[[attention]]` | [`AttentionSpec`] | once for each kernel, set of formats and head size |
//! | `[unfused]` | [`UnfusedSpec`] | at most once |
//! | `[stream]` | [`StreamSpec`] | at most once |
//! | `[scan]` | [`ScanSpec`] | at most once |
//! | `[host]` | [`HostSpec`] | at most once |
//! | `[memory]` | [`MemorySpec`] | at most once |
//! | `[interference]` | [`InterferenceSpec`] | at most once |
//!
//! `[comm]`, the constants of collectives, is described where they are.

mod attention;
mod constants;
mod gemm;
mod stream;

use serde::{Deserialize, Serialize};

pub use attention::{AttentionPointSpec, AttentionSpec, UnfusedSpec};
pub use constants::{HostSpec, InterferenceSpec, MemorySpec};
pub use gemm::{GemmSpec, GridSpec, PackingKind, PointSpec};
pub use stream::{ScanSpec, StreamKindSpec, StreamSpec};

/// A profile file.
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
    /// Where nothing was measured on `gpu`: the GPU whose shares of the peaks stand for its own.
    /// Nothing of the file is worth more than an extrapolation then.
    #[serde(default)]
    pub scaled_from: Option<String>,
    /// Whether the zoo leaves the file to those who name it, because another one is of that GPU
    /// too.
    #[serde(default)]
    pub only_by_name: bool,
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

/// `fit`: the data behind a curve. Shapes inside the ranges are interpolated, others
/// extrapolated.
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

const fn one() -> f64 {
    1.0
}

const fn one_u32() -> u32 {
    1
}
