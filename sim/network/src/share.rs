//! How flows that meet on a link divide it.

use units::{BytesPerSec, Seconds};

/// A rule of sharing, as `SimGrid` parameterises its flow models.
///
/// A path's weight is `1 / (Σ latency + Σ S/rate)` over its links, or 1 where that sum is 0, and
/// rates are max-min fair *in proportion to the weights*. With [`Share::EQUAL`] every weight is 1:
/// plain max-min fairness (Bertsekas and Gallager, *Data Networks*, section 6.5.2).
///
/// `SimGrid`'s cross traffic (on by default there) is not a rule of sharing: a path that lists the
/// links of its way back with a load of 0.05 expresses it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Whether weights follow the round-trip time at all.
    pub rtt: bool,
    /// `S` of the weight, in bytes (`network/weight-S`).
    pub weight_s: f64,
    /// A flow waits for its latency times this (`network/latency-factor`).
    pub latency_factor: f64,
    /// A link carries its rate times this (`network/bandwidth-factor`).
    pub bandwidth_factor: f64,
    /// A flow moves at most `gamma / (2 · latency)` (`network/TCP-gamma`), in bytes.
    pub gamma: Option<f64>,
}

impl Share {
    /// Equal shares: plain max-min fairness.
    pub const EQUAL: Self = Self {
        rtt: false,
        weight_s: 0.0,
        latency_factor: 1.0,
        bandwidth_factor: 1.0,
        gamma: None,
    };

    /// `SimGrid` 3.32's CM02.
    pub const CM02: Self = Self {
        rtt: true,
        gamma: Some(4_194_304.0),
        ..Self::EQUAL
    };

    /// `SimGrid` 3.32's LV08, its default.
    pub const LV08: Self = Self {
        weight_s: 20_537.0,
        latency_factor: 13.01,
        bandwidth_factor: 0.97,
        ..Self::CM02
    };

    /// The inverse of the weight of a path with that sum of latencies over links of those rates.
    pub fn penalty(&self, latency: Seconds, rates: impl Iterator<Item = BytesPerSec>) -> f64 {
        if !self.rtt {
            return 1.0;
        }
        let transmission: f64 = rates.map(|rate| self.weight_s / rate.as_f64()).sum();
        let penalty = latency.as_secs() + transmission;
        if penalty > 0.0 { penalty } else { 1.0 }
    }

    /// The time before a flow shares, for a path with that sum of latencies.
    pub fn latency(&self, latency: Seconds) -> Seconds {
        latency * self.latency_factor
    }

    /// The cap that the transport's window puts on a flow of that latency.
    pub fn cap(&self, latency: Seconds) -> Option<BytesPerSec> {
        BytesPerSec::new(self.gamma? / (2.0 * latency.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_latency_gives_three_times_the_weight() {
        let penalty =
            |micros| Share::CM02.penalty(Seconds::from_micros(micros), std::iter::empty());
        assert!((penalty(6.0) / penalty(2.0) - 3.0).abs() < 1e-12);
        assert!((penalty(0.0) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_window_caps_only_flows_of_long_latency() {
        let cap = Share::LV08.cap(Seconds::from_millis(1.0)).unwrap();
        assert!((cap.as_f64() / 2.097_152e9 - 1.0).abs() < 1e-12);
        assert_eq!(Share::EQUAL.cap(Seconds::from_millis(1.0)), None);
        assert_eq!(Share::CM02.cap(Seconds::ZERO), None);
    }
}
