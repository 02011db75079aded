//! From the traces of all ranks to flows.
//!
//! ```text
//! COMM_SEND with its COMM_RECV   a flow
//! COMM_COLL of all members       the flows of a ring, a chain, a star or all pairs
//! COMP                           a delay, as far as flows can have one
//! ```
//!
//! A list of flows has absolute starts and no delays. So a flow starts no earlier than what is
//! computed before it takes from the beginning; what is computed behind communication only passes
//! its dependencies on, and the notes say how much time that leaves out. Where a node waits for
//! several flows, a flow of no bytes from its rank to itself joins them.

use std::collections::BTreeMap;

use traffic::{Flow, Flows};
use units::{Bytes, HostId, SimTime};

use super::collective::parts;
use super::join::{ItemKind, Joined, Place, join};
use super::{Collective, Node, Trace, Work};
use crate::import_error::{ImportError, shown};

/// A workload.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The flows between ranks: host `r` is rank `r`.
    pub flows: Flows,
    /// What was taken for what the traces do not say.
    pub notes: Vec<String>,
}

/// The flows of the traces of all ranks.
///
/// # Errors
///
/// Sends and receives that do not meet, collectives that differ between ranks, a node that waits
/// for itself or for one that is not there, and more flows than can be.
pub fn flows(traces: &[Trace]) -> Result<Workload, ImportError> {
    let joined = join(traces)?;
    let mut local = Local {
        joined: &joined,
        before: BTreeMap::new(),
        joins: Vec::new(),
        hidden_micros: 0,
        hidden: 0,
    };
    for (rank, trace) in (0..).zip(traces) {
        local.rank(rank, trace)?;
    }
    let flows = emit(&joined, &local).ok_or_else(too_many)?;
    let flows = Flows::from_lists(flows.list, flows.first, flows.after);
    let flows = flows.map_err(|error| ImportError::CannotSay(error.to_string()))?;
    Ok(Workload {
        notes: notes(traces, &joined, &local),
        flows,
    })
}

/// What stands before a node: the flow that must have ended, and the earliest time.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    flow: Option<u32>,
    picos: u64,
}

/// A flow of no bytes that joins others.
struct Join {
    rank: u32,
    picos: u64,
    after: Vec<u32>,
}

/// The nodes of each rank, one after the other.
struct Local<'j> {
    joined: &'j Joined,
    /// What stands before sends and collectives.
    before: BTreeMap<(usize, u32), Before>,
    joins: Vec<Join>,
    hidden_micros: u64,
    hidden: u64,
}

impl Local<'_> {
    fn rank(&mut self, rank: u32, trace: &Trace) -> Result<(), ImportError> {
        let order = order(rank, &trace.nodes)?;
        let mut done = vec![Before::default(); trace.nodes.len()];
        for (at, after) in order {
            let picos = after.iter().map(|one| done[*one].picos).max().unwrap_or(0);
            let flows = after.iter().filter_map(|one| done[*one].flow).collect();
            let flow = self.all_of(rank, picos, flows)?;
            let before = Before { flow, picos };
            done[at] = self.node((rank, at), &trace.nodes[at], before)?;
        }
        Ok(())
    }

    /// What stands before the nodes behind a node.
    fn node(&mut self, place: Place, node: &Node, before: Before) -> Result<Before, ImportError> {
        let Some(&(item, member)) = self.joined.of_node.get(&place) else {
            return self.compute(node, before);
        };
        let Before { flow, picos } = before;
        let found = &self.joined.items[item];
        let mut ends: Vec<u32> = flow.into_iter().collect();
        match (&node.work, &found.kind) {
            (Work::Receive { .. }, _) => ends.push(found.first),
            (_, ItemKind::Message { .. }) => {
                self.before.insert((item, member), before);
                ends = vec![found.first];
            }
            (_, ItemKind::Together { kind, ends: of, .. }) => {
                self.before.insert((item, member), before);
                let of = &of[member as usize];
                // What comes last around a whole ring has waited for this rank, too.
                let whole = matches!(kind, Collective::AllReduce | Collective::Barrier);
                if whole && !of.is_empty() {
                    ends.clear();
                }
                ends.extend(of.iter().map(|end| found.first + end));
            }
        }
        let flow = self.all_of(place.0, picos, ends)?;
        Ok(Before { flow, picos })
    }

    fn compute(&mut self, node: &Node, before: Before) -> Result<Before, ImportError> {
        if before.flow.is_some() && node.micros != 0 {
            self.hidden += 1;
            self.hidden_micros = self.hidden_micros.saturating_add(node.micros);
        }
        let picos = node.micros.checked_mul(1_000_000);
        let picos = picos.and_then(|picos| picos.checked_add(before.picos));
        let picos = picos.ok_or_else(|| {
            let name = shown(&node.name);
            ImportError::CannotSay(format!("{name:?} ends after 213 days"))
        })?;
        Ok(Before { picos, ..before })
    }

    /// The flow that ends when all of them have.
    fn all_of(
        &mut self,
        rank: u32,
        picos: u64,
        mut flows: Vec<u32>,
    ) -> Result<Option<u32>, ImportError> {
        flows.sort_unstable();
        flows.dedup();
        if flows.len() < 2 {
            return Ok(flows.pop());
        }
        let number = u32::try_from(self.joins.len()).ok();
        let number = number.and_then(|number| number.checked_add(self.joined.flows));
        self.joins.push(Join {
            rank,
            picos,
            after: flows,
        });
        number.map(Some).ok_or_else(too_many)
    }
}

