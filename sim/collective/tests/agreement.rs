//! The closed form of a collective and its transfers on the flow engine take equally long on a
//! fabric that never blocks.

use cluster::{Cluster, FabricKind, example};
use collective::{Choice, CommShape, Phase, expand, hops, shape};
use network::{Flow, Network, Path, Share, Transfer};
use profile::{
    Algorithm, BetweenReached, CollectiveKind, CommFit, CommProfile, InsideReached, Protocol,
};
use units::{Bytes, BytesPerSec, GpuId, LinkId, Seconds, SimTime};

/// Runs the phases of several groups at once, in step, and returns the end.
fn run(cluster: &Cluster, groups: &[Vec<GpuId>], phases: &[Phase]) -> f64 {
    let rates: Vec<BytesPerSec> = cluster.links().iter().map(|link| link.rate).collect();
    let mut net = Flow::new(&rates, Share::EQUAL);
    let mut finished = Vec::new();
    for phase in phases {
        let start = net.now().after(phase.delay).expect("valid");
        net.advance(start, &mut finished).expect("valid");
        let Some(transfers) = phase.transfers else {
            continue;
        };
        for hop in groups
            .iter()
            .flat_map(|group| hops(transfers.pattern, group, cluster))
        {
            let mut links = Vec::new();
            cluster.route(hop.from, hop.to, Cluster::D_MOD_K, &mut links);
            let mut path = Path::over(links.into_iter().map(LinkId::get));
            path.cap = transfers.cap.and_then(|cap| cap.scale(hop.share));
            let transfer = Transfer {
                path: net.add_path(&path).expect("valid"),
                bytes: transfers.of(hop.share),
                latency: Seconds::ZERO,
            };
            net.submit(start, transfer).expect("valid");
        }
        while let Some(next) = net.next_event() {
            net.advance(next, &mut finished).expect("valid");
        }
    }
    net.now().since(SimTime::ZERO).as_secs()
}

/// NCCL's constants, and as many that look like those of a fit.
fn fitted() -> CommProfile {
    let fit = CommFit {
        rows: 1,
        median_error: [0.0; 2],
        held_out: [0.0; 2],
        held_out_by: String::new(),
        small: [1.0; 2],
        large: [1.0; 2],
        kinds: Vec::new(),
        counts: [2, 8],
        measured: std::collections::BTreeMap::new(),
    };
    let mut comm = CommProfile::nccl();
    for entry in &mut comm.scale_up {
        entry.reached = Some(InsideReached {
            start_us: [5.0, 9.0, 9.0],
            hop_us: [0.8, 1.0, 2.0],
            ring: [0.5, 0.8, 0.8],
            tree: [0.3, 0.7, 0.7],
            ramp_us: [5.0, 4.0, 6.0],
            nvls_us: 11.0,
            nvls_rank_us: 2.0,
            nvls: 0.6,
            nvls_tree: 0.58,
            nvls_ramp_us: 10.0,
            copy: 2.0,
            pairs_us: [7.0, 9.0],
            pairs_ll: 5.0,
            pairs: 0.78,
            pairs_ramp_us: 7.0,
            pairs_copy: 5.0,
            fit: fit.clone(),
        });
    }
    for entry in &mut comm.network {
        entry.reached = Some(BetweenReached {
            hop_us: [7.0, 19.0, 26.0],
            ring: [0.4, 0.88, 0.96],
            tree: [0.4, 0.9, 0.98],
            ramp_us: [80.0, 50.0, 50.0],
            fit: fit.clone(),
        });
    }
    comm
}

/// Checks every kind, algorithm, protocol and some sizes for groups that run at once, by NCCL's
/// constants and by fitted ones.
fn assert_agreement(cluster: &Cluster, groups: &[Vec<GpuId>], what: &str) {
    for comm in [CommProfile::nccl(), fitted()] {
        assert_agreement_by(&comm, cluster, groups, what);
    }
}

fn assert_agreement_by(comm: &CommProfile, cluster: &Cluster, groups: &[Vec<GpuId>], what: &str) {
    let shape = shape(cluster, comm, &groups[0], &groups[1..]);
    let mut choices = vec![Choice::default()];
    for algorithm in Algorithm::ALL {
        choices.extend(Protocol::ALL.map(|protocol| Choice {
            algorithm: Some(algorithm),
            protocol: Some(protocol),
            collnet: true,
            without_nvls: false,
        }));
    }
    for kind in CollectiveKind::ALL {
        for &choice in &choices {
            for bytes in [0, 1 << 10, 1 << 20, 100 << 20, 4 << 30] {
                let bytes = Bytes::new(bytes);
                let (closed, simulated) = both(comm, cluster, groups, kind, bytes, &shape, choice);
                // Transfers are whole bytes: some nanoseconds at the slowest rates, and at those of
                // small transfers, which ramps slow down.
                assert!(
                    (simulated - closed).abs() < 1e-6 * closed + 2e-8,
                    "{what}: {kind:?} of {bytes}, {choice:?}: {closed} s closed, {simulated} s simulated"
                );
            }
        }
    }
}

fn both(
    comm: &CommProfile,
    cluster: &Cluster,
    groups: &[Vec<GpuId>],
    kind: CollectiveKind,
    bytes: Bytes,
    shape: &CommShape,
    choice: Choice,
) -> (f64, f64) {
    let priced = collective::Priced::new(kind, shape, comm, &choice);
    let phases = expand(kind, bytes, shape, comm, &choice);
    (
        priced.time(bytes).time.as_secs(),
        run(cluster, groups, &phases),
    )
}

/// The groups of every `stride`-th GPU.
fn strided(cluster: &Cluster, stride: u32) -> Vec<Vec<GpuId>> {
    (0..stride)
        .map(|first| {
            let members = cluster.gpus().skip(first as usize);
            members.step_by(stride as usize).collect()
        })
        .collect()
}

#[test]
fn all_gpus_of_nodes_with_a_nic_each() {
    for nodes in [1, 2, 3, 4, 9] {
        let cluster = Cluster::build(&example::dgx_h100s(nodes)).unwrap();
        assert_agreement(&cluster, &strided(&cluster, 1), &format!("{nodes} nodes"));
    }
}

#[test]
fn data_parallel_groups_with_a_gpu_of_every_node() {
    let cluster = Cluster::build(&example::dgx_h100s(6)).unwrap();
    assert_agreement(&cluster, &strided(&cluster, 8), "one GPU a node");
    assert_agreement(&cluster, &strided(&cluster, 4), "two GPUs a node");
}

#[test]
fn groups_that_share_nics() {
    let spec = example::cluster(example::dgx_1v(), 5, example::fabric(FabricKind::LeafSpine));
    let cluster = Cluster::build(&spec).unwrap();
    assert_agreement(&cluster, &strided(&cluster, 8), "one V100 a node");
    assert_agreement(&cluster, &strided(&cluster, 1), "all V100s");
}

#[test]
fn hosts_on_a_leaf_spine_fabric() {
    let cluster = Cluster::build(&example::hosts(4, 4, 4, 100.0)).unwrap();
    assert_agreement(&cluster, &strided(&cluster, 1), "16 hosts");
}

#[test]
fn gpus_on_pcie_behind_one_nic() {
    let spec = example::cluster(
        example::g4dn_metal(),
        3,
        example::fabric(FabricKind::Single),
    );
    let cluster = Cluster::build(&spec).unwrap();
    assert_agreement(&cluster, &strided(&cluster, 8), "one T4 a node");
    assert_agreement(&cluster, &strided(&cluster, 1), "all T4s");
}
