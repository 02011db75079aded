//! Specs that describe no cluster, and what is said about them.

use cluster::example::{cluster, dgx_1v, dgx_h100, fabric, two_dgx_h100};
use cluster::{
    AttachSpec, CableSpec, Cluster, ClusterError, ClusterSpec, FabricKind, GraphSpec, MeshLink,
    NicSpec, RouterSpec, ScaleUpSpec,
};
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

#[test]
fn a_torus_needs_two_or_three_dimensions_and_places_for_its_nodes() {
    let mut spec = cluster(dgx_h100(), 9, fabric(FabricKind::Torus));
    spec.fabric.routers = RouterSpec {
        dimensions: vec![2, 4],
        ..RouterSpec::default()
    };
    let (message, hint, field) = only(&spec);
    assert_eq!(
        message,
        "the cluster has 9 nodes, but the torus has places for 8"
    );
    assert_eq!(hint, "make dimensions or nodes_per_router larger");
    assert_eq!(field, "fabric.dimensions");
    spec.fabric.routers.dimensions = vec![8];
    let (message, hint, _) = only(&spec);
    assert_eq!(message, "a torus has 1 dimensions, but 2 or 3 are needed");
    assert_eq!(
        hint,
        "write a list such as [8, 8, 4], the routers along each dimension"
    );
}

#[test]
fn a_dragonfly_needs_a_cable_to_every_other_group() {
    let mut spec = cluster(dgx_h100(), 8, fabric(FabricKind::Dragonfly));
    spec.fabric.routers.groups = Some(10);
    let (message, hint, field) = only(&spec);
    assert_eq!(
        message,
        "a group has 8 links to others, fewer than the 9 other groups of the dragonfly"
    );
    assert_eq!(
        hint,
        "routers_per_group times global_links must be at least 9"
    );
    assert_eq!(field, "fabric.global_links");
    spec.fabric.routers.per_group = None;
    let (message, _, field) = only(&spec);
    assert_eq!(
        message,
        "routers_per_group is missing, but a fabric of kind dragonfly needs it"
    );
    assert_eq!(field, "fabric.routers_per_group");
}

fn cable(ends: [&str; 2], count: u32) -> CableSpec {
    CableSpec {
        ends: ends.map(str::to_owned),
        count,
        rate: None,
        latency: None,
    }
}

fn attach(switch: &str, nodes: u32) -> AttachSpec {
    AttachSpec {
        switches: vec![switch.to_owned()],
        nodes_per_switch: nodes,
        first_node: None,
        nic: None,
    }
}

fn graph(switches: &[&str], cables: Vec<CableSpec>, attach: Vec<AttachSpec>) -> ClusterSpec {
    let mut spec = cluster(dgx_h100(), 4, fabric(FabricKind::Graph));
    spec.fabric.graph = GraphSpec {
        switches: switches.iter().map(|name| (*name).to_owned()).collect(),
        cables,
        attach,
    };
    spec
}

#[test]
fn all_errors_of_a_graph_come_at_once() {
    let cables = vec![
        cable(["a", "b"], 1),
        cable(["b", "a"], 1),
        cable(["b", "b"], 1),
        cable(["b", "c"], 0),
    ];
    let mut spec = graph(
        &["a", "b", "a", "n0g0", "x->y"],
        cables,
        vec![attach("d", 4)],
    );
    spec.fabric.oversubscription = vec![2.0];
    spec.fabric.routers.groups = Some(2);
    spec.fabric.graph.attach[0].switches.push("a".to_owned());
    let errors = errors(&spec);
    let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "oversubscription is not for a fabric of kind graph",
            "groups is not for a fabric of kind graph",
            "the switch \"a\" is listed twice",
            "\"n0g0\" cannot be the name of a switch",
            "\"x->y\" cannot be the name of a switch",
            "cables 0 and 1 both join \"b\" and \"a\"",
            "a cable joins the switch \"b\" with itself",
            "fabric.cables[3].count is 0, but must be at least 1",
            "fabric.cables[3].ends names the switch \"c\", which is not among the switches",
            "fabric.attach[0].switches names the switch \"d\", which is not among the switches",
        ]
    );
    assert!(errors.iter().all(|error| error.hint().is_some()));
}

