//! From real numbers to whole ones: what lies outside is cut to the nearest.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the casts of Rust cut what lies outside to the nearest, which is what drawing wants"
)]

/// Whole picoseconds.
pub(crate) const fn picos(value: f64) -> u64 {
    value.round() as u64
}

/// A moment moved by some picoseconds, not before 0.
pub(crate) const fn shift(at: u64, by: f64) -> u64 {
    if by < 0.0 {
        at.saturating_sub(picos(-by))
    } else {
        at.saturating_add(picos(by))
    }
}

/// A column of pixels: the whole number below.
pub(crate) const fn column(value: f64) -> u64 {
    value.floor() as u64
}

/// A place or length in pixels.
pub(crate) const fn pixels(value: f32) -> u16 {
    value.round() as u16
}

/// Points or pixels for drawing.
pub(crate) const fn single(value: f64) -> f32 {
    value as f32
}

/// A share from 0 to 1 as a byte.
pub(crate) const fn byte(share: f64) -> u8 {
    (share * 255.0).round() as u8
}

/// A small count.
pub(crate) const fn count(value: f32) -> usize {
    value as usize
}

/// An index as the traces keep it.
pub(crate) const fn index(value: usize) -> u32 {
    value as u32
}
