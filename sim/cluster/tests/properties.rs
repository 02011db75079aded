//! What holds of every cluster: routes, names, bisection, equality.

mod any;

use std::collections::BTreeSet;

use any::{any_clos, any_node, any_spec};
use cluster::example::{h100, t4, v100};
use cluster::{Cluster, ClusterSpec, Device, FabricSpec, LinkKind, NodeGroup, ScaleUpSpec};
use petgraph::algo::maximum_flow::dinics;
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;
use units::{GpuId, LinkId, NodeId, Seconds};

/// A cluster, two of its GPUs and a hash.
fn any_route() -> impl Strategy<Value = (Cluster, GpuId, GpuId, u64)> {
    (any_spec(), any::<u32>(), any::<u32>(), 0u64..4).prop_map(|(spec, from, to, hash)| {
        let cluster = Cluster::build(&spec).expect("the strategy gives sound specs");
        let gpu = |seed: u32| GpuId::from_index(seed as usize % cluster.n_gpus());
        let (from, to) = (gpu(from), gpu(to));
        (cluster, from, to, hash)
    })
}

fn route(cluster: &Cluster, from: GpuId, to: GpuId, hash: u64) -> Vec<LinkId> {
    let mut path = Vec::new();
    cluster.route(from, to, hash, &mut path);
    path
}

/// The devices that a path visits.
fn visits(cluster: &Cluster, path: &[LinkId]) -> Vec<Device> {
    let first = path.first().map(|link| cluster.ends(*link).0);
    let rest = path.iter().map(|link| cluster.ends(*link).1);
    first.into_iter().chain(rest).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_route_joins_its_ends_and_visits_nothing_twice((cluster, from, to, hash) in any_route()) {
        let path = route(&cluster, from, to, hash);
        if from == to {
            prop_assert!(path.is_empty());
            return Ok(());
        }
        for pair in path.windows(2) {
            prop_assert_eq!(cluster.ends(pair[0]).1, cluster.ends(pair[1]).0);
        }
        let devices = visits(&cluster, &path);
        prop_assert_eq!(devices[0].to_string(), cluster.gpu_name(from));
        prop_assert_eq!(devices[devices.len() - 1].to_string(), cluster.gpu_name(to));
        let distinct: BTreeSet<_> = devices.iter().collect();
        prop_assert_eq!(distinct.len(), devices.len());
    }

    #[test]
    fn a_route_goes_up_and_then_down((cluster, from, to, hash) in any_route()) {
        let devices = visits(&cluster, &route(&cluster, from, to, hash));
        let heights: Vec<u32> = devices
            .iter()
            .filter_map(|device| match device {
                Device::Nic { .. } => Some(0),
                Device::Leaf(_) => Some(1),
                Device::Spine(_) => Some(2),
                Device::Core(_) => Some(3),
                _ => None,
            })
            .collect();
        let top = heights.iter().position(|height| Some(height) == heights.iter().max());
        let (up, down) = heights.split_at(top.unwrap_or(0));
        prop_assert!(up.is_sorted());
        prop_assert!(down.iter().rev().is_sorted());
    }

    #[test]
    fn a_route_leaves_its_domain_over_one_nic_a_side((cluster, from, to, hash) in any_route()) {
        let path = route(&cluster, from, to, hash);
        let count = |kind| path.iter().filter(|link| cluster.link(**link).kind == kind).count();
        let apart = cluster.domain_of(from) != cluster.domain_of(to);
        prop_assert_eq!(count(LinkKind::Nic), if apart { 2 } else { 0 });
        prop_assert!(apart || count(LinkKind::Fabric) == 0);
    }

    #[test]
    fn equal_arguments_give_equal_routes((cluster, from, to, hash) in any_route()) {
        prop_assert_eq!(route(&cluster, from, to, hash), route(&cluster, from, to, hash));
    }

    #[test]
    fn equal_shapes_give_equal_graphs(spec in any_spec(), at in 0u32..9) {
        let split = split_first_group(&spec, at);
        let [a, b] = [&spec, &split].map(|spec| Cluster::build(spec).unwrap());
        let devices = |c: &Cluster| c.graph().node_weights().copied().collect::<Vec<_>>();
        let edges = |c: &Cluster| {
            let edges = c.graph().raw_edges().iter();
            edges.map(|edge| (edge.source(), edge.target(), edge.weight)).collect::<Vec<_>>()
        };
        prop_assert_eq!(devices(&a), devices(&b));
        prop_assert_eq!(edges(&a), edges(&b));
    }

    #[test]
    fn no_spec_panics_and_what_builds_routes(spec in wild_spec(), hash in 0u64..3) {
        match Cluster::build(&spec) {
            Err(errors) => prop_assert!(errors.iter().all(|error| !error.field().is_empty())),
            Ok(cluster) => {
                let last = GpuId::from_index(cluster.n_gpus() - 1);
                let path = route(&cluster, GpuId::new(0), last, hash);
                prop_assert!(path.iter().all(|link| link.index() < cluster.links().len()));
            }
        }
    }

    #[test]
    fn every_name_reads_back(spec in any_spec()) {
        let cluster = Cluster::build(&spec).unwrap();
        for index in 0..cluster.links().len() {
            let link = LinkId::from_index(index);
            prop_assert_eq!(cluster.link_named(&cluster.link_name(link)), Some(link));
            let (from, to) = cluster.ends(link);
            prop_assert_eq!(cluster.ends(cluster.reverse(link)), (to, from));
        }
        for gpu in cluster.gpus() {
            prop_assert_eq!(cluster.gpu_named(&cluster.gpu_name(gpu)), Some(gpu));
            prop_assert!(cluster.gpus_of(cluster.node_of(gpu)).contains(&gpu.get()));
        }
    }

    #[test]
    fn links_are_the_weights_of_the_graph(spec in any_spec()) {
        let cluster = Cluster::build(&spec).unwrap();
        let weights: Vec<_> = cluster.graph().edge_weights().copied().collect();
        prop_assert_eq!(cluster.links(), &weights[..]);
    }

    #[test]
    fn bisection_is_the_maximum_flow_between_the_halves(spec in any_spec()) {
        let cluster = Cluster::build(&spec).unwrap();
        let (expected, found) = (max_flow(&cluster), cluster.bisection_bandwidth());
        prop_assert!((expected - found).abs() <= 1e-6 * expected + 1e3, "{expected} {found}");
    }

    #[test]
    fn without_oversubscription_the_nics_bound_the_bisection(
        node in any_node(), count in 1u32..13, fabric in any_clos(),
    ) {
        let fabric = FabricSpec { oversubscription: Vec::new(), ..fabric };
        let groups = vec![NodeGroup { node, count, gpus_used: None }];
        let spec = ClusterSpec { groups, fabric, ..cluster::example::two_dgx_h100() };
        let cluster = Cluster::build(&ClusterSpec { gpus: vec![h100(), v100(), t4()], ..spec }).unwrap();
        let half: f64 = cluster
            .links()
            .iter()
            .filter(|link| link.kind == LinkKind::Nic)
            .map(|link| link.rate.as_f64() / 2.0)
            .sum::<f64>()
            * f64::from(count / 2)
            / f64::from(count);
        let found = cluster.bisection_bandwidth();
        prop_assert!((found - half).abs() <= 1e-9 * half, "{found} {half}");
    }
}

