//! The order of nodes for the best plans.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot be read fails the test"
)]

mod fixtures;

use std::collections::BTreeSet;

use cluster::Cluster;
use format::Planning;
use placement::{Bandwidth, Spread, drifted, generated};
use search::{Answer, Order, Placed, Unplaced, order_nodes, search};
use units::{BytesPerSec, Control};

use fixtures::{planning, request};

/// Two layers a stage, so that messages between nodes weigh.
const FOUR_NODES: &str = r#"
schema = 1
[model]
config = "llama3-8b"
layers = 8
[cluster]
name = "dgx-h100"
nodes = 4
[training]
global_batch = 64
seq_len = 4096
[plan]
tp = 8
pp = 4
micro_batch = 1
schedule = "1f1b"
recompute = "none"
fixed = ["tp", "pp", "micro_batch", "schedule", "recompute"]
[framework]
name = "megatron-core"
"#;

/// The cluster under a measurement.
fn under(cluster: &Cluster, rates: &Bandwidth) -> Cluster {
    let n = cluster.n_nodes();
    let rate = |from: usize, to: usize| {
        let rate = (from != to).then(|| rates.rate(from, to))?;
        BytesPerSec::new(rate)
    };
    let rows = (0..n).map(|from| (0..n).map(|to| rate(from, to)).collect());
    cluster.with_measured(rows.collect()).unwrap()
}

fn ordered(planning: &Planning, snapshots: &[Cluster]) -> (Answer, Vec<Placed>) {
    let mut planning = planning.clone();
    planning.scenario.cluster = snapshots[0].clone();
    let request = request(&planning);
    let mut answer = search(&request, &Control::new()).unwrap();
    let placed = order_nodes(&request, snapshots, &mut answer, &Control::new()).unwrap();
    (answer, placed)
}

/// Rates that differ much, so that orders do.
fn spread() -> Spread {
    Spread {
        deviation: 0.3,
        lowest: -0.7,
        ..Spread::infiniband_200g()
    }
}

fn first(placed: &[Placed]) -> &Order {
    placed[0].outcome.as_ref().unwrap()
}

#[test]
fn an_order_by_measured_rates_is_faster_and_is_the_plans() {
    let planning = planning(FOUR_NODES, &[]);
    let rates = generated(4, &spread(), 5).unwrap();
    let measured = under(&planning.scenario.cluster, &rates);
    let (answer, placed) = ordered(&planning, &[measured]);
    let order = first(&placed);
    assert!(order.is_taken && order.found < order.before, "{order:?}");
    assert!(order.model.is_proven(), "{order:?}");
    let best = &answer.plans[0];
    assert!((best.prediction.iteration_time_s - order.found).abs() < 1e-12);
    // Stage `s` lies on the `s`-th node of the order, its ranks as they were.
    let gpus = best.plan.rank_gpus().unwrap();
    let nodes: Vec<u32> = gpus.iter().map(|gpu| gpu.get() / 8).collect();
    let expected: Vec<u32> = order
        .nodes
        .iter()
        .flat_map(|node| [node.get(); 8])
        .collect();
    assert_eq!(nodes, expected);
    assert_eq!(gpus.iter().collect::<BTreeSet<_>>().len(), 32);
}

#[test]
fn several_snapshots_count_by_the_worst_of_them() {
    let planning = planning(FOUR_NODES, &[]);
    let rates = generated(4, &spread(), 5).unwrap();
    let later = drifted(&rates, &spread(), 0.6, 6).unwrap();
    let both = [&rates, &later].map(|rates| under(&planning.scenario.cluster, rates));
    let (_, placed) = ordered(&planning, &both);
    let (_, alone) = ordered(&planning, &both[..1]);
    assert!(first(&alone).found < first(&placed).found);
    assert!(first(&placed).found <= first(&placed).before);
}

#[test]
fn like_links_need_no_order() {
    let planning = planning(FOUR_NODES, &[]);
    let nominal = planning.scenario.cluster.clone();
    let (_, placed) = ordered(&planning, &[nominal]);
    assert!(placed.iter().all(|one| one.outcome == Err(Unplaced::Alike)));
    let even = Bandwidth::uniform(4, BytesPerSec::from_gbytes(20.0).unwrap()).unwrap();
    let measured = under(&planning.scenario.cluster, &even);
    let (_, placed) = ordered(&planning, &[measured]);
    assert!(placed.iter().all(|one| one.outcome == Err(Unplaced::Alike)));
}

#[test]
fn replicas_in_a_node_move_together_and_stages_in_a_node_not_at_all() {
    let replicas = FOUR_NODES.replace("tp = 8\npp = 4", "tp = 4\npp = 2");
    let replicas = planning(&replicas, &[]);
    let rates = generated(4, &spread(), 5).unwrap();
    let measured = under(&replicas.scenario.cluster, &rates);
    let (answer, placed) = ordered(&replicas, &[measured]);
    let order = first(&placed);
    assert_eq!((order.stages, order.nodes.len()), (2, 4));
    assert!(order.found <= order.before * 1.001);
    let plan = &answer.plans[0].plan;
    let whole = plan.rank_gpus().is_none_or(|gpus| {
        let nodes = gpus.chunks(8).map(|node| node[0].get() / 8);
        nodes.collect::<BTreeSet<_>>().len() == 4
    });
    assert!(whole);
    let shared = FOUR_NODES.replace("tp = 8\npp = 4", "tp = 4\npp = 8");
    let shared = planning(&shared, &[]);
    let measured = under(&shared.scenario.cluster, &rates);
    let (_, placed) = ordered(&shared, &[measured]);
    assert!(
        placed
            .iter()
            .all(|one| one.outcome == Err(Unplaced::SharedNode))
    );
}
