//! Dragonflies, tori and graphs, against what papers and hand calculation say.

use cluster::example::{cluster, dgx_h100, fabric, hosts, petersen};
use cluster::{
    AttachSpec, CableSpec, Cluster, ClusterNetwork, ClusterSpec, FabricKind, FabricSpec, Fault,
    GraphSpec, LinkKind, NodeSpec, RouterSpec, Topology,
};
use units::{BytesPerSec, GpuId, HostId, LinkId, NodeId, Seconds};

fn build(spec: &ClusterSpec) -> Cluster {
    Cluster::build(spec).expect("the spec is sound")
}

/// Hosts with one NIC of 100 Gbit/s.
fn host() -> NodeSpec {
    hosts(1, 1, 1, 100.0).groups[0].node.clone()
}

fn torus(dimensions: &[u32]) -> FabricSpec {
    FabricSpec {
        routers: RouterSpec {
            dimensions: dimensions.to_vec(),
            ..RouterSpec::default()
        },
        ..fabric(FabricKind::Torus)
    }
}

fn path(cluster: &Cluster, from: u32, to: u32, hash: u64) -> Vec<LinkId> {
    let mut links = Vec::new();
    cluster.route_hosts(NodeId::new(from), NodeId::new(to), hash, &mut links);
    links
}

/// The switches that a route between two nodes visits.
fn switches(cluster: &Cluster, from: u32, to: u32) -> Vec<String> {
    let links = path(cluster, from, to, Cluster::D_MOD_K);
    let ends = links[..links.len() - 1]
        .iter()
        .map(|link| cluster.ends(*link).1);
    ends.map(|device| cluster.device_name(device)).collect()
}

fn graph(switches: &[&str], cables: &[[&str; 2]], attach: &[(&str, u32)]) -> FabricSpec {
    let owned = |name: &&str| (*name).to_owned();
    FabricSpec {
        graph: GraphSpec {
            switches: switches.iter().map(owned).collect(),
            cables: cables
                .iter()
                .map(|ends| CableSpec {
                    ends: ends.map(str::to_owned),
                    count: 1,
                    rate: None,
                    latency: None,
                })
                .collect(),
            attach: attach
                .iter()
                .map(|(switch, nodes)| AttachSpec {
                    switches: vec![(*switch).to_owned()],
                    nodes_per_switch: *nodes,
                    first_node: None,
                    nic: None,
                })
                .collect(),
        },
        ..fabric(FabricKind::Graph)
    }
}

/// The same switches and cables as those of a cluster whose switches form levels, as a graph.
fn spelled_out(cluster: &Cluster, like: &FabricSpec) -> FabricSpec {
    let vertices = cluster.graph();
    let name = |vertex| cluster.device_name(vertices[vertex]);
    let is_switch = |name: &String| !name.starts_with('n');
    let nodes = vertices.node_indices().map(name).filter(is_switch);
    let cables = vertices.edge_indices().step_by(2).filter_map(|edge| {
        let (from, to) = vertices.edge_endpoints(edge)?;
        let link = vertices[edge];
        (link.kind == LinkKind::Fabric).then(|| CableSpec {
            ends: [from, to].map(name),
            count: 1,
            rate: Some(link.rate),
            latency: None,
        })
    });
    let attach = (0..cluster.n_nodes()).map(|node| {
        let nic = cluster
            .nic_of(GpuId::from_index(node))
            .expect("hosts have a NIC");
        let (_, leaf) = cluster.ends(cluster.nic_links(nic)[0]);
        AttachSpec {
            switches: vec![leaf.to_string()],
            nodes_per_switch: 1,
            first_node: None,
            nic: None,
        }
    });
    FabricSpec {
        graph: GraphSpec {
            switches: nodes.collect(),
            cables: cables.collect(),
            attach: attach.collect(),
        },
        link_latency: like.link_latency,
        switch_latency: like.switch_latency,
        ..fabric(FabricKind::Graph)
    }
}

