//! Ranks over which collectives are tried.

use cluster::{Cluster, ClusterNetwork, Topology, example};
use collective::CommShape;
use traffic::{Kind, Options, Ranks};
use units::{BytesPerSec, HostId};

/// Hosts 0 to `n − 1`.
pub(crate) fn hosts(n: u32) -> Vec<HostId> {
    (0..n).map(HostId::new).collect()
}

/// Ranks in domains of those sizes.
pub(crate) fn domains(sizes: &[u32]) -> Ranks {
    let of: Vec<u32> = (0..)
        .zip(sizes)
        .flat_map(|(domain, &size)| (0..size).map(move |_| domain))
        .collect();
    let hosts = hosts(u32::try_from(of.len()).expect("few"));
    let rate = BytesPerSec::from_gbits(100.0).expect("positive");
    let shape = CommShape::hosts(u32::try_from(of.len()).expect("few"), rate, 0);
    Ranks::new(&hosts, shape, |rank| of[rank])
}

/// Nodes with eight NICs each.
pub(crate) fn dgx_nodes(nodes: u32) -> Ranks {
    Ranks::of_cluster(&dgx_h100s(nodes), &hosts(nodes))
}

/// The GPUs of such nodes.
pub(crate) fn dgx_gpus(nodes: u32) -> Ranks {
    let network = dgx_h100s(nodes);
    let gpus: Vec<HostId> = (nodes..network.n_hosts()).map(HostId::new).collect();
    Ranks::of_cluster(&network, &gpus)
}

/// Nodes of eight GPUs on rails.
pub(crate) fn dgx_h100s(nodes: u32) -> ClusterNetwork {
    ClusterNetwork::new(Cluster::build(&example::dgx_h100s(nodes)).expect("valid"))
}

/// All layouts: ranks without domains, in equal domains, in unequal ones.
pub(crate) fn all() -> Vec<Ranks> {
    let alone = (2..=13).map(|n| Ranks::alone(&hosts(n)));
    let together: [&[u32]; 8] = [
        &[4],
        &[7],
        &[2, 2],
        &[4, 4, 4],
        &[3, 3, 3, 3, 3],
        &[3, 1, 2],
        &[2, 4],
        &[4, 4, 4, 4, 4, 4],
    ];
    alone.chain(together.map(domains)).collect()
}

/// Options with few and with many chunks.
pub(crate) fn options() -> [Options; 3] {
    let with = |channels, chunk, window| Options {
        channels,
        chunk,
        window,
        ..Options::default()
    };
    [with(1, 1 << 20, 4), with(2, 5_000, 1), with(3, 2_000, 4)]
}

/// What a kind is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    AllReduce,
    AllGather,
    ReduceScatter,
    AllToAll,
    Broadcast,
    Reduce,
    Gather,
    Scatter,
    Shift,
}

pub(crate) fn purpose(kind: Kind) -> Purpose {
    match kind {
        Kind::Ring
        | Kind::AllReduce
        | Kind::RingChannels
        | Kind::DoubleTree
        | Kind::HalvingDoubling
        | Kind::Nvls
        | Kind::NvlsTree
        | Kind::CollNet => Purpose::AllReduce,
        Kind::AllGather | Kind::AllGatherDoubling | Kind::AllGatherPat | Kind::AllGatherNvls => {
            Purpose::AllGather
        }
        Kind::ReduceScatter
        | Kind::ReduceScatterHalving
        | Kind::ReduceScatterPat
        | Kind::ReduceScatterNvls => Purpose::ReduceScatter,
        Kind::Broadcast => Purpose::Broadcast,
        Kind::Reduce => Purpose::Reduce,
        Kind::Gather => Purpose::Gather,
        Kind::Scatter => Purpose::Scatter,
        Kind::AllToAll | Kind::AllToAllHierarchical | Kind::AllToAllRail => Purpose::AllToAll,
        Kind::Permutation | Kind::SendRecv => Purpose::Shift,
    }
}
