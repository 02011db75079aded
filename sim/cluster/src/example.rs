//! Small clusters for examples and tests, here and in crates above.

use units::{Bytes, BytesPerSec, DType, FlopsPerSec, Seconds, Watts};

use crate::spec::{
    AttachSpec, CableSpec, ClusterSpec, DEFAULT_HOST_LATENCY, DEFAULT_LINK_LATENCY,
    DEFAULT_SCALE_UP_LATENCY, DEFAULT_SWITCH_LATENCY, FabricKind, FabricSpec, GpuSpec, GraphSpec,
    HostSpec, MeshLink, NicSpec, NodeGroup, NodeSpec, RouterSpec, ScaleUpSpec,
};

const SOURCE: &str = "data sheet, for examples";

/// H100 SXM with 80 GB.
pub fn h100() -> GpuSpec {
    let peaks = [
        (DType::Tf32, 494.5),
        (DType::Fp16, 989.0),
        (DType::Bf16, 989.0),
        (DType::Fp8, 1979.0),
    ];
    GpuSpec {
        name: "h100-sxm".to_owned(),
        vendor: "NVIDIA".to_owned(),
        architecture: "Hopper".to_owned(),
        form: "SXM5".to_owned(),
        fp32: FlopsPerSec::from_tera(67.0),
        peaks: peaks
            .map(|(dtype, tera)| (dtype, FlopsPerSec::from_tera(tera)))
            .to_vec(),
        memory: Bytes::new(81_559 << 20),
        bandwidth: gbytes(3350.0),
        l2: Some(Bytes::new(50 << 20)),
        sms: 132,
        boost_mhz: Some(1830.0),
        tdp: Watts::new(700.0),
        source: SOURCE.to_owned(),
        notes: String::new(),
    }
}

/// V100 SXM2 with 16 GB.
pub fn v100() -> GpuSpec {
    GpuSpec {
        name: "v100-sxm2-16gb".to_owned(),
        vendor: "NVIDIA".to_owned(),
        architecture: "Volta".to_owned(),
        form: "SXM2".to_owned(),
        fp32: FlopsPerSec::from_tera(15.7),
        peaks: vec![(DType::Fp16, FlopsPerSec::from_tera(125.0))],
        memory: Bytes::new(16 << 30),
        bandwidth: gbytes(900.0),
        l2: Some(Bytes::new(6 << 20)),
        sms: 80,
        boost_mhz: Some(1530.0),
        tdp: Watts::new(300.0),
        source: SOURCE.to_owned(),
        notes: String::new(),
    }
}

/// T4.
pub fn t4() -> GpuSpec {
    GpuSpec {
        name: "t4".to_owned(),
        vendor: "NVIDIA".to_owned(),
        architecture: "Turing".to_owned(),
        form: "PCIe".to_owned(),
        fp32: FlopsPerSec::from_tera(8.1),
        peaks: vec![(DType::Fp16, FlopsPerSec::from_tera(65.0))],
        memory: Bytes::new(15_360 << 20),
        bandwidth: gbytes(320.0),
        l2: Some(Bytes::new(4 << 20)),
        sms: 40,
        boost_mhz: Some(1590.0),
        tdp: Watts::new(70.0),
        source: SOURCE.to_owned(),
        notes: String::new(),
    }
}

/// Eight H100 behind NVSwitch, one NIC of 400 Gbit/s each.
pub fn dgx_h100() -> NodeSpec {
    NodeSpec {
        name: "dgx-h100".to_owned(),
        gpu: "h100-sxm".to_owned(),
        gpus: 8,
        scale_up: ScaleUpSpec::NvSwitch {
            rate: gbytes(450.0),
            latency: DEFAULT_SCALE_UP_LATENCY,
            domain_nodes: 1,
        },
        host: host(2, 1, 63.0),
        nics: nics(8, 400.0),
        storage: None,
        source: SOURCE.to_owned(),
        notes: String::new(),
    }
}

/// Eight V100 in a hybrid cube mesh, one NIC of 100 Gbit/s for two.
pub fn dgx_1v() -> NodeSpec {
    NodeSpec {
        name: "dgx-1v".to_owned(),
        gpu: "v100-sxm2-16gb".to_owned(),
        gpus: 8,
        scale_up: ScaleUpSpec::Mesh {
            rate: gbytes(25.0),
            latency: DEFAULT_SCALE_UP_LATENCY,
            links: hybrid_cube_mesh(),
        },
        host: host(2, 2, 15.75),
        nics: nics(4, 100.0),
        storage: None,
        source: SOURCE.to_owned(),
        notes: String::new(),
    }
}

/// Eight T4 on `PCIe` of two sockets, one NIC of 100 Gbit/s for all.
pub fn g4dn_metal() -> NodeSpec {
    NodeSpec {
        name: "g4dn.metal".to_owned(),
        gpu: "t4".to_owned(),
        gpus: 8,
        scale_up: ScaleUpSpec::Pcie,
        host: host(2, 0, 15.75),
        nics: nics(1, 100.0),
        storage: None,
        source: SOURCE.to_owned(),
        notes: String::new(),
    }
}

/// The links of DGX-1 with V100, as `nvidia-smi topo -m` prints them.
pub fn hybrid_cube_mesh() -> Vec<MeshLink> {
    let single = [
        [0, 1],
        [0, 2],
        [1, 3],
        [2, 6],
        [3, 7],
        [4, 5],
        [4, 6],
        [5, 7],
    ];
    let double = [
        [0, 3],
        [0, 4],
        [1, 2],
        [1, 5],
        [2, 3],
        [4, 7],
        [5, 6],
        [6, 7],
    ];
    let links = |pairs: [[u32; 2]; 8], count| pairs.map(|gpus| MeshLink { gpus, count });
    [links(single, 1), links(double, 2)].concat()
}

