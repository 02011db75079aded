//! What must hold of a spec before anything is built from it.

use units::Seconds;

use crate::check_web::check_web;
use crate::error::ClusterError;
use crate::measured;
use crate::spec::{
    ClusterSpec, FabricKind, FabricSpec, GpuSpec, MeshLink, NodeGroup, NodeSpec, ScaleUpSpec,
};

/// GPUs of one node: paths inside a node are kept by pair.
const MAX_GPUS_PER_NODE: u32 = 256;
/// GPUs of a cluster.
const MAX_GPUS: u64 = 1 << 20;
/// Links of a cluster, both directions.
pub(crate) const MAX_LINKS: u64 = 1 << 24;

/// Oversubscription beyond which a figure is surely a slip.
const OVERSUBSCRIPTION: std::ops::RangeInclusive<f64> = 0.01..=1000.0;

/// Every reason why the cluster cannot be built.
pub(crate) fn check(spec: &ClusterSpec) -> Vec<ClusterError> {
    let mut errors = Vec::new();
    if spec.groups.is_empty() {
        errors.push(ClusterError::NoNodes);
    }
    for (index, group) in spec.groups.iter().enumerate() {
        check_group(index, group, &spec.gpus, &mut errors);
    }
    for gpu in &spec.gpus {
        check_gpu(gpu, &mut errors);
    }
    check_size(spec, &mut errors);
    check_nics(spec, &mut errors);
    check_fabric(&spec.fabric, &mut errors);
    check_web(spec, &mut errors);
    check_measured(spec, &mut errors);
    errors
}

/// GPUs used in each node of a group.
pub(crate) fn used(group: &NodeGroup) -> u32 {
    group.gpus_used.unwrap_or(group.node.gpus)
}

fn check_group(index: usize, group: &NodeGroup, gpus: &[GpuSpec], errors: &mut Vec<ClusterError>) {
    let node = &group.node;
    if group.count == 0 {
        errors.push(ClusterError::EmptyGroup {
            group: index,
            node: node.name.clone(),
        });
    }
    if !gpus.iter().any(|gpu| gpu.name == node.gpu) {
        errors.push(ClusterError::UnknownGpu {
            group: index,
            node: node.name.clone(),
            gpu: node.gpu.clone(),
            known: gpus.iter().map(|gpu| gpu.name.clone()).collect(),
        });
    }
    if used(group) == 0 || node.gpus < used(group) {
        errors.push(ClusterError::GpusUsed {
            group: index,
            node: node.name.clone(),
            used: used(group),
            gpus: node.gpus,
        });
    }
    check_node(index, node, errors);
}

fn check_node(index: usize, node: &NodeSpec, errors: &mut Vec<ClusterError>) {
    let place = |field: &str| format!("nodes[{index}].kind.{field}");
    limit(
        place("gpus"),
        u64::from(node.gpus),
        u64::from(MAX_GPUS_PER_NODE),
        errors,
    );
    limit(
        place("host.sockets"),
        u64::from(node.host.sockets),
        64,
        errors,
    );
    limit(
        place("nics.count"),
        u64::from(node.nics.count),
        1024,
        errors,
    );
    at_least_one(place("gpus"), node.gpus, errors);
    at_least_one(place("host.sockets"), node.host.sockets, errors);
    duration(place("host.latency"), node.host.latency, errors);
    let storage = node.storage.and_then(|drives| drives.capacity);
    for (field, size) in [
        ("host.memory", node.host.memory),
        ("storage.capacity", storage),
    ] {
        if size.is_some_and(|size| size.as_u64() == 0) {
            errors.push(ClusterError::Zero {
                field: place(field),
            });
        }
    }
    if node.gpus < node.nics.count && node.gpus != 0 && !node.nics.count.is_multiple_of(node.gpus) {
        errors.push(ClusterError::UnequalNics {
            group: index,
            node: node.name.clone(),
            nics: node.nics.count,
            gpus: node.gpus,
        });
    }
    match &node.scale_up {
        ScaleUpSpec::NvSwitch {
            latency,
            domain_nodes,
            ..
        } => {
            duration(place("scale_up.latency"), *latency, errors);
            at_least_one(place("scale_up.domain_nodes"), *domain_nodes, errors);
        }
        ScaleUpSpec::Mesh { latency, links, .. } => {
            duration(place("scale_up.latency"), *latency, errors);
            check_mesh(index, node, links, errors);
        }
        ScaleUpSpec::FullMesh { latency, .. } => {
            duration(place("scale_up.latency"), *latency, errors);
        }
        ScaleUpSpec::Pcie => {}
    }
}

