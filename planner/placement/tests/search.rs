//! Orders that are found: against all orders, repeatable, stoppable.

use placement::{
    Bandwidth, Cost, Effort, Iteration, IterationSpec, Links, Pipette, PipetteSpec, PlacementError,
    Spread, Worst, drifted, generated, parse_matrix, parse_snapshots, place,
};
use units::{Bytes, BytesPerSec, Control, Seconds};

const QUICK: Effort = Effort {
    restarts: 2,
    steps: 2_000,
    seed: 7,
};

fn spread() -> Spread {
    Spread {
        deviation: 0.2,
        lowest: -0.8,
        highest: 0.8,
        ..Spread::infiniband_200g()
    }
}

fn pipette(bandwidth: &Bandwidth, pp: usize) -> Pipette {
    Pipette::new(&PipetteSpec {
        bandwidth: bandwidth.clone(),
        pp,
        hop: Bytes::new(50_331_648),
        gradients: Bytes::new(100_000_000),
    })
    .expect("pipelines that fill the servers")
}

fn iteration(bandwidth: &Bandwidth, pp: usize, millis: f64) -> Iteration {
    Iteration::new(IterationSpec {
        links: Links::new(bandwidth, Seconds::from_micros(5.0)).expect("a latency"),
        forward: vec![Seconds::from_millis(millis); pp],
        backward: vec![Seconds::from_millis(2.0 * millis); pp],
        hops: vec![Bytes::new(50_331_648); pp - 1],
        gradients: vec![Bytes::new(100_000_000); pp],
        micro_batches: 24,
        overlap: 0.0,
    })
    .expect("a plan that fills the servers")
}

fn identity(n: u32) -> Vec<u32> {
    (0..n).collect()
}

/// The cheapest of all orders (Heap's algorithm).
fn brute(cost: &impl Cost, n: u32) -> f64 {
    let mut order = identity(n);
    let mut counters = vec![0; order.len()];
    let (mut best, mut at) = (cost.full(&order), 0);
    while at < order.len() {
        if counters[at] < at {
            let other = if at % 2 == 0 { 0 } else { counters[at] };
            order.swap(other, at);
            best = best.min(cost.full(&order));
            counters[at] += 1;
            at = 0;
        } else {
            counters[at] = 0;
            at += 1;
        }
    }
    best
}

#[test]
fn proofs_agree_with_all_orders() {
    for (n, pp, seed) in [
        (6, 1, 1),
        (6, 2, 2),
        (6, 3, 3),
        (6, 6, 4),
        (8, 4, 5),
        (8, 2, 6),
    ] {
        let bandwidth = generated(n as usize, &spread(), seed).unwrap();
        let cost = pipette(&bandwidth, pp);
        let best = brute(&cost, n);
        assert!(cost.bound() <= best * (1.0 + 1e-12));
        // From a poor order, without annealing's help.
        let proven = cost.exact(&identity(n), &Control::new()).unwrap().unwrap();
        assert!((cost.full(&proven) / best - 1.0).abs() < 1e-11, "{n} {pp}");
        let found = place(&cost, &identity(n), &QUICK, &Control::new(), &|_| {}).unwrap();
        assert!(found.is_proven() && (found.cost.as_secs() / best - 1.0).abs() < 1e-11);
    }
}

#[test]
fn sixteen_servers_of_the_measured_kind_are_proven() {
    let bandwidth = generated(16, &Spread::infiniband_200g(), 11).unwrap();
    for pp in [1, 2, 4, 8, 16] {
        let cost = Pipette::new(&PipetteSpec {
            bandwidth: bandwidth.clone(),
            pp,
            hop: Bytes::new(50_331_648),
            gradients: Bytes::new(700_000_000),
        });
        let cost = cost.unwrap();
        let found = place(&cost, &identity(16), &QUICK, &Control::new(), &|_| {}).unwrap();
        assert!(found.is_proven() && found.cost <= found.given, "{pp}");
        assert!(cost.bound() <= found.cost.as_secs() * (1.0 + 1e-12), "{pp}");
    }
}

