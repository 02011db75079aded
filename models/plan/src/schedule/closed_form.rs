//! 1F1B without building its schedule: exact time and exact steady rate.

/// Memory that [`one_f_one_b_time`] uses again from call to call.
#[derive(Clone, Debug, Default)]
pub struct ClosedFormScratch {
    /// End of each stage's latest forward pass.
    forward: Vec<u64>,
    /// When each stage is free.
    free: Vec<u64>,
    /// Both, at an earlier round, to find the period.
    earlier: Vec<u64>,
}

/// The exact makespan of 1F1B, in the unit of its arguments.
///
/// In round `k` stage `i` runs the forward pass of micro-batch `k + p − 1 − i` and the backward
/// pass of micro-batch `k`, each where it exists. Its forward input left stage `i − 1` one round
/// earlier, its gradient leaves stage `i + 1` in the same round:
///
/// ```text
/// f_i(k) = max(f_{i−1}(k−1) + t_{i−1}, b_i(k−1)) + F_i
/// b_i(k) = max(b_{i+1}(k) + t_i,       f_i(k))   + B_i
/// ```
///
/// This is the replay of the schedule in another order, so it is exact. A max-plus linear
/// recursion becomes periodic; as soon as a round repeats an earlier one but for a constant,
/// whole periods are skipped, which is exact too. Cost `O(p)` a round, `n + p` rounds at most.
///
/// * `forward`, `backward` — `F` and `B` of every stage.
/// * `links` — `t`, from stage `i` to `i + 1` and back; missing entries are zero.
/// * `n` — micro-batches.
///
/// Sums must stay below 2⁶⁴.
pub fn one_f_one_b_time(
    forward: &[u64],
    backward: &[u64],
    links: &[u64],
    n: u64,
    scratch: &mut ClosedFormScratch,
) -> u64 {
    let p = forward.len();
    if p == 0 || n == 0 {
        return 0;
    }
    let last = p as u64 - 1;
    scratch.reset(p);
    for round in 0..last.min(n + last) {
        scratch.round(forward, backward, links, |i| window(round, i, n, last));
    }
    let n_steady = n.saturating_sub(last);
    let skipped = scratch.steady(forward, backward, links, n_steady);
    debug_assert!(
        skipped <= n_steady,
        "no more rounds are skipped than there are"
    );
    for round in last + n_steady..n + last {
        scratch.round(forward, backward, links, |i| window(round, i, n, last));
    }
    scratch.free.iter().copied().max().unwrap_or(0)
}

/// Whether stage `i` runs a forward and a backward pass in a round counted from the first
/// forward pass.
fn window(round: u64, i: usize, n: u64, last: u64) -> (bool, bool) {
    let first = i as u64;
    (
        first <= round && round - first < n,
        last <= round && round - last < n,
    )
}

impl ClosedFormScratch {
    fn reset(&mut self, p: usize) {
        for values in [&mut self.forward, &mut self.free] {
            values.clear();
            values.resize(p, 0);
        }
    }

    /// One round, from the last stage to the first, so that `forward[i − 1]` is still that of
    /// the round before.
    #[inline]
    fn round(
        &mut self,
        forward: &[u64],
        backward: &[u64],
        links: &[u64],
        runs: impl Fn(usize) -> (bool, bool),
    ) {
        let mut gradient = 0;
        for i in (0..forward.len()).rev() {
            let (runs_forward, runs_backward) = runs(i);
            if runs_forward {
                let input = match i {
                    0 => 0,
                    _ => self.forward[i - 1] + link(links, i - 1),
                };
                self.free[i] = self.free[i].max(input) + forward[i];
                self.forward[i] = self.free[i];
            }
            if runs_backward {
                self.free[i] = self.free[i].max(gradient) + backward[i];
                gradient = self.free[i] + if i == 0 { 0 } else { link(links, i - 1) };
            }
        }
    }

    /// The rounds in which every stage runs both passes; returns how many were skipped.
    fn steady(&mut self, forward: &[u64], backward: &[u64], links: &[u64], rounds: u64) -> u64 {
        let (mut done, mut mark, mut next_mark) = (0, 0, 1);
        self.remember();
        while done < rounds {
            self.round(forward, backward, links, |_| (true, true));
            done += 1;
            if let Some(shift) = self.shift() {
                let period = done - mark;
                let periods = (rounds - done) / period;
                for value in self.forward.iter_mut().chain(&mut self.free) {
                    *value += periods * shift;
                }
                for _ in 0..(rounds - done) % period {
                    self.round(forward, backward, links, |_| (true, true));
                }
                return periods * period;
            }
            if done == next_mark {
                (mark, next_mark) = (done, 2 * done);
                self.remember();
            }
        }
        0
    }

    fn remember(&mut self) {
        self.earlier.clear();
        self.earlier.extend_from_slice(&self.forward);
        self.earlier.extend_from_slice(&self.free);
    }

    /// The constant by which this round lies behind the remembered one, if it is one.
    fn shift(&self) -> Option<u64> {
        let shift = self.forward[0] - self.earlier[0];
        self.forward
            .iter()
            .chain(&self.free)
            .zip(&self.earlier)
            .all(|(now, then)| now - then == shift)
            .then_some(shift)
    }
}

#[inline]
fn link(links: &[u64], i: usize) -> u64 {
    links.get(i).copied().unwrap_or(0)
}

/// The steady-state time of 1F1B per micro-batch, as an exact fraction (time, micro-batches).
///
/// ```text
/// rho = max over 0 <= a <= c < p of (sum_{j=a..c} (F_j + B_j) + 2 sum_{j=a..c-1} t_j) / (c - a + 1)
/// ```
///
/// The gradient of a micro-batch comes back to stage `a` after a trip to stage `c`, and
/// `c − a + 1` micro-batches are on that trip at once: the maximum cycle mean of the
/// recursion of [`one_f_one_b_time`].
pub fn one_f_one_b_rate(forward: &[u64], backward: &[u64], links: &[u64]) -> (u64, u64) {
    let mut best = (0, 1);
    for a in 0..forward.len() {
        let mut sum = 0;
        for c in a..forward.len() {
            sum += forward[c] + backward[c];
            if a < c {
                sum += 2 * link(links, c - 1);
            }
            let length = (c - a + 1) as u64;
            if u128::from(best.0) * u128::from(length) < u128::from(sum) * u128::from(best.1) {
                best = (sum, length);
            }
        }
    }
    best
}
