//! The formats of a run: activations, products in fewer bits, parameters.

use units::DType;

/// How tensors become fp8 for matrix products. Attention, norms and the output layer stay in
/// the compute format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fp8Recipe {
    /// One scale a tensor from the largest values of earlier steps: casts fuse into the kernel
    /// before (Transformer Engine `DelayedScaling`).
    Delayed,
    /// One scale a tensor from its own largest value, which needs a pass of its own
    /// (`Float8CurrentScaling`).
    Tensorwise,
    /// One scale for 128 values of an activation and 128 x 128 of a weight (`DeepSeek`-V3;
    /// `Float8BlockScaling`).
    Blockwise,
    /// One scale for 32 values (`MXFP8BlockScaling`).
    MxFp8,
    /// Four bits, one scale for 16 values (`NVFP4BlockScaling`).
    NvFp4,
}

impl Fp8Recipe {
    /// Every recipe, in the order of declaration.
    pub const ALL: [Self; 5] = [
        Self::Delayed,
        Self::Tensorwise,
        Self::Blockwise,
        Self::MxFp8,
        Self::NvFp4,
    ];

    /// The name as scenarios write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::Tensorwise => "tensorwise",
            Self::Blockwise => "blockwise",
            Self::MxFp8 => "mxfp8",
            Self::NvFp4 => "nvfp4",
        }
    }

    /// The recipe of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|recipe| recipe.name() == name)
    }

    /// The format of both inputs of a product.
    pub const fn dtype(self) -> DType {
        match self {
            Self::Delayed | Self::Tensorwise | Self::Blockwise => DType::Fp8,
            Self::MxFp8 => DType::MxFp8,
            Self::NvFp4 => DType::NvFp4,
        }
    }

    /// Passes over the unquantized tensor before its cast: the search for its largest value.
    pub const fn extra_reads(self) -> u32 {
        match self {
            Self::Tensorwise => 1,
            Self::Delayed | Self::Blockwise | Self::MxFp8 | Self::NvFp4 => 0,
        }
    }

    /// Whether the cast can run inside the norm or activation before it (Transformer Engine's
    /// `LayerNormLinear`, `LayerNormMLP`).
    pub const fn fuses(self) -> bool {
        matches!(self, Self::Delayed | Self::MxFp8)
    }
}

/// The formats of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Precision {
    /// Activations and, without a recipe, matrix products.
    pub compute: DType,
    /// How products run in fewer bits; they run in `compute` where absent.
    pub fp8: Option<Fp8Recipe>,
    /// Parameters as the forward pass reads them.
    pub params: DType,
    /// The optimizer's copy of the parameters; none where they are the parameters themselves.
    pub main_params: Option<DType>,
}

impl Precision {
    /// Brain floats with an fp32 copy of the parameters.
    pub const BF16: Self = Self::mixed(DType::Bf16);
    /// Half precision with an fp32 copy of the parameters.
    pub const FP16: Self = Self::mixed(DType::Fp16);
    /// Single precision throughout.
    pub const FP32: Self = Self {
        compute: DType::Fp32,
        fp8: None,
        params: DType::Fp32,
        main_params: None,
    };

    /// Two-byte compute and parameters, with an fp32 copy.
    const fn mixed(compute: DType) -> Self {
        Self {
            compute,
            fp8: None,
            params: compute,
            main_params: Some(DType::Fp32),
        }
    }

    /// The same with products in fewer bits.
    #[must_use]
    pub const fn with_recipe(self, recipe: Fp8Recipe) -> Self {
        Self {
            fp8: Some(recipe),
            ..self
        }
    }

    /// The format of the inputs of matrix products in layers.
    pub const fn gemm(self) -> DType {
        match self.fp8 {
            Some(recipe) => recipe.dtype(),
            None => self.compute,
        }
    }
}
