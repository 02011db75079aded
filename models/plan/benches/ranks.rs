//! Speed of checks and classes: `cargo bench -p plan --bench ranks`.

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fixtures::{dgx, llama};
use plan::{Plan, PlanSpec};
use units::GpuId;

/// Llama-3 405B's plan: tensor 8, pipeline 16, interleaved.
fn spec() -> PlanSpec {
    PlanSpec {
        tp: Some(8),
        pp: Some(16),
        vp: Some(8),
        ..PlanSpec::default()
    }
}

fn checks(c: &mut Criterion) {
    let (job, cluster) = (llama(126, 128, 2_048), dgx(2_048));
    c.bench_function("check-16384", |b| {
        b.iter(|| Plan::check(black_box(&spec()), &job, &cluster));
    });
}

fn classes(c: &mut Criterion) {
    let (job, cluster) = (llama(126, 128, 2_048), dgx(2_048));
    let plan = Plan::check(&spec(), &job, &cluster)
        .expect("a plan that fits")
        .plan;
    c.bench_function("classes-16384", |b| {
        b.iter(|| plan.classes(black_box(&cluster)));
    });
    let slow = cluster
        .with_gpu_speed(GpuId::new(5_000), 0.8)
        .expect("a GPU of the cluster");
    c.bench_function("classes-16384-one-slow", |b| {
        b.iter(|| plan.classes(black_box(&slow)));
    });
}

criterion_group!(benches, checks, classes);
criterion_main!(benches);
