//! What ranks send to everywhere: the capacity of NICs, leaves, pods and measured pairs of nodes.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Cluster, LinkKind, NicId};
use petgraph::graph::NodeIndex;
use units::{GpuId, LinkId, NodeId};

use crate::hops::Domains;

/// What a rank sends to ranks of other domains in an all-to-all, while the siblings do so too, in
/// bytes per second.
///
/// Each level between the ranks and the whole fabric (NIC, group of leaves, pod) sends what its
/// links carry; the ranks below share that for the part of their traffic that leaves the level.
/// Where switches form no levels, what all send crosses links of each other, and the fullest of
/// them counts, too. What was measured between two nodes is shared by all that goes from one to the other.
pub(crate) fn pairs(cluster: &Cluster, group: &Domains, siblings: &[Domains]) -> f64 {
    let mut levels = Levels::default();
    for gpus in siblings.iter().flat_map(|sibling| &sibling.members) {
        for &gpu in gpus {
            levels.count(cluster, gpu, false);
        }
    }
    for gpus in &group.members {
        for &gpu in gpus {
            levels.count(cluster, gpu, true);
        }
    }
    let ranks: usize = group.members.iter().map(Vec::len).sum();
    let domains = group.members.iter();
    let rate = domains
        .map(|members| levels.rate(cluster, members, ranks as f64))
        .fold(f64::INFINITY, f64::min);
    let rate = if cluster.has_levels() {
        rate
    } else {
        rate.min(crossing(cluster, group, siblings))
    };
    if cluster.has_measured_rates() {
        rate.min(measured(cluster, group, siblings))
    } else {
        rate
    }
}

/// What a rank sends where every rank sends equally much to each rank of other domains, and the
/// slowest measured pair of nodes that the group uses carries no more than was measured: the rate
/// of the ranks that send to most others.
fn measured(cluster: &Cluster, group: &Domains, siblings: &[Domains]) -> f64 {
    let own = messages(cluster, group);
    let mut loads = own.clone();
    for (nodes, count) in siblings
        .iter()
        .flat_map(|sibling| messages(cluster, sibling))
    {
        *loads.entry(nodes).or_default() += count;
    }
    let ranks: usize = group.members.iter().map(Vec::len).sum();
    let fewest = group.members.iter().map(Vec::len).min().unwrap_or(0);
    let outside = (ranks - fewest) as f64;
    let rates = own.keys().filter_map(|nodes| {
        let measured = cluster.measured_between(nodes.0, nodes.1)?;
        Some(measured.as_f64() / loads[nodes] * outside)
    });
    rates.fold(f64::INFINITY, f64::min)
}

/// Pairs of nodes of a group whose traffic is counted: of more, one in so many.
const SAMPLED: usize = 1 << 18;

/// What a rank sends where every rank sends equally much to each rank of other domains, and no link
/// between switches that the group uses carries more than it can: by the static routes.
///
/// Of groups over many nodes only some pairs count, evenly over senders and receivers, and stand
/// for the others.
fn crossing(cluster: &Cluster, group: &Domains, siblings: &[Domains]) -> f64 {
    let own = loads(cluster, group);
    let mut all = own.clone();
    for sibling in siblings {
        for (link, count) in loads(cluster, sibling) {
            *all.entry(link).or_default() += count;
        }
    }
    let ranks: usize = group.members.iter().map(Vec::len).sum();
    let fewest = group.members.iter().map(Vec::len).min().unwrap_or(0);
    let outside = (ranks - fewest) as f64;
    let rates = own
        .keys()
        .map(|link| cluster.link(*link).rate.as_f64() / all[link] * outside);
    rates.fold(f64::INFINITY, f64::min)
}