fn check_mesh(index: usize, node: &NodeSpec, links: &[MeshLink], errors: &mut Vec<ClusterError>) {
    let name = || node.name.clone();
    let mut seen = std::collections::BTreeSet::new();
    for MeshLink {
        gpus: [a, b],
        count,
    } in links
    {
        if node.gpus <= *a.max(b) {
            errors.push(ClusterError::MeshGpu {
                group: index,
                node: name(),
                a: *a,
                b: *b,
                gpus: node.gpus,
            });
        } else if a == b {
            errors.push(ClusterError::MeshLoop {
                group: index,
                node: name(),
                gpu: *a,
            });
        } else if !seen.insert((a.min(b), a.max(b))) {
            errors.push(ClusterError::MeshTwice {
                group: index,
                node: name(),
                a: *a,
                b: *b,
            });
        }
        at_least_one(
            format!("nodes[{index}].kind.scale_up.links"),
            *count,
            errors,
        );
    }
}

fn check_gpu(gpu: &GpuSpec, errors: &mut Vec<ClusterError>) {
    let place = |field: &str| format!("gpus.{}.{field}", gpu.name);
    at_least_one(place("sms"), gpu.sms, errors);
    if gpu.memory.as_u64() == 0 {
        errors.push(ClusterError::Zero {
            field: place("memory"),
        });
    }
    positive(place("tflops.fp32"), gpu.fp32.as_tera(), errors);
    for (dtype, peak) in &gpu.peaks {
        positive(place(&format!("tflops.{dtype}")), peak.as_tera(), errors);
    }
    positive(place("tdp_w"), gpu.tdp.as_f64(), errors);
    if let Some(clock) = gpu.boost_mhz {
        positive(place("boost_mhz"), clock, errors);
    }
}

fn check_size(spec: &ClusterSpec, errors: &mut Vec<ClusterError>) {
    let gpus: u64 = spec
        .groups
        .iter()
        .map(|group| u64::from(group.count) * u64::from(used(group)))
        .sum();
    if MAX_GPUS < gpus {
        errors.push(ClusterError::TooManyInAll {
            what: "GPUs",
            value: gpus,
            limit: MAX_GPUS,
        });
    }
}

/// Nodes of different scale-up domains need NICs to meet.
fn check_nics(spec: &ClusterSpec, errors: &mut Vec<ClusterError>) {
    let domains = |group: &NodeGroup| match group.node.scale_up {
        ScaleUpSpec::NvSwitch { domain_nodes, .. } => group.count.div_ceil(domain_nodes.max(1)),
        _ => group.count,
    };
    if spec
        .groups
        .iter()
        .map(|group| u64::from(domains(group)))
        .sum::<u64>()
        <= 1
    {
        return;
    }
    for (index, group) in spec.groups.iter().enumerate() {
        if group.node.nics.count == 0 {
            errors.push(ClusterError::NoNics {
                group: index,
                node: group.node.name.clone(),
            });
        }
    }
}