#[test]
fn one_pipeline_is_proven_for_the_iteration_too() {
    for (seed, millis) in [(1, 0.5), (2, 5.0), (3, 50.0)] {
        let cost = iteration(&generated(7, &spread(), seed).unwrap(), 7, millis);
        let best = brute(&cost, 7);
        assert!(cost.bound() <= best * (1.0 + 1e-12));
        let proven = cost.exact(&identity(7), &Control::new()).unwrap().unwrap();
        assert!((cost.full(&proven) / best - 1.0).abs() < 1e-11, "{seed}");
    }
}

#[test]
fn several_pipelines_stay_within_their_bound() {
    for pp in [1, 2, 4] {
        let cost = iteration(&generated(8, &spread(), 9).unwrap(), pp, 1.0);
        let best = brute(&cost, 8);
        let found = place(&cost, &identity(8), &QUICK, &Control::new(), &|_| {}).unwrap();
        assert!(found.bound.as_secs() <= best * (1.0 + 1e-12));
        assert!(found.cost.as_secs() <= best * 1.001, "{pp}");
        assert!((found.gap() > 0.0) != found.is_proven());
    }
}

#[test]
fn on_equal_links_the_given_order_is_proven_at_once() {
    let rate = BytesPerSec::from_gbytes(25.0).unwrap();
    let bandwidth = Bandwidth::uniform(64, rate).unwrap();
    for pp in [1, 4, 16, 64] {
        let given: Vec<u32> = (0..64).rev().collect();
        let found = place(
            &pipette(&bandwidth, pp),
            &given,
            &QUICK,
            &Control::new(),
            &|_| {},
        );
        let found = found.unwrap();
        assert!(
            found.is_proven() && found.evaluations == 1 && found.order == given,
            "{pp}"
        );
        let cost = iteration(&bandwidth, pp, 3.0);
        let found = place(&cost, &given, &QUICK, &Control::new(), &|_| {}).unwrap();
        assert!(
            found.is_proven() && found.order == given,
            "{pp} {}",
            found.gap()
        );
    }
}

#[test]
fn the_answer_depends_on_the_seed_and_not_on_threads() {
    let cost = pipette(&generated(24, &spread(), 3).unwrap(), 4);
    let on = |threads: usize, seed: u64| {
        let effort = Effort {
            restarts: 5,
            seed,
            ..QUICK
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| place(&cost, &identity(24), &effort, &Control::new(), &|_| {}).unwrap())
    };
    assert_eq!(on(1, 7), on(3, 7));
    assert_ne!(on(1, 7).order, on(1, 8).order);
}

#[test]
fn a_cancelled_search_gives_what_it_has() {
    let cost = pipette(&generated(24, &spread(), 3).unwrap(), 4);
    let control = Control::new();
    control.cancel();
    let found = place(&cost, &identity(24), &QUICK, &control, &|_| {}).unwrap();
    assert!(found.partial && found.cost <= found.given);
    assert!(found.bound <= found.cost);
}

#[test]
fn every_restart_is_reported() {
    let cost = pipette(&generated(8, &spread(), 3).unwrap(), 4);
    let seen = std::sync::Mutex::new(Vec::new());
    let report = |progress: placement::Progress| seen.lock().unwrap().push(progress.restart);
    place(&cost, &identity(8), &QUICK, &Control::new(), &report).unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1]);
}

#[test]
fn an_order_for_several_snapshots_is_better_in_the_worst_case() {
    let now = generated(12, &spread(), 5).unwrap();
    let later = drifted(&now, &spread(), 0.983, 6).unwrap();
    let effort = Effort {
        steps: 20_000,
        ..QUICK
    };
    let of = |bandwidth: &Bandwidth| pipette(bandwidth, 4);
    let robust = Worst::new(vec![of(&now), of(&later)]).unwrap();
    let best_now = place(&of(&now), &identity(12), &effort, &Control::new(), &|_| {}).unwrap();
    let best = place(&robust, &identity(12), &effort, &Control::new(), &|_| {}).unwrap();
    assert!(best.cost.as_secs() <= robust.full(&best_now.order));
    assert!(best.bound <= best.cost);
}

