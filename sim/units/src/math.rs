//! Transcendental functions with the same bits on every platform.
//!
//! The standard library calls the platform's libm, whose last bit differs between systems;
//! equal scenarios must give equal bytes, so simulations use these.

/// Natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Logarithm to base 2.
pub fn log2(x: f64) -> f64 {
    libm::log2(x)
}

/// Logarithm to base 10.
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// Exponential function.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// `x` to the power `y`.
pub fn powf(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Cosine of an angle in radians.
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// `⌈log₂ n⌉`, the depth of a binary tree over `n` leaves; 0 for `n` up to 1.
pub const fn ceil_log2(n: u64) -> u32 {
    n.next_power_of_two().trailing_zeros()
}
