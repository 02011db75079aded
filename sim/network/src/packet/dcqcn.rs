//! DCQCN: the rate of a sender by congestion notifications.
//!
//! Source: Zhu et al., Congestion control for large-scale RDMA deployments, SIGCOMM 2015, with the
//! names of the paper: `RC` is the rate, `RT` the target, `α` the estimate of congestion.

/// The estimate's gain, 1/256 in the paper.
const G: f64 = 1.0 / 256.0;
/// Time without a notification after which the estimate falls, 55 µs, and the rate rises.
pub(super) const TIMER: u64 = 55_000_000;
/// Bytes after which the rate rises, 10 MB.
const BYTES: u64 = 10_000_000;
/// Rounds of fast recovery.
const F: u32 = 5;
/// A receiver notifies at most once in 50 µs.
pub(super) const NOTIFY_EVERY: u64 = 50_000_000;
/// `R_AI` and `R_HAI` as shares of the NIC's rate, as in htsim: the paper's 40 Mbit/s belong to
/// NICs of 40 Gbit/s.
const ADDITIVE: f64 = 1.0 / 20.0;
const HYPER: f64 = 1.0 / 10.0;
/// The least rate as a share of the NIC's: 100 Mbit/s of 100 Gbit/s, as in HPCC's configuration.
const LEAST: f64 = 1e-3;

/// The state of a flow. Rates are shares of the NIC's rate.
#[derive(Clone, Debug)]
pub(super) struct Dcqcn {
    pub(super) rate: f64,
    target: f64,
    alpha: f64,
    /// Rounds by timer and by bytes since the last notification.
    times: u32,
    rounds: u32,
    bytes: u64,
    /// Whether a notification came since the timer last ran.
    notified: bool,
    /// Whether the timer runs: not while the rate is the NIC's and never was less.
    pub(super) timed: bool,
}

impl Dcqcn {
    pub(super) const fn new() -> Self {
        Self {
            rate: 1.0,
            target: 1.0,
            alpha: 1.0,
            times: 0,
            rounds: 0,
            bytes: 0,
            notified: false,
            timed: false,
        }
    }

    /// A congestion notification.
    pub(super) fn notified(&mut self) {
        self.target = self.rate;
        self.rate = (self.rate * (1.0 - self.alpha / 2.0)).max(LEAST);
        self.alpha = (1.0 - G) * self.alpha + G;
        self.times = 0;
        self.rounds = 0;
        self.bytes = 0;
        self.notified = true;
    }

    /// The timer ran.
    pub(super) fn ticked(&mut self) {
        if !self.notified {
            self.alpha *= 1.0 - G;
            self.times += 1;
            self.rise();
        }
        self.notified = false;
    }

    /// That many bytes were sent.
    pub(super) fn sent(&mut self, bytes: u64) {
        self.bytes += bytes;
        if BYTES <= self.bytes {
            self.bytes -= BYTES;
            self.rounds += 1;
            self.rise();
        }
    }

    /// Whether the sender is as fast as its NIC and nothing is to be learned by waiting.
    pub(super) fn is_idle(&self) -> bool {
        1.0 <= self.rate && !self.notified
    }

    fn rise(&mut self) {
        let [least, most] = [self.times.min(self.rounds), self.times.max(self.rounds)];
        if F < least {
            self.target += f64::from(least - F) * HYPER;
        } else if F <= most {
            self.target += ADDITIVE;
        }
        self.target = self.target.min(1.0);
        self.rate = f64::midpoint(self.rate, self.target);
        if 0.999 < self.rate {
            self.rate = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    #[test]
    fn rates_follow_the_papers_steps() {
        let mut flow = Dcqcn::new();
        flow.notified();
        assert_near(flow.rate, 0.5);
        assert_near(flow.target, 1.0);
        flow.ticked();
        // The interval of the notification itself does not count.
        assert_near(flow.rate, 0.5);
        flow.ticked();
        assert_near(flow.rate, 0.75);
        assert_near(flow.alpha, 1.0 - G);
        flow.notified();
        assert_near(flow.target, 0.75);
        assert_near(flow.rate, 0.75 * (1.0 - (1.0 - G) / 2.0));
        assert_near(flow.alpha, (1.0 - G) * (1.0 - G) + G);
        flow.ticked();
        let slow = flow.rate;
        (0..4).for_each(|_| flow.ticked());
        assert_near(flow.rate, 0.75 - (0.75 - slow) / 16.0);
        // From round F on the target rises, and faster once both counts have passed F.
        flow.ticked();
        assert_near(flow.target, 0.8);
        (0..6).for_each(|_| flow.sent(BYTES));
        assert_near(flow.target, 1.0);
    }
}
