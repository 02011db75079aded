//! Several chunks a device: a search from the best split into chunks, and a bound.

use super::exact;
use super::problem::Problem;

/// What a split is judged by, in this order: bytes above limits, picoseconds of the slowest
/// device, squares of the times of devices, squares of the times of chunks.
type Score = (u64, u64, u128, u128);

/// Layers of every virtual stage and a lower bound on the slowest device, in picoseconds; `None`
/// where no split was found that keeps rules and memory.
pub(super) fn best(problem: &Problem) -> Option<(Vec<usize>, u64)> {
    let counts = nearest(problem)?;
    (score(problem, &counts).0 == 0).then(|| (counts, bound(problem)))
}

/// The best split found, with bytes above limits as the first thing to avoid; `None` where no
/// split keeps the rules.
pub(super) fn nearest(problem: &Problem) -> Option<Vec<usize>> {
    let time = |stage, from, to| Some(problem.stage_time(stage, from, to));
    let mut counts = exact::min_max(problem, time)?;
    let mut held = score(problem, &counts);
    let bound = bound(problem);
    let settled = |counts: &[usize], (lacking, slowest, ..): Score| {
        lacking == 0 && slowest == bound && is_even(counts)
    };
    while !settled(&counts, held) {
        let Some(better) = improved(problem, &counts, held) else {
            break;
        };
        (counts, held) = better;
    }
    Some(counts)
}

/// The best split that one layer moved from one chunk to another gives; chunks between them shift
/// by a layer. Layers leave devices that are slowest or above their limit for any chunk, others
/// for the chunk before or behind.
fn improved(problem: &Problem, counts: &[usize], than: Score) -> Option<(Vec<usize>, Score)> {
    let (times, memory) = problem.by_device(counts);
    let pressed = |stage: usize| {
        let device = stage % problem.pp;
        times[device] == than.1 || problem.limits[device] < memory[device]
    };
    let mut best: Option<(Vec<usize>, Score)> = None;
    let mut trial = counts.to_vec();
    for giver in (0..counts.len()).filter(|giver| counts[*giver] != 0) {
        let all = pressed(giver);
        let takers = (0..counts.len()).filter(|taker| all || taker.abs_diff(giver) == 1);
        for taker in takers.filter(|taker| *taker != giver) {
            trial[giver] -= 1;
            trial[taker] += 1;
            let found = score(problem, &trial);
            let beaten = best.as_ref().map_or(than, |(_, score)| *score);
            if found < beaten && keeps_rules(problem, &trial) {
                best = Some((trial.clone(), found));
            }
            trial[giver] += 1;
            trial[taker] -= 1;
        }
    }
    best
}

fn is_even(counts: &[usize]) -> bool {
    let (least, most) = (counts.iter().min(), counts.iter().max());
    least
        .zip(most)
        .is_none_or(|(least, most)| most - least <= 1)
}

fn keeps_rules(problem: &Problem, counts: &[usize]) -> bool {
    let mut from = 0;
    counts.iter().enumerate().all(|(stage, count)| {
        from += count;
        problem.may_hold(stage, from - count, from)
    })
}

fn score(problem: &Problem, counts: &[usize]) -> Score {
    let (times, memory) = problem.by_device(counts);
    let over = memory.iter().zip(&problem.limits);
    let lacking = over.map(|(held, limit)| held.saturating_sub(*limit));
    let square = |time: u64| u128::from(time) * u128::from(time);
    let mut from = 0;
    let chunks = counts.iter().enumerate().map(|(stage, count)| {
        from += count;
        square(problem.stage_time(stage, from - count, from))
    });
    (
        lacking.fold(0, u64::saturating_add),
        times.iter().copied().max().unwrap_or(0),
        times.iter().map(|time| square(*time)).sum(),
        chunks.sum(),
    )
}

/// Picoseconds below which no slowest device comes: an even share of all time, or the smallest
/// pace at which devices have places for all layers when each layer is as fast as the fastest.
fn bound(problem: &Problem) -> u64 {
    let total = problem.time[problem.n_layers] + problem.stages.iter().map(|s| s.time).sum::<u64>();
    let share = total.div_ceil(problem.pp as u64);
    let fastest = problem.time.windows(2).map(|w| w[1] - w[0]).min();
    let Some(fastest) = fastest.filter(|fastest| *fastest != 0) else {
        return share;
    };
    let extras: Vec<u64> = (0..problem.pp)
        .map(|device| extra(problem, device))
        .collect();
    let places = |pace: u64| -> u64 {
        let one = |extra: &u64| pace.saturating_sub(*extra) / fastest;
        extras.iter().map(one).sum()
    };
    let candidates = extras
        .iter()
        .flat_map(|extra| (0..=problem.n_layers as u64).map(move |count| extra + count * fastest));
    let enough = candidates.filter(|pace| problem.n_layers as u64 <= places(*pace));
    enough.min().unwrap_or(0).max(share)
}

/// Picoseconds of a device besides layers.
fn extra(problem: &Problem, device: usize) -> u64 {
    let own = problem.stages.iter().skip(device).step_by(problem.pp);
    own.map(|stage| stage.time).sum()
}
