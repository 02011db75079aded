//! The constants of curves of products, each with its prior and the place where a profile keeps it.

use super::curve::Knob;

/// Share of the peak.
pub(crate) fn efficiency(prior: f64) -> Knob {
    Knob::new("efficiency", (prior, 0.4), 3, |spec, value| {
        spec.gemm[0].efficiency = value.clamp(1e-3, 1.0);
    })
}

/// Inner length at which half of the speed is lost.
pub(crate) fn half_k(prior: f64) -> Knob {
    Knob::new("half_k", (prior, 1.5), 0, |spec, value| {
        spec.gemm[0].half_k = value.min(1e6);
    })
}

/// Rows at which half of the speed is lost.
pub(crate) fn half_rows(prior: f64) -> Knob {
    Knob::new("half_rows", (prior, 1.0), 0, |spec, value| {
        spec.gemm[0].half_rows = value.min(1e6);
    })
}

/// Exponent of the wave utilization.
pub(crate) fn wave() -> Knob {
    Knob::new("wave", (0.2, 1.0), 3, |spec, value| {
        spec.gemm[0].wave = value.min(1.0);
    })
}

/// Share of the memory bandwidth.
pub(crate) fn bandwidth(prior: f64) -> Knob {
    Knob::new("bandwidth", (prior, 0.4), 3, |spec, value| {
        spec.gemm[0].bandwidth = value.clamp(1e-3, 1.0);
    })
}

/// What a kernel measured alone costs besides.
pub(crate) fn base(prior: f64) -> Knob {
    Knob::new("base_us", (prior, 1.0), 1, |spec, value| {
        spec.gemm[0].base_us = value.min(1e6);
    })
}

/// Speed of a product added to an fp32 result.
pub(crate) fn accumulate() -> Knob {
    Knob::new("accumulate", (0.93, 0.1), 3, |spec, value| {
        spec.gemm[0].accumulate = value.clamp(1e-3, 1.0);
    })
}

/// Least time of the product of each expert.
pub(crate) fn product() -> Knob {
    Knob::new("product_us", (5.0, 1.0), 1, |spec, value| {
        spec.gemm[0].product_us = value.min(1e6);
    })
}
