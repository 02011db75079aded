//! Which constants the collectives of a cluster are priced with, and where they are from.

use std::collections::BTreeSet;
use std::fmt::Write as _;

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
    let domains = cluster.n_domains();
    let between = (domains > 1).then(|| {
        let entry = &comm.network[usize::from(network)];
        let mut worth = entry.provenance;
        let mut source = entry.source.clone();
        if let Some(own) = entry
            .reached
            .as_ref()
            .filter(|own| !own.fit.measured.is_empty())
        {
            let measured = own.fit.measured_in_words();
            let _ = write!(
                source,
                "; measured, by number of domains: {measured}; the closed form beyond"
            );
            if own.fit.counts[1] < domains {
                worth = worth.max(Provenance::Extrapolated);
            }
        }
        (entry.name.clone(), worth, source)
    });
    inside.chain(between).collect()
}

#[cfg(test)]
mod tests {
    use cluster::example;
    use profile::{BetweenReached, CollectiveKind, CommFit};

    use super::*;

    #[test]
    fn a_source_says_what_was_measured_and_what_lies_beyond() {
        let mut comm = CommProfile::nccl();
        let at = usize::from(comm.network_of(None, "any"));
        let like = BetweenReached {
            hop_us: [5.0; 3],
            ring: [1.0; 3],
            tree: [1.0; 3],
            ramp_us: [20.0; 3],
            fit: CommFit {
                rows: 20,
                median_error: [0.0; 2],
                held_out: [0.0; 2],
                held_out_by: String::new(),
                small: [1.0; 2],
                large: [1.0; 2],
                kinds: vec![CollectiveKind::AllReduce],
                counts: [2, 2],
                measured: [(CollectiveKind::AllReduce, vec![2])].into(),
            },
        };
        comm.network[at].provenance = Provenance::Interpolated;
        comm.network[at].reached = Some(like);
        let worth = |nodes| {
            let cluster = Cluster::build(&example::dgx_h100s(nodes)).unwrap();
            let (_, worth, source) = sources(&cluster, &comm).remove(1);
            assert!(
                source.contains("by number of domains: all_reduce on 2;"),
                "{source}"
            );
            worth
        };
        assert_eq!(worth(2), Provenance::Interpolated);
        assert_eq!(worth(3), Provenance::Extrapolated);
    }

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