#[test]
fn orders_that_are_none_are_refused() {
    let cost = pipette(&generated(4, &spread(), 3).unwrap(), 2);
    for order in [vec![0, 1, 2], vec![0, 1, 2, 2], vec![0, 1, 2, 4]] {
        let error = place(&cost, &order, &QUICK, &Control::new(), &|_| {}).unwrap_err();
        assert!(matches!(error, PlacementError::Order { .. }), "{error}");
    }
}

#[test]
fn generated_matrices_have_the_statistics_of_measured_ones() {
    let spread = Spread::infiniband_200g();
    let first = generated(64, &spread, 1).unwrap();
    let second = drifted(&first, &spread, 0.983, 2).unwrap();
    let pairs = || {
        (0..64)
            .flat_map(|a| (0..64).map(move |b| (a, b)))
            .filter(|(a, b)| a != b)
    };
    let count = pairs().count() as f64;
    let mean =
        |bandwidth: &Bandwidth| pairs().map(|(a, b)| bandwidth.rate(a, b)).sum::<f64>() / count;
    let relative = |(a, b)| first.rate(a, b) / 18.5e9 - 1.0;
    assert!(
        pairs()
            .map(relative)
            .all(|r| (-0.120_001..=0.070_001).contains(&r))
    );
    let deviation = (pairs().map(|p| relative(p).powi(2)).sum::<f64>() / count).sqrt();
    assert!((0.025..0.04).contains(&deviation), "{deviation}");
    let asymmetry = pairs().map(|(a, b)| (first.rate(a, b) / first.rate(b, a) - 1.0).abs());
    assert!((0.02..0.06).contains(&(asymmetry.sum::<f64>() / count)));
    let drift = mean(&second) / mean(&first) - 1.0;
    assert!((-0.021..-0.009).contains(&drift), "{drift}");
    let moved =
        pairs().map(|(a, b)| (second.rate(a, b) / first.rate(a, b) / (1.0 + drift) - 1.0).powi(2));
    let moved = (moved.sum::<f64>() / count).sqrt();
    assert!((0.02..0.04).contains(&moved), "{moved}");
    assert_eq!(first, generated(64, &spread, 1).unwrap());
}

#[test]
fn tables_and_plain_matrices_read_alike() {
    let table =
        "matrix_key,host_row,host_col,MBps\n0,a,a,9\n0,a,b,2000\n0,b,a,1000\n1,a,b,5\n1,b,a,6\n";
    let snapshots = parse_snapshots(table).unwrap();
    assert_eq!(
        (snapshots.len(), snapshots[0].hosts.as_slice()),
        (2, &["a".to_owned(), "b".to_owned()][..])
    );
    let plain = parse_snapshots("# rows send\n0 2000\n1000, 0 # last\n").unwrap();
    for bandwidth in [&snapshots[0].bandwidth, &plain[0].bandwidth] {
        assert!(
            (bandwidth.rate(0, 1) - 2e9).abs() < 1.0 && (bandwidth.rate(1, 0) - 1e9).abs() < 1.0
        );
    }
}

#[test]
fn text_that_is_no_matrix_is_refused_with_its_line() {
    let error = parse_matrix("0 1\n1 fast\n").unwrap_err();
    assert!(
        matches!(&error, PlacementError::Text { line: 2, .. }),
        "{error}"
    );
    assert!(error.hint().is_some());
    assert!(parse_matrix("").is_err());
    assert!(parse_matrix("0 1 2\n1 0\n").is_err());
    let missing = "host_row,host_col,MBps\na,b,5\n";
    let error = parse_snapshots(missing).unwrap_err();
    assert!(
        matches!(error, PlacementError::Link { from: 1, to: 0, .. }),
        "{error}"
    );
    let error = parse_snapshots("host_row,MBps\na,5\n").unwrap_err();
    assert!(error.to_string().contains("host_col"), "{error}");
}
