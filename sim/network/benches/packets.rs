//! The workloads on which the packet engine was timed against htsim.
//!
//! What they take, and what htsim takes, is in `docs/performance.md`. Simulated times beside htsim's:
//! `cargo run --release -p network --example htsim_rows`.

#[path = "../tests/packets/net.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod net;

use criterion::{Criterion, criterion_group, criterion_main};
use net::{hosts, message, network, run};
use network::packet::{Balancing, Config, Transport};
use units::SimTime;

const MIB: u64 = 1 << 20;

fn permutations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("permutation");
    group.sample_size(10);
    for [leaves, per_leaf, spines, mib] in [[8, 8, 8, 64], [32, 32, 32, 16]] {
        let topology = hosts(leaves, per_leaf, spines);
        let n = leaves * per_leaf;
        group.bench_function(format!("{n} hosts, {mib} MiB"), |bencher| {
            bencher.iter(|| {
                let config = Config::new(Transport::Uec, Balancing::Mixed);
                let mut net = network(&topology, config);
                for src in 0..n {
                    let message = message(src, (src + n / 2) % n, u64::from(mib) * MIB);
                    net.submit(SimTime::ZERO, message).expect("hosts exist");
                }
                run(&mut net).len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, permutations);
criterion_main!(benches);
