//! The split of layers against brute force, against the integer program, and its refusals.

use proptest::prelude::*;
use solve::{
    LayerCost, Partition, PartitionProgram, PartitionSpec, Rule, SolveError, partition, solve,
};
use units::{Bytes, Control, Seconds};

fn layer(millis: u32, fixed: u64, in_flight: u64) -> LayerCost {
    LayerCost {
        time: Seconds::from_millis(f64::from(millis)),
        fixed: Bytes::new(fixed),
        in_flight: Bytes::new(in_flight),
    }
}

fn layers() -> impl Strategy<Value = LayerCost> {
    (1_u32..20, 0_u64..10, 0_u64..5).prop_map(|(time, fixed, flight)| layer(time, fixed, flight))
}

prop_compose! {
    fn rule(n_layers: usize, n_stages: usize)(
        kind in 0..4, layer in 0..n_layers, stage in 0..n_stages, count in 0_usize..4,
    ) -> Rule {
        match kind {
            0 => Rule::Pin { layer, stage },
            1 => Rule::Forbid { layer, stage },
            2 => Rule::AtLeast { stage, layers: count },
            _ => Rule::AtMost { stage, layers: count.max(1) },
        }
    }
}

prop_compose! {
    fn specs(most: usize, chunks: usize)(n in 4..most, pp in 1_usize..4)(
        layers in prop::collection::vec(layers(), n),
        first in layers(),
        last in layers(),
        limit in 20_u64..120,
        rules in prop::collection::vec(rule(n, pp * chunks), 0..3),
        pp in Just(pp),
    ) -> PartitionSpec {
        PartitionSpec {
            first,
            last,
            rules,
            chunks,
            in_flight: (0..pp * chunks).map(|v| (pp * chunks - v) as f64 / chunks as f64).collect(),
            ..PartitionSpec::even(layers, pp, Bytes::new(limit))
        }
    }
}

/// All ways to spread layers over stages, empty stages too.
fn splits(n_layers: usize, n_stages: usize) -> Vec<Vec<usize>> {
    if n_stages == 1 {
        return vec![vec![n_layers]];
    }
    let with = |count: usize| {
        splits(n_layers - count, n_stages - 1)
            .into_iter()
            .map(move |rest| std::iter::once(count).chain(rest).collect())
    };
    (0..=n_layers).flat_map(with).collect()
}

/// The largest time of a device in milliseconds, where the split keeps rules and limits.
fn judged(spec: &PartitionSpec, counts: &[usize]) -> Option<f64> {
    let (pp, n_stages) = (spec.limits.len(), counts.len());
    let (mut time, mut bytes) = (vec![0.0; pp], vec![0; pp]);
    let mut from = 0;
    for (stage, count) in counts.iter().enumerate() {
        let to = from + count;
        let own = (stage == 0).then_some(&spec.first);
        let end = (stage + 1 == n_stages).then_some(&spec.last);
        let held: Vec<&LayerCost> = spec.layers[from..to].iter().chain(own).chain(end).collect();
        let activation: u64 = held.iter().map(|cost| cost.in_flight.as_u64()).sum();
        time[stage % pp] += held.iter().map(|cost| cost.time.as_millis()).sum::<f64>();
        bytes[stage % pp] += held.iter().map(|cost| cost.fixed.as_u64()).sum::<u64>();
        bytes[stage % pp] +=
            Bytes::from_f64((activation as f64 * spec.in_flight[stage]).ceil()).as_u64();
        if !keeps(spec, stage, from, to) {
            return None;
        }
        from = to;
    }
    let fits = bytes
        .iter()
        .zip(&spec.limits)
        .all(|(held, limit)| *held <= limit.as_u64());
    fits.then(|| time.into_iter().fold(0.0, f64::max))
}

