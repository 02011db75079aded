//! Kernels that memory binds, and state-space scans.

use serde::{Deserialize, Serialize};

use super::FitSpec;
use crate::StreamKind;

/// `[stream]`: memory-bound kernels.
///
/// ```text
/// t = (bytes + launches · ramp) / (bandwidth · bandwidth of the data sheet)
/// ```
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
