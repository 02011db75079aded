//! Specs that describe no cluster, and what is said about them.

use cluster::example::{cluster, dgx_1v, dgx_h100, fabric, two_dgx_h100};
use cluster::{Cluster, ClusterError, ClusterSpec, FabricKind, MeshLink, NicSpec, ScaleUpSpec};
use units::Seconds;

fn errors(spec: &ClusterSpec) -> Vec<ClusterError> {
    Cluster::build(spec).expect_err("the spec is wrong on purpose")
}

fn only(spec: &ClusterSpec) -> (String, String, String) {
    let errors = errors(spec);
    assert_eq!(errors.len(), 1, "{errors:?}");
    let hint = errors[0].hint().unwrap_or_default();
    (errors[0].to_string(), hint, errors[0].field())
}

#[test]
fn a_cluster_without_nodes_is_refused() {
    let mut spec = two_dgx_h100();
    spec.groups.clear();
    let (message, hint, field) = only(&spec);
    assert_eq!(message, "the cluster has no nodes");
    assert_eq!(hint, "add a [[nodes]] section with kind and count");
    assert_eq!(field, "nodes");
}

#[test]
fn an_unknown_gpu_is_named_with_the_known_ones() {
    let mut spec = two_dgx_h100();
    spec.groups[0].node.gpu = "h1000".to_owned();
    let (message, hint, _) = only(&spec);
    assert_eq!(
        message,
        "node dgx-h100 has the GPU \"h1000\", which is not known"
    );
    assert_eq!(hint, "known GPUs: h100-sxm, v100-sxm2-16gb, t4");
}

#[test]
fn more_gpus_used_than_there_are_is_refused() {
    let mut spec = two_dgx_h100();
    spec.groups[0].gpus_used = Some(9);
    let (message, hint, field) = only(&spec);
    assert_eq!(message, "9 GPUs are used in each dgx-h100, which has 8");
    assert_eq!(hint, "use 1 to 8, or leave it out to use all");
    assert_eq!(field, "nodes[0].gpus");
}

#[test]
fn all_errors_come_at_once() {
    let mut spec = cluster(dgx_1v(), 2, fabric(FabricKind::FatTree));
    spec.groups[0].node.nics.count = 12;
    spec.groups[0].node.scale_up = ScaleUpSpec::Mesh {
        rate: spec.groups[0].node.host.gpu_link,
        latency: Seconds::from_secs(f64::NAN),
        links: [[0, 8], [1, 1], [2, 3], [3, 2]]
            .map(|gpus| MeshLink { gpus, count: 1 })
            .to_vec(),
    };
    spec.fabric.groups_per_pod = None;
    spec.fabric.oversubscription = vec![1.0, -2.0];
    spec.fabric.rails = Some(8);
    spec.fabric.measured = Some(vec![vec![None]]);
    let messages: Vec<String> = errors(&spec).iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "node dgx-1v has 12 NICs for 8 GPUs, which they do not share equally",
            "nodes[0].kind.scale_up.latency is NaN, not a finite number from 0",
            "a mesh link of node dgx-1v joins GPUs 0 and 8, but the node has 8 GPUs",
            "a mesh link of node dgx-1v joins GPU 1 with itself",
            "node dgx-1v lists the mesh link of GPUs 3 and 2 twice",
            "fabric.oversubscription is -2, not a finite number above 0",
            "a fat tree needs groups_per_pod",
            "rails is not for a fabric of kind fat-tree",
            "oversubscription has 2 levels, but the fabric has 1",
            "the measured rates have 1 rows, but the cluster has 2 nodes",
        ]
    );
    assert!(errors(&spec).iter().all(|error| error.hint().is_some()));
}

#[test]
fn several_domains_need_nics() {
    let mut spec = two_dgx_h100();
    spec.groups[0].node.nics.count = 0;
    let (message, _, field) = only(&spec);
    assert_eq!(
        message,
        "node dgx-h100 has no NIC, but the cluster has several scale-up domains"
    );
    assert_eq!(field, "nodes[0].kind.nics.count");
    spec.groups[0].count = 1;
    assert!(Cluster::build(&spec).is_ok());
}

#[test]
fn sizes_that_no_machine_holds_are_refused() {
    let mut spec = two_dgx_h100();
    spec.groups[0].count = u32::MAX;
    assert!(matches!(
        errors(&spec)[..],
        [ClusterError::TooManyInAll { .. }]
    ));
    spec.groups[0].count = 100_000;
    spec.fabric.nodes_per_leaf = 1;
    spec.fabric.spines = Some(1 << 20);
    assert!(matches!(errors(&spec)[..], [ClusterError::TooMany { .. }]));
    let mut node = dgx_h100();
    node.gpus = 256;
    node.nics = NicSpec {
        count: 256,
        ..node.nics
    };
    node.scale_up = ScaleUpSpec::FullMesh {
        rate: node.host.gpu_link,
        latency: Seconds::ZERO,
    };
    let spec = cluster(node, 4096, fabric(FabricKind::Single));
    assert!(matches!(
        errors(&spec)[..],
        [ClusterError::TooManyInAll { .. }]
    ));
}
