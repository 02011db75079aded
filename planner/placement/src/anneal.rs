//! Simulated annealing with restarts.
//!
//! Every restart has a stream of random numbers of its own and a number; the best cost wins, then the
//! smallest number. So the answer depends on the seed and not on the number of threads.

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;
use units::{Control, math};

use crate::{Cost, Move, Walk};

/// How hard to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Independent runs; the first starts from the given order, others from random ones.
    pub restarts: u32,
    /// Moves that each of them tries while it cools, and at most as many again to descend.
    pub steps: u64,
    /// Of all random numbers.
    pub seed: u64,
}

impl Default for Effort {
    /// Some tenths of a second of one core under Pipette's objective with 16 servers, ten seconds
    /// under [`Iteration`](crate::Iteration), nothing where a bound ends the search at once.
    fn default() -> Self {
        Self {
            restarts: 8,
            steps: 200_000,
            seed: 1,
        }
    }
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The restart that ended just now.
    pub restart: u32,
    /// All restarts.
    pub restarts: u32,
    /// Its best cost, in seconds.
    pub cost: f64,
}

/// The best of all restarts.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) order: Vec<u32>,
    pub(crate) cost: f64,
    pub(crate) evaluations: u64,
    /// Whether the control stopped it.
    pub(crate) partial: bool,
}

/// The temperature at the end, relative to that at the start.
const COOLING: f64 = 1e-3;
/// Steps between two looks at temperature and control.
const BATCH: u64 = 256;
/// Moves whose mean change of cost is the first temperature.
const SAMPLES: u64 = 64;
/// Places that one move of a segment changes at most.
const LONGEST_SEGMENT: usize = 64;
/// Servers up to which the end of a restart tries all reversals and rotations, not swaps only.
const MOST_FOR_ALL_MOVES: usize = 32;

/// Runs all restarts on the threads of the current rayon pool.
pub(crate) fn anneal<C: Cost>(
    cost: &C,
    start: &[u32],
    effort: &Effort,
    control: &Control,
    progress: &(dyn Fn(Progress) + Sync),
) -> Found {
    let restarts = effort.restarts.max(1);
    let one = |restart: u32| {
        let found = run(cost, start, effort, restart, control);
        progress(Progress {
            restart,
            restarts,
            cost: found.cost,
        });
        found
    };
    let all: Vec<Found> = (0..restarts).into_par_iter().map(one).collect();
    let evaluations = all.iter().map(|found| found.evaluations).sum();
    let partial = all.iter().any(|found| found.partial);
    let best = all.into_iter().min_by(|a, b| a.cost.total_cmp(&b.cost));
    Found {
        evaluations,
        partial,
        ..best.expect("there is one restart at least")
    }
}