/// How many ranks send to how many over each link between switches.
fn loads(cluster: &Cluster, group: &Domains) -> BTreeMap<LinkId, f64> {
    let mut ends: BTreeMap<(u32, NodeId), (GpuId, f64)> = BTreeMap::new();
    for (domain, members) in (0..).zip(&group.members) {
        for &gpu in members {
            let end = ends.entry((domain, cluster.node_of(gpu)));
            end.or_insert((gpu, 0.0)).1 += 1.0;
        }
    }
    let every = (ends.len() * ends.len()).div_ceil(SAMPLED).max(1);
    let (mut loads, mut path) = (BTreeMap::new(), Vec::new());
    for (i, (&(domain, _), &(from, sending))) in ends.iter().enumerate() {
        let others = ends.iter().skip((every - i % every) % every);
        for (&(other, _), &(to, receiving)) in others.step_by(every) {
            if other == domain {
                continue;
            }
            path.clear();
            cluster.route(from, to, Cluster::D_MOD_K, &mut path);
            path.retain(|link| cluster.link(*link).kind == LinkKind::Fabric);
            for &link in &path {
                *loads.entry(link).or_default() += sending * receiving * every as f64;
            }
        }
    }
    loads
}

/// How many ranks of one node send to how many of another, multiplied, over domains.
fn messages(cluster: &Cluster, group: &Domains) -> BTreeMap<(NodeId, NodeId), f64> {
    let mut counts: BTreeMap<(usize, NodeId), f64> = BTreeMap::new();
    for (domain, members) in group.members.iter().enumerate() {
        for &gpu in members {
            *counts.entry((domain, cluster.node_of(gpu))).or_default() += 1.0;
        }
    }
    let mut messages = BTreeMap::new();
    for (&(from, sender), sending) in &counts {
        for (&(to, receiver), receiving) in &counts {
            if from != to {
                *messages.entry((sender, receiver)).or_default() += sending * receiving;
            }
        }
    }
    messages
}

/// A group of leaves or a pod.
#[derive(Clone, Debug, Default)]
struct Level {
    /// Ranks of all groups below it.
    users: u32,
    /// Those of the group itself.
    own: u32,
    /// The switches through which they leave it.
    switches: BTreeSet<NodeIndex>,
    /// The rates of all links above these switches.
    capacity: f64,
}

/// Who is below which NIC, group of leaves and pod.
#[derive(Clone, Debug, Default)]
struct Levels {
    nics: BTreeMap<NicId, u32>,
    leaves: BTreeMap<u32, Level>,
    pods: BTreeMap<u32, Level>,
}

impl Levels {
    fn count(&mut self, cluster: &Cluster, gpu: GpuId, own: bool) {
        let node = cluster.node_of(gpu);
        let Some(nic) = cluster.nic_of(gpu) else {
            return;
        };
        *self.nics.entry(nic).or_default() += 1;
        let leaf = self.leaves.entry(cluster.leaf_group_of(node)).or_default();
        leaf.users += 1;
        leaf.own += u32::from(own);
        let (_, switch) = cluster.ends(cluster.nic_links(nic)[0]);
        let vertex = cluster.device(switch).expect("the end of a link");
        let pod = self.pods.entry(cluster.pod_of(node)).or_default();
        pod.users += 1;
        pod.own += u32::from(own);
        if !leaf.switches.insert(vertex) {
            return;
        }
        let rate = |link: LinkId| cluster.link(link).rate.as_f64();
        for &(spine, link) in cluster.links_up(vertex) {
            leaf.capacity += rate(link);
            if pod.switches.insert(spine) {
                let up = cluster.links_up(spine).iter();
                pod.capacity += up.map(|(_, link)| rate(*link)).sum::<f64>();
            }
        }
    }

    fn rate(&self, cluster: &Cluster, members: &[GpuId], ranks: f64) -> f64 {
        let mut rate = f64::INFINITY;
        for &gpu in members {
            if let Some(nic) = cluster.nic_of(gpu) {
                let up = cluster.link(cluster.nic_links(nic)[0]).rate.as_f64();
                let nics = f64::from(cluster.nics_of(gpu).max(1));
                rate = rate.min(nics * up / f64::from(self.nics[&nic]));
            }
        }
        let node = cluster.node_of(members[0]);
        let outside = ranks - members.len() as f64;
        let levels = [
            self.leaves.get(&cluster.leaf_group_of(node)),
            self.pods.get(&cluster.pod_of(node)),
        ];
        for level in levels.into_iter().flatten() {
            let leaving = ranks - f64::from(level.own);
            if leaving > 0.0 && level.capacity > 0.0 {
                rate = rate.min(level.capacity / f64::from(level.users) * outside / leaving);
            }
        }
        rate
    }
}
