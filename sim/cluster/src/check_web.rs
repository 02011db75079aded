//! What must hold of fabrics without levels: dragonflies, tori and graphs.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{MAX_LINKS, at_least_one, duration, limit};
use crate::error::ClusterError;
use crate::layout::nics_in_all;
use crate::spec::{ClusterSpec, FabricKind, FabricSpec, GraphSpec, NodeGroup, RouterSpec};
use crate::web::{attached, by_name, parts};

/// Routers or switches of a fabric.
const MAX_SWITCHES: u64 = 1 << 20;
/// Switches of a graph times those of them that nodes hang on: each of these keeps a distance and
/// a count for every switch, eight bytes.
const MAX_DISTANCES: u64 = 1 << 27;
/// Letters of the name of a switch.
const MAX_NAME: usize = 64;

/// Reports fields that are not for the kind, and what is wrong with its routers and switches.
pub(crate) fn check_web(spec: &ClusterSpec, errors: &mut Vec<ClusterError>) {
    let fabric = &spec.fabric;
    let before = errors.len();
    not_for_kind(fabric, errors);
    let nodes = spec.groups.iter().map(|group| u64::from(group.count)).sum();
    match fabric.kind {
        FabricKind::Dragonfly => dragonfly(fabric, errors),
        FabricKind::Torus => torus(&fabric.routers, errors),
        FabricKind::Graph => graph(&fabric.graph, errors),
        _ => return,
    }
    if errors.len() != before {
        return;
    }
    if fabric.kind == FabricKind::Graph {
        if let Ok(nodes) = u32::try_from(nodes)
            && u64::from(nodes) <= MAX_SWITCHES
        {
            check_whole(spec, nodes, errors);
            check_attached(spec, errors);
        }
    } else if errors.is_empty() {
        let places = routers(fabric) * u64::from(fabric.routers.nodes_per_router.unwrap_or(1));
        if places < nodes {
            errors.push(ClusterError::TooFewPlaces {
                kind: fabric.kind,
                places,
                nodes,
            });
        }
    }
}

fn not_for_kind(fabric: &FabricSpec, errors: &mut Vec<ClusterError>) {
    use FabricKind::{Dragonfly, Graph, Torus};
    let (kind, routers, graph) = (fabric.kind, &fabric.routers, &fabric.graph);
    let fields: [(_, bool, &[FabricKind]); 11] = [
        (
            "nodes_per_router",
            routers.nodes_per_router.is_some(),
            &[Dragonfly, Torus],
        ),
        ("dimensions", !routers.dimensions.is_empty(), &[Torus]),
        ("groups", routers.groups.is_some(), &[Dragonfly]),
        (
            "routers_per_group",
            routers.per_group.is_some(),
            &[Dragonfly],
        ),
        ("global_links", routers.global_links.is_some(), &[Dragonfly]),
        ("global_rate", routers.global_rate.is_some(), &[Dragonfly]),
        (
            "global_latency",
            routers.global_latency.is_some(),
            &[Dragonfly],
        ),
        ("detours", routers.detours, &[Dragonfly]),
        ("switches", !graph.switches.is_empty(), &[Graph]),
        ("cables", !graph.cables.is_empty(), &[Graph]),
        ("attach", !graph.attach.is_empty(), &[Graph]),
    ];
    for (field, given, kinds) in fields {
        if given && !kinds.contains(&kind) {
            errors.push(ClusterError::NotForKind { field, kind });
        }
    }
}

/// Routers of a dragonfly or torus.
fn routers(fabric: &FabricSpec) -> u64 {
    let spec = &fabric.routers;
    let product =
        |sizes: &mut dyn Iterator<Item = u32>| sizes.map(u64::from).fold(1, u64::saturating_mul);
    match fabric.kind {
        FabricKind::Torus => product(&mut spec.dimensions.iter().copied()),
        _ => product(&mut spec.groups.into_iter().chain(spec.per_group)),
    }
}

fn torus(spec: &RouterSpec, errors: &mut Vec<ClusterError>) {
    if !(2..=3).contains(&spec.dimensions.len()) {
        errors.push(ClusterError::Dimensions {
            given: spec.dimensions.len(),
        });
    }
    for size in &spec.dimensions {
        at_least_one("fabric.dimensions".to_owned(), *size, errors);
    }
    router_counts(spec, errors);
    let sizes = spec.dimensions.iter().copied().map(u64::from);
    let all = sizes.fold(1, u64::saturating_mul);
    limit("fabric.dimensions".to_owned(), all, MAX_SWITCHES, errors);
}

