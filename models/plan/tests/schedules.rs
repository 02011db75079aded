//! What the papers say of their schedules, measured on ours.

use plan::schedule::{
    Action, ActionKind, ClosedFormScratch, Costs, PassCosts, Replay, Schedule, ScheduleKind,
    ScheduleRefusal, Scratch, VocabularyCosts, gpipe, in_flight, interleaved,
    interleaved_in_groups, interleaved_in_pairs, makespan, one_f_one_b, one_f_one_b_rate,
    one_f_one_b_time, replay, zb_h1, zb_h2, zb_v,
};

/// Forward 1, backward 2, in thousandths.
const F1_B2: PassCosts = PassCosts::whole(1_000, 2_000);
/// Forward, input gradient and weight gradient take equally long.
const EQUAL: PassCosts = PassCosts::split(1, 1, 1);

/// The time of 1F1B in thousandths of a forward pass, by replay; checked against the closed form.
fn one_f_one_b_millis(pp: u32, n: u32, links: &[u64]) -> u64 {
    let mut costs = Costs::uniform(pp as usize, F1_B2);
    costs.links = links.to_vec();
    let time = replay(&one_f_one_b(pp, n), &costs)
        .expect("a short run")
        .makespan;
    let (forward, backward) = (vec![1_000; pp as usize], vec![2_000; pp as usize]);
    let scratch = &mut ClosedFormScratch::default();
    let closed = one_f_one_b_time(&forward, &backward, links, u64::from(n), scratch);
    assert_eq!(closed, time);
    time
}

/// Links of a pipeline: `slow` at one place, `other` at the rest, in thousandths.
fn one_slow(pp: usize, at: usize, slow: u64, other: u64) -> Vec<u64> {
    let mut links = vec![other; pp - 1];
    links[at] = slow;
    links
}

#[test]
fn one_f_one_b_takes_the_worked_times() {
    let cases = [
        (8, 64, vec![], 213_000),
        (8, 64, vec![150; 7], 231_600),
        (8, 64, one_slow(8, 0, 3_000, 0), 387_000),
        (8, 64, one_slow(8, 6, 3_000, 0), 405_000),
        (8, 64, one_slow(8, 0, 3_000, 50), 388_300),
        (8, 64, one_slow(8, 6, 3_000, 50), 405_700),
        (8, 12, vec![], 57_000),
        (16, 24, vec![], 117_000),
        (16, 24, one_slow(16, 14, 3_000, 0), 189_000),
        (16, 24, one_slow(16, 14, 3_000, 50), 190_500),
    ];
    for (pp, n, links, expected) in cases {
        assert_eq!(
            one_f_one_b_millis(pp, n, &links),
            expected,
            "{pp} {n} {links:?}"
        );
    }
}

/// A small generator, so that the pipelines below are the same everywhere (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(limit)).expect("less than the limit")
    }

    /// A duration from `least` to twice that.
    fn around(&mut self, least: u32) -> u64 {
        u64::from(least + self.below(least))
    }

    /// A pipeline with stages that differ by up to a factor of two and some slow links.
    fn pipeline(&mut self, pp: u32) -> (Vec<u64>, Vec<u64>, Vec<u64>) {
        let forward = (0..pp).map(|_| self.around(1_000_000)).collect();
        let backward = (0..pp).map(|_| self.around(2_000_000)).collect();
        let links = (1..pp)
            .map(|_| {
                let most = if self.below(4) == 0 {
                    6_000_000
                } else {
                    200_000
                };
                u64::from(self.below(most))
            })
            .collect();
        (forward, backward, links)
    }
}

fn costs_of(forward: &[u64], backward: &[u64], links: &[u64]) -> Costs {
    let stages = forward.iter().zip(backward);
    Costs {
        stages: stages.map(|(f, b)| PassCosts::whole(*f, *b)).collect(),
        links: links.to_vec(),
        vocabulary: VocabularyCosts::default(),
        pair_saves: 0,
    }
}

#[test]
fn the_steady_rate_of_200_random_pipelines_is_the_formula() {
    let mut random = Random(1);
    let mut scratch = Scratch::default();
    for case in 0..200 {
        let pp = 2 + random.below(7);
        let (forward, backward, links) = random.pipeline(pp);
        let costs = costs_of(&forward, &backward, &links);
        let lcm = [1, 1, 2, 6, 12, 60, 60, 420, 840][pp as usize];
        let mut time = |n| makespan(&one_f_one_b(pp, n), &costs, &mut scratch).unwrap();
        let (n, length) = (2_000, lcm);
        let rate = (time(n + length) - time(n)) as f64 / f64::from(length);
        let (sum, count) = one_f_one_b_rate(&forward, &backward, &links);
        let rho = sum as f64 / count as f64;
        assert!((rate / rho - 1.0).abs() < 1e-9, "case {case}: {rate} {rho}");
    }
}

