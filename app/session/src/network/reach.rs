//! What collectives were measured to reach, laid on the links of a network workload.
//!
//! ```text
//! rate of a NIC     × share that rings, trees or pairs reach with the protocol
//! latency of a NIC  + half of what a hop was measured to take longer than its links say
//! ```
//!
//! Inside domains the same for links between GPUs. What a collective takes before its first hop
//! delays all its streams. How slowly a large rate is reached follows from the chunks that are
//! simulated, not from a constant.

use cluster::{Cluster, ClusterNetwork, Reach, Topology as _};
use collective::shape;
use format::{Ends, Engine, LinkRates, NetworkWorkload};
use predict::Assumed;
use profile::{BetweenReached, CommProfile, Protocol};
use traffic::{Kind, Options, Ranks, choose};
use units::{GpuId, HostId, NodeId, Seconds};

/// What a workload finds on its links.
pub(super) struct Reached {
    pub(super) reach: Reach,
    /// Before the first message.
    pub(super) start: Seconds,
    pub(super) assumed: Assumed,
}

/// Whether links carry what was measured: as the workload says, else where constants are the
/// user's own.
pub(super) fn wanted(workload: &NetworkWorkload, own: bool) -> bool {
    match workload.rates {
        Some(rates) => rates == LinkRates::Measured,
        None => own,
    }
}

/// How the messages of a workload travel, as far as constants differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    Ring,
    Tree,
    Pairs,
}

/// What was measured of the network of a cluster; `None` where nothing was.
pub(super) fn reached(
    network: &ClusterNetwork,
    comm: &CommProfile,
    workload: &NetworkWorkload,
    options: &Options,
    engine: Engine,
) -> Option<Reached> {
    let cluster = network.cluster();
    let entry = comm.network_of(cluster.network(), cluster.fabric_name());
    let entry = &comm.network[usize::from(entry)];
    let own = entry.reached.as_ref()?;
    let (carried, protocol) = carried(network, workload, options);
    let p = protocol.index();
    let share = match carried {
        Carried::Ring => own.ring[p],
        Carried::Tree => own.tree[p],
        Carried::Pairs => entry.pairs_efficiency,
    };
    let mut reach = Reach {
        nic_share: share * lines(protocol),
        ..Reach::default()
    };
    let mut start = Seconds::ZERO;
    let is_packets = engine == Engine::Packet;
    if !is_packets {
        reach.nic_latency = nic_latency(network, own, protocol);
    }
    if workload.ends == Some(Ends::Gpus) {
        start = inside(cluster, comm, protocol, is_packets, &mut reach);
    }
    let latency = if is_packets {
        "latencies stay those of the links, since software's are on none".to_owned()
    } else {
        format!("a hop takes {} µs", own.hop_us[p])
    };
    Some(Reached {
        reach,
        start,
        assumed: Assumed {
            field: "workload.rates".to_owned(),
            value: "measured".to_owned(),
            reason: format!(
                "over {} collectives reach {share:.3} of the rate of NICs with {}, and {latency}; measured, by number of domains: {}",
                entry.name,
                protocol.name(),
                own.fit.measured_in_words(),
            ),
        },
    })
}

fn carried(
    network: &ClusterNetwork,
    workload: &NetworkWorkload,
    options: &Options,
) -> (Carried, Protocol) {
    let kind = workload.collective.as_deref().and_then(Kind::from_name);
    let (kind, protocol) = match (kind, workload.bytes) {
        (Some(Kind::AllReduce), Some(bytes)) => {
            let choice = choose(&ranks(network, workload), bytes);
            (Some(choice.kind), choice.options.protocol)
        }
        _ => (kind, options.protocol),
    };
    match kind {
        Some(Kind::DoubleTree | Kind::NvlsTree) => (Carried::Tree, protocol),
        Some(Kind::RingChannels | Kind::Broadcast | Kind::Reduce) => (Carried::Ring, protocol),
        Some(
            Kind::AllToAll
            | Kind::AllToAllHierarchical
            | Kind::AllToAllRail
            | Kind::Gather
            | Kind::Scatter,
        ) => (Carried::Pairs, Protocol::Simple),
        _ => (Carried::Ring, Protocol::Simple),
    }
}

fn ranks(network: &ClusterNetwork, workload: &NetworkWorkload) -> Ranks {
    let nodes = network.n_nodes();
    let range = match workload.ends.unwrap_or_default() {
        Ends::Nodes => 0..nodes,
        Ends::Gpus => nodes..network.n_hosts(),
    };
    let hosts: Vec<HostId> = range.map(HostId::new).collect();
    Ranks::of_cluster(network, &hosts)
}

/// Bytes of a line over its data: messages are simulated with their flags, shares are of data.
const fn lines(protocol: Protocol) -> f64 {
    match protocol {
        Protocol::Ll => 2.0,
        Protocol::Ll128 => 128.0 / 120.0,
        Protocol::Simple => 1.0,
    }
}

/// Half of what a hop takes longer than the links between two nodes say.
fn nic_latency(network: &ClusterNetwork, own: &BetweenReached, protocol: Protocol) -> Seconds {
    if network.n_nodes() < 2 {
        return Seconds::ZERO;
    }
    let [a, b] = [0, 1].map(HostId::new);
    let nominal = network.latency(a, b, network.static_way(a, b)).as_secs();
    let hop = own.hop_us[protocol.index()] * 1e-6;
    Seconds::from_secs((hop - nominal).max(0.0) / 2.0)
}

/// Lays on the links between GPUs what was measured inside a domain; what it takes before the first
/// hop.
fn inside(
    cluster: &Cluster,
    comm: &CommProfile,
    protocol: Protocol,
    is_packets: bool,
    reach: &mut Reach,
) -> Seconds {
    let gpus = cluster.gpus_of(NodeId::new(0)).map(GpuId::new);
    let gpus: Vec<GpuId> = gpus.take(2).collect();
    let [a, b] = gpus[..] else {
        return Seconds::ZERO;
    };
    let entry = usize::from(shape(cluster, comm, &gpus, &[]).scale_up);
    let Some(own) = &comm.scale_up[entry].reached else {
        return Seconds::ZERO;
    };
    let p = protocol.index();
    reach.scale_up_share = own.ring[p] * lines(protocol);
    if is_packets {
        return Seconds::ZERO;
    }
    let mut links = Vec::new();
    cluster.route(a, b, Cluster::D_MOD_K, &mut links);
    let nominal = cluster.path_latency(&links).as_secs();
    let more = (own.hop_us[p] * 1e-6 - nominal).max(0.0);
    reach.scale_up_latency = Seconds::from_secs(more / links.len().max(1) as f64);
    Seconds::from_secs(own.start_us[p] * 1e-6)
}