fn router_counts(spec: &RouterSpec, errors: &mut Vec<ClusterError>) {
    for (field, value) in [
        ("nodes_per_router", spec.nodes_per_router),
        ("groups", spec.groups),
        ("routers_per_group", spec.per_group),
        ("global_links", spec.global_links),
    ] {
        if let Some(value) = value {
            let field = format!("fabric.{field}");
            at_least_one(field.clone(), value, errors);
            limit(field, u64::from(value), MAX_SWITCHES, errors);
        }
    }
}

fn dragonfly(fabric: &FabricSpec, errors: &mut Vec<ClusterError>) {
    let spec = &fabric.routers;
    router_counts(spec, errors);
    if let Some(latency) = spec.global_latency {
        duration("fabric.global_latency".to_owned(), latency, errors);
    }
    let (Some(groups), Some(per_group)) = (spec.groups, spec.per_group) else {
        for (field, value) in [
            ("groups", spec.groups),
            ("routers_per_group", spec.per_group),
        ] {
            if value.is_none() {
                errors.push(ClusterError::Needs {
                    field,
                    kind: fabric.kind,
                });
            }
        }
        return;
    };
    let [groups, per_group] = [groups, per_group].map(u64::from);
    let ports = per_group.saturating_mul(u64::from(spec.global_links.unwrap_or(0)));
    if 0 < groups && 0 < per_group && ports < groups - 1 {
        errors.push(ClusterError::FewGlobalLinks { groups, ports });
        return;
    }
    let all = groups.saturating_mul(per_group);
    limit("fabric.groups".to_owned(), all, MAX_SWITCHES, errors);
    let local = all.saturating_mul(per_group.saturating_sub(1));
    let links = local.saturating_add(groups.saturating_mul(ports));
    limit("fabric.links".to_owned(), links, MAX_LINKS, errors);
}

fn graph(spec: &GraphSpec, errors: &mut Vec<ClusterError>) {
    if spec.switches.is_empty() {
        errors.push(ClusterError::Needs {
            field: "switches",
            kind: FabricKind::Graph,
        });
    }
    if spec.attach.is_empty() {
        errors.push(ClusterError::Needs {
            field: "attach",
            kind: FabricKind::Graph,
        });
    }
    let (switches, cables) = (spec.switches.len() as u64, spec.cables.len() as u64);
    limit("fabric.switches".to_owned(), switches, MAX_SWITCHES, errors);
    limit("fabric.cables".to_owned(), cables, MAX_LINKS / 2, errors);
    check_names(spec, errors);
    check_cables(spec, errors);
    check_rules(spec, errors);
}

fn check_names(spec: &GraphSpec, errors: &mut Vec<ClusterError>) {
    let mut seen = BTreeSet::new();
    for (index, name) in spec.switches.iter().enumerate() {
        let of_node = name
            .strip_prefix('n')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let letters = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        let sound = !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(letters);
        if of_node || !sound || name.contains("->") {
            errors.push(ClusterError::SwitchName {
                index,
                name: name.clone(),
            });
        } else if !seen.insert(name) {
            errors.push(ClusterError::SwitchTwice {
                index,
                name: name.clone(),
            });
        }
    }
}

fn check_cables(spec: &GraphSpec, errors: &mut Vec<ClusterError>) {
    let names = by_name(spec);
    let mut seen = BTreeMap::new();
    for (index, cable) in spec.cables.iter().enumerate() {
        let place = |field: &str| format!("fabric.cables[{index}].{field}");
        at_least_one(place("count"), cable.count, errors);
        limit(place("count"), u64::from(cable.count), MAX_SWITCHES, errors);
        if let Some(latency) = cable.latency {
            duration(place("latency"), latency, errors);
        }
        let [a, b] = &cable.ends;
        for name in &cable.ends {
            known(spec, &names, name, place("ends"), errors);
        }
        if a == b {
            errors.push(ClusterError::CableLoop {
                index,
                switch: a.clone(),
            });
        } else if let Some(first) = seen.insert((a.min(b), a.max(b)), index) {
            errors.push(ClusterError::CableTwice {
                index,
                first,
                ends: cable.ends.clone(),
            });
        }
    }
}