#[test]
fn the_closed_form_equals_the_replay() {
    let mut random = Random(7);
    let (mut scratch, mut closed) = (Scratch::default(), ClosedFormScratch::default());
    for case in 0..500 {
        let pp = 1 + random.below(20);
        let n = 1 + random.below(if case % 10 == 0 { 2_000 } else { 60 });
        let (forward, backward, links) = random.pipeline(pp);
        let costs = costs_of(&forward, &backward, &links);
        let exact = makespan(&one_f_one_b(pp, n), &costs, &mut scratch).unwrap();
        let time = one_f_one_b_time(&forward, &backward, &links, u64::from(n), &mut closed);
        assert_eq!(time, exact, "case {case}: pp {pp}, n {n}");
    }
}

/// Runs a schedule of equal stages, having checked it.
fn run(schedule: &Schedule, pass: PassCosts) -> Replay {
    schedule.check().expect("a generated schedule can run");
    replay(schedule, &Costs::uniform(schedule.n_stages(), pass)).expect("a short run")
}

/// Pipelines and micro-batches that fill them.
fn sizes() -> impl Iterator<Item = (u32, u32)> {
    [1, 2, 3, 4, 5, 6, 7, 8, 12, 16]
        .into_iter()
        .flat_map(|p| [2 * p, 3 * p, 8 * p].map(|m| (p, m)))
}

#[test]
fn the_bubble_of_gpipe_and_1f1b_is_p_minus_1_over_m() {
    for (p, m) in sizes() {
        for schedule in [gpipe(p, m), one_f_one_b(p, m)] {
            let run = run(&schedule, PassCosts::whole(3, 5));
            let ideal = u64::from(m) * 8;
            assert_eq!(
                (run.makespan - ideal) * u64::from(m),
                u64::from(p - 1) * ideal
            );
            assert!(
                run.bubble
                    .iter()
                    .all(|bubble| *bubble == run.makespan - ideal)
            );
        }
    }
}

#[test]
fn the_bubble_of_interleaved_1f1b_is_p_minus_1_over_v_m() {
    for (p, m) in sizes() {
        for v in [1, 2, 3, 5] {
            let run = run(&interleaved(p, v, m).unwrap(), PassCosts::whole(1, 2));
            let ideal = u64::from(m * v) * 3;
            assert_eq!(
                (run.makespan - ideal) * u64::from(v * m),
                u64::from(p - 1) * ideal
            );
        }
    }
}

#[test]
fn zb_h1_leaves_f_plus_b_minus_w_a_stage() {
    for (p, m) in sizes() {
        for (f, b, w) in [(1, 1, 1), (10, 10, 10), (10, 12, 9), (20, 21, 15)] {
            let run = run(&zb_h1(p, m), PassCosts::split(f, b, w));
            assert_eq!(
                run.makespan - u64::from(m) * (f + b + w),
                u64::from(p - 1) * (f + b - w)
            );
        }
    }
}

#[test]
fn zb_h2_leaves_f_plus_b_minus_twice_w_a_stage() {
    for (p, m) in sizes() {
        for (f, b, w) in [(1, 1, 1), (10, 12, 9), (10, 10, 8)] {
            let run = run(&zb_h2(p, m), PassCosts::split(f, b, w));
            let worst = run.inner_bubble.iter().copied().max().unwrap();
            assert_eq!(
                worst,
                u64::from(p - 1) * (f + b - 2 * w),
                "p {p} m {m} {f} {b} {w}"
            );
        }
    }
}

#[test]
fn zb_v_has_no_bubble_with_equal_times() {
    for (p, m) in sizes() {
        let run = run(&zb_v(p, m), EQUAL);
        assert!(
            run.inner_bubble.iter().all(|bubble| *bubble == 0),
            "p {p} m {m}"
        );
        // What remains is the first chunk's way to the last device.
        assert_eq!(run.makespan, u64::from(6 * m + p - 1));
    }
}