/// A fabric of that kind: 32 nodes a leaf, never blocking, four groups a pod where it has pods; of
/// the kinds without levels a small one, for up to 40 nodes and more.
pub fn fabric(kind: FabricKind) -> FabricSpec {
    FabricSpec {
        name: kind.name().to_owned(),
        kind,
        network: None,
        nodes_per_leaf: 32,
        groups_per_pod: (kind == FabricKind::FatTree).then_some(4),
        oversubscription: Vec::new(),
        rails: None,
        nics_per_group: None,
        planes: 1,
        spines: None,
        cores: None,
        link_rate: None,
        link_latency: DEFAULT_LINK_LATENCY,
        switch_latency: DEFAULT_SWITCH_LATENCY,
        routers: routers(kind),
        graph: if kind == FabricKind::Graph {
            petersen()
        } else {
            GraphSpec::default()
        },
        measured: None,
        source: SOURCE.to_owned(),
        notes: String::new(),
    }
}

/// A dragonfly of nine groups with four routers, a torus of 4 x 4 x 2 routers, four nodes on each.
fn routers(kind: FabricKind) -> RouterSpec {
    match kind {
        FabricKind::Dragonfly => RouterSpec {
            nodes_per_router: Some(4),
            groups: Some(9),
            per_group: Some(4),
            global_links: Some(2),
            ..RouterSpec::default()
        },
        FabricKind::Torus => RouterSpec {
            nodes_per_router: Some(4),
            dimensions: vec![4, 4, 2],
            ..RouterSpec::default()
        },
        _ => RouterSpec::default(),
    }
}

/// The Petersen graph, the largest of degree 3 whose switches are at most two cables apart
/// (Hoffman and Singleton, IBM J. Res. Dev. 4(5), 1960): a ring of five switches, a star of five,
/// and a cable from each of the ring to one of the star; four nodes on each.
pub fn petersen() -> GraphSpec {
    let name = |index: usize| format!("s{index}");
    let ring = (0..5).map(|i| [i, (i + 1) % 5]);
    let spokes = (0..5).map(|i| [i, i + 5]);
    let star = (0..5).map(|i| [i + 5, (i + 2) % 5 + 5]);
    let cables = ring.chain(spokes).chain(star).map(|ends| CableSpec {
        ends: ends.map(name),
        count: 1,
        rate: None,
        latency: None,
    });
    let switches: Vec<String> = (0..10).map(name).collect();
    GraphSpec {
        cables: cables.collect(),
        attach: vec![AttachSpec {
            switches: switches.clone(),
            nodes_per_switch: 4,
            first_node: None,
            nic: None,
        }],
        switches,
    }
}

/// A cluster of one kind of node, all GPUs used, with the data sheets of this module.
pub fn cluster(node: NodeSpec, count: u32, fabric: FabricSpec) -> ClusterSpec {
    ClusterSpec {
        name: format!("{count} x {}", node.name),
        groups: vec![NodeGroup {
            node,
            count,
            gpus_used: None,
        }],
        fabric,
        gpus: vec![h100(), v100(), t4()],
        source: SOURCE.to_owned(),
        notes: String::new(),
    }
}

/// Two DGX H100 on a rail-optimised fabric.
pub fn two_dgx_h100() -> ClusterSpec {
    dgx_h100s(2)
}

/// That many DGX H100 on a rail-optimised fabric with 32 nodes a leaf.
pub fn dgx_h100s(nodes: u32) -> ClusterSpec {
    cluster(dgx_h100(), nodes, fabric(FabricKind::RailOptimised))
}

/// Hosts with one GPU and one NIC, as network studies have them: `leaves` leaves with `hosts`
/// hosts each, as many spines, 1 µs a link and none in a switch.
pub fn hosts(leaves: u32, hosts: u32, spines: u32, gbits: f64) -> ClusterSpec {
    let node = NodeSpec {
        name: "host".to_owned(),
        gpus: 1,
        scale_up: ScaleUpSpec::Pcie,
        nics: nics(1, gbits),
        ..dgx_h100()
    };
    let fabric = FabricSpec {
        nodes_per_leaf: hosts,
        oversubscription: vec![f64::from(hosts) / f64::from(spines)],
        spines: Some(spines),
        link_latency: Seconds::from_micros(1.0),
        switch_latency: Seconds::ZERO,
        ..fabric(FabricKind::LeafSpine)
    };
    cluster(node, leaves * hosts, fabric)
}

fn host(sockets: u32, gpus_per_switch: u32, gpu_link: f64) -> HostSpec {
    HostSpec {
        cpu: String::new(),
        sockets,
        gpus_per_switch,
        gpu_link: gbytes(gpu_link),
        nic_link: gbytes(gpu_link),
        socket_link: gbytes(32.0),
        latency: DEFAULT_HOST_LATENCY,
        memory: None,
    }
}

fn nics(count: u32, gbits: f64) -> NicSpec {
    NicSpec {
        count,
        rate: BytesPerSec::from_gbits(gbits).expect("examples have positive rates"),
        striped: true,
    }
}

fn gbytes(rate: f64) -> BytesPerSec {
    BytesPerSec::from_gbytes(rate).expect("examples have positive rates")
}
