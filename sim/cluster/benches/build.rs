//! How long a cluster takes to build, and how many routes and ways a second it computes.
//!
//! On one core of a shared server (criterion, release build): 1,024 GPUs on rails in 0.1 ms, 16,384
//! in 0.6 ms, 100,000 in 3.4 ms; 100,000 hosts in a fat tree of three levels in 31 ms, 12,500 nodes
//! with eight GPUs in another in 31 ms, 100,000 hosts on a torus of 48³ routers in 90 ms and on a
//! dragonfly in 29 ms, all within 33 to 51 MB. 21 to 22 million routes a second on 16,384 GPUs of
//! an idle core. Of ways between GPUs, counted and then written out, on a busy core: 0.9 to 1.2
//! million a second in fat trees, 0.96 on the dragonfly (9 links each), 0.3 on the torus (41 links).

use std::hint::black_box;

use cluster::{
    Cluster, ClusterNetwork, ClusterSpec, FabricKind, FabricSpec, RouterSpec, Topology, example,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use units::{GpuId, HostId, LinkId};

fn build(c: &mut Criterion) {
    for nodes in [128, 2048, 12_500] {
        let spec = example::dgx_h100s(nodes);
        c.bench_function(&format!("build/{nodes} x dgx-h100"), |b| {
            b.iter(|| Cluster::build(black_box(&spec)).expect("the example is sound"));
        });
    }
    for (name, spec) in hundred_thousand() {
        c.bench_function(&format!("build/{name}"), |b| {
            b.iter(|| Cluster::build(black_box(&spec)).expect("the example is sound"));
        });
    }
}

/// Fabrics with 100,000 hosts of one NIC, and 100,000 GPUs with one NIC each.
fn hundred_thousand() -> Vec<(&'static str, ClusterSpec)> {
    let host = || example::hosts(1, 1, 1, 400.0).groups[0].node.clone();
    let tree = |nodes_per_leaf| FabricSpec {
        nodes_per_leaf,
        groups_per_pod: Some(32),
        ..example::fabric(FabricKind::FatTree)
    };
    let routers = |kind, routers| FabricSpec {
        routers,
        ..example::fabric(kind)
    };
    let torus = RouterSpec {
        dimensions: vec![48, 48, 48],
        ..RouterSpec::default()
    };
    let dragonfly = RouterSpec {
        nodes_per_router: Some(16),
        groups: Some(200),
        per_group: Some(32),
        global_links: Some(16),
        ..RouterSpec::default()
    };
    vec![
        (
            "fat tree of hosts",
            example::cluster(host(), 100_000, tree(32)),
        ),
        (
            "fat tree of dgx-h100",
            example::cluster(example::dgx_h100(), 12_500, tree(4)),
        ),
        (
            "torus of hosts",
            example::cluster(host(), 100_000, routers(FabricKind::Torus, torus)),
        ),
        (
            "dragonfly of hosts",
            example::cluster(host(), 100_000, routers(FabricKind::Dragonfly, dragonfly)),
        ),
    ]
}

fn ways(c: &mut Criterion) {
    const WAYS: u32 = 10_000;
    let mut group = c.benchmark_group("ways");
    group.throughput(Throughput::Elements(u64::from(WAYS)));
    for (name, spec) in hundred_thousand() {
        let cluster = Cluster::build(&spec).expect("the example is sound");
        let network = ClusterNetwork::new(cluster);
        let (first, hosts) = (network.n_nodes(), network.n_hosts() - network.n_nodes());
        group.bench_function(name, |b| {
            let mut path: Vec<LinkId> = Vec::new();
            b.iter(|| {
                for i in 0..WAYS {
                    path.clear();
                    let [from, to] = [7919, 104_729].map(|step| first + i * step % hosts);
                    let (from, to) = (HostId::new(from), HostId::new(to));
                    let count = network.n_ways(from, to).max(1);
                    network.way(from, to, i % count, &mut path);
                    black_box(&path);
                }
            });
        });
    }
    group.finish();
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

criterion_group!(benches, build, route, ways);
criterion_main!(benches);