fn check_rules(spec: &GraphSpec, errors: &mut Vec<ClusterError>) {
    let names = by_name(spec);
    for (index, rule) in spec.attach.iter().enumerate() {
        let place = |field: &str| format!("fabric.attach[{index}].{field}");
        let nodes = rule.nodes_per_switch;
        at_least_one(place("nodes_per_switch"), nodes, errors);
        limit(
            place("nodes_per_switch"),
            u64::from(nodes),
            MAX_SWITCHES,
            errors,
        );
        if rule.switches.is_empty() {
            errors.push(ClusterError::NoSwitches { index });
        }
        for name in &rule.switches {
            known(spec, &names, name, place("switches"), errors);
        }
    }
    let hosts: BTreeSet<_> = spec.attach.iter().flat_map(|rule| &rule.switches).collect();
    let distances = (spec.switches.len() as u64).saturating_mul(hosts.len() as u64);
    if MAX_DISTANCES < distances {
        errors.push(ClusterError::TooManyDistances {
            switches: spec.switches.len(),
            hosts: hosts.len(),
            limit: MAX_DISTANCES,
        });
    }
}

fn known(
    spec: &GraphSpec,
    names: &BTreeMap<&str, u32>,
    name: &str,
    field: String,
    errors: &mut Vec<ClusterError>,
) {
    if !names.contains_key(name) {
        errors.push(ClusterError::UnknownSwitch {
            field,
            name: name.to_owned(),
            known: spec.switches.iter().take(8).cloned().collect(),
            others: spec.switches.len().saturating_sub(8),
        });
    }
}

/// Every switch must be reached from the first, but for switches of rails: parts that have a NIC of
/// every node each, so that a message inside a node can change between them.
fn check_whole(spec: &ClusterSpec, nodes: u32, errors: &mut Vec<ClusterError>) {
    let graph = &spec.fabric.graph;
    let names = by_name(graph);
    let end = |name: &String| names[name.as_str()];
    let ends = graph
        .cables
        .iter()
        .map(|cable| [end(&cable.ends[0]), end(&cable.ends[1])]);
    let n = names.len();
    let parts = parts(
        u32::try_from(n).unwrap_or(u32::MAX),
        &ends.collect::<Vec<_>>(),
    );
    let mut nodes_of: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for &part in &parts {
        nodes_of.entry(part).or_default();
    }
    if nodes_of.len() < 2 {
        return;
    }
    for (node, _, switch) in attached(graph, nodes) {
        nodes_of
            .entry(parts[switch as usize])
            .or_default()
            .insert(node);
    }
    let all: BTreeSet<u32> = nodes_of.values().flatten().copied().collect();
    if !all.is_empty() && nodes_of.values().all(|nodes| *nodes == all) {
        return;
    }
    let lost: Vec<usize> = (0..n).filter(|at| parts[*at] != parts[0]).collect();
    if let Some(&first) = lost.first() {
        errors.push(ClusterError::Partitioned {
            from: graph.switches[0].clone(),
            to: graph.switches[first].clone(),
            lost: lost.len(),
        });
    }
}

/// Every NIC of every node must hang on one switch.
fn check_attached(spec: &ClusterSpec, errors: &mut Vec<ClusterError>) {
    let nics = |group: &NodeGroup| nics_in_all(&group.node.nics, group.node.gpus);
    let counts = spec.groups.iter().map(|group| (group.count, nics(group)));
    let nodes: u32 = counts.clone().map(|(count, _)| count).sum();
    let most = counts.clone().map(|(_, nics)| nics).max().unwrap_or(0);
    let cells = u64::from(nodes) * u64::from(most);
    if MAX_LINKS / 2 < cells {
        errors.push(ClusterError::TooManyInAll {
            what: "NICs",
            value: cells,
            limit: MAX_LINKS / 2,
        });
        return;
    }
    for (index, rule) in spec.fabric.graph.attach.iter().enumerate() {
        if let Some(nic) = rule.nic.filter(|nic| most <= *nic) {
            errors.push(ClusterError::NoSuchNic { index, nic, most });
            return;
        }
    }
    if most == 0 {
        return;
    }
    let cell = |node: u32, nic: u32| node as usize * most as usize + nic as usize;
    let mut seen = vec![false; nodes as usize * most as usize];
    // Rules that never meet cover no cell twice, so this ends after as many steps as there are.
    for (node, nic, _) in attached(&spec.fabric.graph, nodes) {
        for nic in nic.map_or(0..most, |nic| nic..nic + 1) {
            if std::mem::replace(&mut seen[cell(node, nic)], true) {
                errors.push(ClusterError::AttachedTwice { node, nic });
                return;
            }
        }
    }
    let nics_of_node = counts.flat_map(|(count, nics)| std::iter::repeat_n(nics, count as usize));
    let all = (0..)
        .zip(nics_of_node)
        .flat_map(|(node, nics)| (0..nics).map(move |nic| (node, nic)));
    let mut loose = all.filter(|&(node, nic)| !seen[cell(node, nic)]);
    if let Some((node, nic)) = loose.next() {
        let others = loose.count();
        errors.push(ClusterError::NotAttached { node, nic, others });
    }
}