fn run<C: Cost>(
    cost: &C,
    start: &[u32],
    effort: &Effort,
    restart: u32,
    control: &Control,
) -> Found {
    let stream = effort.seed ^ (u64::from(restart) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut rng = Pcg64Mcg::seed_from_u64(stream);
    let mut order = start.to_vec();
    if restart != 0 {
        shuffle(&mut order, &mut rng);
    }
    let mut walk = cost.walk(&order);
    let mut best = Found {
        cost: walk.cost(),
        order,
        evaluations: 0,
        partial: false,
    };
    if 1 < best.order.len() {
        cool(&mut walk, &mut best, effort.steps, &mut rng, control);
        let order = best.order.clone();
        descend(&mut cost.walk(&order), &mut best, effort.steps, control);
    }
    best
}

/// Geometric cooling.
fn cool(walk: &mut impl Walk, best: &mut Found, steps: u64, rng: &mut Pcg64Mcg, control: &Control) {
    let n = walk.order().len();
    let sample = (0..SAMPLES)
        .map(|_| walk.delta(random(n, rng)).abs())
        .sum::<f64>();
    let mut temperature = (sample / SAMPLES as f64).max(best.cost * 1e-9);
    let factor = math::powf(COOLING, BATCH as f64 / steps.max(1) as f64);
    best.evaluations += SAMPLES;
    let mut left = steps;
    while 0 < left {
        if control.is_cancelled() {
            best.partial = true;
            return;
        }
        let batch = left.min(BATCH);
        for _ in 0..batch {
            step(walk, best, temperature, n, rng);
        }
        best.evaluations += batch;
        left -= batch;
        temperature *= factor;
    }
}

/// One move, made where it is better or by Metropolis' chance.
#[inline]
fn step(walk: &mut impl Walk, best: &mut Found, temperature: f64, n: usize, rng: &mut Pcg64Mcg) {
    let change = random(n, rng);
    let delta = walk.delta(change);
    // Beyond 20 temperatures the chance is below 2e-9.
    let luck = |rng: &mut Pcg64Mcg| {
        delta < 20.0 * temperature && rng.random::<f64>() < math::exp(-delta / temperature)
    };
    if delta <= 0.0 || luck(rng) {
        walk.apply(change);
        if walk.cost() < best.cost {
            best.cost = walk.cost();
            best.order.copy_from_slice(walk.order());
        }
    }
}

/// Takes every move that is better until none is, or as many were tried as in annealing.
fn descend(walk: &mut impl Walk, best: &mut Found, steps: u64, control: &Control) {
    let moves = all_moves(best.order.len());
    let (mut left, mut since_better) = (steps, 0);
    for change in moves.iter().cycle() {
        if left == 0 || since_better == moves.len() || control.is_cancelled() {
            break;
        }
        (left, since_better) = (left - 1, since_better + 1);
        if walk.delta(*change) < -1e-12 * best.cost {
            walk.apply(*change);
            since_better = 0;
        }
    }
    best.evaluations += steps - left;
    if walk.cost() < best.cost {
        best.cost = walk.cost();
        best.order.copy_from_slice(walk.order());
    }
}

/// All moves; for many servers only swaps that are no farther than a segment.
fn all_moves(n: usize) -> Vec<Move> {
    let few = n <= MOST_FOR_ALL_MOVES;
    let reach = if few { n } else { LONGEST_SEGMENT };
    let mut moves = Vec::new();
    for a in 0..n {
        let near = a + 1..n.min(a + 1 + reach);
        moves.extend(near.map(|b| Move::Swap { a, b }));
    }
    for (from, to) in (0..n).flat_map(|from| (from + 2..=n).map(move |to| (from, to))) {
        if !few {
            break;
        }
        moves.push(Move::Reverse { from, to });
        moves.extend((from + 1..to).map(|mid| Move::Rotate { from, mid, to }));
    }
    moves
}

/// A move of a random kind: swap, reverse, move a segment, migrate.
#[inline]
fn random(n: usize, rng: &mut Pcg64Mcg) -> Move {
    let kind = rng.next_u32() & 3;
    let a = below(n, rng);
    let b = (a + 1 + below(n - 1, rng)) % n;
    if kind == 0 {
        return Move::Swap { a, b };
    }
    let (from, to) = (a.min(b), a.max(b) + 1);
    let to = to.min(from + LONGEST_SEGMENT);
    match kind {
        1 => Move::Reverse { from, to },
        2 => Move::Rotate {
            from,
            mid: from + 1 + below(to - from - 1, rng),
            to,
        },
        _ if a < b => Move::migrate(from, to - 1),
        _ => Move::migrate(to - 1, from),
    }
}

/// A number below `n`, which is below 2³².
#[inline]
fn below(n: usize, rng: &mut Pcg64Mcg) -> usize {
    ((u64::from(rng.next_u32()) * n as u64) >> 32) as usize
}

/// Fisher and Yates.
fn shuffle(order: &mut [u32], rng: &mut Pcg64Mcg) {
    for last in (1..order.len()).rev() {
        order.swap(last, below(last + 1, rng));
    }
}
