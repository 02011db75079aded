//! The dynamic program.
//!
//! ```text
//! best(s, j) = min over i of max(best(s − 1, i), cost(s, i..j))
//! ```
//!
//! with layers `i..j` on stage `s`. A cost grows with its run, so that the loop over `i` ends
//! early. A second pass bounds every stage by the optimum and minimizes the sum of squares.

use super::problem::{Problem, Stage};

/// What layers `from..to` cost on a stage; `None` where they may not lie there and neither may
/// more.
pub(super) trait Cost: Fn(usize, usize, usize) -> Option<u64> {}

impl<F: Fn(usize, usize, usize) -> Option<u64>> Cost for F {}

/// Layers of every stage of the best split; `None` where there is none.
pub(super) fn best(problem: &Problem) -> Option<Vec<usize>> {
    min_max(problem, |stage, from, to| {
        let fits = problem.stage_memory(stage, from, to) <= problem.limits[stage % problem.pp];
        fits.then(|| problem.stage_time(stage, from, to))
    })
}

/// The split with the smallest largest cost, and of those the one with the smallest sum of squared
/// costs, then the one with more layers on later stages. Keeps the rules.
pub(super) fn min_max(problem: &Problem, cost: impl Cost) -> Option<Vec<usize>> {
    let largest = smallest_largest(problem, &cost)?;
    let (width, n_stages) = (problem.n_layers + 1, problem.n_stages());
    let mut sums = start(width, u128::MAX, 0);
    let mut choices = Vec::with_capacity(n_stages * width);
    for stage in 0..n_stages {
        let mut next = vec![u128::MAX; width];
        choices.resize((stage + 1) * width, 0);
        for to in ends(problem, stage) {
            let (best, choice) = (&mut next[to], &mut choices[stage * width + to]);
            for from in window(problem, stage, to) {
                let Some(cost) = cost(stage, from, to).filter(|cost| *cost <= largest) else {
                    break;
                };
                let sum = sums[from].saturating_add(u128::from(cost) * u128::from(cost));
                if sum <= *best && sums[from] != u128::MAX && problem.may_hold(stage, from, to) {
                    (*best, *choice) = (sum, from);
                }
            }
        }
        sums = next;
    }
    Some(trace(&choices, width, n_stages))
}

/// The smallest largest cost of any split.
fn smallest_largest(problem: &Problem, cost: &impl Cost) -> Option<u64> {
    let width = problem.n_layers + 1;
    let mut reached = start(width, u64::MAX, 0);
    for stage in 0..problem.n_stages() {
        let mut next = vec![u64::MAX; width];
        for to in ends(problem, stage) {
            let best = &mut next[to];
            for from in window(problem, stage, to) {
                let Some(cost) = cost(stage, from, to).filter(|cost| *cost < *best) else {
                    break;
                };
                if problem.may_hold(stage, from, to) {
                    *best = cost.max(reached[from]).min(*best);
                }
            }
        }
        reached = next;
    }
    reached.last().copied().filter(|cost| *cost != u64::MAX)
}

/// Where runs that end before `to` may start, the shortest first.
fn window(problem: &Problem, stage: usize, to: usize) -> impl Iterator<Item = usize> {
    let held = &problem.stages[stage];
    let (first, end) = (
        to.saturating_sub(held.most),
        (to + 1).saturating_sub(held.least),
    );
    (first..end).rev()
}

/// Where the run of a stage may end so that the stages before and behind it get what they need.
fn ends(problem: &Problem, stage: usize) -> std::ops::Range<usize> {
    let needed = |stages: &[Stage]| -> usize { stages.iter().map(|stage| stage.least).sum() };
    let (before, behind) = problem.stages.split_at(stage + 1);
    needed(before)..(problem.n_layers + 1).saturating_sub(needed(behind))
}

/// Before the first stage nothing is placed.
fn start<T: Copy>(width: usize, never: T, zero: T) -> Vec<T> {
    let mut values = vec![never; width];
    values[0] = zero;
    values
}

/// Layers of every stage from where each run starts.
fn trace(choices: &[usize], width: usize, n_stages: usize) -> Vec<usize> {
    let mut counts = vec![0; n_stages];
    let mut to = width - 1;
    for stage in (0..n_stages).rev() {
        let from = choices[stage * width + to];
        counts[stage] = to - from;
        to = from;
    }
    counts
}
