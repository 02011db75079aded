//! NSCC, the window of a sender after Ultra Ethernet: by the delay and the mark of each
//! acknowledgement.
//!
//! | | no mark | mark |
//! |---|---|---|
//! | delay below target | grow in proportion to the distance | nothing: the way changes |
//! | delay above target | grow slowly | shrink in proportion, once a round trip |
//!
//! Source: the steps and constants of `uet-htsim` 40ccb05, `uec.cpp`.

/// What all windows of a network have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// The delay in queues that is aimed at, in picoseconds.
    pub(super) target: f64,
    /// Bytes times picoseconds of growth, for a byte acknowledged and a picosecond below target.
    alpha: f64,
    /// Growth for a byte acknowledged above the target.
    fair: f64,
    /// Growth each round trip.
    eta: f64,
    /// Share of what is acknowledged that is added while there is no delay at all.
    fast: f64,
    /// Bytes after which the growth is added.
    adjust_bytes: f64,
    /// Picoseconds after which it is.
    adjust_time: u64,
}

/// The reference of the constants: 100 Gbit/s and 12 µs.
const REFERENCE_BDP: f64 = 150_000.0;
const REFERENCE_ROUND_TRIP: f64 = 12e6;

impl Terms {
    /// The terms of a network.
    ///
    /// * `round_trip` — of the idle network, in picoseconds.
    /// * `bdp` — bytes under way on an idle path at full rate.
    /// * `segment` — payload of a packet; `packet` with its header.
    pub(super) fn new(round_trip: f64, bdp: f64, segment: f64, packet: f64, trims: bool) -> Self {
        let target = if trims { 0.75 * round_trip } else { round_trip };
        let a = bdp / REFERENCE_BDP;
        let b = target / REFERENCE_ROUND_TRIP;
        Self {
            target,
            alpha: 4.0 * segment * a * b / target,
            fair: 5.0 * segment * a,
            eta: 0.15 * segment * a,
            fast: 0.25 * a,
            adjust_bytes: 8.0 * packet,
            adjust_time: picos(round_trip),
        }
    }
}

/// The weight of the newest delay in the average: as in TCP's smoothed round trip (RFC 6298).
const WEIGHT: f64 = 0.125;

/// The window of a flow.
#[derive(Clone, Debug)]
pub(super) struct Nscc {
    pub(super) window: f64,
    most: f64,
    least: f64,
    round_trip: u64,
    average_delay: f64,
    growth: f64,
    since_adjust: f64,
    adjusted: u64,
    eta_at: u64,
    shrunk: u64,
    /// Quick adaptation: until when it counts, what arrived since, and whether loss was seen.
    judge_at: u64,
    arrived: f64,
    lost: bool,
    /// Bytes under way at the last quick adaptation, whose fate says nothing new.
    ignore: f64,
    /// Bytes acknowledged in a row without any delay.
    undelayed: f64,
    rising: bool,
}

/// What an acknowledgement says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) now: u64,
    /// Delay beyond the idle round trip, in picoseconds.
    pub(super) delay: f64,
    /// Bytes acknowledged for the first time.
    pub(super) bytes: f64,
    pub(super) marked: bool,
    /// Bytes that are still under way.
    pub(super) in_flight: f64,
}

impl Nscc {
    /// A full window: `most` bytes, at least `least` ever.
    pub(super) fn new(most: f64, least: f64, round_trip: u64) -> Self {
        Self {
            window: most,
            most,
            least,
            round_trip,
            average_delay: 0.0,
            growth: 0.0,
            since_adjust: 0.0,
            adjusted: 0,
            eta_at: 0,
            shrunk: 0,
            judge_at: 0,
            arrived: 0.0,
            lost: false,
            ignore: 0.0,
            undelayed: 0.0,
            rising: false,
        }
    }

    /// Beyond the idle round trip, in picoseconds.
    pub(super) fn delay(&self, round_trip: u64) -> f64 {
        round_trip.saturating_sub(self.round_trip) as f64
    }

    pub(super) fn acknowledged(&mut self, terms: &Terms, word: Word) {
        self.average(terms, word);
        self.arrived += word.bytes;
        self.since_adjust += word.bytes;
        let stale = 0.0 < self.ignore;
        self.ignore -= word.bytes;
        if self.judge(terms, word) || (stale && word.marked) {
            return;
        }
        let late = terms.target <= word.delay;
        match (word.marked, late) {
            (false, false) => self.grow(terms, word),
            (false, true) => self.growth += terms.fair * word.bytes,
            (true, true) => self.shrink(terms, word.now),
            (true, false) => self.rising = false,
        }
        self.adjust(terms, word.now);
        self.window = self.window.clamp(self.least, self.most);
    }

    /// A packet was trimmed or lost.
    pub(super) fn lost(&mut self, terms: &Terms, word: Word) {
        let stale = 0.0 < self.ignore;
        self.ignore -= word.bytes;
        self.lost = true;
        if !stale {
            self.judge(terms, word);
        }
        self.window = self.window.clamp(self.least, self.most);
    }

    /// Averages the delay. Queues mark what leaves them by what waits then: a late packet without
    /// a mark left a queue that was nearly empty, and counts as a quarter of the round trip.
    fn average(&mut self, terms: &Terms, word: Word) {
        let drained = !word.marked && terms.target < word.delay;
        let quarter = 0.25 * self.round_trip as f64;
        let sample = if drained { quarter } else { word.delay };
        self.average_delay += WEIGHT * (sample - self.average_delay);
    }

