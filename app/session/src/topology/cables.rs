//! Links between visible parts, those between the same two as one cable.

use std::collections::{BTreeMap, BTreeSet};

use cluster::Device;
use units::{LinkId, NodeId};

use super::tree::Tree;
use super::{CableView, GroupId, Part};

/// The cables that are seen while some groups are open.
pub(super) fn cables(tree: &Tree<'_>, open: &BTreeSet<GroupId>) -> Vec<CableView> {
    let cluster = tree.cluster;
    let is_open = |group: GroupId| open.contains(&group);
    let mut found = Found::default();
    for node in (0..cluster.n_nodes()).map(NodeId::from_index) {
        let part = |node| tree.visible(Device::Socket { node, index: 0 }, is_open);
        let own = part(node);
        let head = cluster.domain_head(node);
        let switches = tree.visible(Device::NvSwitch { node: head }, is_open);
        let links = match own {
            Part::Group(_) if switches == own => {
                // What is inside stays inside; the way to the switches may lead out.
                let with_leaves = !matches!(own, Part::Group(GroupId::Node(_)));
                if with_leaves && cluster.has_levels() {
                    continue;
                }
                cluster.nic_links_of_node(node)
            }
            _ => cluster.links_of_node(node),
        };
        for link in links.step_by(2) {
            found.add(tree, LinkId::new(link), is_open);
        }
    }
    for link in cluster.fabric_links().step_by(2) {
        found.add(tree, LinkId::new(link), is_open);
    }
    found.cables
}

#[derive(Default)]
struct Found {
    cables: Vec<CableView>,
    known: BTreeMap<[Part; 2], usize>,
}

impl Found {
    /// Adds both directions of a cable, unless both ends are in the same folded group.
    fn add(&mut self, tree: &Tree<'_>, up: LinkId, is_open: impl Fn(GroupId) -> bool + Copy) {
        let cluster = tree.cluster;
        let (from, to) = cluster.ends(up);
        let ends = [from, to].map(|device| tree.visible(device, is_open));
        if ends[0] == ends[1] {
            return;
        }
        let down = cluster.reverse(up);
        let is_down = cluster.is_down(up) || cluster.is_down(down);
        let turned = [ends[1], ends[0]];
        let (at, links) = match (self.known.get(&ends), self.known.get(&turned)) {
            (Some(at), _) => (*at, [up, down]),
            (None, Some(at)) => (*at, [down, up]),
            (None, None) => {
                let link = cluster.link(up);
                self.known.insert(ends, self.cables.len());
                self.cables.push(CableView {
                    ends,
                    name: cluster.link_name(up),
                    kind: Some(link.kind),
                    links: [Vec::new(), Vec::new()],
                    rate: link.rate,
                    latency: link.latency,
                    is_down: false,
                    is_fat: false,
                });
                (self.cables.len() - 1, [up, down])
            }
        };
        let cable = &mut self.cables[at];
        cable.is_down |= is_down;
        for (list, link) in cable.links.iter_mut().zip(links) {
            list.push(link);
        }
    }
}