#[test]
fn a_graph_in_two_parts_is_refused() {
    let cables = vec![cable(["a", "b"], 1), cable(["c", "d"], 1)];
    let (message, hint, field) = only(&graph(&["a", "b", "c", "d"], cables, vec![attach("a", 4)]));
    assert_eq!(
        message,
        "no cables lead from switch \"a\" to 2 switches, the first of them \"c\""
    );
    assert_eq!(
        hint,
        "add cables that join them, or hang a NIC of every node on each part"
    );
    assert_eq!(field, "fabric.cables");
}

#[test]
fn every_nic_hangs_on_one_switch() {
    let cables = || vec![cable(["a", "b"], 1)];
    let (message, hint, field) = only(&graph(&["a", "b"], cables(), vec![attach("a", 3)]));
    assert_eq!(
        message,
        "NIC 0 of node 3 hangs on no switch, and so do 7 others"
    );
    assert_eq!(
        hint,
        "add an [[attach]] rule with first_node = 3 and nic = 0, or without nic for all"
    );
    assert_eq!(field, "fabric.attach");
    let again = AttachSpec {
        first_node: Some(2),
        nic: Some(5),
        ..attach("b", 1)
    };
    let (message, _, _) = only(&graph(&["a", "b"], cables(), vec![attach("a", 4), again]));
    assert_eq!(message, "two [[attach]] rules cover NIC 5 of node 2");
    let ninth = AttachSpec {
        nic: Some(8),
        ..attach("b", 1)
    };
    let (message, hint, field) = only(&graph(&["a", "b"], cables(), vec![attach("a", 4), ninth]));
    assert_eq!(message, "an [[attach]] rule is for NIC 8, but nodes have 8");
    assert_eq!(hint, "NICs of a node count from 0 to 7");
    assert_eq!(field, "fabric.attach[1].nic");
}

#[test]
fn a_fabric_says_which_fields_its_kind_lacks_and_which_are_not_for_it() {
    let (message, ..) = only(&graph(&["a"], Vec::new(), Vec::new()));
    assert_eq!(
        message,
        "attach is missing, but a fabric of kind graph needs it"
    );
    let mut spec = cluster(dgx_h100(), 4, fabric(FabricKind::Torus));
    spec.fabric.planes = 2;
    spec.fabric.spines = Some(4);
    let messages: Vec<String> = errors(&spec).iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "planes is not for a fabric of kind torus",
            "spines is not for a fabric of kind torus",
        ]
    );
}

#[test]
fn webs_that_no_machine_holds_are_refused() {
    let mut spec = cluster(dgx_h100(), 8, fabric(FabricKind::Torus));
    spec.fabric.routers.dimensions = vec![u32::MAX, u32::MAX, u32::MAX];
    assert!(matches!(errors(&spec)[..], [ClusterError::TooMany { .. }]));
    let mut spec = cluster(dgx_h100(), 8, fabric(FabricKind::Dragonfly));
    spec.fabric.routers.per_group = Some(1 << 18);
    spec.fabric.routers.groups = Some(4);
    assert!(matches!(errors(&spec)[..], [ClusterError::TooMany { .. }]));
    // Sixteen thousand switches in a row, all of which keep a distance to each other.
    let names: Vec<String> = (0..1 << 14).map(|i| format!("s{i}")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let cables = all
        .windows(2)
        .map(|ends| cable([ends[0], ends[1]], 1))
        .collect();
    let rule = AttachSpec {
        switches: names.clone(),
        ..attach("s0", 1)
    };
    let spec = graph(&all, cables, vec![rule]);
    assert!(matches!(
        errors(&spec)[..],
        [ClusterError::TooManyDistances { .. }]
    ));
}
