//! What collectives were measured to reach on the fabric of a network workload.

use cluster::{ClusterNetwork, Reach};
use format::{Engine, LinkRates, NetworkWorkload};
use predict::Assumed;
use profile::CommProfile;
use traffic::{Asked, Kind, Ranks, Reached, Wishes, reached};
use units::Seconds;

use super::open::ends_of_cluster;

/// Whether links carry what was measured: as the workload says, else where constants are the
/// user's own.
pub(super) fn wanted(workload: &NetworkWorkload, own: bool) -> bool {
    match workload.rates {
        Some(rates) => rates == LinkRates::Measured,
        None => own,
    }
}

/// What was measured of the network of a cluster, and what is assumed of it; `None` where nothing
/// was.
pub(super) fn laid(
    network: &ClusterNetwork,
    comm: &CommProfile,
    workload: &NetworkWorkload,
    wishes: &Wishes,
    engine: Engine,
) -> Option<(Reached, Assumed)> {
    let cluster = network.cluster();
    let entry = comm.network_of(cluster.network(), cluster.fabric_name());
    let entry = &comm.network[usize::from(entry)];
    let kind = workload.collective.as_deref().and_then(Kind::from_name);
    let hosts = ends_of_cluster(network, workload.ends.unwrap_or_default());
    let asked = Asked {
        kind,
        bytes: workload.bytes.unwrap_or_default(),
        ranks: &Ranks::of_cluster(network, &hosts),
        wishes,
    };
    let mut found = reached(network, comm, &asked)?;
    let latency = if engine == Engine::Packet {
        // A transport would take what software takes for the network's.
        found.reach = Reach {
            nic_latency: Seconds::ZERO,
            scale_up_latency: Seconds::ZERO,
            ..found.reach
        };
        found.start = Seconds::ZERO;
        "latencies stay those of the links, since software's are on none".to_owned()
    } else {
        format!("a hop takes {:.2} µs", found.hop.as_micros())
    };
    let fit = entry
        .reached
        .as_ref()
        .map(|own| own.fit.measured_in_words());
    let assumed = Assumed {
        field: "workload.rates".to_owned(),
        value: "measured".to_owned(),
        reason: format!(
            "over {} such messages reach {:.3} of the rate of NICs with {}, and {latency}; measured, by number of domains: {}",
            entry.name,
            found.share,
            found.protocol.name(),
            fit.unwrap_or_default(),
        ),
    };
    Some((found, assumed))
}