#[test]
fn a_tree_spelled_out_as_a_graph_routes_as_the_tree_does() {
    let tall = FabricSpec {
        nodes_per_leaf: 4,
        groups_per_pod: Some(2),
        ..fabric(FabricKind::FatTree)
    };
    for spec in [hosts(4, 8, 8, 100.0), cluster(host(), 32, tall)] {
        let tree = build(&spec);
        let same = ClusterSpec {
            fabric: spelled_out(&tree, &spec.fabric),
            ..spec
        };
        let graph = build(&same);
        assert_eq!(graph.n_gpus(), tree.n_gpus());
        for (from, to, hash) in (0..32).flat_map(|a| (0..32).map(move |b| (a, b, u64::from(b % 3))))
        {
            let names = |cluster: &Cluster| -> Vec<String> {
                let links = path(cluster, from, to, hash);
                links.iter().map(|link| cluster.link_name(*link)).collect()
            };
            assert_eq!(names(&graph), names(&tree), "{from} to {to}");
        }
        assert!((graph.bisection_bandwidth() / tree.bisection_bandwidth() - 1.0).abs() < 1e-9);
        let [graph, tree] = [graph, tree].map(ClusterNetwork::new);
        for to in (0..32).map(HostId::new) {
            assert_eq!(
                graph.n_ways(HostId::new(0), to),
                tree.n_ways(HostId::new(0), to)
            );
        }
    }
}

#[test]
fn a_torus_is_crossed_dimension_by_dimension_round_the_shorter_side() {
    let cluster = build(&cluster(host(), 64, torus(&[4, 4, 4])));
    // Along x backwards, along y two up, since both sides are equal, along z forwards.
    assert_eq!(
        switches(&cluster, 0, 3 + 2 * 4 + 16),
        ["router0", "router3", "router7", "router11", "router27"]
    );
    let network = ClusterNetwork::new(cluster);
    assert_eq!(
        network.n_ways(HostId::new(0), HostId::new(3 + 2 * 4 + 16)),
        12
    );
    assert_eq!(network.n_ways(HostId::new(0), HostId::new(1)), 1);
}

#[test]
fn the_bisection_of_a_torus_is_two_cuts_through_every_ring() {
    // 4 x 4 x 8 routers cut in the middle of the last dimension: 16 rings, each cut twice.
    let spec = FabricSpec {
        link_rate: BytesPerSec::from_gbytes(1.0),
        ..torus(&[4, 4, 8])
    };
    let cluster = build(&cluster(host(), 128, spec));
    assert!((cluster.bisection_bandwidth() / 32e9 - 1.0).abs() < 1e-9);
}

