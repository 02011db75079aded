//! Single path with minimal splitting against ideal spraying: every link, up and down, carries the
//! same.

use cluster::{Cluster, ClusterNetwork, Topology, example};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use traffic::{Flow, Flows, Policy, Program, Route, Split, balance, sprayed_loads};
use units::{Bytes, HostId, SimTime};

/// A size that every number of ways in these tests divides.
const SIZE: u64 = 2520 * 11;

/// Flows of one size: each host to some others, the same number for all, by shifts as collectives
/// have them, or at random.
fn equal_flows(rng: &mut Pcg64Mcg, hosts: u32) -> Program {
    let mut flows = Vec::new();
    let mut add = |src: u32, dst: u32| {
        if src != dst {
            flows.push(Flow {
                src: HostId::new(src),
                dst: HostId::new(dst),
                bytes: Bytes::new(SIZE),
                start: SimTime::ZERO,
            });
        }
    };
    let rounds = rng.random_range(1..=hosts);
    let shifted: bool = rng.random();
    for round in 1..=rounds {
        for src in 0..hosts {
            let dst = if shifted {
                (src + round) % hosts
            } else {
                rng.random_range(0..hosts)
            };
            add(src, dst);
        }
    }
    Program::from(&Flows::new(flows, &[]).expect("nothing waits"))
}

/// What each link carries, piece by piece.
fn loads(topology: &impl Topology, program: &Program) -> Vec<u64> {
    let mut loads = vec![0; topology.n_links() as usize];
    for stream in program.streams() {
        let Route::Way(way) = stream.route else {
            panic!("a piece has one way, not {:?}", stream.route);
        };
        let mut links = Vec::new();
        topology.way(stream.src, stream.dst, way, &mut links);
        for link in links {
            loads[link.index()] += stream.bytes.as_u64();
        }
    }
    loads
}

#[test]
fn a_thousand_collectives_load_every_link_as_ideal_spraying_does() {
    let mut rng = Pcg64Mcg::seed_from_u64(7);
    for _ in 0..1000 {
        let (leaves, per_leaf) = (rng.random_range(2..6), rng.random_range(1..6));
        let spines = rng.random_range(1..11);
        let spec = example::hosts(leaves, per_leaf, spines, 100.0);
        let topology = ClusterNetwork::new(Cluster::build(&spec).expect("a cluster"));
        let program = equal_flows(&mut rng, leaves * per_leaf);
        let ideal = sprayed_loads(&topology, &program);
        for split in [Split::Equal, Split::Fewest] {
            let pieces = balance(&topology, &program, Policy::SinglePath(split), 1);
            for (link, (own, ideal)) in loads(&topology, &pieces.program)
                .iter()
                .zip(&ideal)
                .enumerate()
            {
                assert!(
                    (*own as f64 - ideal).abs() < 1e-6 * SIZE as f64,
                    "{leaves} x {per_leaf} x {spines}, {split:?}: link {link} carries {own}, not {ideal}"
                );
            }
        }
    }
}

#[test]
fn one_flow_more_than_there_are_spines_is_cut_once_for_each_spine() {
    let spec = example::hosts(2, 5, 4, 100.0);
    let topology = ClusterNetwork::new(Cluster::build(&spec).expect("a cluster"));
    let flows = (0..5).map(|host| Flow {
        src: HostId::new(host),
        dst: HostId::new(5 + host),
        bytes: Bytes::new(SIZE),
        start: SimTime::ZERO,
    });
    let program = Program::from(&Flows::new(flows.collect(), &[]).expect("nothing waits"));
    for split in [Split::Equal, Split::Fewest] {
        let pieces = balance(&topology, &program, Policy::SinglePath(split), 1);
        assert_eq!(pieces.n_extra_pieces(5), 3, "{split:?}");
    }
}