fn check_fabric(fabric: &FabricSpec, errors: &mut Vec<ClusterError>) {
    let place = |field: &str| format!("fabric.{field}");
    duration(place("link_latency"), fabric.link_latency, errors);
    duration(place("switch_latency"), fabric.switch_latency, errors);
    for value in &fabric.oversubscription {
        positive(place("oversubscription"), *value, errors);
        if value.is_finite() && 0.0 < *value && !OVERSUBSCRIPTION.contains(value) {
            errors.push(ClusterError::OutOfRange {
                field: place("oversubscription"),
                value: *value,
                low: *OVERSUBSCRIPTION.start(),
                high: *OVERSUBSCRIPTION.end(),
            });
        }
    }
    let clos = fabric.kind.is_clos() && fabric.kind != FabricKind::Single;
    for (field, value, max) in [
        (
            "nodes_per_leaf",
            clos.then_some(fabric.nodes_per_leaf),
            1 << 20,
        ),
        ("groups_per_pod", fabric.groups_per_pod, 1 << 20),
        ("rails", fabric.rails, 1 << 12),
        ("nics_per_group", fabric.nics_per_group, 1 << 12),
        ("planes", Some(fabric.planes), 1 << 12),
        ("spines", fabric.spines, 1 << 20),
        ("cores", fabric.cores, 1 << 20),
    ] {
        if let Some(value) = value {
            at_least_one(place(field), value, errors);
            limit(place(field), u64::from(value), max, errors);
        }
    }
    check_kind(fabric, errors);
}

/// Fields that a kind of fabric needs or does not have.
fn check_kind(fabric: &FabricSpec, errors: &mut Vec<ClusterError>) {
    let kind = fabric.kind;
    let (clos, rails, pods) = (
        kind.is_clos() && kind != FabricKind::Single,
        kind == FabricKind::RailOptimised,
        fabric.groups_per_pod.is_some(),
    );
    if kind == FabricKind::FatTree && !pods {
        errors.push(ClusterError::NoPods);
    }
    for (field, given, allowed) in [
        ("groups_per_pod", pods, rails || kind == FabricKind::FatTree),
        ("rails", fabric.rails.is_some(), rails),
        ("planes", 1 < fabric.planes, clos && !rails),
        ("spines", fabric.spines.is_some(), clos),
        ("cores", fabric.cores.is_some(), pods),
        (
            "oversubscription",
            !fabric.oversubscription.is_empty(),
            kind.is_clos(),
        ),
    ] {
        if given && !allowed {
            errors.push(ClusterError::NotForKind { field, kind });
        }
    }
    let levels = 1 + usize::from(pods);
    if kind.is_clos() && levels < fabric.oversubscription.len() {
        errors.push(ClusterError::Levels {
            given: fabric.oversubscription.len(),
            levels,
        });
    }
}

fn check_measured(spec: &ClusterSpec, errors: &mut Vec<ClusterError>) {
    let nodes = spec.groups.iter().map(|group| group.count as usize).sum();
    if let Some(rates) = &spec.fabric.measured {
        measured::check(rates, nodes, errors);
    }
}

pub(crate) fn at_least_one(field: String, value: u32, errors: &mut Vec<ClusterError>) {
    if value == 0 {
        errors.push(ClusterError::Zero { field });
    }
}

pub(crate) fn limit(field: String, value: u64, limit: u64, errors: &mut Vec<ClusterError>) {
    if limit < value {
        errors.push(ClusterError::TooMany {
            field,
            value,
            limit,
        });
    }
}

fn positive(field: String, value: f64, errors: &mut Vec<ClusterError>) {
    if !(value.is_finite() && 0.0 < value) {
        errors.push(ClusterError::NotANumber {
            field,
            value,
            zero: false,
        });
    }
}

pub(crate) fn duration(field: String, value: Seconds, errors: &mut Vec<ClusterError>) {
    if !(value.is_finite() && Seconds::ZERO <= value) {
        errors.push(ClusterError::NotANumber {
            field,
            value: value.as_secs(),
            zero: true,
        });
    }
}
