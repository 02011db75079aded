//! Who sends to whom: the patterns of transfers between scale-up domains.

use std::collections::BTreeMap;

use cluster::Cluster;
use units::GpuId;

/// Which domains (or ranks) talk to each other in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// Every domain sends to the next, the last one to the first.
    Ring,
    /// Every domain sends to the next, the last one to nobody.
    Chain,
    /// Two complementary binary trees over the domains, half of the data in each, up and down at
    /// once (Sanders, Speck and Träff, *Parallel Computing* 35(12), 2009).
    Trees,
    /// Every domain sends to the one that many places further on, round the ring.
    Shift(u32),
    /// Every rank sends to every rank of other domains.
    Pairs,
    /// The first rank sends to the last, if they are in different domains.
    Send,
    /// Every rank of other domains sends to the first rank.
    Gather,
    /// The first rank sends to every rank of other domains.
    Scatter,
}

/// A transfer between two GPUs of different domains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hop {
    /// Who sends.
    pub from: GpuId,
    /// Who receives.
    pub to: GpuId,
    /// Its part of the bytes of [`Transfers`](crate::Transfers): those of one domain to another
    /// are cut over the NICs, those of pairs are not.
    pub share: f64,
}

/// The transfers of a pattern, for a group in the order of its ranks.
///
/// Domains come in the order in which the group meets them. Where a group has several GPUs of a
/// domain, the traffic of a domain is cut evenly over the NICs that these GPUs own, each NIC
/// towards the NIC of the same place on the other side, as NCCL's channels are.
pub fn hops(pattern: Pattern, group: &[GpuId], cluster: &Cluster) -> Vec<Hop> {
    hops_between(pattern, &Domains::new(group, cluster))
}

/// A group by scale-up domain.
#[derive(Clone, Debug)]
pub(crate) struct Domains {
    /// The ranks' GPUs, by domain.
    pub(crate) members: Vec<Vec<GpuId>>,
    /// One GPU for each NIC that the group uses, by domain.
    pub(crate) rails: Vec<Vec<GpuId>>,
}

