//! What collectives were measured to reach, laid on the links of a cluster.
//!
//! ```text
//! rate of a NIC     × share that rings, trees or pairs reach with the protocol
//! latency of a NIC  + half of what a hop was measured to take longer than its links say
//! start             + what a collective takes before its first hop, and √(ramp · x)
//! ```
//!
//! The same for links between GPUs. Shares are those of [`profile::BetweenReached`] and
//! [`profile::InsideReached`], whose closed form takes `x + √(ramp · x)` for bytes that take `x` at
//! these rates: what that is more than `x` stands before the first message, since a lower rate would
//! be paid at every hop by chunks that do not overlap.

use cluster::{Cluster, ClusterNetwork, Reach, Topology};
use collective::{CommShape, shape};
use profile::{BetweenReached, CommProfile, InsideReached, Protocol};
use units::{Bytes, GpuId, NodeId, Seconds};

use crate::{Kind, Ranks, Wishes, choose};

/// What runs on the links, as far as constants differ.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The collective; absent for flows of any other origin.
    pub kind: Option<Kind>,
    /// Its size.
    pub bytes: Bytes,
    /// Its ranks.
    pub ranks: &'a Ranks,
    /// What its algorithm, protocol and channels are to be.
    pub wishes: &'a Wishes,
}

/// What links reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reached {
    /// Rates, and latencies of a hop.
    pub reach: Reach,
    /// Before the first message.
    pub start: Seconds,
    /// The share of the rate of NICs.
    pub share: f64,
    /// What a hop between domains takes.
    pub hop: Seconds,
    /// How data travel.
    pub protocol: Protocol,
}

/// How messages travel, as far as constants differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    Ring,
    Tree,
    NvlsTree,
    Pairs,
}

/// What was measured of the network of a cluster; `None` where nothing was.
pub fn reached(network: &ClusterNetwork, comm: &CommProfile, asked: &Asked<'_>) -> Option<Reached> {
    let cluster = network.cluster();
    let entry = comm.network_of(cluster.network(), cluster.fabric_name());
    let entry = &comm.network[usize::from(entry)];
    let own = entry.reached.as_ref()?;
    let (carried, protocol, is_sized) = carried(asked);
    let p = protocol.index();
    let inside = inside_of(cluster, comm).filter(|_| asked.ranks.shape().per_domain > 1);
    let share = match carried {
        Carried::Ring => own.ring[p],
        Carried::Tree | Carried::NvlsTree => own.tree[p],
        Carried::Pairs => entry.pairs_efficiency,
    };
    let mut reach = Reach {
        nic_share: share * lines(protocol),
        nic_latency: nic_latency(network, asked.ranks, own, protocol),
        ..Reach::default()
    };
    let mut start = Seconds::ZERO;
    if is_sized {
        start += ramped(asked, own, inside, (carried, p));
    }
    if let Some(inside) = inside {
        let domain = (cluster, asked.ranks.shape(), inside);
        start += lay_inside(domain, (carried, protocol), &mut reach);
    }
    Some(Reached {
        reach,
        start,
        share,
        hop: Seconds::from_secs(own.hop_us[p] * 1e-6),
        protocol,
    })
}

/// How it travels, and whether how slowly its rate is reached was measured.
fn carried(asked: &Asked<'_>) -> (Carried, Protocol, bool) {
    let Some(kind) = asked.kind else {
        return (Carried::Ring, Protocol::Simple, false);
    };
    let choice = choose(kind, asked.ranks, asked.bytes, asked.wishes);
    let protocol = choice.options.protocol;
    match choice.kind {
        Kind::DoubleTree => (Carried::Tree, protocol, true),
        Kind::NvlsTree => (Carried::NvlsTree, Protocol::Simple, true),
        Kind::RingChannels => (Carried::Ring, protocol, true),
        Kind::AllGather | Kind::ReduceScatter | Kind::Broadcast | Kind::Reduce => {
            (Carried::Ring, protocol, false)
        }
        Kind::AllToAll
        | Kind::AllToAllHierarchical
        | Kind::AllToAllRail
        | Kind::Gather
        | Kind::Scatter => (Carried::Pairs, Protocol::Simple, false),
        _ => (Carried::Ring, Protocol::Simple, false),
    }
}