#[test]
fn in_flight_counts_are_those_of_the_papers() {
    for (p, m) in sizes() {
        let held = |schedule: &Schedule| -> Vec<u32> {
            in_flight(schedule)
                .iter()
                .map(|held| held.until_weight_grad)
                .collect()
        };
        assert_eq!(held(&gpipe(p, m)), vec![m; p as usize]);
        assert_eq!(held(&one_f_one_b(p, m)), (1..=p).rev().collect::<Vec<_>>());
        assert_eq!(held(&zb_h1(p, m)), vec![p; p as usize]);
        assert_eq!(held(&zb_h2(p, m)), vec![(2 * p - 1).min(m); p as usize]);
        assert_eq!(held(&zb_v(p, m)), vec![2 * p; p as usize]);
        for v in [2, 3, 4] {
            // Stage 0: 1 + (p − 1)/(p v) times p micro-batches of its v chunks.
            let interleaved = held(&interleaved(p, v, m).unwrap());
            assert_eq!(interleaved[0], p * v + p - 1);
            assert_eq!(interleaved[p as usize - 1], (v - 1) * p + 1);
        }
    }
}

/// Chunks in flight at most, and the longest span of a device beyond its work, with equal times.
fn measured(kind: ScheduleKind, p: u32, m: u32) -> (u32, u64) {
    let schedule = kind.generate(p, 2, m).expect("two chunks a device");
    let run = run(&schedule, EQUAL);
    let held = run.in_flight.iter().copied().max().unwrap_or(0);
    (held, run.makespan - u64::from(6 * m))
}

#[test]
fn v_half_and_v_min_hold_what_the_paper_says() {
    for (p, m) in sizes() {
        let (half, _) = measured(ScheduleKind::VHalf, p, m);
        let (min, _) = measured(ScheduleKind::VMin, p, m);
        // In micro-batches of two chunks: (p + 2)/2 and (p + 4)/3, rounded down. Short runs of
        // the smallest pipelines hold less.
        let (most_half, most_min) = (2 * u32::midpoint(p, 2), 2 * ((p + 4) / 3));
        assert!(
            half <= most_half,
            "V-Half holds {half} of {most_half}: p {p} m {m}"
        );
        assert!(
            min <= most_min,
            "V-Min holds {min} of {most_min}: p {p} m {m}"
        );
        if 3 < p {
            assert_eq!((half, min), (most_half, most_min), "p {p} m {m}");
        }
    }
}

#[test]
fn v_half_and_v_min_have_the_measured_bubbles() {
    // In slots of one chunk's pass, of which 1F1B leaves 6 (p − 1): the paper says about a half
    // and two thirds of p/m, and the squeezed schedules do better.
    let cases = [
        (4, 5, 11),
        (5, 11, 14),
        (6, 11, 17),
        (7, 17, 23),
        (8, 17, 26),
        (12, 29, 41),
        (16, 41, 59),
    ];
    for (p, half, min) in cases {
        let m = 4 * p;
        assert_eq!(measured(ScheduleKind::VHalf, p, m).1, half, "V-Half, p {p}");
        assert_eq!(measured(ScheduleKind::VMin, p, m).1, min, "V-Min, p {p}");
        assert!(half <= u64::from(3 * p) && min <= u64::from(4 * p));
    }
}

#[test]
fn a_spread_vocabulary_costs_1f1b_one_micro_batch_a_barrier() {
    for (p, m) in sizes() {
        for (kind, more) in [(ScheduleKind::Vocab1, 2), (ScheduleKind::Vocab2, 1)] {
            let schedule = kind.generate(p, 1, m).unwrap();
            schedule.check().unwrap();
            let held = in_flight(&schedule);
            assert_eq!(
                held[0].until_weight_grad,
                (p + more).min(m),
                "{kind:?} p {p} m {m}"
            );
        }
    }
}

#[test]
fn a_spread_vocabulary_costs_v_half_one_micro_batch_a_barrier() {
    for p in [4, 6, 8, 16] {
        let base = measured(ScheduleKind::VHalf, p, 8 * p).0;
        let one = measured(ScheduleKind::Vocab2VHalf, p, 8 * p).0;
        let two = measured(ScheduleKind::Vocab1VHalf, p, 8 * p).0;
        assert_eq!((one, two), (base + 2, base + 4), "p {p}");
    }
}

