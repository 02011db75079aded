//! How long a cluster takes to build, and how many routes a second it computes.
//!
//! On one core of a shared server (criterion, release build): 1,024 GPUs in 0.13 ms, 16,384 in
//! 1.8 ms, 100,000 in 24 to 29 ms; 21 to 22 million routes a second on 16,384 GPUs.

use std::hint::black_box;

use cluster::{Cluster, example};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use units::{GpuId, LinkId};

fn build(c: &mut Criterion) {
    for nodes in [128, 2048, 12_500] {
        let spec = example::dgx_h100s(nodes);
        c.bench_function(&format!("build/{nodes} x dgx-h100"), |b| {
            b.iter(|| Cluster::build(black_box(&spec)).expect("the example is sound"));
        });
    }
}

fn route(c: &mut Criterion) {
    const ROUTES: u32 = 10_000;
    let cluster = Cluster::build(&example::dgx_h100s(2048)).expect("the example is sound");
    let gpus = u32::try_from(cluster.n_gpus()).expect("16,384 GPUs");
    let mut group = c.benchmark_group("route");
    group.throughput(Throughput::Elements(u64::from(ROUTES)));
    for (name, hash) in [("d-mod-k", Cluster::D_MOD_K), ("ecmp", 7)] {
        group.bench_function(name, |b| {
            let mut path: Vec<LinkId> = Vec::new();
            b.iter(|| {
                for i in 0..ROUTES {
                    path.clear();
                    let (from, to) = (i * 7919 % gpus, i * 104_729 % gpus);
                    cluster.route(GpuId::new(from), GpuId::new(to), hash, &mut path);
                    black_box(&path);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, build, route);
criterion_main!(benches);
