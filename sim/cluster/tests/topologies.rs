//! Named topologies, against what their data sheets and papers say.
#![expect(
    clippy::float_cmp,
    reason = "rates of data sheets and small factors are exact"
)]

use cluster::example::{
    cluster, dgx_1v, dgx_h100, dgx_h100s, fabric, g4dn_metal, hosts, two_dgx_h100,
};
use cluster::{
    Cluster, ClusterNetwork, ClusterSpec, FabricKind, FabricSpec, LinkKind, NicSpec, NodeGroup,
    NodeSpec, ScaleUpSpec, Topology,
};
use units::{Bytes, BytesPerSec, GpuId, LinkId, NodeId, Seconds};

fn build(spec: &ClusterSpec) -> Cluster {
    Cluster::build(spec).expect("the spec is sound")
}

fn path(cluster: &Cluster, from: &str, to: &str, hash: u64) -> Vec<LinkId> {
    let [from, to] = [from, to].map(|name| cluster.gpu_named(name).expect("a GPU's name"));
    let mut path = Vec::new();
    cluster.route(from, to, hash, &mut path);
    path
}

fn route(cluster: &Cluster, from: &str, to: &str) -> Vec<String> {
    let path = path(cluster, from, to, Cluster::D_MOD_K);
    path.iter().map(|link| cluster.link_name(*link)).collect()
}

fn rate_between(cluster: &Cluster, from: &str, to: &str) -> f64 {
    cluster
        .path_rate(&path(cluster, from, to, Cluster::D_MOD_K))
        .as_gbytes()
}

fn gbytes(rate: f64) -> BytesPerSec {
    BytesPerSec::from_gbytes(rate).expect("tests have positive rates")
}

#[test]
fn nvswitch_gives_every_pair_the_whole_rate_of_a_gpu() {
    let cluster = build(&two_dgx_h100());
    assert_eq!(
        route(&cluster, "n1g2", "n1g7"),
        ["n1g2->n1sw", "n1sw->n1g7"]
    );
    assert_eq!(rate_between(&cluster, "n0g0", "n0g7"), 450.0);
    assert_eq!(cluster.scale_up_rate(GpuId::new(3)), gbytes(450.0));
}

#[test]
fn traffic_between_rails_changes_rail_over_nvlink() {
    let cluster = build(&two_dgx_h100());
    assert_eq!(
        route(&cluster, "n0g0", "n1g3"),
        [
            "n0g0->n0sw",
            "n0sw->n0g3",
            "n0g3->n0pci3",
            "n0pci3->n0nic3",
            "n0nic3->leaf3",
            "leaf3->n1nic3",
            "n1nic3->n1pci3",
            "n1pci3->n1g3"
        ]
    );
    assert_eq!(rate_between(&cluster, "n0g0", "n1g3"), 50.0);
}

#[test]
fn without_nvlink_traffic_between_rails_crosses_a_spine() {
    let node = NodeSpec {
        scale_up: ScaleUpSpec::Pcie,
        ..dgx_h100()
    };
    let cluster = build(&cluster(node, 2, fabric(FabricKind::RailOptimised)));
    let route = route(&cluster, "n0g0", "n1g3");
    assert!(route.contains(&"leaf0->spine1".to_owned()), "{route:?}");
    assert!(route.contains(&"spine1->leaf3".to_owned()), "{route:?}");
}

#[test]
fn neighbors_of_the_cube_mesh_have_one_or_two_links() {
    let cluster = build(&cluster(dgx_1v(), 1, fabric(FabricKind::Single)));
    assert_eq!(rate_between(&cluster, "n0g0", "n0g1"), 25.0);
    assert_eq!(rate_between(&cluster, "n0g0", "n0g4"), 50.0);
    assert_eq!(cluster.scale_up_rate(GpuId::new(5)), gbytes(150.0));
}

#[test]
fn other_pairs_of_the_cube_mesh_go_over_the_widest_neighbor() {
    let cluster = build(&cluster(dgx_1v(), 1, fabric(FabricKind::Single)));
    // 0-4 and 4-7 have two links each, 0-3 two and 3-7 one.
    assert_eq!(
        route(&cluster, "n0g0", "n0g7"),
        ["n0g0->n0g4", "n0g4->n0g7"]
    );
    for a in 0..8 {
        for b in (0..8).filter(|b| *b != a) {
            let hops = path(&cluster, &format!("n0g{a}"), &format!("n0g{b}"), 0);
            assert!(
                hops.len() <= 2,
                "every pair of the cube mesh has a common neighbor"
            );
        }
    }
}

