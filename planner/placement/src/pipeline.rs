//! The time of one pipeline under 1F1B, with links that differ by place and by direction.
//!
//! In round `k` stage `i` runs the forward pass of micro-batch `k + p − 1 − i` and the backward pass
//! of micro-batch `k`, each where it exists:
//!
//! ```text
//! f_i(k) = max(f_{i−1}(k−1) + down_{i−1}, b_i(k−1)) + F_i
//! b_i(k) = max(b_{i+1}(k)   + up_i,       f_i(k))   + B_i
//! ```
//!
//! A max-plus linear recursion becomes periodic. Its rate is the largest mean of a circle,
//!
//! ```text
//! rho = max over 0 <= a <= c < p of
//!       (sum_{j=a..c} (F_j + B_j) + sum_{j=a..c−1} (down_j + up_j)) / (c − a + 1)
//! ```
//!
//! since the gradient of a micro-batch comes back to stage `a` after a trip to stage `c` while
//! `c − a + 1` micro-batches are on that trip. Pipette keeps the whole interval only, AMP (Li et al.,
//! `NeurIPS` 2022) single stages only. Links delay and occupy no stage.

/// One pipeline; all times in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Pipeline<'a> {
    /// `F`: forward time of one micro-batch, by stage.
    pub forward: &'a [f64],
    /// `B`: backward time of one micro-batch, by stage; as many as `forward`.
    pub backward: &'a [f64],
    /// Time of activations from stage `i` to `i + 1`; one less than stages.
    pub down: &'a [f64],
    /// Time of gradients from stage `i + 1` to `i`; one less than stages.
    pub up: &'a [f64],
    /// Micro-batches of an iteration.
    pub micro_batches: u64,
}

/// Memory that [`Pipeline::ends`] uses again from call to call.
#[derive(Clone, Debug, Default)]
pub struct PipelineScratch {
    /// End of each stage's latest forward pass.
    forward: Vec<f64>,
    /// When each stage is free.
    free: Vec<f64>,
    /// Both, one period ago.
    earlier: Vec<f64>,
}

/// Rounding of sums, relative.
const ROUNDING: f64 = 1e-13;

/// Periods in units of the number of stages after which the recursion is taken for periodic. Where
/// two circles have nearly the same mean it may not quite be; then the rate is off by less than
/// their difference.
const PATIENCE: usize = 16;

impl Pipeline<'_> {
    /// The steady time of a micro-batch, `rho`, and the number of micro-batches on the circle that
    /// binds.
    pub fn rate(&self) -> (f64, usize) {
        let (mut best, mut length) = (0.0, 1);
        for a in 0..self.forward.len() {
            let mut sum = 0.0;
            for c in a..self.forward.len() {
                sum += self.forward[c] + self.backward[c];
                if a < c {
                    sum += self.down[c - 1] + self.up[c - 1];
                }
                let mean = sum / (c - a + 1) as f64;
                if best * (1.0 + ROUNDING) < mean {
                    (best, length) = (mean, c - a + 1);
                }
            }
        }
        (best, length)
    }

    /// When each stage ends its last backward pass.
    pub fn ends<'s>(&self, scratch: &'s mut PipelineScratch) -> &'s [f64] {
        scratch.reset(self.forward.len());
        let last = (self.forward.len() as u64).saturating_sub(1);
        let steady = self.micro_batches.saturating_sub(last);
        for round in 0..last.min(self.micro_batches + last) {
            self.round(scratch, |i| self.window(round, i, last));
        }
        self.steady(scratch, steady);
        for round in last + steady..self.micro_batches + last {
            self.round(scratch, |i| self.window(round, i, last));
        }
        &scratch.free
    }

    /// When the last stage to end does so: the time of an iteration without what follows it.
    pub fn time(&self, scratch: &mut PipelineScratch) -> f64 {
        self.ends(scratch).iter().copied().fold(0.0, f64::max)
    }

    /// Whether stage `i` runs a forward and a backward pass in a round.
    #[inline]
    fn window(&self, round: u64, i: usize, last: u64) -> (bool, bool) {
        let (first, n) = (i as u64, self.micro_batches);
        (
            first <= round && round - first < n,
            last <= round && round - last < n,
        )
    }

    /// One round, from the last stage to the first, so that `forward[i − 1]` is still that of the
    /// round before.
    #[inline]
    fn round(&self, scratch: &mut PipelineScratch, runs: impl Fn(usize) -> (bool, bool)) {
        let mut gradient = 0.0;
        for i in (0..self.forward.len()).rev() {
            let (runs_forward, runs_backward) = runs(i);
            let mut free = scratch.free[i];
            if runs_forward {
                let input = match i {
                    0 => 0.0,
                    _ => scratch.forward[i - 1] + self.down[i - 1],
                };
                free = later(free, input) + self.forward[i];
                scratch.forward[i] = free;
            }
            if runs_backward {
                free = later(free, gradient) + self.backward[i];
                gradient = free + if i == 0 { 0.0 } else { self.up[i - 1] };
            }
            scratch.free[i] = free;
        }
    }

    /// The rounds in which every stage runs both passes: until they repeat, then whole periods at
    /// once.
    fn steady(&self, scratch: &mut PipelineScratch, rounds: u64) {
        let (rate, length) = self.rate();
        let (period, shift) = (length as u64, rate * length as f64);
        let patience = (PATIENCE * self.forward.len()) as u64;
        let mut left = rounds;
        while period <= left {
            scratch.remember();
            for _ in 0..period {
                self.round(scratch, |_| (true, true));
            }
            left -= period;
            if scratch.repeats(shift) || patience < rounds - left {
                scratch.skip((left / period) as f64 * shift);
                left %= period;
            }
        }
        for _ in 0..left {
            self.round(scratch, |_| (true, true));
        }
    }
}

