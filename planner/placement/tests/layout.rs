//! Layouts: against the objective of rows of stages, against all orders, with kinds and spares.

use placement::{
    Bandwidth, Cost, Curve, Effort, Group, Iteration, IterationSpec, Layout, LayoutSpec, Links,
    Message, PipelineLayout, PlacementError, Spread, Worst, generated, place,
};
use units::{Bytes, Control, Seconds};

const QUICK: Effort = Effort {
    restarts: 2,
    steps: 1_000,
    seed: 7,
};
const HOP: Bytes = Bytes::new(50_331_648);
const GRADIENTS: Bytes = Bytes::new(400_000_000);

fn rates(n: usize) -> Bandwidth {
    let spread = Spread {
        deviation: 0.3,
        lowest: -0.8,
        highest: 0.8,
        ..Spread::infiniband_200g()
    };
    generated(n, &spread, 3).expect("a spread")
}

fn links(n: usize) -> Links {
    Links::new(&rates(n), Seconds::ZERO).expect("no latency")
}

/// Pipelines of `pp` stages, a node each, in rows.
fn rows(n: u32, pp: u32) -> LayoutSpec {
    let links = links(n as usize);
    let (q, stages) = (n / pp, pp as usize);
    let pipeline = |d: u32| PipelineLayout {
        inside: vec![Group::default(); stages],
        hops: (1..pp)
            .map(|s| {
                vec![Message {
                    from: d * pp + s - 1,
                    to: d * pp + s,
                    bytes: HOP,
                }]
            })
            .collect(),
    };
    let ring = |s: u32| {
        let mut ring = Group::default();
        ring.ring(&(0..q).map(|d| d * pp + s).collect::<Vec<_>>());
        ring
    };
    let range = links.extremes();
    let step = GRADIENTS.as_f64() / f64::from(q);
    let sums = range.map(|pace| 2.0 * f64::from(q - 1) * step * pace);
    LayoutSpec {
        links,
        kinds: vec![0; n as usize],
        pipelines: (0..q).map(pipeline).collect(),
        forward: vec![Curve::constant(0.002); stages],
        backward: vec![Curve::constant(0.004); stages],
        rings: (0..pp).map(ring).collect(),
        sums: vec![Curve::new(range, &sums); stages],
        micro_batches: 24,
    }
}

#[test]
fn a_stage_a_node_costs_what_the_objective_of_rows_says() {
    for (n, pp) in [(4, 2), (6, 3), (8, 2), (5, 5)] {
        let spec = rows(n, pp);
        let stages = pp as usize;
        let iteration = Iteration::new(IterationSpec {
            links: spec.links.clone(),
            forward: vec![Seconds::from_millis(2.0); stages],
            backward: vec![Seconds::from_millis(4.0); stages],
            hops: vec![HOP; stages - 1],
            gradients: vec![GRADIENTS; stages],
            micro_batches: 24,
            overlap: 0.0,
        })
        .expect("rows that fill the servers");
        let layout = Layout::new(spec).expect("a layout");
        let mut order: Vec<u32> = (0..n).collect();
        for turn in 0..8 {
            order.swap(turn % n as usize, (turn * 3 + 1) % n as usize);
            let (a, b) = (layout.full(&order), iteration.full(&order));
            assert!((a / b - 1.0).abs() < 1e-12, "{n} {pp} {order:?}: {a} {b}");
            assert!(layout.bound() <= a * (1.0 + 1e-12));
        }
    }
}

/// Four stages on two nodes each share one: only the hop between the second and the third crosses.
fn shared(n: u32) -> LayoutSpec {
    let mut spec = rows(n, n);
    let kept = [1, 3];
    for (stage, hop) in spec.pipelines[0].hops.iter_mut().enumerate() {
        if !kept.contains(&stage) {
            hop.clear();
        }
    }
    spec
}

#[test]
fn few_nodes_are_proven_and_never_beaten() {
    let given: Vec<u32> = (0..6).collect();
    let mut spanning = rows(6, 3);
    let inside = &mut spanning.pipelines[0].inside[1];
    inside.ring(&[1, 4]);
    let range = spanning.links.extremes();
    spanning.forward[1] = Curve::new(range, &[0.002, 0.009]);
    for spec in [shared(6), spanning] {
        let layout = Layout::new(spec).expect("a layout");
        let found = place(&layout, &given, &QUICK, &Control::new(), &|_| {}).expect("an order");
        assert!(found.is_proven() && found.cost <= found.given);
        let cost = layout.full(&found.order);
        assert!(layout.bound() <= cost);
        let mut order = given.clone();
        for turn in 0..200_usize {
            order.swap(turn % 6, (turn * 5 + 2) % 6);
            assert!(cost <= layout.full(&order) * (1.0 + 1e-12), "{order:?}");
        }
        let both = Worst::new(vec![layout.clone(), layout]).expect("two alike");
        let again = place(&both, &given, &QUICK, &Control::new(), &|_| {}).expect("an order");
        assert!(again.is_proven() && (again.cost / found.cost - 1.0).abs() < 1e-12);
    }
}

#[test]
fn many_nodes_have_a_bound_and_threads_change_nothing() {
    let layout = Layout::new(shared(12)).expect("a layout");
    let given: Vec<u32> = (0..12).collect();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().expect("threads");
        pool.install(|| place(&layout, &given, &QUICK, &Control::new(), &|_| {}))
    };
    let found = on(1).expect("an order");
    assert_eq!(found, on(3).expect("an order"));
    assert!(found.bound <= found.cost && found.cost <= found.given);
}

#[test]
fn nodes_change_places_with_their_own_kind_and_spares_stand_by() {
    let mut spec = rows(6, 3);
    spec.kinds = vec![0, 1, 0, 1, 0, 1];
    let layout = Layout::new(spec).expect("a layout");
    assert_eq!(layout.decoded(&[5, 4, 3, 2, 1, 0]), [4, 5, 2, 3, 0, 1]);
    assert_eq!(layout.decoded(&[0, 1, 2, 3, 4, 5]), [0, 1, 2, 3, 4, 5]);
    // One pipeline of three, and three more nodes to choose from.
    let mut spare = rows(6, 3);
    spare.pipelines.truncate(1);
    spare.rings = vec![Group::default(); 3];
    let spare = Layout::new(spare).expect("a layout");
    let given: Vec<u32> = (0..6).collect();
    let found = place(&spare, &given, &QUICK, &Control::new(), &|_| {}).expect("an order");
    assert!(found.is_proven() && found.cost < found.given);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut spec = rows(4, 2);
    spec.sums.pop();
    let field = "sums";
    assert_eq!(
        Layout::new(spec).err(),
        Some(PlacementError::Length {
            field,
            given: 1,
            needed: 2
        })
    );
    let mut spec = rows(4, 2);
    spec.rings[0].ring(&[0, 9]);
    let (given, servers) = (10, 4);
    assert_eq!(
        Layout::new(spec).err(),
        Some(PlacementError::Order { given, servers })
    );
}
