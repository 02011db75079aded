//! The flow engine beside real TCP: links that every flow takes, and the order in which flows end.
//!
//! Three leaves with two hosts each and two spines, built from network namespaces with 40 Mbit/s on
//! every link. Asked for with `WINDTUNNEL_LIVE=1`; needs the rights of root. Times are printed
//! beside the predicted ones and not asserted: on a shared machine they vary by half.

mod counters;
mod links;
mod machine;
mod namespaces;
mod transfers;
mod workloads;

use std::sync::Mutex;
use std::time::Duration;

use cluster::{Cluster, ClusterNetwork, example};
use network::Share;
use traffic::{Flow, Flows, Keep, Outcome, Program};
use units::Control;

use crate::links::{FRAME, PAYLOAD, loads_are_ours, pairs, takes_the_links_of_our_route};
use crate::machine::obstacle;
use crate::namespaces::Namespaces;
use crate::transfers::transfer;
use crate::workloads::{incast, permutation, ring};

/// The rate of every link, in frames, as `tc` counts it.
const MBITS: f64 = 40.0;

/// Flows whose predicted ends are further apart than this factor have an order; it is asserted.
const GAP: f64 = 1.3;

/// One network at a time: they share the processor.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn a_permutation_takes_our_links_and_ends_in_our_order() {
    compare("permutation", &permutation());
}

#[test]
fn an_incast_takes_our_links_and_ends_in_our_order() {
    compare("incast", &incast());
}

#[test]
fn a_ring_takes_our_links_and_ends_in_our_order() {
    compare("ring", &ring());
}

/// Runs flows in both networks, unless nobody asked for it or this machine cannot.
fn compare(name: &str, flows: &Flows) {
    if std::env::var("WINDTUNNEL_LIVE").as_deref() != Ok("1") {
        println!("{name}: nothing was compared, since WINDTUNNEL_LIVE is not 1");
        return;
    }
    let _turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(why) = obstacle() {
        println!("{name}: skipped, no networks of namespaces here: {why}");
        return;
    }
    let network = leaf_spine();
    let space = Namespaces::build(&network, MBITS).expect("what one cable allowed");
    for pair in pairs(flows) {
        takes_the_links_of_our_route(&network, &space, pair);
    }
    let outcome = predict(&network, flows);
    let before = space.counters().expect("counters");
    let ends = transfer(&space, flows).expect("transfers");
    let counted = space.counters().expect("counters").since(&before);
    print_ends(name, flows, &outcome, &ends);
    loads_are_ours(&network, flows, &outcome, &counted);
    order_is_ours(&outcome, &ends);
}

/// The cluster, with the rates that payload has.
fn leaf_spine() -> ClusterNetwork {
    let payload = MBITS * 1e-3 * PAYLOAD / FRAME;
    let spec = example::hosts(3, 2, 2, payload);
    ClusterNetwork::new(Cluster::build(&spec).expect("an example"))
}

fn predict(network: &ClusterNetwork, flows: &Flows) -> Outcome {
    let program = Program::from(flows);
    let control = Control::new();
    traffic::run(network, &program, Share::EQUAL, Keep::Messages, &control).expect("a prediction")
}

/// Flows whose predicted ends are a gap apart end in that order.
fn order_is_ours(outcome: &Outcome, ends: &[Duration]) {
    let groups = groups(&predicted(outcome));
    assert!(2 < groups.len(), "too few groups to have an order");
    for two in groups.windows(2) {
        let last = two[0].iter().map(|&flow| ends[flow]).max();
        let first = two[1].iter().map(|&flow| ends[flow]).min();
        assert!(last < first, "flows {:?} end before {:?}", two[0], two[1]);
    }
}

/// Flows by their predicted ends, cut where one is a gap behind the one before.
fn groups(ends: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by(|&a, &b| ends[a].total_cmp(&ends[b]));
    let near = |a: &usize, b: &usize| ends[*b] < GAP * ends[*a];
    order.chunk_by(near).map(<[usize]>::to_vec).collect()
}

fn predicted(outcome: &Outcome) -> Vec<f64> {
    let ends = outcome.times.iter();
    ends.map(|times| times.finish.as_seconds().as_secs())
        .collect()
}

fn print_ends(name: &str, flows: &Flows, outcome: &Outcome, ends: &[Duration]) {
    let predicted = predicted(outcome);
    println!("{name}: flow, predicted and measured end");
    for group in groups(&predicted) {
        println!("  --");
        for at in group {
            let flow = outcome_flow(flows, at);
            let (ours, real) = (predicted[at], ends[at].as_secs_f64());
            println!(
                "  {at:2} n{} -> n{} {:5} kB: {ours:6.3} s, {real:6.3} s, {:+5.1} %",
                flow.src.get(),
                flow.dst.get(),
                flow.bytes.as_u64() / 1000,
                (real / ours - 1.0) * 100.0
            );
        }
    }
}

fn outcome_flow(flows: &Flows, at: usize) -> Flow {
    flows.iter().nth(at).expect("a flow by its place").1
}

#[test]
fn groups_are_cut_at_gaps_only() {
    assert_eq!(
        groups(&[1.0, 5.0, 1.2, 1.5, 2.0]),
        [vec![0, 2, 3], vec![4], vec![1]]
    );
}

#[test]
fn every_workload_has_an_order_to_check() {
    for flows in [permutation(), incast(), ring()] {
        let ends = predicted(&predict(&leaf_spine(), &flows));
        let groups = groups(&ends);
        assert!(2 < groups.len(), "{ends:?}");
    }
}
