//! Seconds as a function of the slowest link.

/// Seconds as a function of the seconds a byte that the slowest link takes, between evenly spaced
/// samples; before the first and behind the last it stays as there.
///
/// Invariant: it never falls, so that no faster link makes anything slower.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Seconds a byte of the first sample.
    fastest: f64,
    /// Between samples.
    step: f64,
    seconds: Vec<f64>,
}

impl Curve {
    /// A curve through samples, the first at the fastest link and the last at the slowest. Where
    /// a sample is below one at a faster link, it takes that one's value.
    ///
    /// * `fastest`, `slowest` — seconds a byte; with one sample, or none between them, a constant.
    /// * `samples` — in seconds; none is 0.
    pub fn new([fastest, slowest]: [f64; 2], samples: &[f64]) -> Self {
        let mut most = 0.0_f64;
        let seconds: Vec<f64> = (samples.iter())
            .map(|sample| {
                most = most.max(*sample);
                most
            })
            .collect();
        let parts = seconds.len().saturating_sub(1).max(1) as f64;
        Self {
            fastest,
            step: ((slowest - fastest) / parts).max(0.0),
            seconds,
        }
    }

    /// The same whatever the links.
    pub fn constant(seconds: f64) -> Self {
        Self::new([0.0, 0.0], &[seconds])
    }

    /// So many times as many seconds.
    #[must_use]
    pub fn scale(mut self, factor: f64) -> Self {
        for value in &mut self.seconds {
            *value *= factor;
        }
        self
    }

    /// Seconds where the slowest link takes so many seconds a byte.
    #[inline]
    pub fn at(&self, per_byte: f64) -> f64 {
        let Some(last) = self.seconds.last() else {
            return 0.0;
        };
        if self.step <= 0.0 || per_byte <= self.fastest {
            return self.seconds[0];
        }
        let mut left = (per_byte - self.fastest) / self.step;
        for pair in self.seconds.windows(2) {
            if left < 1.0 {
                return pair[0] + (pair[1] - pair[0]) * left;
            }
            left -= 1.0;
        }
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_straight_between_samples_and_never_falls() {
        let curve = Curve::new([1.0, 3.0], &[10.0, 8.0, 30.0]);
        for (per_byte, expected) in [
            (0.0, 10.0),
            (1.5, 10.0),
            (2.5, 20.0),
            (3.0, 30.0),
            (9.0, 30.0),
        ] {
            assert!((curve.at(per_byte) - expected).abs() < 1e-12, "{per_byte}");
        }
        assert!((Curve::constant(4.0).at(1e9) - 4.0).abs() < 1e-12);
    }
}