/// A spec with some numbers that no machine has.
fn wild_spec() -> impl Strategy<Value = ClusterSpec> {
    let number = || prop::sample::select(vec![0, 1, 2, 3, 8, 255, 4096, 1 << 20, u32::MAX]);
    let real = prop::sample::select(vec![f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-300, 1.0, 1e300]);
    let numbers = prop::collection::vec(number(), 12);
    (any_spec(), numbers, real, any::<u16>()).prop_map(|(mut spec, numbers, real, which)| {
        let fabric = &mut spec.fabric;
        let NodeGroup { node, count, .. } = &mut spec.groups[0];
        let (mut rails, mut pods) = (
            fabric.rails.unwrap_or(1),
            fabric.groups_per_pod.unwrap_or(1),
        );
        let (mut spines, mut cores) = (1, 1);
        let fields = [
            count,
            &mut node.gpus,
            &mut node.host.sockets,
            &mut node.host.gpus_per_switch,
            &mut node.nics.count,
            &mut fabric.nodes_per_leaf,
            &mut fabric.planes,
            &mut rails,
            &mut pods,
            &mut spines,
            &mut cores,
        ];
        for (i, (field, value)) in fields.into_iter().zip(&numbers).enumerate() {
            // A million nodes build, but not in a test.
            let slow = i == 0 && 8 < *value && *value < u32::MAX;
            if which >> i & 1 == 1 && !slow {
                *field = *value;
            }
        }
        fabric.rails = fabric.rails.map(|_| rails);
        fabric.groups_per_pod = fabric.groups_per_pod.map(|_| pods);
        fabric.spines = (which & 512 != 0).then_some(spines);
        fabric.cores = (which & 1024 != 0).then_some(cores);
        if which & 2048 != 0 {
            fabric.oversubscription = vec![real];
            fabric.link_latency = Seconds::from_secs(real);
        }
        spec
    })
}

/// The same cluster with its first group in two parts; as it is where a domain would be cut.
fn split_first_group(spec: &ClusterSpec, at: u32) -> ClusterSpec {
    let mut split = spec.clone();
    let first = split.groups[0].clone();
    let whole = matches!(
        first.node.scale_up,
        ScaleUpSpec::NvSwitch { domain_nodes, .. } if !at.is_multiple_of(domain_nodes)
    );
    if 0 < at && at < first.count && !whole {
        split.groups[0].count = at;
        let rest = NodeGroup {
            count: first.count - at,
            ..first
        };
        split.groups.insert(1, rest);
    }
    split
}

/// The maximum flow from the NICs of the first half of the nodes to those of the second.
fn max_flow(cluster: &Cluster) -> f64 {
    let mut graph: DiGraph<(), u64> = DiGraph::new();
    let vertices: Vec<NodeIndex> = (0..cluster.graph().node_count())
        .map(|_| graph.add_node(()))
        .collect();
    let (source, sink) = (graph.add_node(()), graph.add_node(()));
    for edge in cluster.graph().raw_edges() {
        let capacity = units::Bytes::from_f64(edge.weight.rate.as_f64()).as_u64();
        let (from, to) = (
            vertices[edge.source().index()],
            vertices[edge.target().index()],
        );
        match (edge.weight.kind, cluster.graph()[edge.source()]) {
            (LinkKind::Fabric, _) => {
                graph.add_edge(from, to, capacity);
            }
            (LinkKind::Nic, Device::Nic { node, .. }) if in_first_half(cluster, node) => {
                graph.add_edge(source, to, capacity);
            }
            (LinkKind::Nic, Device::Leaf(_) | Device::Router(_) | Device::Switch(_)) => {
                let Device::Nic { node, .. } = cluster.graph()[edge.target()] else {
                    unreachable!("a link of a NIC has a NIC at one end");
                };
                if !in_first_half(cluster, node) {
                    graph.add_edge(from, sink, capacity);
                }
            }
            _ => {}
        }
    }
    dinics(&graph, source, sink).0 as f64
}

fn in_first_half(cluster: &Cluster, node: NodeId) -> bool {
    node.index() < cluster.n_nodes() / 2
}
