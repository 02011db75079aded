//! Programs on the flow engine, on leaf-spine fabrics of 100 Gbit/s and 1 µs a link that never
//! block.
//!
//! | workload | time |
//! |---|---|
//! | ring all-reduce of 16 MiB, 1,024 hosts, folded | 51 ms |
//! | the same, 2.1 million messages one by one | 1.1 s |
//! | all-to-all, 1,024 hosts, made and folded | 1.3 s |
//! | double tree of 64 MiB, 1,024 hosts, 0.8 million messages | 2.0 s |
//! | random pairs, 20,000 flows, 64 hosts | 0.29 s |
//! | random pairs, 1 million flows, 1,024 hosts | 48 s |
//!
//! One core of a shared two-core machine.

use std::hint::black_box;

use cluster::{Cluster, ClusterNetwork, example};
use criterion::{Criterion, criterion_group, criterion_main};
use network::Share;
use traffic::{Flow, Flows, Keep, Kind, Outcome, Program, collective, run, run_folded};
use units::{Bytes, Control, HostId, Seconds, SimTime};

fn fabric(leaves: u32, hosts: u32, spines: u32) -> ClusterNetwork {
    let spec = example::hosts(leaves, hosts, spines, 100.0);
    ClusterNetwork::new(Cluster::build(&spec).expect("valid"))
}

fn hosts(n: u32) -> Vec<HostId> {
    (0..n).map(HostId::new).collect()
}

/// Random pairs at load 0.6: uniform starts, 64 KiB to 4 MiB and a little more.
///
/// The draws are those of the linear congruential generator with Knuth's constants, seeded with
/// Marsaglia's xorshift seed, in the order source, offset of the destination, size, start.
fn random(hosts: u32, flows: u32) -> Program {
    let mut state = 88_172_645_463_325_252_u64;
    let mut draw = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 32).expect("32 bits")
    };
    let mean = 65_536.0 + 2_097_152.0;
    let horizon = f64::from(flows) * mean * 8.0 / (f64::from(hosts) * 100e9 * 0.6);
    let mut list: Vec<Flow> = (0..flows)
        .map(|_| {
            let src = draw() % hosts;
            let dst = (src + 1 + draw() % (hosts - 1)) % hosts;
            let bytes = 65_536 + u64::from(draw() % 4_194_304);
            let start = Seconds::from_secs(f64::from(draw()) / 4_294_967_296.0 * horizon);
            Flow {
                src: HostId::new(src),
                dst: HostId::new(dst),
                bytes: Bytes::new(bytes),
                start: SimTime::ZERO.after(start).expect("in range"),
            }
        })
        .collect();
    list.sort_by_key(|flow| flow.start);
    Program::from(&Flows::new(list, &[]).expect("nothing waits"))
}

fn whole(network: &ClusterNetwork, program: &Program, share: Share) -> Outcome {
    run(network, program, share, Keep::Totals, &Control::new()).expect("runs")
}

fn folded(network: &ClusterNetwork, program: &Program) -> Outcome {
    let control = Control::new();
    run_folded(network, program, Share::EQUAL, Keep::Totals, &control).expect("runs")
}

fn collectives(c: &mut Criterion) {
    let network = fabric(32, 32, 32);
    let hosts = hosts(1024);
    let mut group = c.benchmark_group("1,024 hosts");
    group.sample_size(10);
    let ring = collective(Kind::Ring, &hosts, Bytes::new(16 << 20));
    group.bench_function("ring, folded", |b| {
        b.iter(|| folded(&network, black_box(&ring)));
    });
    group.bench_function("ring, 2.1 million messages", |b| {
        b.iter(|| whole(&network, black_box(&ring), Share::EQUAL));
    });
    let pairs = Bytes::new(64 << 10);
    group.bench_function("all-to-all, made and folded", |b| {
        b.iter(|| {
            folded(
                &network,
                &collective(Kind::AllToAll, &hosts, black_box(pairs)),
            )
        });
    });
    let tree = collective(Kind::DoubleTree, &hosts, Bytes::new(64 << 20));
    group.bench_function("double tree", |b| {
        b.iter(|| folded(&network, black_box(&tree)));
    });
    group.finish();
}

fn random_pairs(c: &mut Criterion) {
    let share = Share {
        gamma: None,
        ..Share::CM02
    };
    let mut group = c.benchmark_group("random");
    group.sample_size(10);
    let network = fabric(4, 16, 16);
    let program = random(64, 20_000);
    group.bench_function("20,000 flows, 64 hosts", |b| {
        b.iter(|| whole(&network, black_box(&program), share));
    });
    let network = fabric(32, 32, 32);
    let program = random(1024, 1_000_000);
    group.bench_function("1 million flows, 1,024 hosts", |b| {
        b.iter(|| whole(&network, black_box(&program), share));
    });
    group.finish();
}

criterion_group!(benches, collectives, random_pairs);
criterion_main!(benches);
