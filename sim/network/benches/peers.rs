//! The workloads on which peers were timed.
//!
//! What they take, and what `SimGrid` takes, is in `docs/performance.md`.

#[path = "../tests/fabric/mod.rs"]
mod fabric;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fabric::LeafSpine;
use network::{Share, fold};
use units::{BytesPerSec, LinkId};

const HOSTS_64: LeafSpine = LeafSpine {
    per_leaf: 16,
    leaves: 4,
    spines: 16,
};

const HOSTS_256: LeafSpine = LeafSpine {
    leaves: 16,
    ..HOSTS_64
};

const HOSTS_1024: LeafSpine = LeafSpine {
    per_leaf: 32,
    leaves: 32,
    spines: 32,
};

fn peers(c: &mut Criterion) {
    let mut group = c.benchmark_group("leaf-spine");
    group.sample_size(10);
    group.bench_function("permutation, 64 hosts, 64 flows", |b| {
        b.iter(|| fabric::permutation(black_box(HOSTS_64), 4 << 20));
    });
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
    group.bench_function("ring all-reduce, 1,024 hosts, 2.1 million flows", |b| {
        b.iter(|| fabric::ring(black_box(HOSTS_1024), 16 << 20));
    });
    group.bench_function("all-to-all, 1,024 hosts, 1.05 million flows", |b| {
        b.iter(|| fabric::all_to_all(black_box(HOSTS_1024), 64 << 10));
    });
    group.finish();
}

/// The ring of 16,384 GPUs: 2,048 nodes of eight NICs on rails, six links a flow.
fn folding(c: &mut Criterion) {
    let flows = rails(2048, 8, 32);
    let n_links = flows
        .iter()
        .flat_map(|(_, links)| links)
        .map(|link| link.index() + 1)
        .max()
        .unwrap_or(0);
    let rate = BytesPerSec::from_gbits(400.0).expect("positive");
    let mut rates = vec![rate; n_links];
    c.bench_function("fold 16,384 flows of 6 links", |b| {
        b.iter(|| fold(black_box(&flows), &rates));
    });
    rates[100] = BytesPerSec::from_gbits(200.0).expect("positive");
    c.bench_function("fold 16,384 flows of 6 links, one of them slow", |b| {
        b.iter(|| fold(black_box(&flows), &rates));
    });
}

/// A ring over nodes, NIC `r` to NIC `r`: out of the GPU, the NIC, up to a spine, down, in.
fn rails(nodes: u32, nics: u32, per_leaf: u32) -> Vec<(u32, Vec<LinkId>)> {
    let gpus = nodes * nics;
    let leaves = nodes / per_leaf * nics;
    let spines = per_leaf;
    let mut flows = Vec::new();
    for gpu in 0..gpus {
        let (node, nic) = (gpu / nics, gpu % nics);
        let next = (node + 1) % nodes * nics + nic;
        let leaf = |node: u32| (node / per_leaf * nics + nic) * spines + node % spines;
        let up = 4 * gpus + leaf(node);
        let down = 4 * gpus + leaves * spines + leaf((node + 1) % nodes);
        let path = [gpu, gpus + gpu, up, down, 2 * gpus + next, 3 * gpus + next];
        flows.push((0, path.into_iter().map(LinkId::new).collect()));
    }
    flows
}

criterion_group!(benches, peers, folding);
criterion_main!(benches);