impl Domains {
    pub(crate) fn new(group: &[GpuId], cluster: &Cluster) -> Self {
        let mut members: Vec<Vec<GpuId>> = Vec::new();
        let mut place = BTreeMap::new();
        let mut last = None;
        for &gpu in group {
            let domain = cluster.domain_of(gpu);
            let at = match last {
                Some((known, at)) if known == domain => at,
                _ => *place.entry(domain).or_insert_with(|| {
                    members.push(Vec::new());
                    members.len() - 1
                }),
            };
            last = Some((domain, at));
            members[at].push(gpu);
        }
        let rails = members.iter().map(|gpus| one_per_nic(gpus, cluster));
        Self {
            rails: rails.collect(),
            members,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }
}

/// The first of the GPUs that share a NIC, for as many NICs as the fabric lets a group use.
fn one_per_nic(gpus: &[GpuId], cluster: &Cluster) -> Vec<GpuId> {
    let most = cluster
        .nics_per_group()
        .map_or(usize::MAX, |most| most as usize);
    let mut nics = Vec::new();
    let mut rails = Vec::new();
    for &gpu in gpus {
        let nic = cluster.nic_of(gpu);
        if nics.len() < most && !nics.contains(&nic) {
            nics.push(nic);
            rails.push(gpu);
        }
    }
    rails
}

pub(crate) fn hops_between(pattern: Pattern, domains: &Domains) -> Vec<Hop> {
    let mut hops = Vec::new();
    let n = domains.len();
    let mut join = |from: usize, to: usize, share| join(domains, from, to, share, &mut hops);
    match pattern {
        _ if n < 2 => {}
        Pattern::Ring => (0..n).for_each(|i| join(i, (i + 1) % n, 1.0)),
        Pattern::Chain => (1..n).for_each(|i| join(i - 1, i, 1.0)),
        Pattern::Shift(by) => {
            let distance = by as usize % n;
            if distance != 0 {
                (0..n).for_each(|i| join(i, (i + distance) % n, 1.0));
            }
        }
        Pattern::Trees => {
            for [child, parent] in tree_edges(n) {
                join(child, parent, 0.5);
                join(parent, child, 0.5);
            }
        }
        Pattern::Pairs => pairs(domains, &mut hops),
        Pattern::Gather | Pattern::Scatter => {
            let root = domains.members[0][0];
            hops.extend(domains.members[1..].iter().flatten().map(|&other| {
                let (from, to) = if pattern == Pattern::Gather {
                    (other, root)
                } else {
                    (root, other)
                };
                let share = 1.0;
                Hop { from, to, share }
            }));
        }
        Pattern::Send => {
            let first = domains.members[0].first();
            let last = domains.members[n - 1].last();
            if let (Some(&from), Some(&to)) = (first, last) {
                hops.push(Hop {
                    from,
                    to,
                    share: 1.0,
                });
            }
        }
    }
    hops
}

/// Joins two domains over the NICs of both.
fn join(domains: &Domains, from: usize, to: usize, share: f64, hops: &mut Vec<Hop>) {
    let (from, to) = (&domains.rails[from], &domains.rails[to]);
    let n = from.len().max(to.len());
    hops.extend((0..n).map(|rail| Hop {
        from: from[rail % from.len()],
        to: to[rail % to.len()],
        share: share / n as f64,
    }));
}

fn pairs(domains: &Domains, hops: &mut Vec<Hop>) {
    for (i, from) in domains.members.iter().enumerate() {
        for (j, to) in domains.members.iter().enumerate() {
            if i != j {
                let pair = |&from: &GpuId| {
                    to.iter().map(move |&to| Hop {
                        from,
                        to,
                        share: 1.0,
                    })
                };
                hops.extend(from.iter().flat_map(pair));
            }
        }
    }
}

/// The edges of the two trees over `n` places, as child and parent.
///
/// The first is the in-order tree in which a place's height is the number of its trailing zero
/// bits; the second is its mirror image for even `n`, else the first moved on by one, so that
/// (almost) every place is a leaf in one of them.
pub fn tree_edges(n: usize) -> impl Iterator<Item = [usize; 2]> {
    let mirror = move |place: usize| {
        if n.is_multiple_of(2) {
            n - 1 - place
        } else {
            (place + 1) % n
        }
    };
    let first = (1..n).map(move |child| [child, parent(child, n)]);
    let second = (1..n).map(move |child| [child, parent(child, n)].map(mirror));
    first.chain(second)
}

/// The parent of a place above 0 in the in-order tree over `n` places.
const fn parent(place: usize, n: usize) -> usize {
    let bit = place & place.wrapping_neg();
    let above = (place ^ bit) | (bit << 1);
    if above < n { above } else { place ^ bit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cluster::example;

    #[test]
    fn both_trees_span_all_places_with_at_most_three_neighbors() {
        for n in 2..70 {
            let edges: Vec<_> = tree_edges(n).collect();
            for tree in edges.chunks(n - 1) {
                let mut above: Vec<Option<usize>> = vec![None; n];
                let mut degree = vec![0; n];
                for &[child, parent] in tree {
                    assert_eq!(above[child].replace(parent), None, "two parents, n = {n}");
                    degree[child] += 1;
                    degree[parent] += 1;
                }
                assert!(degree.iter().all(|&degree| degree <= 3), "n = {n}");
                for start in 0..n {
                    let (mut place, mut steps) = (start, 0);
                    while let Some(parent) = above[place] {
                        place = parent;
                        steps += 1;
                        assert!(steps < n, "a cycle, n = {n}");
                    }
                }
                assert_eq!(above.iter().filter(|parent| parent.is_none()).count(), 1);
            }
        }
    }

    #[test]
    fn no_place_has_more_than_four_neighbors_in_both_trees() {
        for n in 2..70 {
            let mut degree = vec![0; n];
            for edge in tree_edges(n) {
                for place in edge {
                    degree[place] += 1;
                }
            }
            assert!(
                degree.iter().all(|&degree| degree <= 4),
                "n = {n}: {degree:?}"
            );
        }
    }

    #[test]
    fn a_ring_of_nodes_uses_every_nic_once_in_each_direction() {
        let cluster = Cluster::build(&example::dgx_h100s(3)).unwrap();
        let group: Vec<_> = cluster.gpus().collect();
        let ring = hops(Pattern::Ring, &group, &cluster);
        assert_eq!(ring.len(), 24);
        assert!(ring.iter().all(|hop| (hop.share - 0.125).abs() < 1e-12));
        assert!(
            ring.iter()
                .all(|hop| hop.from.get() % 8 == hop.to.get() % 8)
        );
    }

    #[test]
    fn a_fabric_bounds_the_nics_of_a_group() {
        let mut spec = example::dgx_h100s(3);
        spec.fabric.nics_per_group = Some(2);
        let cluster = Cluster::build(&spec).unwrap();
        let group: Vec<_> = cluster.gpus().collect();
        let ring = hops(Pattern::Ring, &group, &cluster);
        assert_eq!(ring.len(), 6);
        assert!(ring.iter().all(|hop| (hop.share - 0.5).abs() < 1e-12));
        assert_eq!(hops(Pattern::Pairs, &group, &cluster).len(), 3 * 2 * 64);
    }

    #[test]
    fn gpus_that_share_a_nic_make_one_hop() {
        let spec = example::cluster(
            example::dgx_1v(),
            2,
            example::fabric(cluster::FabricKind::LeafSpine),
        );
        let cluster = Cluster::build(&spec).unwrap();
        let group: Vec<_> = cluster.gpus().collect();
        assert_eq!(hops(Pattern::Ring, &group, &cluster).len(), 8);
        assert_eq!(hops(Pattern::Pairs, &group, &cluster).len(), 128);
    }
}
