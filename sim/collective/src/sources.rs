//! Which constants the collectives of a cluster are priced with, and where they are from.

use std::collections::BTreeSet;

use cluster::Cluster;
use profile::{CommProfile, Provenance};
use units::{GpuId, NodeId};

use crate::inside::entry_of;

/// Name, worth and source of the entries of `comm` that hold for some collective of the cluster.
pub fn sources(cluster: &Cluster, comm: &CommProfile) -> Vec<(String, Provenance, String)> {
    let nodes = (0..cluster.n_nodes()).map(NodeId::from_index);
    let first = nodes.filter_map(|node| cluster.gpus_of(node).next());
    let inside: BTreeSet<u8> = first
        .map(|gpu| entry_of(cluster, comm, GpuId::new(gpu)))
        .collect();
    let inside = inside.into_iter().map(|entry| {
        let entry = &comm.scale_up[usize::from(entry)];
        (entry.name.clone(), entry.provenance, entry.source.clone())
    });
    let network = comm.network_of(cluster.network(), cluster.fabric_name());
    let between = (cluster.n_domains() > 1).then(|| {
        let entry = &comm.network[usize::from(network)];
        (entry.name.clone(), entry.provenance, entry.source.clone())
    });
    inside.chain(between).collect()
}

#[cfg(test)]
mod tests {
    use cluster::example;

    use super::*;

    #[test]
    fn only_what_the_cluster_has_is_named() {
        let names = |spec| {
            let cluster = Cluster::build(&spec).unwrap();
            let sources = sources(&cluster, &CommProfile::nccl());
            sources.into_iter().map(|one| one.0).collect::<Vec<_>>()
        };
        assert_eq!(
            names(example::two_dgx_h100()),
            ["nvlink-hopper", "infiniband"]
        );
        let mut aws = example::two_dgx_h100();
        aws.name = "whatever its owner calls it".to_owned();
        aws.fabric.network = Some("efa".to_owned());
        assert_eq!(names(aws), ["nvlink-hopper", "efa"]);
        let mut alone = example::two_dgx_h100();
        alone.groups[0].count = 1;
        assert_eq!(names(alone), ["nvlink-hopper"]);
    }
}