fn keeps(spec: &PartitionSpec, stage: usize, from: usize, to: usize) -> bool {
    let least = spec.rules.iter().filter_map(|rule| match rule {
        Rule::AtLeast { stage: at, layers } if *at == stage => Some(*layers),
        _ => None,
    });
    let one = |rule: &Rule| match *rule {
        Rule::Pin { layer, stage: at } => (from..to).contains(&layer) == (at == stage),
        Rule::Forbid { layer, stage: at } => at != stage || !(from..to).contains(&layer),
        Rule::AtMost { stage: at, layers } => at != stage || to - from <= layers,
        Rule::AtLeast { .. } => true,
    };
    least.max().unwrap_or(1) <= to - from && spec.rules.iter().all(one)
}

fn brute(spec: &PartitionSpec) -> Option<f64> {
    let splits = splits(spec.layers.len(), spec.in_flight.len());
    let times = splits.iter().filter_map(|counts| judged(spec, counts));
    times.min_by(f64::total_cmp)
}

fn counts(split: &Partition) -> Vec<usize> {
    split.counts.iter().map(|count| *count as usize).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * b.abs()
}

proptest! {
    #[test]
    fn the_dynamic_program_agrees_with_brute_force(spec in specs(10, 1)) {
        match (partition(&spec), brute(&spec)) {
            (Ok(split), Some(best)) => {
                prop_assert!(close(split.slowest.as_millis(), best));
                prop_assert!(judged(&spec, &counts(&split)).is_some_and(|t| close(t, best)));
                prop_assert!(split.is_proven());
            }
            (Err(SolveError::Memory { lacks }), None) => {
                prop_assert!(!lacks.is_empty());
                let mut more = spec.clone();
                for lack in lacks {
                    let limit = more.limits[lack.device].as_u64() + lack.bytes.as_u64();
                    more.limits[lack.device] = Bytes::new(limit);
                }
                prop_assert!(partition(&more).is_ok(), "what is lacking would do");
            }
            (Err(SolveError::Conflict { rules }), None) => prop_assert!(!rules.is_empty()),
            (Err(SolveError::TooFewLayers { .. }), None) => {}
            (found, best) => prop_assert!(false, "{found:?} against {best:?}"),
        }
    }

    #[test]
    fn chunks_are_never_faster_than_their_bound_nor_proven_wrongly(spec in specs(9, 2)) {
        if let Ok(split) = partition(&spec) {
            let best = brute(&spec).expect("the split is one");
            let found = judged(&spec, &counts(&split)).expect("keeps rules and memory");
            prop_assert!(close(split.slowest.as_millis(), found));
            prop_assert!(split.bound.as_millis() <= best * (1.0 + 1e-9));
            prop_assert!(!split.is_proven() || close(found, best));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_integer_program_agrees_with_the_dynamic_program(spec in specs(14, 1)) {
        let model = PartitionProgram::new(&spec).unwrap();
        let solved = solve(&model.program, Seconds::from_secs(60.0), &Control::new());
        match (partition(&spec), solved) {
            (Ok(split), Ok(solution)) => {
                prop_assert!(solution.is_proven());
                let read = model.read(&solution);
                prop_assert!(close(read.slowest.as_secs(), split.slowest.as_secs()));
                prop_assert!(judged(&spec, &counts(&read)).is_some());
            }
            (Err(_), Err(SolveError::Infeasible { .. })) => {}
            (split, solved) => prop_assert!(false, "{split:?} against {solved:?}"),
        }
    }
}

#[test]
fn equal_layers_spread_evenly_and_the_later_stages_get_more() {
    let spec = PartitionSpec::even(vec![layer(1, 0, 0); 10], 4, Bytes::new(100));
    assert_eq!(partition(&spec).unwrap().counts, [2, 2, 3, 3]);
}

#[test]
fn equal_layers_on_chunks_are_proven() {
    let mut spec = PartitionSpec::even(vec![layer(4, 1, 0); 62], 4, Bytes::new(1_000));
    spec.chunks = 4;
    spec.in_flight = vec![1.0; 16];
    spec.last = layer(8, 1, 0);
    let split = partition(&spec).unwrap();
    assert!(split.is_proven(), "{split:?}");
    assert!(
        split.counts.iter().all(|count| (2..=4).contains(count)),
        "{split:?}"
    );
}

#[test]
fn a_split_that_lacks_memory_says_where_and_how_much() {
    let spec = PartitionSpec::even(vec![layer(1, 10, 5); 8], 2, Bytes::new(70));
    let error = partition(&spec).unwrap_err();
    let SolveError::Memory { lacks } = &error else {
        panic!("{error}");
    };
    assert_eq!(
        (lacks[0].device, lacks[0].bytes),
        (1, Bytes::new(5)),
        "{error}"
    );
    assert!(
        error.hint().unwrap().contains("in flight"),
        "{:?}",
        error.hint()
    );
}

#[test]
fn rules_that_exclude_each_other_are_named_and_no_others() {
    let mut spec = PartitionSpec::even(vec![layer(1, 0, 0); 8], 4, Bytes::new(70));
    let (late, early) = (
        Rule::Pin { layer: 3, stage: 3 },
        Rule::Pin { layer: 5, stage: 1 },
    );
    spec.rules = vec![
        Rule::AtMost {
            stage: 0,
            layers: 3,
        },
        late,
        early,
    ];
    let error = partition(&spec).unwrap_err();
    assert_eq!(
        error,
        SolveError::Conflict {
            rules: vec![late, early]
        }
    );
    assert!(
        error
            .to_string()
            .contains("layer 3 on stage 3; layer 5 on stage 1")
    );
}

#[test]
fn a_single_rule_that_cannot_hold_is_named() {
    let mut spec = PartitionSpec::even(vec![layer(1, 0, 0); 8], 4, Bytes::new(70));
    spec.rules = vec![Rule::AtLeast {
        stage: 0,
        layers: 6,
    }];
    let error = partition(&spec).unwrap_err();
    assert_eq!(error, SolveError::Conflict { rules: spec.rules });
}

#[test]
fn questions_that_do_not_hold_together_are_refused() {
    let good = PartitionSpec::even(vec![layer(1, 0, 0); 8], 4, Bytes::new(70));
    let mut bad = good.clone();
    bad.in_flight.pop();
    assert!(matches!(
        partition(&bad),
        Err(SolveError::Length {
            given: 3,
            needed: 4,
            ..
        })
    ));
    let mut bad = good.clone();
    bad.layers[3].time = Seconds::from_secs(f64::NAN);
    assert!(matches!(partition(&bad), Err(SolveError::NotFinite { .. })));
    let mut bad = good.clone();
    bad.rules = vec![Rule::Pin { layer: 8, stage: 0 }];
    assert!(matches!(
        partition(&bad),
        Err(SolveError::RuleOutside { index: 8, .. })
    ));
    let bad = PartitionSpec::even(vec![layer(1, 0, 0); 3], 4, Bytes::new(70));
    assert!(matches!(
        partition(&bad),
        Err(SolveError::TooFewLayers {
            layers: 3,
            needed: 4
        })
    ));
    let bad = PartitionSpec::even(Vec::new(), 4, Bytes::new(70));
    assert!(matches!(partition(&bad), Err(SolveError::Zero { .. })));
    let huge = PartitionSpec::even(vec![layer(1, u64::MAX / 2, 0); 8], 4, Bytes::new(70));
    assert_eq!(partition(&huge), Err(SolveError::TooLarge));
    let mut huge = good.clone();
    huge.last.time = Seconds::from_secs(1.8e7);
    assert_eq!(partition(&huge), Err(SolveError::TooLarge));
    let mut greedy = good;
    let all = |stage| Rule::AtLeast {
        stage,
        layers: usize::MAX,
    };
    greedy.rules = vec![all(0), all(1)];
    let error = partition(&greedy).unwrap_err();
    assert!(
        matches!(&error, SolveError::Conflict { rules } if rules.len() == 1),
        "{error}"
    );
}