    fn grow(&mut self, terms: &Terms, word: Word) {
        const NO_DELAY: f64 = 1e4;
        if word.delay < NO_DELAY {
            self.undelayed += word.bytes;
            if self.rising || self.window < self.undelayed {
                self.rising = true;
                self.window += word.bytes * terms.fast;
                return;
            }
        } else {
            self.undelayed = 0.0;
        }
        self.rising = false;
        self.growth += terms.alpha * word.bytes * (terms.target - word.delay);
    }

    fn shrink(&mut self, terms: &Terms, now: u64) {
        const GAMMA: f64 = 0.8;
        self.rising = false;
        self.undelayed = 0.0;
        let excess = self.average_delay - terms.target;
        if 0.0 < excess && self.shrunk + self.round_trip < now {
            self.window *= (1.0 - GAMMA * excess / self.average_delay).max(0.5);
            self.shrunk = now;
        }
    }

    fn adjust(&mut self, terms: &Terms, now: u64) {
        let due = terms.adjust_bytes < self.since_adjust || terms.adjust_time < now - self.adjusted;
        if !due {
            return;
        }
        self.window += self.growth / self.window;
        if self.round_trip < now - self.eta_at {
            self.window += terms.eta;
            self.eta_at = now;
        }
        self.growth = 0.0;
        self.since_adjust = 0.0;
        self.adjusted = now;
    }

    /// Once a round trip: a window that delivered next to nothing becomes what it delivered.
    fn judge(&mut self, terms: &Terms, word: Word) -> bool {
        if word.now < self.judge_at {
            return false;
        }
        let trouble = self.lost || 4.0 * terms.target < word.delay;
        let adapt = self.judge_at != 0 && trouble && self.arrived < self.most / 8.0;
        if adapt {
            self.window = self.arrived.clamp(self.least, self.most);
            self.ignore = word.in_flight;
            self.growth = 0.0;
        }
        self.lost = false;
        self.arrived = 0.0;
        self.judge_at = word.now + self.round_trip + picos(terms.target);
        adapt
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "round trips are far below 2⁶⁴ ps, and casts saturate"
)]
pub(super) const fn picos(time: f64) -> u64 {
    time as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 Gbit/s and 12 µs: both factors of the constants are 1 or 0.75.
    fn terms() -> Terms {
        Terms::new(12e6, 150_000.0, 4096.0, 4160.0, true)
    }

    fn word(now: u64, delay: f64, marked: bool) -> Word {
        Word {
            now,
            delay,
            bytes: 16_640.0,
            marked,
            in_flight: 50_000.0,
        }
    }

    fn half_open() -> Nscc {
        let mut flow = Nscc::new(225_000.0, 4160.0, 12_000_000);
        flow.window = 100_000.0;
        flow
    }

    #[test]
    fn windows_grow_below_the_target_in_proportion_to_the_distance() {
        let terms = terms();
        let mut flow = half_open();
        flow.adjusted = 99_000_000;
        flow.eta_at = 99_000_000;
        flow.acknowledged(&terms, word(100_000_000, 4.5e6, false));
        // 4 MSS · 0.75/T · bytes · (T − d), half of T away.
        assert!((flow.growth - 4.0 * 4096.0 * 0.75 * 16_640.0 / 2.0).abs() < 1.0);
        let window = flow.window;
        (1..3).for_each(|n| flow.acknowledged(&terms, word(100_000_000 + n, 9e6, false)));
        // Two more pass 8 packets: the growth is added, with 5 MSS · bytes each above the target.
        let growth = 4096.0 * 16_640.0 * (1.5 + 10.0);
        let grown = flow.window - window;
        assert!((grown - growth / window).abs() < 1e-6, "{grown}");
    }

    #[test]
    fn marked_and_late_windows_shrink_once_a_round_trip() {
        let terms = terms();
        let mut flow = half_open();
        flow.average_delay = 18e6;
        flow.adjusted = 100_000_000;
        flow.acknowledged(&terms, word(100_000_000, 18e6, true));
        // 1 − 0.8 · (18 − 9)/18.
        assert!((flow.window - 60_000.0).abs() < 1e-6);
        flow.acknowledged(&terms, word(101_000_000, 18e6, true));
        assert!((flow.window - 60_000.0).abs() < 1e-6);
        flow.acknowledged(&terms, word(112_000_001, 18e6, true));
        assert!(flow.window < 40_000.0);
    }

    #[test]
    fn a_mark_without_delay_changes_the_way_only() {
        let mut flow = half_open();
        flow.adjusted = 100_000_000;
        flow.acknowledged(&terms(), word(100_000_000, 1e6, true));
        assert!((flow.window - 100_000.0).abs() < 1e-9);
        assert!(flow.growth.abs() < 1e-9);
    }

    #[test]
    fn a_window_that_delivered_next_to_nothing_becomes_what_it_delivered() {
        let terms = terms();
        let mut flow = half_open();
        flow.acknowledged(&terms, word(100_000_000, 9e6, false));
        assert!(flow.judge_at == 121_000_000 && flow.arrived < 1.0);
        flow.lost(&terms, word(110_000_000, 0.0, false));
        flow.acknowledged(&terms, word(121_000_000, 9e6, false));
        assert!((flow.window - 16_640.0).abs() < 1e-9, "{}", flow.window);
        flow.acknowledged(&terms, word(140_000_000, 40e6, true));
        assert!((flow.window - 16_640.0).abs() < 1e-9, "marks are stale");
    }
}