#[test]
fn half_of_a_cube_mesh_keeps_only_its_own_links() {
    let mut spec = cluster(dgx_1v(), 2, fabric(FabricKind::Single));
    spec.groups[0].gpus_used = Some(4);
    let cluster = build(&spec);
    assert_eq!(cluster.n_gpus(), 8);
    assert_eq!(cluster.gpu_named("n1g0"), Some(GpuId::new(4)));
    assert_eq!(cluster.gpu_named("n0g4"), None);
    assert_eq!(cluster.scale_up_rate(GpuId::new(0)), gbytes(100.0));
}

#[test]
fn pcie_nodes_cross_the_link_of_their_sockets() {
    let cluster = build(&cluster(g4dn_metal(), 2, fabric(FabricKind::Single)));
    assert_eq!(
        route(&cluster, "n0g0", "n0g3"),
        ["n0g0->n0cpu0", "n0cpu0->n0g3"]
    );
    assert_eq!(
        route(&cluster, "n0g0", "n0g4"),
        ["n0g0->n0cpu0", "n0cpu0->n0cpu1", "n0cpu1->n0g4"]
    );
    assert_eq!(
        route(&cluster, "n0g7", "n1g0"),
        [
            "n0g7->n0cpu1",
            "n0cpu1->n0cpu0",
            "n0cpu0->n0nic0",
            "n0nic0->leaf0",
            "leaf0->n1nic0",
            "n1nic0->n1cpu0",
            "n1cpu0->n1g0"
        ]
    );
    assert_eq!(cluster.nic_of(GpuId::new(0)), cluster.nic_of(GpuId::new(7)));
}

#[test]
fn a_rack_of_18_trays_is_one_domain() {
    let tray = NodeSpec {
        gpus: 4,
        scale_up: ScaleUpSpec::NvSwitch {
            rate: gbytes(900.0),
            latency: Seconds::from_micros(0.25),
            domain_nodes: 18,
        },
        nics: NicSpec {
            count: 4,
            ..dgx_h100().nics
        },
        ..dgx_h100()
    };
    let cluster = build(&cluster(tray, 36, fabric(FabricKind::RailOptimised)));
    assert_eq!((cluster.n_gpus(), cluster.n_domains()), (144, 2));
    assert_eq!(
        route(&cluster, "n1g0", "n17g3"),
        ["n1g0->n0sw", "n0sw->n17g3"]
    );
    assert_eq!(
        route(&cluster, "n18g0", "n35g3"),
        ["n18g0->n18sw", "n18sw->n35g3"]
    );
    assert!(rate_between(&cluster, "n17g3", "n18g3") <= 50.0);
}

#[test]
fn hosts_of_one_rack_have_one_way_and_hosts_of_two_have_those_over_all_spines() {
    let tray = NodeSpec {
        gpus: 4,
        scale_up: ScaleUpSpec::NvSwitch {
            rate: gbytes(900.0),
            latency: Seconds::from_micros(0.25),
            domain_nodes: 18,
        },
        nics: NicSpec {
            count: 4,
            ..dgx_h100().nics
        },
        ..dgx_h100()
    };
    let fabric = FabricSpec {
        nodes_per_leaf: 18,
        ..fabric(FabricKind::LeafSpine)
    };
    let network = ClusterNetwork::new(build(&cluster(tray, 36, fabric)));
    let host = |name: &str| network.host_named(name).expect("a host's name");
    let names = |from: &str, to: &str, way: u32| {
        let mut links = Vec::new();
        network.way(host(from), host(to), way, &mut links);
        let names = links.iter().map(|link| network.cluster().link_name(*link));
        names.collect::<Vec<_>>()
    };
    let count = |from: &str, to: &str| network.n_ways(host(from), host(to));
    assert_eq!(count("n1g0", "n17g3"), 1);
    assert_eq!(names("n1g0", "n17g3", 0), ["n1g0->n0sw", "n0sw->n17g3"]);
    assert!(!network.meets(host("n1g0"), host("n17g3")));
    assert_eq!(network.own_links(host("n1g0"), host("n17g3"), 0), [2, 0]);
    // 18 trays with four NICs a leaf: 72 uplinks, each to a spine of its own.
    assert_eq!(count("n1g0", "n18g3"), 72);
    assert_eq!(
        names("n1g0", "n18g3", 71)[2..],
        [
            "n1nic0->leaf0",
            "leaf0->spine71",
            "spine71->leaf1",
            "leaf1->n18nic3",
            "n18nic3->n18pci3",
            "n18pci3->n18g3"
        ]
    );
    // Nodes as hosts are their NICs: they meet in the leaf even within the rack.
    assert_eq!(names("n1", "n17", 0), ["n1nic0->leaf0", "leaf0->n17nic0"]);
    assert_eq!(count("n1", "n1g0"), 1);
    assert_eq!(names("n1", "n1g0", 0), [""; 0]);
}

