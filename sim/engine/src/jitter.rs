//! Random variation of kernel times, from the scenario's seed.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use units::math;

/// One stream of factors per lane, so that the order in which lanes run changes nothing.
#[derive(Debug)]
pub(crate) struct Jitter {
    streams: Vec<Pcg64Mcg>,
    sigma: f64,
}

impl Jitter {
    /// Log-normal factors of mean 1 and the given relative standard deviation; one stream per
    /// `(seed, first rank)`.
    pub(crate) fn new(
        seed: u64,
        relative_deviation: f64,
        first_ranks: impl Iterator<Item = u32>,
    ) -> Self {
        let sigma = math::ln(1.0 + relative_deviation * relative_deviation).sqrt();
        let streams = first_ranks
            .map(|rank| Pcg64Mcg::seed_from_u64(seed ^ (u64::from(rank) << 32 | 0x6a69_7474)))
            .collect();
        Self { streams, sigma }
    }

    /// The next factor of a lane (Box-Muller; the second normal is dropped).
    pub(crate) fn factor(&mut self, lane: usize) -> f64 {
        let rng = &mut self.streams[lane];
        let u: f64 = 1.0 - rng.random::<f64>();
        let v: f64 = rng.random();
        let normal = (-2.0 * math::ln(u)).sqrt() * math::cos(std::f64::consts::TAU * v);
        math::exp(self.sigma * normal - self.sigma * self.sigma / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_have_mean_one_and_the_deviation_asked_for() {
        let mut jitter = Jitter::new(1, 0.05, 0..1);
        let factors: Vec<f64> = (0..20_000).map(|_| jitter.factor(0)).collect();
        let mean = factors.iter().sum::<f64>() / 20_000.0;
        let variance = factors.iter().map(|f| (f - mean) * (f - mean)).sum::<f64>() / 20_000.0;
        assert!((mean - 1.0).abs() < 0.002, "{mean}");
        assert!((variance.sqrt() - 0.05).abs() < 0.002, "{variance}");
    }
}
