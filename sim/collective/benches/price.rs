//! How fast collectives are priced: planners ask for millions.

use std::hint::black_box;

use cluster::{Cluster, example};
use collective::{Choice, Priced, regular_shape, shape, time};
use criterion::{Criterion, criterion_group, criterion_main};
use profile::{CollectiveKind, CommProfile};
use units::{Bytes, GpuId};

fn price(c: &mut Criterion) {
    let cluster = Cluster::build(&example::dgx_h100s(128)).expect("valid");
    let comm = CommProfile::nccl();
    let all: Vec<GpuId> = cluster.gpus().collect();
    let whole = shape(&cluster, &comm, &all, &[]);
    let bytes = Bytes::new(123_456_789);
    for kind in CollectiveKind::ALL {
        c.bench_function(&format!("time of {}", kind.name()), |b| {
            b.iter(|| time(black_box(kind), black_box(bytes), &whole, &comm));
        });
    }
    let priced = Priced::new(CollectiveKind::AllReduce, &whole, &comm, &Choice::default());
    c.bench_function("time of a priced all_reduce", |b| {
        b.iter(|| priced.time(black_box(bytes)));
    });
    for (size, stride) in [(8, 1), (16, 8), (128, 8), (16, 64), (1024, 1)] {
        c.bench_function(&format!("shape of {size} GPUs, stride {stride}"), |b| {
            b.iter(|| regular_shape(&cluster, &comm, black_box(size), stride));
        });
    }
}

criterion_group!(benches, price);
criterion_main!(benches);