#[test]
fn hosts_on_several_planes_have_ways_over_each_of_their_nics() {
    // One GPU with four NICs, each on a plane with two spines.
    let node = NodeSpec {
        gpus: 1,
        scale_up: ScaleUpSpec::Pcie,
        nics: NicSpec {
            count: 4,
            striped: false,
            ..dgx_h100().nics
        },
        ..dgx_h100()
    };
    let planes = FabricSpec {
        planes: 4,
        nodes_per_leaf: 2,
        spines: Some(2),
        ..fabric(FabricKind::LeafSpine)
    };
    let network = ClusterNetwork::new(build(&cluster(node, 4, planes)));
    for [from, to] in [["n0", "n2"], ["n0g0", "n2g0"], ["n0", "n3g0"]] {
        let [from, to] = [from, to].map(|name| network.host_named(name).expect("a host's name"));
        assert_eq!(network.n_ways(from, to), 8);
        assert!(network.static_way(from, to) < 2, "over the first plane");
        let nics: std::collections::BTreeSet<_> = (0..8)
            .map(|way| {
                let mut links = Vec::new();
                network.way(from, to, way, &mut links);
                let [start, end] = network.own_links(from, to, way);
                (links[start - 1], links[links.len() - end])
            })
            .collect();
        assert_eq!(nics.len(), 4);
    }
}

#[test]
fn four_nics_of_a_gpu_act_as_one_where_they_are_striped() {
    let nics = |striped| NicSpec {
        count: 32,
        rate: BytesPerSec::from_gbits(100.0).unwrap(),
        striped,
    };
    let p5 = |striped| NodeSpec {
        nics: nics(striped),
        ..dgx_h100()
    };
    let striped = build(&cluster(p5(true), 2, fabric(FabricKind::Single)));
    assert_eq!(rate_between(&striped, "n0g1", "n1g1"), 50.0);
    let single = build(&cluster(p5(false), 2, fabric(FabricKind::Single)));
    assert_eq!(rate_between(&single, "n0g1", "n1g1"), 12.5);
    assert_eq!(single.nics_of(GpuId::new(1)), 4);
    assert_eq!(single.bisection_bandwidth(), striped.bisection_bandwidth());
}

