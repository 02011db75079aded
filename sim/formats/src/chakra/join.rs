//! Which nodes of different ranks belong together.

use std::collections::BTreeMap;

use super::collective::{count, parts};
use super::{Collective, Node, Trace, Work};
use crate::import_error::{ImportError, shown};

/// Flows that a workload may be.
const MAX_FLOWS: u128 = 1 << 25;

/// A node of a rank.
pub(super) type Place = (u32, usize);

/// A message or a collective of several ranks, with the first of its flows.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) first: u32,
    pub(super) kind: ItemKind,
}

#[derive(Debug)]
pub(super) enum ItemKind {
    Message {
        from: u32,
        to: u32,
        bytes: u64,
    },
    Together {
        kind: Collective,
        bytes: u64,
        root: u32,
        /// The ranks, in order.
        members: Vec<u32>,
        /// By member, the flows after which it has what it waits for.
        ends: Vec<Vec<u32>>,
    },
}

/// What the nodes of all ranks are together.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) items: Vec<Item>,
    /// The item of a node; for a collective also its place among the members.
    pub(super) of_node: BTreeMap<Place, (usize, u32)>,
    pub(super) flows: u32,
}

/// Joins sends with receives and collectives with each other.
pub(super) fn join(traces: &[Trace]) -> Result<Joined, ImportError> {
    check_size(traces)?;
    let mut joined = Joined::default();
    let mut sent: BTreeMap<(u32, u32, i64), Vec<usize>> = BTreeMap::new();
    let groups = groups(traces);
    for (place, node) in nodes(traces) {
        match &node.work {
            Work::Send { to, tag, bytes } => {
                let key = (place.0, *to, *tag);
                sent.entry(key).or_default().push(joined.items.len());
                joined.of_node.insert(place, (joined.items.len(), 0));
                joined.add(ItemKind::Message {
                    from: place.0,
                    to: *to,
                    bytes: *bytes,
                })?;
            }
            Work::Collective { group, .. } => {
                let members = &groups[group.as_str()];
                if members[0].0 == place.0 {
                    let at = members[0].1.partition_point(|one| *one < place.1);
                    joined.together(traces, members, at)?;
                }
            }
            Work::Local | Work::Receive { .. } => {}
        }
    }
    receive(traces, &mut joined, &sent)?;
    Ok(joined)
}

/// All nodes, rank by rank.
fn nodes(traces: &[Trace]) -> impl Iterator<Item = (Place, &Node)> {
    let ranks = (0..).zip(traces);
    ranks.flat_map(|(rank, trace)| {
        let nodes = trace.nodes.iter().enumerate();
        nodes.map(move |(at, node)| ((rank, at), node))
    })
}

/// By group, its members with their collectives.
fn groups(traces: &[Trace]) -> BTreeMap<&str, Vec<(u32, Vec<usize>)>> {
    let mut groups: BTreeMap<&str, Vec<(u32, Vec<usize>)>> = BTreeMap::new();
    for ((rank, at), node) in nodes(traces) {
        let Work::Collective { group, .. } = &node.work else {
            continue;
        };
        let members = groups.entry(group).or_default();
        match members.last_mut() {
            Some((last, places)) if *last == rank => places.push(at),
            _ => members.push((rank, vec![at])),
        }
    }
    groups
}

/// Refuses what would be too many flows, before any are made.
fn check_size(traces: &[Trace]) -> Result<(), ImportError> {
    let mut flows = 0_u128;
    for members in groups(traces).values() {
        let n = members.len() as u64;
        for at in &members[0].1 {
            let node = &traces[members[0].0 as usize].nodes[*at];
            if let Work::Collective { kind, .. } = node.work {
                flows += count(kind, n);
            }
        }
    }
    if MAX_FLOWS < flows {
        return Err(ImportError::CannotSay(format!(
            "the collectives are {flows} flows, the limit is {MAX_FLOWS}"
        )));
    }
    Ok(())
}

impl Joined {
    fn add(&mut self, kind: ItemKind) -> Result<(), ImportError> {
        let flows = match &kind {
            ItemKind::Message { .. } => 1,
            ItemKind::Together { kind, members, .. } => count(*kind, members.len() as u64),
        };
        let first = self.flows;
        let after = u128::from(first) + flows;
        self.flows = u32::try_from(after)
            .ok()
            .filter(|_| after <= 2 * MAX_FLOWS)
            .ok_or_else(|| ImportError::CannotSay(format!("more than {} flows", 2 * MAX_FLOWS)))?;
        self.items.push(Item { first, kind });
        Ok(())
    }

    /// The collective `at` of a group.
    fn together(
        &mut self,
        traces: &[Trace],
        members: &[(u32, Vec<usize>)],
        at: usize,
    ) -> Result<(), ImportError> {
        let (lead, of_lead) = &members[0];
        let node = |rank: u32, place: usize| &traces[rank as usize].nodes[place];
        let first = node(*lead, of_lead[at]);
        let Work::Collective {
            kind,
            bytes,
            root,
            group,
        } = &first.work
        else {
            return Ok(());
        };
        let (item, n) = (
            self.items.len(),
            u32::try_from(members.len()).unwrap_or(u32::MAX),
        );
        for (member, (rank, places)) in (0..).zip(members) {
            let other = places.get(at).map(|place| node(*rank, *place));
            if places.len() != of_lead.len() || other.is_none_or(|node| node.work != first.work) {
                return Err(ImportError::CannotSay(format!(
                    "collective {at} of group {:?}, {:?} of rank {lead}, is another one or none on rank {rank}",
                    shown(group),
                    shown(&first.name)
                )));
            }
            self.of_node.insert((*rank, places[at]), (item, member));
        }
        let ranks: Vec<u32> = members.iter().map(|(rank, _)| *rank).collect();
        // The root is a rank of the group: by its number in all, else by its place.
        let root = ranks.binary_search(root).ok();
        let root = u32::try_from(root.unwrap_or(0)).unwrap_or(0).min(n - 1);
        let (_, ends) = parts(*kind, *bytes, root, n);
        self.add(ItemKind::Together {
            kind: *kind,
            bytes: *bytes,
            root,
            members: ranks,
            ends,
        })
    }
}

/// Gives every receive the message that it waits for: of equal rank and tag, in order.
fn receive(
    traces: &[Trace],
    joined: &mut Joined,
    sent: &BTreeMap<(u32, u32, i64), Vec<usize>>,
) -> Result<(), ImportError> {
    let mut received: BTreeMap<(u32, u32, i64), usize> = BTreeMap::new();
    for (place, node) in nodes(traces) {
        let Work::Receive { from, tag } = node.work else {
            continue;
        };
        let key = (from, place.0, tag);
        let next = received.entry(key).or_default();
        let Some(&item) = sent.get(&key).and_then(|items| items.get(*next)) else {
            return Err(ImportError::CannotSay(format!(
                "rank {} receives from rank {from} with tag {tag} ({:?}), which does not send that",
                place.0,
                shown(&node.name)
            )));
        };
        *next += 1;
        joined.of_node.insert(place, (item, 0));
    }
    for (&(from, to, tag), items) in sent {
        if received.get(&(from, to, tag)).copied().unwrap_or(0) < items.len() {
            return Err(ImportError::CannotSay(format!(
                "rank {from} sends to rank {to} with tag {tag}, which does not receive that; \
                 the traces are of {} ranks",
                traces.len()
            )));
        }
    }
    Ok(())
}
