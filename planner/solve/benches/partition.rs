//! Speed of splits: `cargo bench -p solve --bench partition`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use solve::{LayerCost, PartitionProgram, PartitionSpec, partition, solve};
use units::{Bytes, Control, Seconds};

/// Equal layers with an embedding and a head, as of a dense model.
fn spec(n_layers: usize, pp: usize, chunks: usize) -> PartitionSpec {
    let layer = LayerCost {
        time: Seconds::from_millis(7.3),
        fixed: Bytes::from_gib(1.5),
        in_flight: Bytes::from_gib(0.4),
    };
    let mut spec = PartitionSpec::even(vec![layer; n_layers], pp, Bytes::from_gib(72.0));
    spec.first.fixed = Bytes::from_gib(2.0);
    spec.last.time = Seconds::from_millis(11.0);
    spec.last.fixed = Bytes::from_gib(2.0);
    spec.chunks = chunks;
    spec.in_flight = (0..pp * chunks)
        .map(|v| (pp - v % pp) as f64 / chunks as f64)
        .collect();
    spec
}

fn splits(c: &mut Criterion) {
    for (layers, pp, chunks) in [(32, 4, 1), (80, 16, 1), (126, 16, 1), (126, 16, 4)] {
        let spec = spec(layers, pp, chunks);
        c.bench_function(&format!("split-{layers}-on-{pp}x{chunks}"), |b| {
            b.iter(|| partition(black_box(&spec)));
        });
    }
}

fn integer_programs(c: &mut Criterion) {
    let model = PartitionProgram::new(&spec(32, 4, 1)).expect("a question that holds together");
    let (limit, control) = (Seconds::from_secs(60.0), Control::new());
    let mut group = c.benchmark_group("integer-program");
    group.sample_size(10);
    group.bench_function("32-on-4", |b| {
        b.iter(|| solve(black_box(&model.program), limit, &control));
    });
    group.finish();
}

criterion_group!(benches, splits, integer_programs);
criterion_main!(benches);