#[test]
fn planes_never_meet_and_hosts_change_plane_over_nvlink() {
    let planes = FabricSpec {
        planes: 8,
        nodes_per_leaf: 2,
        ..fabric(FabricKind::LeafSpine)
    };
    let cluster = build(&cluster(dgx_h100(), 8, planes));
    let route = route(&cluster, "n0g0", "n7g5");
    assert_eq!(route[..2], ["n0g0->n0sw", "n0sw->n0g5"]);
    assert_eq!(route.len(), 10);
    for a in cluster.gpus() {
        for b in cluster.gpus() {
            let mut links = Vec::new();
            cluster.route(a, b, 3, &mut links);
            let lanes: Vec<u32> = links
                .iter()
                .filter(|link| cluster.link(**link).kind == LinkKind::Fabric)
                .map(|link| match cluster.ends(*link) {
                    (cluster::Device::Leaf(leaf), _) | (_, cluster::Device::Leaf(leaf)) => leaf % 8,
                    ends => panic!("{ends:?}"),
                })
                .collect();
            assert!(lanes.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }
}

#[test]
fn nodes_of_several_kinds_share_a_cluster() {
    let mut spec = cluster(dgx_1v(), 3, fabric(FabricKind::LeafSpine));
    spec.groups.push(NodeGroup {
        node: g4dn_metal(),
        count: 1,
        gpus_used: Some(4),
    });
    let cluster = build(&spec);
    assert_eq!(cluster.n_gpus(), 28);
    let kinds: Vec<_> = cluster
        .kinds()
        .iter()
        .map(|gpu| gpu.name.as_str())
        .collect();
    assert_eq!(kinds, ["v100-sxm2-16gb", "t4"]);
    assert_eq!(cluster.gpu(GpuId::new(23)).name, "v100-sxm2-16gb");
    assert_eq!(cluster.gpu(GpuId::new(24)).name, "t4");
    assert_eq!(cluster.node_of(GpuId::new(24)), NodeId::new(3));
    assert!(rate_between(&cluster, "n0g0", "n3g1") <= 12.5);
}

#[test]
fn a_shift_under_d_mod_k_meets_on_no_link() {
    // Zahavi, D-mod-k routing on real-life fat trees, 2010: shift permutations do not contend.
    let cluster = build(&hosts(8, 8, 8, 100.0));
    for shift in 1..64 {
        let mut used = vec![0; cluster.links().len()];
        for host in 0..64 {
            let mut links = Vec::new();
            let [from, to] = [host, (host + shift) % 64].map(NodeId::new);
            cluster.route_hosts(from, to, Cluster::D_MOD_K, &mut links);
            for link in &links {
                used[link.index()] += 1;
            }
        }
        assert!(used.iter().all(|flows| *flows <= 1), "shift {shift}");
    }
}

#[test]
fn rails_of_a_node_meet_on_no_link_above_their_leaves() {
    // Rings of data parallelism over pods: every GPU sends to its like, some nodes further.
    let pods = FabricSpec {
        nodes_per_leaf: 4,
        groups_per_pod: Some(2),
        ..fabric(FabricKind::RailOptimised)
    };
    let cluster = build(&cluster(dgx_h100(), 32, pods));
    for shift in 1..32 {
        let mut used = vec![0; cluster.links().len()];
        for gpu in 0..256 {
            let [from, to] = [gpu, (gpu + 8 * shift) % 256].map(GpuId::new);
            let mut links = Vec::new();
            cluster.route(from, to, Cluster::D_MOD_K, &mut links);
            for link in &links {
                used[link.index()] += 1;
            }
        }
        assert!(used.iter().all(|flows| *flows <= 1), "shift {shift}");
    }
}

#[test]
fn one_flow_between_hosts_takes_what_simgrid_says() {
    // 64 hosts, 4 leaves, 16 spines, 100 Gbit/s, 1 µs a link: SimGrid 3.32 (CM02, no cross
    // traffic) moves 4 MiB in 339.544 µs.
    let cluster = build(&hosts(4, 16, 16, 100.0));
    let mut links = Vec::new();
    cluster.route_hosts(
        NodeId::new(0),
        NodeId::new(32),
        Cluster::D_MOD_K,
        &mut links,
    );
    let time = cluster.path_latency(&links) + Bytes::new(4 << 20) / cluster.path_rate(&links);
    assert!((time.as_micros() - 339.544).abs() < 1e-3);
}

#[test]
fn hashes_spread_over_all_spines() {
    let cluster = build(&hosts(2, 16, 16, 100.0));
    let mut spines = std::collections::BTreeSet::new();
    for hash in 1..200 {
        let mut links = Vec::new();
        cluster.route_hosts(NodeId::new(0), NodeId::new(16), hash, &mut links);
        spines.insert(links[1]);
    }
    assert_eq!(spines.len(), 16);
}

#[test]
fn the_pods_of_a_taper_share_a_seventh() {
    // Meta's 24k cluster: racks of two nodes, pods with full bandwidth, 1:7 above them.
    let tapered = FabricSpec {
        nodes_per_leaf: 2,
        groups_per_pod: Some(16),
        oversubscription: vec![0.5, 7.0],
        ..fabric(FabricKind::FatTree)
    };
    let whole = build(&cluster(dgx_h100(), 64, tapered));
    assert_eq!(whole.pod_of(NodeId::new(32)), 1);
    let nics = 32.0 * 8.0 * 50e9;
    assert!((whole.bisection_bandwidth() / (nics / 7.0) - 1.0).abs() < 1e-9);
}

#[test]
fn a_measured_rate_bounds_routes_between_its_nodes_only() {
    let mut spec = two_dgx_h100();
    spec.fabric.measured = Some(vec![
        vec![None, Some(gbytes(18.5))],
        vec![Some(gbytes(60.0)), None],
    ]);
    let cluster = build(&spec);
    let alone = |from: &str, to: &str| {
        let links = path(&cluster, from, to, 0);
        let [from, to] = [from, to].map(|name| cluster.gpu_named(name).unwrap());
        cluster.route_rate(from, to, &links).as_gbytes()
    };
    assert_eq!(alone("n0g0", "n1g0"), 18.5);
    assert_eq!(alone("n1g0", "n0g0"), 50.0);
    assert_eq!(alone("n0g0", "n0g1"), 450.0);
}

#[test]
fn offload_crosses_pcie_to_the_socket_and_back() {
    let cluster = build(&two_dgx_h100());
    let mut there = Vec::new();
    cluster.route_to_host(GpuId::new(5), &mut there);
    let mut back = Vec::new();
    cluster.route_from_host(GpuId::new(5), &mut back);
    let names = |path: &[LinkId]| {
        path.iter()
            .map(|link| cluster.link_name(*link))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&there), ["n0g5->n0pci5", "n0pci5->n0cpu1"]);
    assert_eq!(names(&back), ["n0cpu1->n0pci5", "n0pci5->n0g5"]);
}

#[test]
fn a_hundred_thousand_gpus_fit() {
    let cluster = build(&dgx_h100s(12_500));
    assert_eq!(cluster.n_gpus(), 100_000);
    assert_eq!(rate_between(&cluster, "n0g0", "n12499g7"), 50.0);
    assert_eq!(cluster.bisection_bandwidth(), 6250.0 * 8.0 * 50e9);
}
