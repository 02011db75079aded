//! Pipelines on the engine against closed forms of the papers.

use acceptance::bare_pipeline::{StageTimes, simulate};
use plan::schedule::{
    Costs, PassCosts, Schedule, gpipe, interleaved, one_f_one_b, replay, v_half, zb_h1, zb_v,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn makespan(schedule: &Schedule, times: &[StageTimes]) -> f64 {
    simulate(schedule, times).end.as_seconds().as_secs()
}

fn one_two(pp: usize, hop: impl Fn(usize) -> f64) -> Vec<StageTimes> {
    (0..pp)
        .map(|stage| StageTimes::whole(1.0, 2.0, hop(stage)))
        .collect()
}

/// Values worked out by an independent simulation of in-order 1F1B, F = 1, B = 2: the effect
/// that Pipette (arXiv 2405.18093) calls the hidden critical path.
#[test]
fn one_f_one_b_takes_what_independent_simulations_of_it_take() {
    type Hop = dyn Fn(usize) -> f64;
    let cases: [(u32, u32, &Hop, f64); 10] = [
        (8, 64, &|_| 0.0, 213.0),
        (8, 64, &|_| 0.15, 231.6),
        (8, 64, &|stage| if stage == 0 { 3.0 } else { 0.0 }, 387.0),
        (8, 64, &|stage| if stage == 6 { 3.0 } else { 0.0 }, 405.0),
        (8, 64, &|stage| if stage == 0 { 3.0 } else { 0.05 }, 388.3),
        (8, 64, &|stage| if stage == 6 { 3.0 } else { 0.05 }, 405.7),
        (8, 12, &|_| 0.0, 57.0),
        (16, 24, &|_| 0.0, 117.0),
        (16, 24, &|stage| if stage == 14 { 3.0 } else { 0.0 }, 189.0),
        (16, 24, &|stage| if stage == 14 { 3.0 } else { 0.05 }, 190.5),
    ];
    for (pp, n, hop, expected) in cases {
        let took = makespan(&one_f_one_b(pp, n), &one_two(pp as usize, hop));
        assert!(
            (took - expected).abs() < 1e-9,
            "pp {pp}, n {n}: {took}, not {expected}"
        );
    }
}

/// `ρ = max over a ≤ c of (Σ_{a..c} (F + B) + 2 Σ_{a..c-1} t) / (c − a + 1)`.
fn rate(times: &[StageTimes]) -> f64 {
    let mut best = 0.0_f64;
    for first in 0..times.len() {
        let mut sum = 0.0;
        for (further, stage) in times[first..].iter().enumerate() {
            sum += stage.forward + stage.input_grad + stage.weight_grad;
            best = best.max(sum / (further + 1) as f64);
            sum += 2.0 * stage.hop;
        }
    }
    best
}

#[test]
fn the_steady_rate_of_200_random_pipelines_is_the_cycle_mean() {
    let mut rng = Pcg64Mcg::seed_from_u64(7);
    for case in 0..200 {
        let pp = rng.random_range(2..=8_u32);
        // Whole microseconds, so that no duration is rounded.
        let mut micros = |low: u32, high: u32| f64::from(rng.random_range(low..high)) * 1e-6;
        let times: Vec<StageTimes> = (0..pp)
            .map(|_| StageTimes::whole(micros(500, 1500), 2.0 * micros(500, 1500), micros(0, 2000)))
            .collect();
        let period = (1..=u64::from(pp)).fold(1, |l, k| l / gcd(l, k) * k);
        let (n, period) = (120, u32::try_from(period).unwrap());
        let later = makespan(&one_f_one_b(pp, n + period), &times);
        let earlier = makespan(&one_f_one_b(pp, n), &times);
        let measured = (later - earlier) / f64::from(period);
        let expected = rate(&times);
        assert!(
            (measured / expected - 1.0).abs() < 1e-9,
            "case {case}: simulated {measured}, formula {expected}"
        );
    }
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[test]
fn the_engine_and_the_exact_replay_agree_to_the_picosecond() {
    let mut rng = Pcg64Mcg::seed_from_u64(11);
    for case in 0..40_u32 {
        let pp = rng.random_range(2..=6_u32);
        let n = pp * rng.random_range(1..=4);
        let schedule = match case % 6 {
            0 => gpipe(pp, n),
            1 => one_f_one_b(pp, n),
            2 => interleaved(pp, 2, n).unwrap(),
            3 => zb_h1(pp, n),
            4 => zb_v(pp, n),
            _ => v_half(pp, n),
        };
        let mut picos = |low: u64, high: u64| rng.random_range(low..high);
        let costs = Costs {
            stages: (0..schedule.n_stages())
                .map(|_| PassCosts::split(picos(1, 900), picos(1, 900), picos(1, 900)))
                .collect(),
            links: (0..schedule.n_stages()).map(|_| picos(0, 300)).collect(),
            ..Costs::default()
        };
        let times: Vec<StageTimes> = costs
            .stages
            .iter()
            .zip(&costs.links)
            .map(|(stage, link)| StageTimes {
                forward: stage.forward as f64 * 1e-12,
                input_grad: stage.input_grad as f64 * 1e-12,
                weight_grad: stage.weight_grad as f64 * 1e-12,
                hop: *link as f64 * 1e-12,
            })
            .collect();
        let exact = replay(&schedule, &costs).unwrap().makespan;
        let simulated = simulate(&schedule, &times).end.as_picos();
        // A whole number of picoseconds, read as seconds, may round up by one at each step.
        let steps = 4 * u64::from(n) * schedule.n_stages() as u64;
        assert!(
            exact <= simulated && simulated <= exact + steps,
            "case {case}: engine {simulated} ps, replay {exact} ps"
        );
    }
}

/// Bubble of the last rank over its busy time, as the papers define the bubble's share.
fn bubble_share(schedule: &Schedule, times: &[StageTimes], device: usize) -> f64 {
    let run = simulate(schedule, times);
    let idle = run.lanes[device].idle.as_seconds().as_secs();
    idle / (run.end.as_seconds().as_secs() - idle)
}

#[test]
fn bubbles_are_those_of_the_papers() {
    let (p, m) = (4_u32, 16_u32);
    let times = |stages: usize| {
        vec![
            StageTimes {
                forward: 1.0,
                input_grad: 1.0,
                weight_grad: 1.0,
                hop: 0.0
            };
            stages
        ]
    };
    let near = |measured: f64, expected: f64| {
        assert!(
            (measured - expected).abs() < 1e-9,
            "{measured}, not {expected}"
        );
    };
    let expected = f64::from(p - 1) / f64::from(m);
    near(bubble_share(&gpipe(p, m), &times(4), 0), expected);
    near(bubble_share(&one_f_one_b(p, m), &times(4), 0), expected);
    near(
        bubble_share(&interleaved(p, 2, m).unwrap(), &times(8), 0),
        expected / 2.0,
    );
    // ZB-H1: (p − 1)(T_F + T_B − T_W) of idle time beside 3 m of work.
    near(
        bubble_share(&zb_h1(p, m), &times(4), 0),
        f64::from(p - 1) / f64::from(3 * m),
    );
}