#[test]
fn a_spread_vocabulary_holds_nobody_up_whatever_the_ratio_of_backward_to_forward() {
    for kind in [ScheduleKind::Vocab1, ScheduleKind::Vocab2] {
        for (p, backward) in [2, 4, 8, 16]
            .into_iter()
            .flat_map(|p| [150, 170, 200, 250].map(|b| (p, b)))
        {
            let m = 16 * p;
            let schedule = kind.generate(p, 1, m).expect("any numbers will do");
            let mut costs = Costs::uniform(schedule.n_stages(), PassCosts::whole(100, backward));
            costs.vocabulary = VocabularyCosts {
                forward: 5,
                backward: 10,
                ..VocabularyCosts::default()
            };
            let time = replay(&schedule, &costs).expect("a short run").makespan;
            let work = 100 + backward + 15;
            // 1F1B's bubble, and little for the barriers; at the input's very moment a forward
            // pass of 0.38 of the work would cost 13 %.
            let most = u64::from(m + p) * work * 106 / 100;
            assert!(
                time <= most,
                "{kind:?}, {p} devices, {backward}: {time}, {most}"
            );
        }
    }
}

#[test]
fn a_spread_vocabulary_balances_a_pipeline_that_a_last_stage_slows() {
    // The output layer costs as much as a stage's layers, forward and backward.
    let (p, m) = (8, 128);
    let mut naive = Costs::uniform(p as usize, PassCosts::whole(1_000, 2_000));
    naive.stages[p as usize - 1] = PassCosts::whole(2_000, 4_000);
    let naive = makespan(&one_f_one_b(p, m), &naive, &mut Scratch::default()).unwrap();
    let mut spread = Costs::uniform(p as usize, PassCosts::whole(1_000, 2_000));
    spread.vocabulary = VocabularyCosts {
        forward: 1_000 / 8,
        backward: 2_000 / 8,
        ..VocabularyCosts::default()
    };
    let work = u64::from(m) * 3_375;
    for kind in [ScheduleKind::Vocab1, ScheduleKind::Vocab2] {
        let schedule = kind.generate(p, 1, m).unwrap();
        let time = makespan(&schedule, &spread, &mut Scratch::default()).unwrap();
        // Perfect balance would be `work`; fill and drain come on top.
        assert!(time < work + u64::from(3 * p) * 3_375, "{kind:?}: {time}");
        assert!(time * 17 < naive * 10, "{kind:?}: {time} against {naive}");
    }
}

/// The least and the most idle time of a device.
fn dual_pipe_bubbles(
    kind: ScheduleKind,
    p: u32,
    m: u32,
    pass: PassCosts,
    saves: u64,
) -> [Option<u64>; 2] {
    let schedule = kind.generate(p, 2, m).expect("enough micro-batches");
    schedule.check().expect("a sound order");
    let mut costs = Costs::uniform(schedule.n_stages(), pass);
    costs.pair_saves = saves;
    let bubbles = replay(&schedule, &costs).expect("a short run").bubble;
    [bubbles.iter().copied().min(), bubbles.iter().copied().max()]
}

