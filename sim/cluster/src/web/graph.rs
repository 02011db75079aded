//! A graph of a file: its cables, and where nodes hang.

use std::collections::BTreeMap;

use super::{Cables, number};
use crate::device::Link;
use crate::spec::{FabricSpec, GraphSpec};

/// Which switch a NIC hangs on.
#[derive(Clone, Debug)]
pub(crate) enum Places {
    /// So many nodes on every switch, in order.
    Even(u32),
    /// By node and NIC: the switch, and how many NICs a node has.
    Listed {
        /// NICs of a node, the most of all.
        nics: u32,
        /// The switches, node by node.
        switches: Vec<u32>,
    },
}

/// The switch of a NIC that hangs on none.
pub(crate) const NOWHERE: u32 = u32::MAX;

impl Places {
    pub(super) fn switch(&self, node: u32, nic: u32) -> u32 {
        match self {
            Self::Even(nodes) => node / nodes,
            Self::Listed { nics, switches } => switches[(node * nics + nic) as usize],
        }
    }
}

/// Switches by name.
pub(crate) fn by_name(graph: &GraphSpec) -> BTreeMap<&str, u32> {
    let names = graph.switches.iter().map(String::as_str);
    names.zip(0..).collect()
}

/// Adds the cables of a checked graph.
pub(super) fn join(spec: &FabricSpec, link: Link, cables: &mut Cables) {
    let switches = by_name(&spec.graph);
    for cable in &spec.graph.cables {
        let ends = [&cable.ends[0], &cable.ends[1]].map(|name| switches[name.as_str()]);
        let latency = cable.latency.unwrap_or(spec.link_latency);
        let one = Link {
            rate: cable.rate.unwrap_or(link.rate),
            latency: latency + spec.switch_latency,
            ..link
        };
        cables.join(ends, cable.count, one);
    }
}

/// Where the NICs of a cluster hang: [`NOWHERE`] where no rule says so. Rules of switches that
/// are not known are passed over.
pub(super) fn places(graph: &GraphSpec, nodes: u32, nics: u32) -> Places {
    let mut switches = vec![NOWHERE; nodes as usize * nics as usize];
    for (node, nic, switch) in attached(graph, nodes) {
        let own = node as usize * nics as usize..(node as usize + 1) * nics as usize;
        match nic {
            Some(nic) if nic < nics => switches[own.start + nic as usize] = switch,
            Some(_) => {}
            None => switches[own].fill(switch),
        }
    }
    Places::Listed { nics, switches }
}

/// What the rules say: a node, one of its NICs or all, and their switch.
pub(crate) fn attached(
    graph: &GraphSpec,
    nodes: u32,
) -> impl Iterator<Item = (u32, Option<u32>, u32)> {
    let names = by_name(graph);
    let mut next = 0_u64;
    graph.attach.iter().flat_map(move |rule| {
        let first = rule.first_node.map_or(next, u64::from);
        let each = u64::from(rule.nodes_per_switch);
        next = first + each * rule.switches.len() as u64;
        let known: Vec<_> = rule
            .switches
            .iter()
            .map(|name| names.get(name.as_str()).copied())
            .collect();
        let end = next.min(u64::from(nodes));
        (first..end).filter_map(move |node| {
            let at = usize::try_from((node - first) / each.max(1)).ok()?;
            Some((
                number(usize::try_from(node).ok()?),
                rule.nic,
                (*known.get(at)?)?,
            ))
        })
    })
}
