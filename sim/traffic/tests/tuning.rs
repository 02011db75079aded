//! NCCL's tuning model gives its choice on a table of sizes and nodes.
//!
//! The cells were worked out by hand from the constants of NCCL 2.30.7 (`src/graph/tuning.cc`), for
//! example for 1 KiB, in µs before bytes count:
//!
//! ```text
//! 8 H100 of one node    ring LL 6.6 + 14 · 0.6 = 15.0     tree LL 6.8 + 2 · 7 · 0.6 = 15.2   NVLS 25
//! 16 such nodes         ring LL 6.6 + 224 · 0.6 + 30 · 2.7 = 222
//!                       tree LL 6.8 + 2 (7 · 0.6 + 4 · 5) = 55.2, LL128 14 + 2 (7 · 1.25 + 4 · 8.5) = 99.5
//! 2 hosts of one GPU    ring LL 6.6 + 2 · 5 = 16.6        tree LL 6.8 + 2 · 5 = 16.8
//! ```
//!
//! and for 16 MiB in one node with 370.8 GB/s a GPU: NVLS 25 + 16 MiB / (370.8 · 0.775 · 5/6) = 95,
//! ring LL128 40.6 + 16 MiB · 7/4 / (370.8 · 0.92) = 127, ring Simple 56 + 16 MiB · 7/4 / 370.8 = 135.

use cluster::{Cluster, ClusterNetwork, Topology, example};
use profile::Algorithm::{Nvls, NvlsTree, Ring, Tree};
use profile::Protocol::{Ll, Ll128, Simple};
use profile::{Algorithm, Protocol};
use traffic::{Kind, Ranks, choose};
use units::{Bytes, HostId};

fn dgx_h100s(nodes: u32) -> Ranks {
    let network = ClusterNetwork::new(Cluster::build(&example::dgx_h100s(nodes)).expect("valid"));
    let gpus = network.n_nodes()..network.n_hosts();
    let gpus: Vec<HostId> = gpus.map(HostId::new).collect();
    Ranks::of_cluster(&network, &gpus)
}

fn single_gpus(n: u32) -> Ranks {
    let hosts: Vec<HostId> = (0..n).map(HostId::new).collect();
    Ranks::alone(&hosts)
}

fn assert_choices(ranks: &Ranks, table: &[(u32, Algorithm, Protocol)]) {
    for &(exponent, algorithm, protocol) in table {
        let choice = choose(ranks, Bytes::new(1 << exponent));
        let found = (choice.algorithm, choice.options.protocol);
        let place = format!("2^{exponent} bytes, {} ranks", ranks.n());
        assert_eq!(found, (algorithm, protocol), "{place}");
    }
}

#[test]
fn one_node_goes_from_a_ring_with_flags_to_nvls() {
    let table = [
        (10, Ring, Ll),
        (16, Ring, Ll),
        (18, Ring, Ll),
        (22, Nvls, Simple),
        (24, Nvls, Simple),
        (30, Nvls, Simple),
    ];
    assert_choices(&dgx_h100s(1), &table);
}

#[test]
fn several_nodes_go_from_trees_with_flags_to_nvls_and_trees() {
    let two = [
        (10, Tree, Ll),
        (16, Tree, Ll),
        (20, Tree, Ll128),
        (22, Tree, Ll128),
        (24, NvlsTree, Simple),
        (26, NvlsTree, Simple),
    ];
    assert_choices(&dgx_h100s(2), &two);
    let many = [
        (10, Tree, Ll),
        (16, Tree, Ll),
        (20, Tree, Ll128),
        (24, Tree, Ll128),
        (30, NvlsTree, Simple),
    ];
    for nodes in [4, 16, 64] {
        assert_choices(&dgx_h100s(nodes), &many);
    }
}

#[test]
fn single_gpus_go_from_trees_to_rings() {
    let two = [
        (10, Ring, Ll),
        (16, Ring, Ll),
        (20, Ring, Ll128),
        (24, Ring, Simple),
        (30, Ring, Simple),
    ];
    assert_choices(&single_gpus(2), &two);
    let many = [
        (10, Tree, Ll),
        (20, Tree, Ll128),
        (22, Tree, Ll128),
        (30, Ring, Simple),
    ];
    for n in [32, 256] {
        assert_choices(&single_gpus(n), &many);
    }
}

#[test]
fn small_sizes_take_the_latency_of_the_table() {
    let micros = |ranks: &Ranks| choose(ranks, Bytes::new(8)).time.as_micros();
    assert!((micros(&dgx_h100s(1)) - 15.0).abs() < 0.01);
    assert!((micros(&dgx_h100s(16)) - 55.2).abs() < 0.01);
    assert!((micros(&single_gpus(2)) - 16.6).abs() < 0.01);
}

#[test]
fn small_sizes_have_fewer_channels() {
    let choice = |bytes| choose(&dgx_h100s(16), Bytes::new(bytes));
    assert_eq!(choice(1 << 10).options.channels, 1);
    assert_eq!(choice(16 << 10).options.channels, 4);
    assert_eq!(choice(1 << 30).options.channels, 16);
    assert_eq!(choice(1 << 30).kind, Kind::NvlsTree);
}