#[test]
fn every_two_groups_of_a_balanced_dragonfly_have_one_cable() {
    // Kim et al., ISCA 2008: with a = 2p = 2h, a·h + 1 groups, one cable between each two.
    let spec = FabricSpec {
        routers: RouterSpec {
            nodes_per_router: Some(2),
            groups: Some(9),
            per_group: Some(4),
            global_links: Some(2),
            global_latency: Some(Seconds::from_micros(1.5)),
            ..RouterSpec::default()
        },
        ..fabric(FabricKind::Dragonfly)
    };
    let cluster = build(&cluster(host(), 72, spec));
    let cables = cluster
        .links()
        .iter()
        .filter(|link| link.kind == LinkKind::Fabric)
        .count()
        / 2;
    assert_eq!(cables, 9 * 6 + 36);
    let mut longest = 0;
    for (from, to) in (0..72)
        .flat_map(|a| (0..72).map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
    {
        let links = path(&cluster, from, to, Cluster::D_MOD_K);
        let far = |link: &&LinkId| cluster.link(**link).latency > Seconds::from_micros(1.0);
        let pods = [from, to].map(|node| cluster.pod_of(NodeId::new(node)));
        assert_eq!(
            links.iter().filter(far).count(),
            usize::from(pods[0] != pods[1])
        );
        longest = longest.max(links.len());
    }
    assert_eq!(longest, 2 + 3);
}

#[test]
fn messages_to_many_nodes_spread_over_the_cables_between_two_groups() {
    let spec = FabricSpec {
        routers: RouterSpec {
            nodes_per_router: Some(4),
            groups: Some(2),
            per_group: Some(2),
            global_links: Some(2),
            ..RouterSpec::default()
        },
        ..fabric(FabricKind::Dragonfly)
    };
    // Router 0 of each group has two cables to router 0 of the other, as one link.
    let cluster = build(&cluster(host(), 16, spec));
    let links = path(&cluster, 0, 8, Cluster::D_MOD_K);
    assert_eq!(switches(&cluster, 0, 8), ["router0", "router2"]);
    assert_eq!(
        cluster.link(links[1]).rate,
        BytesPerSec::from_gbits(200.0).unwrap()
    );
}

#[test]
fn any_two_switches_of_the_petersen_graph_are_at_most_two_cables_apart() {
    let spec = FabricSpec {
        graph: petersen(),
        ..fabric(FabricKind::Graph)
    };
    let network = ClusterNetwork::new(build(&cluster(host(), 40, spec)));
    for (from, to) in (0..40)
        .flat_map(|a| (0..40).map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
    {
        let [from, to] = [from, to].map(HostId::new);
        let mut links = Vec::new();
        network.way(from, to, 0, &mut links);
        assert_eq!(network.n_ways(from, to), 1, "the graph has no ring of four");
        assert!((2..=4).contains(&links.len()));
    }
}

#[test]
fn dgx_on_a_torus_keep_nvlink_inside() {
    let cluster = build(&cluster(dgx_h100(), 27, torus(&[3, 3, 3])));
    let mut links = Vec::new();
    cluster.route(GpuId::new(0), GpuId::new(7), Cluster::D_MOD_K, &mut links);
    assert_eq!(links.len(), 2);
    links.clear();
    cluster.route(
        GpuId::new(0),
        GpuId::new(8 * 13 + 3),
        Cluster::D_MOD_K,
        &mut links,
    );
    let names: Vec<_> = links.iter().map(|link| cluster.link_name(*link)).collect();
    assert_eq!(
        names,
        [
            "n0g0->n0pci0",
            "n0pci0->n0nic0",
            "n0nic0->router0",
            "router0->router1",
            "router1->router4",
            "router4->router13",
            "router13->n13nic3",
            "n13nic3->n13pci3",
            "n13pci3->n13g3",
        ]
    );
}

#[test]
fn nics_of_a_node_may_hang_on_switches_of_their_own() {
    let rails = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"];
    let cables = rails.map(|rail| [rail, "top"]);
    let mut spec = graph(&[&rails[..], &["top"]].concat(), &cables, &[]);
    spec.graph.attach = (0..)
        .zip(rails)
        .map(|(nic, rail)| AttachSpec {
            switches: vec![rail.to_owned()],
            nodes_per_switch: 4,
            first_node: Some(0),
            nic: Some(nic),
        })
        .collect();
    let cluster = build(&cluster(dgx_h100(), 4, spec));
    let hops = |from: u32, to: u32| {
        let mut links = Vec::new();
        cluster.route(
            GpuId::new(from),
            GpuId::new(to),
            Cluster::D_MOD_K,
            &mut links,
        );
        links
            .iter()
            .filter(|link| cluster.link(**link).kind == LinkKind::Fabric)
            .count()
    };
    // To another rail over NVLink, to the GPU whose NIC is on it.
    assert_eq!((hops(0, 8), hops(3, 27), hops(0, 9)), (0, 0, 0));
}

#[test]
fn a_graph_names_its_links_as_its_file_does() {
    let spec = graph(
        &["a", "b", "sw0"],
        &[["a", "b"], ["b", "sw0"]],
        &[("a", 1), ("sw0", 1)],
    );
    let cluster = build(&cluster(host(), 2, spec));
    let links = path(&cluster, 0, 1, Cluster::D_MOD_K);
    let names: Vec<_> = links.iter().map(|link| cluster.link_name(*link)).collect();
    assert_eq!(names, ["n0nic0->a", "a->b", "b->sw0", "sw0->n1nic0"]);
    // The name of the file counts before the number.
    assert_eq!(cluster.link_named("sw1->sw0"), cluster.link_named("b->sw0"));
    assert_eq!(cluster.link_named("a->sw0"), None);
}

#[test]
fn ways_go_around_a_dead_link_even_where_no_shortest_one_does() {
    for spec in [
        torus(&[4, 4]),
        graph(
            &["a", "b", "c"],
            &[["a", "b"], ["b", "c"], ["c", "a"]],
            &[("a", 1), ("b", 1), ("c", 14)],
        ),
    ] {
        let healthy = build(&cluster(host(), 16, spec));
        let straight = path(&healthy, 0, 1, Cluster::D_MOD_K);
        assert_eq!(straight.len(), 3);
        let link = healthy.link_name(straight[1]);
        let hurt = healthy.degraded(&[Fault::DeadLink { link }]).unwrap();
        let around = path(&hurt, 0, 1, Cluster::D_MOD_K);
        assert!(around.len() > 3 && around.iter().all(|link| !hurt.is_down(*link)));
        assert!(hurt.bisection_bandwidth() <= healthy.bisection_bandwidth());
    }
}

#[test]
fn a_cable_without_which_the_graph_falls_apart_cannot_die() {
    let spec = graph(
        &["a", "b", "c"],
        &[["a", "b"], ["b", "c"]],
        &[("a", 1), ("c", 1)],
    );
    let cluster = build(&cluster(host(), 2, spec));
    let fault = Fault::DeadLink {
        link: "c->b".to_owned(),
    };
    let errors = cluster.degraded(&[fault]).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "without link c->b, nothing leads from a to c"
    );
}

/// Four nodes of two GPUs, each GPU with a NIC on a ring of its own: no cable joins the rings.
fn two_rings(first_of_second: u32) -> ClusterSpec {
    let names = |rail: u32| (0..4).map(move |node| format!("rail{rail}-{node}"));
    let cables = (0..2).flat_map(|rail| {
        let ring: Vec<String> = names(rail).collect();
        (0..4).map(move |at| CableSpec {
            ends: [ring[at].clone(), ring[(at + 1) % 4].clone()],
            count: 1,
            rate: None,
            latency: None,
        })
    });
    let attach = (0..2).map(|rail| AttachSpec {
        switches: names(rail).collect(),
        nodes_per_switch: 1,
        first_node: Some(if rail == 0 { 0 } else { first_of_second }),
        nic: Some(rail),
    });
    let spec = FabricSpec {
        graph: GraphSpec {
            switches: (0..2).flat_map(names).collect(),
            cables: cables.collect(),
            attach: attach.collect(),
        },
        ..fabric(FabricKind::Graph)
    };
    let mut node = dgx_h100();
    node.gpus = 2;
    node.nics.count = 2;
    cluster(node, 4, spec)
}

#[test]
fn rails_without_a_cable_between_them_are_changed_inside_nodes() {
    let cluster = build(&two_rings(0));
    let network = ClusterNetwork::new(cluster.clone());
    let mut links = Vec::new();
    for from in (0..network.n_hosts()).map(HostId::new) {
        for to in (0..network.n_hosts()).map(HostId::new) {
            if !network.meets(from, to) {
                continue;
            }
            assert!(0 < network.n_ways(from, to));
            links.clear();
            network.way(from, to, network.static_way(from, to), &mut links);
            let ends = links.iter().map(|link| cluster.ends(*link));
            let ends: Vec<_> = ends.collect();
            let joined = ends.windows(2).all(|pair| pair[0].1 == pair[1].0);
            assert!(joined, "{from} to {to}: {ends:?}");
        }
    }
    // From GPU 0 of a node to GPU 1 of the next: through GPU 1, on the second ring.
    links.clear();
    cluster.route(GpuId::new(0), GpuId::new(3), Cluster::D_MOD_K, &mut links);
    let names: Vec<_> = links.iter().map(|link| cluster.link_name(*link)).collect();
    assert!(names.contains(&"rail1-0->rail1-1".to_owned()), "{names:?}");
    assert_eq!(names[0], "n0g0->n0sw");
}

#[test]
fn a_ring_that_breaks_twice_cuts_its_own_rail() {
    let cluster = build(&two_rings(0));
    let dead = |link: &str| Fault::DeadLink {
        link: link.to_owned(),
    };
    assert!(cluster.degraded(&[dead("rail1-0->rail1-1")]).is_ok());
    let both = [dead("rail1-0->rail1-1"), dead("rail1-2->rail1-3")];
    let errors = cluster.degraded(&both).unwrap_err();
    let message = "without link rail1-2->rail1-3, nothing leads from rail1-0 to rail1-1";
    assert_eq!(errors[0].to_string(), message);
}

#[test]
fn a_rail_that_misses_a_node_is_a_part_that_nothing_leads_to() {
    let errors = Cluster::build(&two_rings(1)).unwrap_err();
    let message =
        "no cables lead from switch \"rail0-0\" to 4 switches, the first of them \"rail1-0\"";
    assert!(
        errors.iter().any(|error| error.to_string() == message),
        "{errors:?}"
    );
}
