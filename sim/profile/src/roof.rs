//! What every curve shares: how compute and memory time combine, and how tiles fill a GPU.

use units::math::powf;

/// `(c⁴ + b⁴)^¼`: the larger of two times, a fifth more where they are equal, because a kernel
/// that needs both overlaps them imperfectly.
pub(crate) fn combine(compute: f64, memory: f64) -> f64 {
    let (high, low) = if compute < memory {
        (memory, compute)
    } else {
        (compute, memory)
    };
    if high <= 0.0 {
        return 0.0;
    }
    let ratio = low / high;
    let square = ratio * ratio;
    high * (1.0 + square * square).sqrt().sqrt()
}

/// The share of the GPU that `blocks` equal thread blocks keep busy until the last one ends.
///
/// ```text
/// u = blocks / (⌈blocks/sms⌉ · sms)
/// ```
pub(crate) fn utilization(blocks: f64, sms: f64) -> f64 {
    blocks / ((blocks / sms).ceil() * sms)
}

/// Shortest inner product that is worth a thread block of its own, in elements.
const SPLIT_LENGTH: f64 = 256.0;

/// Utilization by tiles whose inner products may be split over up to `split_k` blocks while
/// SMs are idle.
pub(crate) fn split_utilization(tiles: f64, k: f64, split_k: f64, sms: f64) -> f64 {
    let mut best = utilization(tiles, sms);
    let mut parts = 2.0;
    while parts <= split_k && tiles * parts / 2.0 < sms && SPLIT_LENGTH * parts <= k {
        best = best.max(utilization(tiles * parts, sms));
        parts *= 2.0;
    }
    best
}

/// `uʷ`, without the power where it is trivial.
pub(crate) fn soften(utilization: f64, wave: f64) -> f64 {
    if wave <= 0.0 || 1.0 <= utilization {
        1.0
    } else {
        powf(utilization, wave)
    }
}

/// An extent in whole tiles where it needs more than one; a smaller one takes a smaller tile.
pub(crate) fn whole_tiles(extent: f64, tile: f64) -> f64 {
    if extent <= tile {
        extent
    } else {
        (extent / tile).ceil() * tile
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the expected values are exact")]
mod tests {
    use super::*;

    #[test]
    fn one_wave_is_full_only_when_every_sm_has_a_block() {
        assert_eq!(utilization(132.0, 132.0), 1.0);
        assert_eq!(utilization(66.0, 132.0), 0.5);
        assert_eq!(utilization(133.0, 132.0), 133.0 / 264.0);
    }

    #[test]
    fn splitting_the_inner_product_fills_idle_sms() {
        assert_eq!(split_utilization(33.0, 4096.0, 1.0, 132.0), 0.25);
        assert_eq!(split_utilization(33.0, 4096.0, 8.0, 132.0), 1.0);
        assert_eq!(split_utilization(33.0, 300.0, 8.0, 132.0), 0.25);
    }

    #[test]
    fn equal_times_cost_a_fifth_more_and_unequal_ones_the_larger() {
        assert!((combine(1.0, 1.0) - 2f64.sqrt().sqrt()).abs() < 1e-15);
        assert!((combine(1.0, 1e-3) - 1.0).abs() < 1e-12);
        assert_eq!(combine(0.0, 0.0), 0.0);
        assert_eq!(combine(2.0, 0.0), 2.0);
    }
}
