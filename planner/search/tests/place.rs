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
fn replicas_in_a_node_move_together() {
    let replicas = FOUR_NODES.replace("tp = 8\npp = 4", "tp = 4\npp = 2");
    let replicas = planning(&replicas, &[]);
    let rates = generated(4, &spread(), 5).unwrap();
    let measured = under(&replicas.scenario.cluster, &rates);
    let (answer, placed) = ordered(&replicas, &[measured]);
    let order = first(&placed);
    assert_eq!((order.stages, order.nodes.len()), (Some(2), 4));
    assert!(order.found <= order.before * 1.001);
    let plan = &answer.plans[0].plan;
    let whole = plan.rank_gpus().is_none_or(|gpus| {
        let nodes = gpus.chunks(8).map(|node| node[0].get() / 8);
        nodes.collect::<BTreeSet<_>>().len() == 4
    });
    assert!(whole);
}

/// Rates of 20 GB/s, but for one pair of nodes in both directions.
fn one_slow(nodes: usize, [a, b]: [usize; 2]) -> Bandwidth {
    let all = (0..nodes * nodes).map(|at| (at / nodes, at % nodes));
    let is_slow = |ends| ends == (a, b) || ends == (b, a);
    let rates = all.map(|ends| if is_slow(ends) { 4e9 } else { 2e10 });
    Bandwidth::new(nodes, rates.collect()).unwrap()
}

/// What is found for a scenario with other degrees on links of which one is slow.
fn around_a_slow_link(degrees: &str, slow: [usize; 2]) -> Vec<Placed> {
    let text = FOUR_NODES.replace("tp = 8\npp = 4", degrees);
    let planning = planning(&text.replace("fixed = [", "fixed = [\"cp\", "), &[]);
    let rates = one_slow(planning.scenario.cluster.n_nodes(), slow);
    let measured = under(&planning.scenario.cluster, &rates);
    let (answer, placed) = ordered(&planning, &[measured]);
    let gpus = answer.plans[0].plan.rank_gpus().unwrap();
    let different: BTreeSet<_> = gpus.iter().collect();
    assert_eq!(different.len(), gpus.len());
    placed
}

#[test]
fn stages_that_share_a_node_move_around_a_slow_link() {
    let placed = around_a_slow_link("tp = 4\npp = 8", [1, 2]);
    let order = first(&placed);
    assert_eq!(order.stages, None);
    assert!(
        order.is_taken && order.found < 0.95 * order.before,
        "{order:?}"
    );
    assert!(order.model.is_proven() && order.model.bound <= order.model.cost);
    let hops = order.nodes.windows(2);
    let mut hops = hops.map(|pair| [pair[0].get(), pair[1].get()]);
    assert!(hops.all(|hop| hop != [1, 2] && hop != [2, 1]), "{order:?}");
}

#[test]
fn a_stage_that_spans_nodes_moves_off_a_slow_link() {
    let placed = around_a_slow_link("tp = 8\ncp = 2\npp = 2", [2, 3]);
    let order = first(&placed);
    assert_eq!(order.stages, None);
    assert!(
        order.is_taken && order.found < 0.99 * order.before,
        "{order:?}"
    );
    assert!(order.model.is_proven() && order.model.bound <= order.model.cost);
}

#[test]
fn orders_are_the_same_on_any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| around_a_slow_link("tp = 4\npp = 8", [1, 2]))
    };
    let (one, three) = (on(1), on(3));
    assert_eq!(one.len(), three.len());
    for (a, b) in one.iter().zip(&three) {
        assert_eq!((a.plan, &a.outcome), (b.plan, &b.outcome));
    }
}

#[test]
fn a_plan_that_needs_fewer_nodes_leaves_out_the_slow_one() {
    let fewer = FOUR_NODES
        .replace("nodes = 4", "nodes = 5")
        .replace("\nfixed = [", "\ndp = 1\nfixed = [\"dp\", ");
    let planning = planning(&fewer, &[]);
    let rates = (0..25).map(|at| {
        if at / 5 == 1 || at % 5 == 1 {
            5e9
        } else {
            2e10
        }
    });
    let rates = Bandwidth::new(5, rates.collect()).unwrap();
    let measured = under(&planning.scenario.cluster, &rates);
    let (_, placed) = ordered(&planning, &[measured]);
    let order = first(&placed);
    let spare: Vec<u32> = order.spare.iter().map(|node| node.get()).collect();
    assert_eq!((spare, order.nodes.len()), (vec![1], 4));
    assert!(order.is_taken && order.found < order.before, "{order:?}");
}
