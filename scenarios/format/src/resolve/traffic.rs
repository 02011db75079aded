//! What a network workload needs of a scenario.

use cluster::{Cluster, ClusterSpec};
use profile::CommProfile;

use super::Resolver;
use crate::error::Failure;
use crate::library::Library;
use crate::scenario::ScenarioSpec;
use crate::tree::Table;

/// The cluster of a scenario with its slow and dead links, and its constants of collectives; whether
/// some of these are the user's own: named by the cluster's file, or by a profile of the scenario.
/// `None` where the scenario names no cluster.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn resolve_measured(
    spec: &ScenarioSpec,
    document: &Table,
    library: &Library<'_>,
) -> Result<Option<(Cluster, CommProfile, bool)>, Vec<Failure>> {
    let mut resolver = Resolver::new(spec, document, library);
    let cluster = resolver.cluster();
    let (_, comm) = resolver.given_profiles();
    let mut shipped = crate::comm::fitted().clone();
    shipped.scale_network(resolver.scale().link_latency);
    let own = comm != shipped;
    if resolver.failures.is_empty() {
        Ok(cluster.map(|cluster| (cluster, comm, own)))
    } else {
        Err(resolver.failures)
    }
}

/// The cluster of a scenario as it is described, without its slow and dead links. `None` where the
/// scenario names no cluster.
///
/// # Errors
///
/// Everything that is wrong with its files.
pub fn describe_cluster(
    spec: &ScenarioSpec,
    document: &Table,
    library: &Library<'_>,
) -> Result<Option<ClusterSpec>, Vec<Failure>> {
    let mut resolver = Resolver::new(spec, document, library);
    let described = resolver.described_cluster();
    if resolver.failures.is_empty() {
        Ok(described.map(|described| described.spec))
    } else {
        Err(resolver.failures)
    }
}
