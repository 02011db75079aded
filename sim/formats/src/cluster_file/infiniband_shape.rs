//! Which shape a fabric has: one switch, leaves and spines, rails, or three levels.

use std::collections::{BTreeMap, BTreeSet};

use units::BytesPerSec;

use super::draft::{Fabric, port_text};
use super::graph::{Net, Place, Shaped};
use super::order::natural;

/// The shape, where every switch of a level is like the others and no cable is missing; `None`
/// where the fabric has no such shape.
///
/// * `nic_rate` — of every NIC.
pub(super) fn shape(net: &Net, nic_rate: BytesPerSec) -> Option<Shaped> {
    let leaves: BTreeSet<usize> = net
        .nodes
        .iter()
        .flat_map(|node| &node.on)
        .copied()
        .collect();
    if leaves.len() == 1 && net.cables.is_empty() {
        let fabric = Fabric {
            kind: "single",
            ..Fabric::default()
        };
        let nodes = net.nodes.clone();
        return Some(Shaped { fabric, nodes });
    }
    let levels = Levels::new(net, &leaves)?;
    let grouped = groups(net)?;
    let down = grouped.per_leaf as f64 * grouped.nics_on_leaf as f64 * nic_rate.as_f64();
    let (cables, rate) = levels.bundles[0];
    let up = levels.spines_per_pod as f64 * cables as f64 * rate.as_f64();
    let small = |number: usize| u32::try_from(number).ok();
    let mut fabric = Fabric {
        kind: "leaf-spine",
        nodes_per_leaf: small(grouped.per_leaf),
        oversubscription: vec![down / up],
        spines: small(levels.spines_per_pod),
        link_rate: Some(port_text(rate)),
        ..Fabric::default()
    };
    if 1 < grouped.rails {
        fabric.kind = "rail-optimised";
        fabric.rails = small(grouped.rails);
    }
    if let Some(above) = levels.bundles.get(1) {
        // Rails of several pods are left to graphs.
        if 1 < grouped.rails || !grouped.full {
            return None;
        }
        let (cables, rate) = *above;
        let below = down * levels.leaves_per_pod as f64 / levels.spines_per_pod as f64;
        let up = levels.cores_per_spine as f64 * cables as f64 * rate.as_f64();
        fabric.kind = "fat-tree";
        fabric.groups_per_pod = small(levels.leaves_per_pod);
        fabric.cores = small(levels.cores_per_spine);
        fabric.oversubscription.push(below / up);
        if *above != levels.bundles[0] && rate != levels.bundles[0].1 {
            fabric.link_rate = None;
        }
    }
    let in_range = |ratio: &f64| (0.01..=1000.0).contains(ratio);
    fabric.oversubscription.iter().all(in_range).then_some(())?;
    let nodes = levels.in_order(grouped.nodes);
    Some(Shaped { fabric, nodes })
}

/// Nodes by leaf, or by group of leaves.
struct Groups {
    nodes: Vec<Vec<Place>>,
    per_leaf: usize,
    nics_on_leaf: usize,
    rails: usize,
    /// Whether every group is as large as the first.
    full: bool,
}

/// Nodes on the same leaves are a group; groups share no leaf and are equal but for the last.
fn groups(net: &Net) -> Option<Groups> {
    let mut groups: BTreeMap<&[usize], Vec<Place>> = BTreeMap::new();
    for node in &net.nodes {
        groups.entry(&node.on).or_default().push(node.clone());
    }
    let nics = net.nodes.first()?.on.len();
    let distinct = |on: &[usize]| on.iter().collect::<BTreeSet<_>>().len();
    let rails = distinct(groups.keys().next()?);
    let even = groups
        .keys()
        .all(|on| distinct(on) == rails && on.len() == nics);
    // Every NIC on a leaf of its own, or all on one.
    if !even || (rails != 1 && rails != nics) {
        return None;
    }
    let all: usize = groups.keys().map(|on| distinct(on)).sum();
    let leaves: BTreeSet<usize> = groups.keys().flat_map(|on| on.iter()).copied().collect();
    if all != leaves.len() {
        return None;
    }
    let mut nodes: Vec<Vec<Place>> = groups.into_values().collect();
    let key = |group: &Vec<Place>| natural(&net.switches[group[0].on[0]]);
    nodes.sort_by_cached_key(key);
    let per_leaf = nodes.iter().map(Vec::len).max()?;
    let smaller = nodes.iter().filter(|group| group.len() != per_leaf).count();
    if 1 < smaller {
        return None;
    }
    // The smaller group comes last, where the count of nodes ends.
    nodes.sort_by_key(|group| group.len() != per_leaf);
    Some(Groups {
        nodes,
        per_leaf,
        nics_on_leaf: nics / rails,
        rails,
        full: smaller == 0,
    })
}

/// Cables between two switches, with the rate of each.
type Bundle = (usize, BytesPerSec);

