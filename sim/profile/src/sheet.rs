//! The few figures of a data sheet that curves are relative to.

use cluster::GpuSpec;
use units::DType;

/// Peaks, bandwidth and multiprocessors of one GPU.
///
/// Invariant: every figure is finite and positive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sheet {
    /// Dense peak by format, in operations per second, in the order of [`DType::ALL`].
    pub(crate) peaks: [f64; DType::ALL.len()],
    /// Peak of the device memory, in bytes per second.
    pub(crate) bandwidth: f64,
    /// Multiprocessors or compute units.
    pub(crate) sms: f64,
}

/// Place of a format in tables by format.
pub(crate) fn slot(dtype: DType) -> usize {
    match dtype {
        DType::Fp32 => 0,
        DType::Tf32 => 1,
        DType::Fp16 => 2,
        DType::Bf16 => 3,
        DType::Fp8 => 4,
        DType::MxFp8 => 5,
        DType::NvFp4 => 6,
        _ => 7,
    }
}

/// In which format a GPU multiplies inputs that it has no matrix units for.
const fn stand_in(dtype: DType) -> Option<DType> {
    match dtype {
        DType::NvFp4 | DType::MxFp8 => Some(DType::Fp8),
        DType::Fp8 | DType::Int8 => Some(DType::Fp16),
        DType::Tf32 | DType::Fp16 | DType::Bf16 => Some(DType::Fp32),
        _ => None,
    }
}

impl Sheet {
    /// The figures of a data sheet. A format without matrix units takes the peak of the format
    /// that its inputs are converted to: fp8 that of fp16, bf16 and tf32 that of fp32.
    pub(crate) fn of(gpu: &GpuSpec) -> Self {
        let mut peaks = [1.0; DType::ALL.len()];
        for dtype in DType::ALL {
            peaks[slot(dtype)] = peak(gpu, dtype).max(1.0);
        }
        Self {
            peaks,
            bandwidth: gpu.bandwidth.as_f64(),
            sms: f64::from(gpu.sms.max(1)),
        }
    }

    /// Dense peak of products in a format.
    pub(crate) fn peak(&self, dtype: DType) -> f64 {
        self.peaks[slot(dtype)]
    }
}

fn peak(gpu: &GpuSpec, dtype: DType) -> f64 {
    match (gpu.peak(dtype), stand_in(dtype)) {
        (Some(rate), _) => rate.as_f64(),
        (None, Some(other)) => peak(gpu, other),
        (None, None) => gpu.fp32.as_f64(),
    }
}
