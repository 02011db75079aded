//! Functions with the same bits on every platform.
//!
//! For transcendental ones the standard library calls the platform's libm, whose last bit differs between systems;
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

/// A hash of 64 bits, in which every bit depends on every bit of the key.
///
/// Source: the finalizer of `SplitMix64` (Steele, Lea and Flood, Fast splittable pseudorandom number
/// generators, OOPSLA 2014).
#[inline]
pub const fn mix(key: u64) -> u64 {
    let key = key.wrapping_add(GOLDEN);
    let key = (key ^ key >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ key >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ key >> 31
}

/// The step of `SplitMix64`: keys that are so far apart give its sequence.
pub const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// `⌈log₂ n⌉`, the depth of a binary tree over `n` leaves; 0 for `n` up to 1.
pub const fn ceil_log2(n: u64) -> u32 {
    n.next_power_of_two().trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_a_step_apart_give_the_published_sequence() {
        // SplitMix64 with the seed 1234567, as in its reference code.
        let numbers =
            [0, 1, 2].map(|n: u64| mix(1_234_567_u64.wrapping_add(n.wrapping_mul(GOLDEN))));
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
