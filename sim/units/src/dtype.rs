//! Number formats of tensors.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number format. Its compute peak is a property of a GPU; its size is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DType {
    /// IEEE single precision.
    Fp32,
    /// Single-precision storage, TF32 tensor-core products.
    Tf32,
    /// IEEE half precision.
    Fp16,
    /// Brain float.
    Bf16,
    /// Eight-bit float (E4M3 or E5M2) with one scale a tensor, row or block.
    Fp8,
    /// OCP microscaling: eight-bit floats with one scale for 32 elements.
    MxFp8,
    /// Four-bit floats with one eight-bit scale for 16 elements.
    NvFp4,
    /// Eight-bit integers.
    Int8,
}

impl DType {
    /// Every format, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Fp32,
        Self::Tf32,
        Self::Fp16,
        Self::Bf16,
        Self::Fp8,
        Self::MxFp8,
        Self::NvFp4,
        Self::Int8,
    ];

    /// Bytes of one element, the share of its block scale included (OCP Microscaling
    /// Formats 1.0: one byte for 32 elements; NVFP4: one byte for 16).
    pub const fn bytes(self) -> f64 {
        match self {
            Self::Fp32 | Self::Tf32 => 4.0,
            Self::Fp16 | Self::Bf16 => 2.0,
            Self::Fp8 | Self::Int8 => 1.0,
            Self::MxFp8 => 1.0 + 1.0 / 32.0,
            Self::NvFp4 => 0.5 + 1.0 / 16.0,
        }
    }

    /// The name as scenarios write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Tf32 => "tf32",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
            Self::MxFp8 => "mxfp8",
            Self::NvFp4 => "nvfp4",
            Self::Int8 => "int8",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