/// `√(ramp · x)` of an all-reduce.
fn ramped(
    asked: &Asked<'_>,
    own: &BetweenReached,
    inside: Option<&InsideReached>,
    (carried, p): (Carried, usize),
) -> Seconds {
    let shape = asked.ranks.shape();
    let n = f64::from(shape.ranks);
    let intra = |share: f64| share * shape.intra.as_f64();
    let free = f64::INFINITY;
    let (factor, within, between) = match carried {
        Carried::Ring | Carried::Pairs => (
            2.0 * (n - 1.0) / n,
            inside.map_or(free, |inside| intra(inside.ring[p])),
            own.ring[p] * shape.ring.as_f64(),
        ),
        Carried::Tree => (
            1.0,
            inside.map_or(free, |inside| intra(inside.tree[p] / 2.0)),
            own.tree[p] * shape.trees.as_f64(),
        ),
        Carried::NvlsTree => (
            1.0,
            inside.map_or(free, |inside| intra(inside.nvls_tree)),
            own.tree[p] * shape.trees.as_f64(),
        ),
    };
    let smooth = asked.bytes.as_f64() * factor / within.min(between);
    Seconds::from_secs((own.ramp_us[p] * 1e-6 * smooth).sqrt())
}

/// Bytes of a line over its data: messages are simulated with their flags, shares are of data.
const fn lines(protocol: Protocol) -> f64 {
    match protocol {
        Protocol::Ll => 2.0,
        Protocol::Ll128 => 128.0 / 120.0,
        Protocol::Simple => 1.0,
    }
}

/// Half of what a hop takes longer than the links between two domains say.
fn nic_latency(
    network: &ClusterNetwork,
    ranks: &Ranks,
    own: &BetweenReached,
    protocol: Protocol,
) -> Seconds {
    let Some([a, b]) = ranks.first_hop() else {
        return Seconds::ZERO;
    };
    let nominal = network.latency(a, b, network.static_way(a, b)).as_secs();
    let hop = own.hop_us[protocol.index()] * 1e-6;
    Seconds::from_secs((hop - nominal).max(0.0) / 2.0)
}

/// Two GPUs of the first node.
fn neighbors(cluster: &Cluster) -> Option<[GpuId; 2]> {
    let gpus = cluster.gpus_of(NodeId::new(0)).map(GpuId::new);
    let gpus: Vec<GpuId> = gpus.take(2).collect();
    gpus.try_into().ok()
}

fn inside_of<'a>(cluster: &Cluster, comm: &'a CommProfile) -> Option<&'a InsideReached> {
    let entry = shape(cluster, comm, &neighbors(cluster)?, &[]).scale_up;
    comm.scale_up[usize::from(entry)].reached.as_ref()
}

/// Lays on the links between GPUs what was measured inside a domain; what it takes before the first
/// hop.
fn lay_inside(
    (cluster, ranks, own): (&Cluster, &CommShape, &InsideReached),
    (carried, protocol): (Carried, Protocol),
    reach: &mut Reach,
) -> Seconds {
    let p = protocol.index();
    let per_domain = f64::from(ranks.per_domain);
    let (share, start) = match carried {
        Carried::Ring => (own.ring[p], own.start_us[p]),
        Carried::Tree => (own.tree[p], own.start_us[p]),
        // Messages of sums in switches carry each rank's own part, too.
        Carried::NvlsTree => (
            own.nvls_tree * (1.0 + 1.0 / per_domain),
            own.nvls_us + per_domain * own.nvls_rank_us,
        ),
        Carried::Pairs => (own.pairs, own.pairs_us[1]),
    };
    reach.scale_up_share = share * lines(protocol);
    let hops = matches!(carried, Carried::Ring | Carried::Tree);
    if let Some([a, b]) = neighbors(cluster).filter(|_| hops) {
        let mut links = Vec::new();
        cluster.route(a, b, Cluster::D_MOD_K, &mut links);
        let nominal = cluster.path_latency(&links).as_secs();
        let more = (own.hop_us[p] * 1e-6 - nominal).max(0.0);
        reach.scale_up_latency = Seconds::from_secs(more / links.len().max(1) as f64);
    }
    Seconds::from_secs(start * 1e-6)
}