/// The switches by level.
struct Levels {
    pods: Vec<BTreeSet<usize>>,
    leaves_per_pod: usize,
    spines_per_pod: usize,
    cores_per_spine: usize,
    /// Between leaves and spines, and between spines and cores where there are any.
    bundles: Vec<Bundle>,
}

impl Levels {
    fn new(net: &Net, leaves: &BTreeSet<usize>) -> Option<Self> {
        let near = neighbors(net);
        let spines: BTreeSet<usize> = leaves
            .iter()
            .flat_map(|leaf| near.get(leaf).into_iter().flatten())
            .copied()
            .collect();
        let used = near.keys().copied();
        let cores: BTreeSet<usize> = used
            .filter(|at| !leaves.contains(at) && !spines.contains(at))
            .collect();
        let level = |at: &usize| match (leaves.contains(at), spines.contains(at)) {
            (true, false) => Some(0),
            (false, true) => Some(1),
            (false, false) => Some(2),
            (true, true) => None,
        };
        let mut bundles: [Option<Bundle>; 2] = [None; 2];
        for (ends, rates) in &net.cables {
            let [a, b]: [usize; 2] = [level(&ends[0])?, level(&ends[1])?];
            let bundle = (rates.len(), *rates.first()?);
            let equal = rates.iter().all(|rate| *rate == bundle.1);
            if a.abs_diff(b) != 1 || !equal {
                return None;
            }
            let known = bundles[a.min(b)].get_or_insert(bundle);
            (*known == bundle).then_some(())?;
        }
        let pods = pods(leaves, &spines, &near)?;
        let leaves_per_pod = pods[0].intersection(leaves).count();
        let spines_per_pod = pods[0].intersection(&spines).count();
        let cores_per_spine = if cores.is_empty() {
            (pods.len() == 1).then_some(0)?
        } else {
            cores_per_spine(&pods, &spines, &cores, &near)?
        };
        Some(Self {
            pods,
            leaves_per_pod,
            spines_per_pod,
            cores_per_spine,
            bundles: bundles.into_iter().flatten().collect(),
        })
    }

    /// Groups pod by pod.
    fn in_order(&self, groups: Vec<Vec<Place>>) -> Vec<Place> {
        let pod = |group: &Vec<Place>| {
            let leaf = group[0].on[0];
            self.pods.iter().position(|pod| pod.contains(&leaf))
        };
        // Pods in the order of their first groups.
        let mut order = Vec::new();
        for group in &groups {
            let at = pod(group);
            if !order.contains(&at) {
                order.push(at);
            }
        }
        let mut groups = groups;
        groups.sort_by_key(|group| {
            let at = pod(group);
            order.iter().position(|one| *one == at)
        });
        groups.into_iter().flatten().collect()
    }
}

fn neighbors(net: &Net) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut near: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for [a, b] in net.cables.keys() {
        near.entry(*a).or_default().insert(*b);
        near.entry(*b).or_default().insert(*a);
    }
    near
}

/// Leaves and spines that are joined, all alike, each leaf with each spine.
fn pods(
    leaves: &BTreeSet<usize>,
    spines: &BTreeSet<usize>,
    near: &BTreeMap<usize, BTreeSet<usize>>,
) -> Option<Vec<BTreeSet<usize>>> {
    let mut pods: Vec<(&BTreeSet<usize>, BTreeSet<usize>)> = Vec::new();
    for leaf in leaves {
        let above = near.get(leaf)?;
        match pods.iter_mut().find(|(spines, _)| *spines == above) {
            Some((_, members)) => drop(members.insert(*leaf)),
            None => pods.push((above, BTreeSet::from([*leaf]))),
        }
    }
    let all: usize = pods.iter().map(|(spines, _)| spines.len()).sum();
    let (first_spines, first) = pods.first()?;
    let alike = pods.iter().all(|(spines, members)| {
        spines.len() == first_spines.len() && members.len() == first.len()
    });
    if !alike || all != spines.len() {
        return None;
    }
    let whole = pods.into_iter().map(|(spines, members)| &members | spines);
    Some(whole.collect())
}

/// Cores of each spine: those of the first spine of every pod are the same, and so on.
fn cores_per_spine(
    pods: &[BTreeSet<usize>],
    spines: &BTreeSet<usize>,
    cores: &BTreeSet<usize>,
    near: &BTreeMap<usize, BTreeSet<usize>>,
) -> Option<usize> {
    let mut groups: BTreeMap<BTreeSet<usize>, usize> = BTreeMap::new();
    for pod in pods {
        for spine in pod.intersection(spines) {
            let above = near.get(spine)? & cores;
            *groups.entry(above).or_default() += 1;
        }
    }
    let size = groups.keys().next()?.len();
    let all: usize = groups.keys().map(BTreeSet::len).sum();
    let even = groups
        .iter()
        .all(|(group, spines)| group.len() == size && *spines == pods.len());
    (even && 0 < size && all == cores.len()).then_some(size)
}
