//! Closed forms against each other, against published cases and against bounds.

use cluster::{Cluster, FabricKind, FabricSpec, example};
use collective::textbook::{self, Link};
use collective::{Choice, CommShape, Priced, pair_shape, regular_shape, shape, time};
use profile::{Algorithm, CollectiveKind, CommProfile, LatencyTable, Protocol};
use proptest::prelude::*;
use units::{Bytes, BytesPerSec, GpuId, Seconds};

fn gbytes(rate: f64) -> BytesPerSec {
    BytesPerSec::from_gbytes(rate).expect("positive")
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

/// Constants under which a ring is the one of the textbook: every step takes `micros`, nothing
/// is lost to protocols.
fn plain(micros: f64) -> CommProfile {
    let mut comm = CommProfile::nccl();
    let table = |ring: f64| LatencyTable {
        tree: [ring; 3],
        ring: [ring; 3],
        collnet_direct: ring,
        collnet_chain: ring,
        nvls: ring,
        nvls_tree: ring,
        pat: ring,
    };
    comm.tuning.base_us = table(0.0);
    comm.tuning.ring_plateau = 1.0;
    for entry in &mut comm.scale_up {
        entry.hop_us = table(micros);
        entry.efficiency = 1.0;
        (entry.overhead_us, entry.ramp_us) = (0.0, 0.0);
    }
    for entry in &mut comm.network {
        entry.hop_us = table(micros);
        entry.efficiency = 1.0;
        entry.nic_us = 0.0;
    }
    comm
}

const RING: Choice = Choice {
    algorithm: Some(Algorithm::Ring),
    protocol: Some(Protocol::Simple),
    collnet: false,
    without_nvls: false,
};

#[test]
fn a_ring_all_reduce_is_the_textbooks() {
    let comm = plain(7.0);
    let link = Link {
        latency: Seconds::from_micros(7.0),
        rate: gbytes(25.0),
    };
    for n in [2, 3, 8, 64, 1000] {
        let shapes = [
            CommShape::hosts(n, link.rate, comm.network_of(None, "")),
            CommShape::domain(n, link.rate, 0),
        ];
        for (shape, bytes) in shapes.iter().zip([1_000, 1 << 30]) {
            let bytes = Bytes::new(bytes);
            let priced = |kind| {
                Priced::new(kind, shape, &comm, &RING)
                    .time(bytes)
                    .time
                    .as_secs()
            };
            let expected = textbook::ring_all_reduce(n, bytes, link).as_secs();
            assert!(close(priced(CollectiveKind::AllReduce), expected, 1e-12));
            let half = textbook::ring_reduce_scatter(n, bytes, link).as_secs();
            assert!(close(priced(CollectiveKind::ReduceScatter), half, 1e-12));
            assert!(close(priced(CollectiveKind::AllGather), half, 1e-12));
            let n = f64::from(n);
            let by_hand = 2.0 * (n - 1.0) * 7e-6 + 2.0 * (n - 1.0) / n * bytes.as_f64() / 25e9;
            assert!(close(expected, by_hand, 1e-12));
        }
    }
}

#[test]
fn a_star_beats_a_ring_exactly_above_the_crossover() {
    let (bytes, rate) = (Bytes::new(64 << 10), gbytes(0.125));
    for n in [3, 4, 8, 20] {
        let crossover = textbook::star_crossover(n, bytes, rate).unwrap();
        for (factor, star_wins) in [(0.999, false), (1.001, true)] {
            let link = Link {
                latency: crossover * factor,
                rate,
            };
            let star = textbook::star_all_reduce(n, bytes, link);
            let ring = textbook::ring_all_reduce(n, bytes, link);
            assert_eq!(star < ring, star_wins, "n = {n}");
        }
    }
    assert_eq!(textbook::star_crossover(2, bytes, rate), None);
}

#[test]
fn token_ring_moves_half_of_ring_attention_and_loses_beyond_a_grouping_of_two() {
    // TokenRing (arXiv 2412.20501), 4 A10 on PCIe, 24,000 tokens, 32 heads of 128, two bytes: a
    // step of ring attention took 7.6 ms, TokenRing's first ones 3.5 ms.
    let link = |gbytes_per_s| Link {
        latency: Seconds::ZERO,
        rate: gbytes(gbytes_per_s),
    };
    let ring = textbook::ring_attention_step(4, 24_000, 4096, 2.0, link(12.9));
    let token = textbook::token_ring_step(4, 24_000, 4096, 2.0, link(14.0));
    assert!(close(ring.as_millis(), 7.6, 0.01), "{}", ring.as_millis());
    assert!(close(token.as_millis(), 3.5, 0.01), "{}", token.as_millis());
    let step = |kv_width| textbook::ring_attention_step(4, 24_000, kv_width, 2.0, link(14.0));
    assert_eq!(step(2048), token);
    assert!(step(1024) < token);
}

#[test]
fn a_shift_round_a_ring_is_a_send_of_every_rank() {
    let mut comm = plain(0.0);
    let pcie = comm.scale_up_of(profile::ScaleUpKind::Pcie, "Ampere");
    comm.scale_up[usize::from(pcie)].send_efficiency = 1.0;
    let shape = CommShape::domain(4, gbytes(12.9), pcie);
    let step = time(
        CollectiveKind::SendRecv,
        Bytes::new(98_304_000),
        &shape,
        &comm,
    );
    assert!(close(step.time.as_millis(), 7.62, 0.001), "{step:?}");
}

#[test]
fn trees_and_doubling_have_logarithmic_latency() {
    let link = Link {
        latency: Seconds::from_micros(5.0),
        rate: gbytes(50.0),
    };
    let none = Bytes::ZERO;
    assert!(close(
        textbook::double_tree_all_reduce(1024, none, 1, link).as_micros(),
        100.0,
        1e-12
    ));
    assert!(close(
        textbook::halving_doubling_all_reduce(1024, none, link).as_micros(),
        100.0,
        1e-12
    ));
    assert!(close(
        textbook::recursive_all_gather(1024, none, link).as_micros(),
        50.0,
        1e-12
    ));
    assert!(close(
        textbook::chain_broadcast(5, none, 1, link).as_micros(),
        20.0,
        1e-12
    ));
    let large = Bytes::from_gib(1.0);
    let bound = 2.0 * 1023.0 / 1024.0 * large.as_f64() / 50e9;
    let doubling = textbook::halving_doubling_all_reduce(1024, large, link).as_secs();
    assert!(close(doubling, bound + 100e-6, 1e-9));
    let tree = textbook::double_tree_all_reduce(1024, large, 4096, link).as_secs();
    assert!(tree < bound * 1.05 + 0.05, "{tree}");
}

#[test]
fn a_hierarchy_uses_every_nic_where_a_flat_ring_has_one() {
    let inside = Link {
        latency: Seconds::ZERO,
        rate: gbytes(300.0),
    };
    let outside = Link {
        latency: Seconds::ZERO,
        rate: gbytes(25.0),
    };
    let bytes = Bytes::new(8 << 30);
    let hierarchy = textbook::hierarchical_all_reduce(8, 16, bytes, inside, outside).as_secs();
    let expected = bytes.as_f64() * (2.0 * 7.0 / 8.0 / 300e9 + 2.0 * 15.0 / 16.0 / 8.0 / 25e9);
    assert!(close(hierarchy, expected, 1e-9));
}

#[test]
fn equal_groups_have_the_shape_that_all_their_routes_give() {
    let comm = CommProfile::nccl();
    let dgx = Cluster::build(&example::dgx_h100s(64)).unwrap();
    let v100 = example::cluster(example::dgx_1v(), 8, example::fabric(FabricKind::LeafSpine));
    let v100 = Cluster::build(&v100).unwrap();
    for (cluster, size, stride) in [
        (&dgx, 8, 1),
        (&dgx, 2, 1),
        (&dgx, 16, 1),
        (&dgx, 512, 1),
        (&dgx, 64, 8),
        (&dgx, 16, 4),
        (&dgx, 8, 64),
        (&v100, 8, 8),
        (&v100, 64, 1),
        (&v100, 4, 2),
    ] {
        let group = |first: usize| -> Vec<GpuId> {
            (0..size)
                .map(|k| GpuId::from_index(first + k * stride))
                .collect()
        };
        let siblings: Vec<_> = (1..stride).map(group).collect();
        let exact = shape(cluster, &comm, &group(0), &siblings);
        let regular = regular_shape(cluster, &comm, size, stride);
        let rates = |shape: CommShape| [shape.intra, shape.ring, shape.trees, shape.pairs];
        for (a, b) in rates(exact).into_iter().zip(rates(regular)) {
            assert!(
                close(a.as_f64(), b.as_f64(), 1e-9),
                "{size}, {stride}: {exact:?} {regular:?}"
            );
        }
        assert_eq!(
            (exact.ranks, exact.domains, exact.rails),
            (regular.ranks, regular.domains, regular.rails)
        );
    }
}

#[test]
fn siblings_share_nics_and_oversubscribed_uplinks() {
    let comm = CommProfile::nccl();
    let spec = example::cluster(example::dgx_1v(), 4, example::fabric(FabricKind::LeafSpine));
    let cluster = Cluster::build(&spec).unwrap();
    // Eight groups of a GPU a node over four NICs of 12.5 GB/s: half a NIC each.
    let shape = regular_shape(&cluster, &comm, 4, 8);
    assert!(close(shape.ring.as_gbytes(), 6.25, 1e-9), "{shape:?}");
    assert!(close(shape.pairs.as_gbytes(), 6.25, 1e-9));
    let shape = regular_shape(&cluster, &comm, 32, 1);
    assert!(close(shape.ring.as_gbytes(), 50.0, 1e-9));
    // Leaves of two nodes with a quarter of the capacity above them: a ring in the order of the
    // nodes leaves each once for two hops, an all-to-all with two thirds of its traffic.
    let fabric = FabricSpec {
        nodes_per_leaf: 2,
        oversubscription: vec![4.0],
        ..example::fabric(FabricKind::LeafSpine)
    };
    let cluster = Cluster::build(&example::cluster(example::dgx_1v(), 4, fabric)).unwrap();
    let shape = regular_shape(&cluster, &comm, 32, 1);
    assert!(shape.ring.as_gbytes() <= 25.0 + 1e-9, "{shape:?}");
    assert!(
        close(shape.pairs.as_gbytes(), 25.0 / 16.0 * 24.0 / 16.0, 1e-9),
        "{shape:?}"
    );
}

#[test]
fn an_all_to_all_on_a_torus_fills_the_rings_of_its_routers() {
    // 4 x 4 hosts, dimension by dimension, both sides of a ring equal at distance two: upward. Along
    // a ring of four a host goes 3 links up to its three others, so 12 pairs meet on a link; each
    // of the 15 messages of a rank has a twelfth of it.
    let comm = CommProfile::nccl();
    let mut spec = example::hosts(1, 16, 1, 100.0);
    spec.fabric = FabricSpec {
        link_rate: BytesPerSec::from_gbits(25.0),
        ..example::fabric(FabricKind::Torus)
    };
    spec.fabric.routers.nodes_per_router = None;
    spec.fabric.routers.dimensions = vec![4, 4];
    let cluster = Cluster::build(&spec).unwrap();
    let all: Vec<_> = cluster.gpus().collect();
    let expected = 3.125 * 15.0 / 12.0;
    for found in [
        shape(&cluster, &comm, &all, &[]),
        regular_shape(&cluster, &comm, 16, 1),
    ] {
        assert!(close(found.pairs.as_gbytes(), expected, 1e-9), "{found:?}");
    }
    // Rings in the order of the hosts: where a row ends, the message goes on over two links.
    let ring = regular_shape(&cluster, &comm, 16, 1).ring;
    assert!(ring.as_gbytes() <= 3.125 + 1e-9);
}

#[test]
fn a_group_of_one_and_a_size_of_nothing_have_their_floor() {
    let comm = CommProfile::nccl();
    let one = CommShape::domain(1, gbytes(450.0), 1);
    for kind in CollectiveKind::ALL {
        assert_eq!(
            time(kind, Bytes::from_gib(1.0), &one, &comm).time,
            Seconds::ZERO
        );
        let eight = CommShape::domain(8, gbytes(450.0), 1);
        let nothing = time(kind, Bytes::ZERO, &eight, &comm);
        assert_eq!(nothing.time, nothing.latency);
        assert!(nothing.time.as_micros() > 5.0, "{kind:?}");
    }
}

#[test]
fn mixed_nodes_are_as_slow_as_the_slowest() {
    let comm = CommProfile::nccl();
    let mut spec = example::cluster(example::dgx_h100(), 1, example::fabric(FabricKind::Single));
    let slow = example::cluster(
        example::g4dn_metal(),
        1,
        example::fabric(FabricKind::Single),
    );
    spec.groups.extend(slow.groups);
    let cluster = Cluster::build(&spec).unwrap();
    let group: Vec<_> = cluster.gpus().collect();
    let shape = shape(&cluster, &comm, &group, &[]);
    assert_eq!(
        (shape.ranks, shape.domains, shape.per_domain, shape.rails),
        (16, 2, 8, 1)
    );
    assert_eq!(comm.scale_up[usize::from(shape.scale_up)].name, "pcie");
    assert!(shape.ring.as_gbytes() <= 12.5 + 1e-9, "{shape:?}");
    // Six T4 and two H100 form groups of unequal domains.
    let uneven: Vec<_> = (2..10).map(GpuId::new).collect();
    let shape = collective::shape(&cluster, &comm, &uneven, &[]);
    assert_eq!((shape.per_domain, shape.fewest), (6, 2));
}

#[test]
fn a_domain_of_many_nodes_needs_no_network() {
    let comm = CommProfile::nccl();
    let mut node = example::dgx_h100();
    node.scale_up = cluster::ScaleUpSpec::NvSwitch {
        rate: gbytes(900.0),
        latency: Seconds::from_secs(250e-9),
        domain_nodes: 9,
    };
    let spec = example::cluster(node, 9, example::fabric(FabricKind::Single));
    let cluster = Cluster::build(&spec).unwrap();
    let group: Vec<_> = cluster.gpus().collect();
    let shape = shape(&cluster, &comm, &group, &[]);
    assert_eq!((shape.ranks, shape.domains), (72, 1));
    let cost = time(
        CollectiveKind::AllReduce,
        Bytes::from_gib(1.0),
        &shape,
        &comm,
    );
    assert_eq!(cost.algorithm, Algorithm::Nvls);
}

#[test]
fn a_choice_is_obeyed_where_it_can_be() {
    use Algorithm::{Nvls, Pairs, Ring, Tree};
    use Protocol::{Ll, Simple};

    let comm = CommProfile::nccl();
    let shape = CommShape::domain(
        8,
        gbytes(450.0),
        comm.scale_up_of(profile::ScaleUpKind::NvSwitch, "Hopper"),
    );
    let run = |kind, algorithm, protocol| {
        let choice = Choice {
            algorithm,
            protocol,
            collnet: false,
            without_nvls: false,
        };
        let cost = Priced::new(kind, &shape, &comm, &choice).time(Bytes::from_gib(1.0));
        (cost.algorithm, cost.protocol)
    };
    assert_eq!(run(CollectiveKind::AllReduce, None, None), (Nvls, Simple));
    assert_eq!(
        run(CollectiveKind::AllReduce, Some(Tree), Some(Ll)),
        (Tree, Ll)
    );
    assert_eq!(
        run(CollectiveKind::AllReduce, Some(Nvls), Some(Ll)),
        (Nvls, Simple)
    );
    assert_eq!(
        run(CollectiveKind::AllGather, Some(Tree), None),
        (Ring, Simple)
    );
    assert_eq!(
        run(CollectiveKind::AllToAll, Some(Tree), None),
        (Pairs, Simple)
    );
}

#[test]
fn a_ramp_adds_a_square_root() {
    let mut comm = plain(1.0);
    comm.scale_up[0].ramp_us = 16.0;
    let shape = CommShape::domain(2, gbytes(1.0), 0);
    let cost = Priced::new(CollectiveKind::AllGather, &shape, &comm, &RING);
    // 2 MB, half of which travels at 1 GB/s: 1 ms, and √(16 µs · 1 ms).
    let micros = cost.time(Bytes::new(2_000_000)).time.as_micros();
    assert!(close(micros, 1.0 + 1000.0 + 126.491_106, 1e-6), "{micros}");
}

fn shapes() -> impl Strategy<Value = CommShape> {
    let comm = CommProfile::nccl();
    let entries = u8::try_from(comm.scale_up.len()).expect("few");
    let networks = u8::try_from(comm.network.len()).expect("few");
    let parts = (
        1_u32..40,
        1_u32..17,
        1.0..900.0,
        1.0..800.0,
        0..entries,
        0..networks,
    );
    parts.prop_map(
        |(domains, per_domain, intra, nics, scale_up, network)| CommShape {
            ranks: domains * per_domain,
            domains,
            per_domain,
            fewest: per_domain,
            lanes: 1,
            rails: per_domain.min(8),
            intra: gbytes(intra),
            ring: gbytes(nics),
            trees: gbytes(nics / 2.0),
            pairs: gbytes(nics / f64::from(per_domain)),
            scale_up,
            network,
            pace: 1.0,
            skew: 0.0,
        },
    )
}

proptest! {
    #[test]
    fn more_bytes_never_take_less_time(shape in shapes(), bytes in 0_u64..1 << 34, more in 0_u64..1 << 32) {
        let comm = CommProfile::nccl();
        for kind in CollectiveKind::ALL {
            let cost = |bytes| time(kind, Bytes::new(bytes), &shape, &comm).time;
            prop_assert!(cost(bytes) <= cost(bytes + more) * (1.0 + 1e-12), "{kind:?}");
        }
    }

    #[test]
    fn no_collective_beats_its_bandwidth_bound(shape in shapes(), bytes in 1_u64..1 << 36) {
        let comm = CommProfile::nccl();
        let bytes = Bytes::new(bytes);
        prop_assume!(shape.ranks > 1);
        for kind in CollectiveKind::ALL {
            let cost = time(kind, bytes, &shape, &comm);
            prop_assert!(cost.time.is_finite() && Seconds::ZERO < cost.latency);
            prop_assert!(cost.latency <= cost.time);
            // What a rank must receive enters over its links of both kinds; NVSwitches reduce.
            let links = shape.intra.as_f64().max(shape.ring.as_f64());
            let least = (1.0 - 1.0 / f64::from(shape.ranks)) * bytes.as_f64() / (2.0 * links);
            prop_assert!(least <= cost.time.as_secs(), "{kind:?} {cost:?}");
        }
    }
}

#[test]
fn messages_cost_the_same_by_the_shape_of_their_pair() {
    let comm = CommProfile::nccl();
    let cluster = Cluster::build(&example::dgx_h100s(4)).expect("a known cluster");
    let gpu = |number: u32| GpuId::new(number);
    for far in [1, 8, 9, 17] {
        let pairs: Vec<[GpuId; 2]> = (0..7).map(|at| [gpu(at), gpu(at + far)]).collect();
        let others: Vec<Vec<GpuId>> = pairs[1..].iter().map(|pair| pair.to_vec()).collect();
        let whole = shape(&cluster, &comm, &pairs[0], &others);
        let pair = pair_shape(&cluster, &comm, pairs[0], &pairs[1..]);
        for bytes in [1_u64, 1 << 16, 1 << 27] {
            let cost = |shape: &CommShape| {
                let kind = CollectiveKind::SendRecv;
                Priced::new(kind, shape, &comm, &Choice::default()).time(Bytes::new(bytes))
            };
            assert_eq!(cost(&pair), cost(&whole), "{far} GPUs away, {bytes} bytes");
        }
    }
}
