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
use traffic::{Choice, Kind, Ranks, Tuned, Wishes};
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

fn choose(kind: Kind, ranks: &Ranks, bytes: u64) -> Choice {
    traffic::choose(kind, ranks, Bytes::new(bytes), &Wishes::default())
}

fn all_reduce(ranks: &Ranks, bytes: u64) -> Choice {
    choose(Kind::AllReduce, ranks, bytes)
}

fn tuned(choice: &Choice) -> Tuned {
    choice.tuned.expect("NCCL tunes it")
}

fn assert_choices(ranks: &Ranks, table: &[(u32, Algorithm, Protocol)]) {
    for &(exponent, algorithm, protocol) in table {
        let choice = all_reduce(ranks, 1 << exponent);
        let found = (tuned(&choice).algorithm, choice.options.protocol);
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
    let micros = |ranks: &Ranks| tuned(&all_reduce(ranks, 8)).time.as_micros();
    assert!((micros(&dgx_h100s(1)) - 15.0).abs() < 0.01);
    assert!((micros(&dgx_h100s(16)) - 55.2).abs() < 0.01);
    assert!((micros(&single_gpus(2)) - 16.6).abs() < 0.01);
}

#[test]
fn small_sizes_have_fewer_channels() {
    let choice = |bytes| all_reduce(&dgx_h100s(16), bytes);
    assert_eq!(choice(1 << 10).options.channels, 1);
    assert_eq!(choice(16 << 10).options.channels, 4);
    assert_eq!(choice(1 << 30).options.channels, 16);
    assert_eq!(choice(1 << 30).kind, Kind::NvlsTree);
}

#[test]
fn an_all_gather_goes_from_rings_with_flags_to_plain_rings() {
    let way = |ranks: &Ranks, bytes| {
        let choice = choose(Kind::AllGather, ranks, bytes);
        (
            choice.kind,
            tuned(&choice).algorithm,
            choice.options.protocol,
        )
    };
    let four = dgx_h100s(4);
    assert_eq!(way(&four, 1 << 16), (Kind::AllGather, Ring, Ll));
    assert_eq!(way(&four, 1 << 24), (Kind::AllGather, Ring, Ll128));
    assert_eq!(way(&four, 1 << 30), (Kind::AllGather, Ring, Simple));
    assert_eq!(choose(Kind::AllGather, &four, 1 << 30).options.channels, 16);
}

#[test]
fn wishes_are_heeded_where_nccl_has_the_way() {
    let ranks = dgx_h100s(4);
    let with = |kind, algorithm, protocol, channels| {
        let wishes = Wishes {
            algorithm,
            protocol,
            channels,
            collnet: false,
        };
        traffic::choose(kind, &ranks, Bytes::new(1 << 30), &wishes)
    };
    let all_reduce = with(Kind::AllReduce, Some(Ring), Some(Ll), Some(4));
    assert_eq!(all_reduce.kind, Kind::RingChannels);
    assert_eq!(all_reduce.options.protocol, Ll);
    assert_eq!(all_reduce.options.channels, 4);
    // Eight GPUs a node have no PAT.
    let gather = with(Kind::AllGather, Some(Algorithm::Pat), None, None);
    assert_eq!(tuned(&gather).algorithm, Ring);
    let one = Wishes {
        algorithm: Some(Nvls),
        ..Wishes::default()
    };
    let nvls = traffic::choose(Kind::AllGather, &dgx_h100s(1), Bytes::new(1 << 30), &one);
    assert_eq!(nvls.kind, Kind::AllGatherNvls);
    // What is named by its way keeps it, over NCCL's channels.
    let trees = with(Kind::DoubleTree, Some(Ring), None, None);
    assert_eq!((trees.kind, trees.options.channels), (Kind::DoubleTree, 16));
    assert_eq!(trees.tuned, None);
    // Messages between pairs have neither.
    let pairs = with(Kind::AllToAll, None, Some(Ll), None);
    assert_eq!(pairs.options.protocol, Simple);
}