/// The nodes of a rank, each behind those that it waits for, with these.
fn order(rank: u32, nodes: &[Node]) -> Result<Vec<(usize, Vec<usize>)>, ImportError> {
    let mut places = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        if places.insert(node.id, at).is_some() {
            let what = format!("rank {rank} has two nodes with the id {}", node.id);
            return Err(ImportError::CannotSay(what));
        }
    }
    let mut waits = Vec::with_capacity(nodes.len());
    let mut followers = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        for before in &node.after {
            let Some(&before) = places.get(before) else {
                let name = shown(&node.name);
                let what =
                    format!("{name:?} of rank {rank} waits for node {before}, which is not there");
                return Err(ImportError::CannotSay(what));
            };
            followers[before].push(at);
        }
        waits.push(node.after.len());
    }
    // The first that is ready goes first.
    let ready = (0..nodes.len()).filter(|at| waits[*at] == 0);
    let mut ready: std::collections::BTreeSet<usize> = ready.collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(at) = ready.pop_first() {
        let after = nodes[at].after.iter().filter_map(|id| places.get(id));
        order.push((at, after.copied().collect()));
        for &follower in &followers[at] {
            waits[follower] -= 1;
            if waits[follower] == 0 {
                ready.insert(follower);
            }
        }
    }
    match waits.iter().position(|waits| *waits != 0) {
        None => Ok(order),
        Some(at) => {
            let name = shown(&nodes[at].name);
            let what = format!("{name:?} of rank {rank} waits for itself, or for one that does");
            Err(ImportError::CannotSay(what))
        }
    }
}

/// Flows as they are handed over.
#[derive(Default)]
struct Lists {
    list: Vec<Flow>,
    first: Vec<u32>,
    after: Vec<u32>,
}

impl Lists {
    fn push(&mut self, ends: [u32; 2], bytes: u64, picos: u64) -> Option<()> {
        let [src, dst] = ends.map(HostId::new);
        self.list.push(Flow {
            src,
            dst,
            bytes: Bytes::new(bytes),
            start: SimTime::from_picos(picos),
        });
        self.first.push(u32::try_from(self.after.len()).ok()?);
        Some(())
    }
}

/// Every flow in the order of its number; `None` where there are too many.
fn emit(joined: &Joined, local: &Local<'_>) -> Option<Lists> {
    let mut lists = Lists {
        first: vec![0],
        ..Lists::default()
    };
    let before = |item: usize, member: u32| {
        let found = local.before.get(&(item, member));
        found.copied().unwrap_or_default()
    };
    for (at, item) in joined.items.iter().enumerate() {
        match &item.kind {
            ItemKind::Message { from, to, bytes } => {
                let before = before(at, 0);
                lists.after.extend(before.flow);
                lists.push([*from, *to], *bytes, before.picos)?;
            }
            ItemKind::Together {
                kind,
                bytes,
                root,
                members,
                ..
            } => {
                let n = u32::try_from(members.len()).ok()?;
                let (parts, _) = parts(*kind, *bytes, *root, n);
                for part in parts {
                    let before = before(at, part.from);
                    let own = before.flow.filter(|_| part.begins);
                    let earlier = part.after.iter().map(|one| item.first + one);
                    lists.after.extend(earlier.chain(own));
                    let ends = [part.from, part.to].map(|member| members[member as usize]);
                    lists.push(ends, part.bytes, before.picos)?;
                }
            }
        }
    }
    for join in &local.joins {
        lists.after.extend(&join.after);
        lists.push([join.rank; 2], 0, join.picos)?;
    }
    Some(lists)
}

fn too_many() -> ImportError {
    ImportError::CannotSay("the flows wait for more than 2³² others in all".to_owned())
}

fn notes(traces: &[Trace], joined: &Joined, local: &Local<'_>) -> Vec<String> {
    let mut collectives: BTreeMap<Collective, u64> = BTreeMap::new();
    let mut messages = 0_u64;
    for item in &joined.items {
        match &item.kind {
            ItemKind::Message { .. } => messages += 1,
            ItemKind::Together { kind, .. } => *collectives.entry(*kind).or_default() += 1,
        }
    }
    let mut notes = vec![format!(
        "{} ranks: {} flows for {messages} messages and {} collectives, {} more that only join",
        traces.len(),
        joined.flows,
        collectives.values().sum::<u64>(),
        local.joins.len()
    )];
    for (kind, many) in collectives {
        notes.push(format!("{many} {kind:?}: {}", runs_as(kind)));
    }
    if local.hidden != 0 {
        notes.push(format!(
            "{} nodes compute behind communication, {} us in all: flows have no delays, so that \
             this time is left out",
            local.hidden, local.hidden_micros
        ));
    }
    notes
}

/// What a collective becomes.
const fn runs_as(kind: Collective) -> &'static str {
    match kind {
        Collective::AllReduce | Collective::Barrier => "a ring of 2 (n - 1) steps of 1/n",
        Collective::AllGather => "a ring of n - 1 steps of what one rank contributes",
        Collective::ReduceScatter => "a ring of n - 1 steps of 1/n",
        Collective::AllToAll => "all pairs at once with 1/n each",
        Collective::Broadcast => "a chain from the root",
        Collective::Reduce => "a chain to the root",
        Collective::Gather => "all ranks to the root at once",
        Collective::Scatter => "the root to all ranks at once with 1/n each",
    }
}