#[test]
fn the_bubble_of_dual_pipe_is_that_of_its_paper() {
    // Table 2 of the DeepSeek-V3 report: (PP/2 - 1)(F&B + B - 3W) with PP stages. Exact where a
    // forward pass and both halves of a backward pass take equally long. Where a pair takes less
    // than its passes, devices run a few more or fewer of them, which moves the sum slightly.
    let (f, i, w) = (1_000, 1_000, 1_000);
    let pass = PassCosts::split(f, i, w);
    for (saves, within) in [(0, 0), (300, 300)] {
        let pair = f + i + w - saves;
        for p in [2, 4, 8, 16] {
            let expected = u64::from(p / 2 - 1) * (pair + i + w - 3 * w);
            for m in [2 * p, 2 * p + 2, 4 * p] {
                let whole = dual_pipe_bubbles(ScheduleKind::DualPipe, p, m, pass, saves);
                let cut = dual_pipe_bubbles(ScheduleKind::DualPipeV, p / 2, m / 2, pass, saves);
                assert_eq!(whole, cut, "cut in half, p {p} m {m} saves {saves}");
                for found in whole.into_iter().flatten() {
                    let off = found.abs_diff(expected);
                    let most = within * u64::from((p / 2).saturating_sub(2));
                    assert!(
                        off <= most,
                        "p {p} m {m} saves {saves}: {found}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn dual_pipe_holds_one_more_activation_than_it_has_stages() {
    for p in [2, 4, 8, 16] {
        for kind in [ScheduleKind::DualPipe, ScheduleKind::DualPipeV] {
            let devices = if kind == ScheduleKind::DualPipe {
                p
            } else {
                p / 2
            };
            let schedule = kind.generate(devices, 2, 4 * p).expect("enough");
            let held = in_flight(&schedule);
            let most = held.iter().map(|held| held.until_weight_grad).max();
            assert_eq!(most, Some(p + 1), "{kind:?} of {p} stages");
        }
    }
}

#[test]
fn pairs_of_interleaved_passes_cost_one_more_activation_and_hide_what_they_may() {
    for (p, v, m) in [(1, 1, 6), (2, 2, 8), (4, 2, 16), (4, 3, 32)] {
        let plain = interleaved(p, v, m).expect("whole rounds");
        let paired = interleaved_in_pairs(p, v, m, p).expect("whole rounds");
        paired.check().expect("a sound order");
        assert!(paired.has_pairs());
        let (less, more) = (in_flight(&plain), in_flight(&paired));
        for (less, more) in less.iter().zip(&more) {
            assert_eq!(more.until_weight_grad, less.until_weight_grad + 1);
        }
        let mut costs = Costs::uniform(plain.n_stages(), PassCosts::whole(1_000, 2_000));
        let plain = replay(&plain, &costs).expect("short").makespan;
        costs.pair_saves = 500;
        let paired = replay(&paired, &costs).expect("short").makespan;
        assert!(paired < plain, "p {p} v {v}: {paired} against {plain}");
    }
}

#[test]
fn interleaved_pairs_never_wait_for_each_other() {
    for p in 1..=8_u32 {
        for (v, rounds) in [
            (1, 1),
            (1, 3),
            (2, 1),
            (2, 2),
            (2, 5),
            (3, 1),
            (4, 1),
            (4, 2),
        ] {
            for (m, group) in [
                (p * rounds, p),
                (p * rounds, p * rounds),
                (p * rounds + p, p + 1),
            ] {
                if let Ok(paired) = interleaved_in_pairs(p, v, m, group) {
                    let checked = paired.check();
                    assert_eq!(checked, Ok(()), "p {p} v {v} m {m} group {group}");
                }
            }
        }
    }
}

#[test]
fn pairs_survive_the_csv_form() {
    let schedule = ScheduleKind::DualPipeV.generate(2, 2, 4).expect("enough");
    let csv = schedule.to_csv();
    assert!(csv.contains("(0F3;3B1)OVERLAP_F_B"), "{csv}");
    for kind in [ScheduleKind::DualPipe, ScheduleKind::DualPipeV] {
        let schedule = kind.generate(4, 2, 12).expect("enough");
        assert_eq!(Schedule::from_csv(&schedule.to_csv()), Ok(schedule));
    }
}

#[test]
fn every_generated_schedule_can_run() {
    for kind in ScheduleKind::ALL {
        for p in 1..=9 {
            for m in [1, 2, 3, p, 2 * p - 1, 2 * p, 3 * p + 1, 4 * p] {
                for v in kind.fixed_chunks().map_or(vec![1, 2, 3], |v| vec![v]) {
                    match kind.generate(p, v, m) {
                        Ok(schedule) => {
                            assert_eq!(schedule.check(), Ok(()), "{kind:?} {p} {v} {m}");
                        }
                        Err(refusal) => assert!(
                            matches!(
                                refusal,
                                ScheduleRefusal::NotWholeRounds { .. }
                                    | ScheduleRefusal::Odd { .. }
                                    | ScheduleRefusal::TooFewMicroBatches { .. }
                            ),
                            "{kind:?} {p} {v} {m}: {refusal}"
                        ),
                    }
                    assert_eq!(
                        kind.accepts(p, v, m).is_ok(),
                        kind.generate(p, v, m).is_ok()
                    );
                }
            }
        }
        assert_eq!(ScheduleKind::from_name(kind.name()), Some(kind));
    }
}

#[test]
fn interleaving_follows_megatron_pass_by_pass() {
    let schedule = interleaved(2, 2, 4).unwrap();
    let shown = |device: usize| -> String {
        let names: Vec<String> = schedule
            .actions(device)
            .iter()
            .map(ToString::to_string)
            .collect();
        names.join(" ")
    };
    assert_eq!(
        shown(0),
        "0F0 0F1 2F0 2F1 0F2 2B0 0F3 2B1 2F2 0B0 2F3 0B1 2B2 2B3 0B2 0B3"
    );
    assert_eq!(
        shown(1),
        "1F0 1F1 3F0 3B0 3F1 3B1 1F2 1B0 1F3 1B1 3F2 3B2 3F3 3B3 1B2 1B3"
    );
}

#[test]
fn interleaving_refuses_incomplete_rounds_and_says_what_fits() {
    let refusal = interleaved(4, 2, 10).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the interleaved schedule needs whole rounds of 4 micro-batches (the pipeline's size), \
         but there are 10"
    );
    assert_eq!(
        refusal.hint().unwrap(),
        "with pipeline 4, use 12 micro-batches, or the schedule \"1f1b\""
    );
    assert!(matches!(
        interleaved_in_groups(4, 2, 10, 4),
        Err(ScheduleRefusal::LastGroup { last_group: 2, .. })
    ));
    assert!(matches!(
        interleaved_in_groups(4, 2, 10, 3),
        Err(ScheduleRefusal::GroupSize { .. })
    ));
    interleaved_in_groups(4, 2, 10, 5).unwrap().check().unwrap();
    interleaved_in_groups(4, 3, 10, 6).unwrap().check().unwrap();
}

/// Two devices, two micro-batches, 1F1B.
fn two_by_two() -> [Vec<Action>; 2] {
    let schedule = one_f_one_b(2, 2);
    [0, 1].map(|device| schedule.actions(device).to_vec())
}

fn refused(lists: &[Vec<Action>]) -> String {
    let refusal = Schedule::from_lists(vec![0, 1], 2, lists);
    refusal.expect_err("the lists cannot run").to_string()
}

#[test]
fn a_list_that_breaks_an_order_is_refused_with_its_first_offender() {
    let [first, second] = two_by_two();
    let swapped = vec![second[1], second[0], second[2], second[3]];
    assert_eq!(
        refused(&[first.clone(), swapped]),
        "device 1, position 0: 1B0 needs 1F0, which comes later on the same device, at position 1"
    );
    let without = second[..3].to_vec();
    assert_eq!(
        refused(&[first.clone(), without]),
        "1B1 is missing on device 1"
    );
    let twice = [second.clone(), vec![second[0]]].concat();
    assert_eq!(
        refused(&[first.clone(), twice]),
        "device 1, position 4: 1F0 is there a second time"
    );
    let moved = [first.clone(), vec![second[3]]].concat();
    assert_eq!(
        refused(&[moved, second[..3].to_vec()]),
        "device 0, position 4: 1B1 belongs to device 1"
    );
    let parts = [
        second.clone(),
        vec![Action::new(ActionKind::WeightGrad, 1, 0)],
    ]
    .concat();
    assert_eq!(
        refused(&[first, parts]),
        "device 1, position 4: 1W0 is there a second time: the full backward pass already holds it"
    );
}

#[test]
fn a_deadlock_names_who_waits_for_whom() {
    let [mut first, second] = two_by_two();
    // Device 0 wants the gradient of micro-batch 1 first, which device 1 gives after it has the
    // forward output of micro-batch 1, which comes after.
    first = vec![
        first[0],
        Action::new(ActionKind::Backward, 0, 1),
        first[1],
        first[2],
    ];
    let refusal = Schedule::from_lists(vec![0, 1], 2, &[first, second]).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "device 0, position 1: 0B1 needs 0F1, which comes later on the same device, at position 2"
    );
    let second = vec![
        Action::new(ActionKind::Forward, 1, 1),
        Action::new(ActionKind::Backward, 1, 1),
        Action::new(ActionKind::Forward, 1, 0),
        Action::new(ActionKind::Backward, 1, 0),
    ];
    let first = vec![
        Action::new(ActionKind::Forward, 0, 0),
        Action::new(ActionKind::Backward, 0, 0),
        Action::new(ActionKind::Forward, 0, 1),
        Action::new(ActionKind::Backward, 0, 1),
    ];
    assert_eq!(
        refused(&[first, second]),
        "deadlock: device 0, position 1: 0B0 waits for 1B0 on device 1, which never comes to it \
         because it waits in turn"
    );
}

#[test]
fn times_past_the_clock_are_an_error() {
    let costs = Costs::uniform(2, PassCosts::whole(u64::MAX / 4, 1));
    assert!(replay(&one_f_one_b(2, 4), &costs).is_err());
}
