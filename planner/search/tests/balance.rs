//! Layers spread by what they cost.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot be read fails the test"
)]

mod fixtures;

use format::Planning;
use plan::PlanField;
use predict::Estimator;
use search::{Answer, Reason, SplitChoice, search};
use solve::{LayerCost, PartitionSpec, partition};
use units::{Bytes, Control};

use fixtures::{planning, request};

/// 18 layers under a vocabulary of 256,000: the head takes as long as some layers.
const HEAVY_HEAD: &str = r#"
schema = 1
[model]
config = "gemma-2b"
[cluster]
name = "dgx-h100"
nodes = 1
[training]
global_batch = 64
seq_len = 4096
[plan]
tp = 2
pp = 4
schedule = "1f1b"
fixed = ["tp", "pp", "schedule"]
[framework]
name = "megatron-core"
"#;

fn answer(planning: &Planning) -> Answer {
    search(&request(planning), &Control::new()).unwrap()
}

#[test]
fn balanced_layers_beat_counted_ones_under_a_heavy_head() {
    let open = planning(HEAVY_HEAD, &[]);
    let found = answer(&open);
    let best = &found.plans[0];
    let SplitChoice::Balanced(counts) = best.evaluated.choice.split else {
        panic!("{:?}", best.evaluated.choice);
    };
    assert_eq!(counts.iter().sum::<u32>(), 18);
    let even = HEAVY_HEAD.replace("[plan]", "[plan]\nlayer_split = \"even\"");
    let kept = answer(&planning(&even, &[PlanField::LayerSplit]));
    let counted = &kept.plans[0];
    let [closed, simulated] = [
        counted.evaluated.time / best.evaluated.time,
        counted.prediction.iteration_time_s / best.prediction.iteration_time_s,
    ];
    assert!(1.05 < closed, "{closed} with {counts}");
    assert!(1.05 < simulated, "{simulated} with {counts}");
}

#[test]
fn a_split_that_the_user_fixes_stays() {
    let given = HEAVY_HEAD.replace("[plan]", "[plan]\nlayer_split = [5, 5, 5, 3]");
    let found = answer(&planning(&given, &[PlanField::LayerSplit]));
    for plan in &found.plans {
        let lens = plan.plan.stages().iter().map(|stage| stage.layers.len());
        assert_eq!(lens.collect::<Vec<_>>(), [5, 5, 5, 3]);
    }
    let reasons = found.excluded.by_count();
    assert!(
        reasons
            .iter()
            .all(|(reason, _)| *reason != Reason::OtherSplits)
    );
}

#[test]
fn the_costs_of_layers_sum_to_those_of_the_stages() {
    let open = planning(HEAVY_HEAD, &[]);
    let found = answer(&open);
    let plan = &found.plans[0].plan;
    let costs = Estimator::new(&open.scenario).layer_costs(plan);
    assert_eq!(costs.layers.len(), 18);
    assert_eq!(costs.in_flight.as_deref(), Some(&[4, 3, 2, 1][..]));
    let one = costs.layers[0];
    assert!(costs.layers.iter().all(|layer| *layer == one));
    assert!(2.0 * one.time.as_secs() < costs.head.time.as_secs());
    let cost = |piece: &predict::PieceCost| LayerCost {
        time: piece.time,
        ..LayerCost::default()
    };
    let spec = PartitionSpec {
        first: cost(&costs.embedding),
        last: cost(&costs.head),
        ..PartitionSpec::even(
            costs.layers.iter().map(cost).collect(),
            4,
            Bytes::from_gib(80.0),
        )
    };
    let best = partition(&spec).unwrap();
    // 1F1B runs the micro-batches at the pace of its slowest stage, which no iteration undercuts.
    let micro_batches = f64::from(plan.n_micro_batches());
    let least = best.slowest.as_secs() * micro_batches;
    let time = found.plans[0].prediction.iteration_time_s;
    assert!(least < time && time < 1.5 * least, "{least} {time}");
}
