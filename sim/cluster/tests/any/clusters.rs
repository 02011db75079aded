//! Any sound cluster, for tests of what holds of all.

use cluster::example::{dgx_1v, dgx_h100, fabric, g4dn_metal, h100, t4, v100};
use cluster::{
    AttachSpec, CableSpec, ClusterSpec, FabricKind, FabricSpec, GraphSpec, NicSpec, NodeGroup,
    NodeSpec, RouterSpec, ScaleUpSpec,
};
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
    prop_oneof![4 => any_clos(), 3 => any_web()]
}

/// A fabric without levels, with room for 16 nodes.
pub(crate) fn any_web() -> impl Strategy<Value = FabricSpec> {
    prop_oneof![any_torus(), any_dragonfly(), any_graph()]
}

fn any_torus() -> impl Strategy<Value = FabricSpec> {
    let sizes = prop::sample::select(vec![vec![4, 4], vec![5, 4], vec![3, 3, 2], vec![4, 2, 4]]);
    (sizes, 1u32..3).prop_map(|(dimensions, nodes)| FabricSpec {
        routers: RouterSpec {
            nodes_per_router: Some(nodes),
            dimensions,
            ..RouterSpec::default()
        },
        ..fabric(FabricKind::Torus)
    })
}

fn any_dragonfly() -> impl Strategy<Value = FabricSpec> {
    let shapes = vec![
        (9, 4, 2),
        (5, 2, 2),
        (4, 4, 3),
        (3, 1, 6),
        (2, 5, 1),
        (1, 5, 1),
    ];
    let shapes = prop::sample::select(shapes);
    (shapes, 1u32..3, any::<bool>()).prop_map(|((groups, per_group, links), nodes, detours)| {
        FabricSpec {
            routers: RouterSpec {
                nodes_per_router: Some(nodes * 16u32.div_ceil(groups * per_group)),
                groups: Some(groups),
                per_group: Some(per_group),
                global_links: Some(links),
                global_rate: Some(rate(25.0)),
                detours,
                ..RouterSpec::default()
            },
            ..fabric(FabricKind::Dragonfly)
        }
    })
}

/// A ring or a star of switches with some more cables, nodes on some of them.
fn any_graph() -> impl Strategy<Value = FabricSpec> {
    let more = prop::collection::vec((0usize..8, 0usize..8, 1u32..4), 0..12);
    let attached = prop::collection::vec(0usize..8, 16);
    (any::<bool>(), more, attached).prop_map(|(star, more, attached)| {
        let first = (1..8).map(|i| (if star { 0 } else { i - 1 }, i, 1));
        let mut pairs: Vec<(usize, usize, u32)> = first.collect();
        for (a, b, count) in more {
            let (a, b) = (a.min(b), a.max(b));
            if a != b && pairs.iter().all(|(x, y, _)| (*x, *y) != (a, b)) {
                pairs.push((a, b, count));
            }
        }
        let name = |i: usize| format!("switch-{i}");
        let cables = pairs.into_iter().map(|(a, b, count)| CableSpec {
            ends: [a, b].map(name),
            count,
            rate: (a == 1).then(|| rate(20.0)),
            latency: None,
        });
        let attach = AttachSpec {
            switches: attached.into_iter().map(name).collect(),
            nodes_per_switch: 1,
            first_node: None,
            nic: None,
        };
        FabricSpec {
            graph: GraphSpec {
                switches: (0..8).map(name).collect(),
                cables: cables.collect(),
                attach: vec![attach],
            },
            ..fabric(FabricKind::Graph)
        }
    })
}

pub(crate) fn any_clos() -> impl Strategy<Value = FabricSpec> {
    let kinds = prop::sample::select(FabricKind::CLOS.to_vec());
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
    let groups = prop::collection::vec(any_group(), 1..3);
    (groups, any_fabric(), any::<bool>()).prop_map(|(groups, mut fabric, spread)| {
        if spread {
            spread_nics(&groups, &mut fabric);
        }
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

/// Hangs the NICs of a node of a graph on neighboring switches.
fn spread_nics(groups: &[NodeGroup], fabric: &mut FabricSpec) {
    let nics = |node: &NodeSpec| {
        let striped = node.nics.striped.then_some(node.gpus);
        node.nics.count.min(striped.unwrap_or(u32::MAX))
    };
    let most = groups.iter().map(|group| nics(&group.node)).max();
    let Some(rule) = fabric.graph.attach.pop() else {
        return;
    };
    fabric.graph.attach = (0..most.unwrap_or(0))
        .map(|nic| {
            let mut switches = rule.switches.clone();
            let by = nic as usize % switches.len();
            switches.rotate_left(by);
            AttachSpec {
                switches,
                first_node: Some(0),
                nic: Some(nic),
                ..rule.clone()
            }
        })
        .collect();
}
