//! Speed of evaluations and proofs: `cargo bench -p placement --bench moves`. The throughput of `moves` counts
//! moves that are tried, on one core.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use placement::{
    Cost, Iteration, IterationSpec, Links, Move, Pipette, PipetteSpec, Spread, Walk, generated,
};
use units::{Bytes, Control, Seconds};

fn pipette(n: usize, pp: usize) -> Pipette {
    Pipette::new(&PipetteSpec {
        bandwidth: generated(n, &Spread::infiniband_200g(), 1).expect("a matrix"),
        pp,
        hop: Bytes::new(50_331_648),
        gradients: Bytes::new(700_000_000),
    })
    .expect("pipelines that fill the servers")
}

fn iteration(n: usize, pp: usize) -> Iteration {
    let bandwidth = generated(n, &Spread::infiniband_200g(), 1).expect("a matrix");
    Iteration::new(IterationSpec {
        links: Links::new(&bandwidth, Seconds::from_micros(8.0)).expect("a latency"),
        forward: vec![Seconds::from_millis(10.0); pp],
        backward: vec![Seconds::from_millis(20.0); pp],
        hops: vec![Bytes::new(50_331_648); pp - 1],
        gradients: vec![Bytes::new(700_000_000); pp],
        micro_batches: 128,
        overlap: 0.5,
    })
    .expect("a plan that fills the servers")
}

/// Moves of all kinds, one of them made now and then.
fn moves(c: &mut Criterion, name: &str, cost: &impl Cost) {
    let n = cost.n_servers();
    let place = |at: usize, salt: usize| (at * 7_919 + salt * 104_729) % n;
    let changes: Vec<Move> = (0..1_024)
        .map(|at| {
            let (a, b) = (place(at, 1), place(at, at));
            let (from, to) = (a.min(b), (a.max(b) + 1).min(a.min(b) + 16));
            match at % 3 {
                0 => Move::Swap { a, b },
                1 => Move::Reverse { from, to },
                _ => Move::migrate(from, to - 1),
            }
        })
        .collect();
    let order: Vec<u32> = (0..u32::try_from(n).expect("few servers")).collect();
    let mut walk = cost.walk(&order);
    let mut group = c.benchmark_group("moves");
    group.throughput(Throughput::Elements(changes.len() as u64));
    group.bench_function(name, |b| {
        b.iter(|| {
            for change in &changes {
                black_box(walk.delta(*change));
            }
            walk.apply(changes[0]);
        });
    });
    group.finish();
}

fn evaluations(c: &mut Criterion) {
    for pp in [2, 4, 8, 16] {
        moves(c, &format!("pipette-16-pp{pp}"), &pipette(16, pp));
    }
    moves(c, "pipette-2048-pp16", &pipette(2_048, 16));
    for (n, pp) in [(16, 4), (16, 8), (16, 16), (128, 8), (2_048, 16)] {
        moves(c, &format!("iteration-{n}-pp{pp}"), &iteration(n, pp));
    }
}

fn proofs(c: &mut Criterion) {
    let mut group = c.benchmark_group("proof");
    group.sample_size(10);
    for pp in [2, 4, 8, 16] {
        let cost = pipette(16, pp);
        let order: Vec<u32> = (0..16).collect();
        group.bench_function(format!("pipette-16-pp{pp}"), |b| {
            b.iter(|| cost.exact(black_box(&order), &Control::new()));
        });
    }
    group.finish();
}

criterion_group!(benches, evaluations, proofs);
criterion_main!(benches);
