//! Any sound cluster, for tests of what holds of all.

use cluster::example::{dgx_1v, dgx_h100, fabric, g4dn_metal, h100, t4, v100};
use cluster::{ClusterSpec, FabricKind, FabricSpec, NicSpec, NodeGroup, NodeSpec, ScaleUpSpec};
use proptest::prelude::*;
use units::{BytesPerSec, Seconds};

fn rate(gbytes: f64) -> BytesPerSec {
    BytesPerSec::from_gbytes(gbytes).expect("tests have positive rates")
}

/// Trays of four GPUs, three of them behind one switch.
fn trays() -> NodeSpec {
    NodeSpec {
        gpus: 4,
        scale_up: ScaleUpSpec::NvSwitch {
            rate: rate(900.0),
            latency: Seconds::from_micros(0.25),
            domain_nodes: 3,
        },
        nics: NicSpec {
            count: 4,
            ..dgx_h100().nics
        },
        ..dgx_h100()
    }
}

fn full_mesh() -> NodeSpec {
    NodeSpec {
        scale_up: ScaleUpSpec::FullMesh {
            rate: rate(64.0),
            latency: Seconds::from_micros(0.25),
        },
        ..dgx_h100()
    }
}

/// Two NICs for every GPU, each flow on one of them.
fn unstriped() -> NodeSpec {
    NodeSpec {
        nics: NicSpec {
            count: 16,
            striped: false,
            ..dgx_h100().nics
        },
        ..dgx_h100()
    }
}

/// Four GPUs on `PCIe`, joined by bridges in pairs.
fn bridged() -> NodeSpec {
    let links = [[0, 1], [2, 3]].map(|gpus| cluster::MeshLink { gpus, count: 4 });
    NodeSpec {
        gpus: 4,
        scale_up: ScaleUpSpec::Mesh {
            rate: rate(25.0),
            latency: Seconds::from_micros(0.25),
            links: links.to_vec(),
        },
        nics: NicSpec {
            count: 4,
            ..dgx_h100().nics
        },
        ..dgx_1v()
    }
}

pub(crate) fn any_node() -> impl Strategy<Value = NodeSpec> {
    prop_oneof![
        Just(dgx_h100()),
        Just(dgx_1v()),
        Just(g4dn_metal()),
        Just(trays()),
        Just(full_mesh()),
        Just(unstriped()),
        Just(bridged()),
    ]
}

fn any_group() -> impl Strategy<Value = NodeGroup> {
    (any_node(), 1u32..9, 0u32..12).prop_map(|(node, count, used)| NodeGroup {
        gpus_used: (0 < used && used <= node.gpus).then_some(used),
        node,
        count,
    })
}

pub(crate) fn any_fabric() -> impl Strategy<Value = FabricSpec> {
    let kinds = prop::sample::select(FabricKind::ALL.to_vec());
    let over = prop::sample::select(vec![0.5, 1.0, 2.0, 7.0]);
    (kinds, 1u32..5, 1u32..4, over, 1u32..9, any::<bool>()).prop_map(
        |(kind, nodes_per_leaf, pod, over, lanes, given)| {
            let rails = kind == FabricKind::RailOptimised;
            let tall = kind == FabricKind::FatTree || (rails && given);
            let planes = kind != FabricKind::Single && !rails && given;
            FabricSpec {
                nodes_per_leaf,
                groups_per_pod: tall.then_some(pod),
                oversubscription: vec![over],
                rails: (rails && given).then_some(lanes),
                planes: if planes { lanes } else { 1 },
                ..fabric(kind)
            }
        },
    )
}

pub(crate) fn any_spec() -> impl Strategy<Value = ClusterSpec> {
    (prop::collection::vec(any_group(), 1..3), any_fabric()).prop_map(|(groups, fabric)| {
        ClusterSpec {
            name: "any".to_owned(),
            groups,
            fabric,
            gpus: vec![h100(), v100(), t4()],
            source: String::new(),
            notes: String::new(),
        }
    })
}
