//! The workloads on which peers were timed.

#[path = "../tests/fabric/mod.rs"]
mod fabric;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fabric::LeafSpine;
use network::Share;

const HOSTS_64: LeafSpine = LeafSpine {
    per_leaf: 16,
    leaves: 4,
    spines: 16,
};

const HOSTS_256: LeafSpine = LeafSpine {
    leaves: 16,
    ..HOSTS_64
};

fn peers(c: &mut Criterion) {
    let mut group = c.benchmark_group("leaf-spine");
    group.sample_size(10);
    group.bench_function("ring all-reduce, 64 hosts, 8,064 flows", |b| {
        b.iter(|| fabric::ring(black_box(HOSTS_64), 64 << 20));
    });
    group.bench_function("all-to-all, 64 hosts, 4,032 flows", |b| {
        b.iter(|| fabric::all_to_all(black_box(HOSTS_64), 64 << 10));
    });
    group.bench_function("all-to-all, 256 hosts, 65,280 flows", |b| {
        b.iter(|| fabric::all_to_all(black_box(HOSTS_256), 64 << 10));
    });
    group.bench_function("random, 64 hosts, 20,000 flows", |b| {
        b.iter(|| fabric::random(black_box(HOSTS_64), 20_000, Share::CM02));
    });
    group.finish();
}

criterion_group!(benches, peers);
criterion_main!(benches);
