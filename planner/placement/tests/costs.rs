//! Objectives: bit by bit against as a whole, and by hand.

use placement::{
    Bandwidth, Cost, Iteration, IterationSpec, Links, Move, Pipette, PipetteSpec, PlacementError,
    Spread, Walk, Worst, generated,
};
use proptest::prelude::*;
use units::{Bytes, BytesPerSec, Seconds};

fn measured(n: usize, seed: u64) -> Bandwidth {
    generated(n, &Spread::infiniband_200g(), seed).expect("a matrix")
}

fn pipette(n: usize, pp: usize, seed: u64) -> Pipette {
    Pipette::new(&PipetteSpec {
        bandwidth: measured(n, seed),
        pp,
        hop: Bytes::new(50_331_648),
        gradients: Bytes::new(700_000_000),
    })
    .expect("pipelines that fill the servers")
}

fn iteration(n: usize, pp: usize, seed: u64, micro_batches: u64) -> Iteration {
    let links = Links::new(&measured(n, seed), Seconds::from_micros(8.0)).expect("a latency");
    let time = |factor: f64| {
        let of = |stage: usize| Seconds::from_millis(factor * (1.0 + 0.1 * (stage % 3) as f64));
        (0..pp).map(of).collect()
    };
    let spec = IterationSpec {
        links,
        forward: time(10.0),
        backward: time(20.0),
        hops: vec![Bytes::new(50_331_648); pp - 1],
        gradients: vec![Bytes::new(700_000_000); pp],
        micro_batches,
        overlap: 0.25,
    };
    Iteration::new(spec).expect("a plan that fills the servers")
}

fn moves(n: usize) -> impl Strategy<Value = Move> {
    (0..3, prop::collection::vec(0..=n, 3)).prop_map(move |(kind, mut places)| {
        places.sort_unstable();
        let (from, mid, to) = (places[0], places[1], places[2]);
        match kind {
            0 => Move::Swap {
                a: from.min(n - 1),
                b: to.min(n - 1),
            },
            1 => Move::Reverse { from, to },
            _ => Move::Rotate { from, mid, to },
        }
    })
}

/// Every move changes the cost by what was said, and the order by what the move says.
fn follows<C: Cost>(cost: &C, moves: &[Move]) -> Result<(), TestCaseError> {
    let mut order: Vec<u32> = (0..u32::try_from(cost.n_servers()).expect("few")).collect();
    let mut walk = cost.walk(&order);
    for change in moves {
        let (before, delta) = (walk.cost(), walk.delta(*change));
        prop_assert_eq!(walk.order(), order.as_slice());
        prop_assert_eq!(walk.cost().to_bits(), before.to_bits());
        walk.apply(*change);
        change.make(&mut order);
        prop_assert_eq!(walk.order(), order.as_slice());
        prop_assert_eq!(walk.cost().to_bits(), cost.full(&order).to_bits());
        prop_assert!((walk.cost() - before - delta).abs() <= 1e-12 * before);
        prop_assert!(cost.bound() <= walk.cost() * (1.0 + 1e-12));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn moves_change_costs_as_they_say(
        moves in prop::collection::vec(moves(12), 1..12),
        pp in prop::sample::select(vec![1_usize, 2, 3, 4, 6, 12]),
        seed in 0_u64..1_000,
        micro_batches in 1_u64..40,
    ) {
        follows(&pipette(12, pp, seed), &moves)?;
        follows(&iteration(12, pp, seed, micro_batches), &moves)?;
        let both = vec![pipette(12, pp, seed), pipette(12, pp, seed + 1)];
        follows(&Worst::new(both).expect("equal servers"), &moves)?;
    }
}

#[test]
fn pipettes_objective_is_what_its_formula_says() {
    // Rates of 1 to 12 bytes a second between four servers, two pipelines of two.
    let rates = vec![
        0.0, 1.0, 2.0, 4.0, //
        5.0, 0.0, 8.0, 10.0, //
        2.5, 4.0, 0.0, 5.0, //
        1.0, 2.0, 4.0, 0.0,
    ];
    let spec = PipetteSpec {
        bandwidth: Bandwidth::new(4, rates).unwrap(),
        pp: 2,
        hop: Bytes::new(10),
        gradients: Bytes::new(100),
    };
    let cost = Pipette::new(&spec).unwrap();
    // Hops 0 → 1 at 1 B/s and 2 → 3 at 5 B/s; ring 0 → 2 at 2 B/s and 2 → 0 at 2.5 B/s.
    let expected = 2.0 * 10.0 / 1.0 + 2.0 * 0.5 * 100.0 / 2.0;
    assert!((cost.full(&[0, 1, 2, 3]) - expected).abs() < 1e-12);
}

#[test]
fn every_stages_ring_counts() {
    let n = 4;
    let rate = BytesPerSec::from_gbytes(10.0).unwrap().as_f64();
    let mut rates = vec![rate; n * n];
    // Between servers 1 and 3, which hold the second stages, links are ten times slower.
    rates[n + 3] = rate / 10.0;
    rates[3 * n + 1] = rate / 10.0;
    let bandwidth = Bandwidth::new(n, rates).unwrap();
    let cost = Iteration::new(IterationSpec {
        links: Links::new(&bandwidth, Seconds::ZERO).unwrap(),
        forward: vec![Seconds::from_millis(1.0); 2],
        backward: vec![Seconds::from_millis(2.0); 2],
        hops: vec![Bytes::new(0)],
        gradients: vec![Bytes::new(1_000_000_000); 2],
        micro_batches: 8,
        overlap: 0.0,
    });
    let cost = cost.unwrap();
    // 9 passes of 3 ms less the last backward pass of the first stage, then 1 GB at 1 GB/s.
    let expected = 9.0 * 3e-3 - 2e-3 + 1.0;
    assert!((cost.full(&[0, 1, 2, 3]) - expected).abs() < 1e-9);
    // With server 3 elsewhere both rings are fast, and the first stage ends last.
    assert!((cost.full(&[0, 1, 3, 2]) - (27e-3 + 0.1)).abs() < 1e-9);
}

#[test]
fn questions_that_do_not_hold_together_are_refused() {
    let spec = PipetteSpec {
        bandwidth: measured(6, 1),
        pp: 4,
        hop: Bytes::new(1),
        gradients: Bytes::new(1),
    };
    let error = Pipette::new(&spec).unwrap_err();
    assert_eq!(error, PlacementError::DoesNotTile { pp: 4, servers: 6 });
    assert!(error.hint().unwrap().contains("[1, 2, 3, 6]"));
    assert!(matches!(
        Bandwidth::new(2, vec![1.0; 3]),
        Err(PlacementError::NotSquare { .. })
    ));
    let error = Bandwidth::new(2, vec![1.0, -1.0, 1.0, 1.0]).unwrap_err();
    assert!(
        matches!(error, PlacementError::Link { from: 0, to: 1, .. }),
        "{error}"
    );
    assert!(Worst::<Pipette>::new(Vec::new()).is_err());
    assert!(Worst::new(vec![pipette(4, 2, 1), pipette(6, 2, 1)]).is_err());
}