impl PipelineScratch {
    fn reset(&mut self, stages: usize) {
        for values in [&mut self.forward, &mut self.free] {
            values.clear();
            values.resize(stages, 0.0);
        }
    }

    fn remember(&mut self) {
        self.earlier.clear();
        self.earlier.extend_from_slice(&self.forward);
        self.earlier.extend_from_slice(&self.free);
    }

    fn repeats(&self, shift: f64) -> bool {
        let now = self.forward.iter().chain(&self.free);
        now.zip(&self.earlier)
            .all(|(now, then)| (now - then - shift).abs() <= ROUNDING * now)
    }

    fn skip(&mut self, by: f64) {
        for value in self.forward.iter_mut().chain(&mut self.free) {
            *value += by;
        }
    }
}

#[inline]
fn later(a: f64, b: f64) -> f64 {
    if a < b { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F = 1 and B = 2 on every stage, links as given.
    fn time(pp: usize, n: u64, links: &[f64]) -> f64 {
        let pipeline = Pipeline {
            forward: &vec![1.0; pp],
            backward: &vec![2.0; pp],
            down: links,
            up: links,
            micro_batches: n,
        };
        pipeline.time(&mut PipelineScratch::default())
    }

    /// One link of 3, all others of `other`.
    fn one_slow(pp: usize, slow: usize, other: f64) -> Vec<f64> {
        let link = |at| if at == slow { 3.0 } else { other };
        (0..pp - 1).map(link).collect()
    }

    #[test]
    fn iterations_take_what_was_worked_out_by_hand() {
        for (pp, n, links, expected) in [
            (8, 64, vec![0.0; 7], 213.0),
            (8, 64, vec![0.15; 7], 231.6),
            (8, 64, one_slow(8, 0, 0.0), 387.0),
            (8, 64, one_slow(8, 6, 0.0), 405.0),
            (8, 64, one_slow(8, 0, 0.05), 388.3),
            (8, 64, one_slow(8, 6, 0.05), 405.7),
            (8, 12, vec![0.0; 7], 57.0),
            (16, 24, vec![0.0; 15], 117.0),
            (16, 24, one_slow(16, 14, 0.0), 189.0),
            (16, 24, one_slow(16, 14, 0.05), 190.5),
        ] {
            let found = time(pp, n, &links);
            assert!(
                (found - expected).abs() < 1e-9,
                "{pp} {n} {links:?}: {found}"
            );
        }
    }

    #[test]
    fn a_single_stage_runs_without_a_pause() {
        assert!((time(1, 5, &[]) - 15.0).abs() < 1e-12);
        assert!(time(4, 0, &[0.0; 3]).abs() < 1e-12);
    }
}
