//! What lies where, and what it sends.

use units::Bytes;

use super::Curve;
use crate::{Links, PlacementError};

/// Which places talk to each other at the same time, all of whom wait for the slowest.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Ordered pairs of places, the sender first, sorted, each once.
    pub(super) edges: Vec<[u32; 2]>,
    /// Places that a circle of these pairs runs through, at least.
    pub(super) nodes: usize,
}

impl Group {
    /// Adds a ring through places in that order, which closes; one place talks to nobody.
    pub fn ring(&mut self, places: &[u32]) {
        let next = places.iter().cycle().skip(1);
        self.add(places.len(), places.iter().zip(next));
    }

    /// Adds messages from each of the places to every other.
    pub fn all_pairs(&mut self, places: &[u32]) {
        let to_all = |from| places.iter().map(move |to| (from, to));
        self.add(places.len(), places.iter().flat_map(to_all));
    }

    /// Adds what another group does.
    pub fn merge(&mut self, other: &Self) {
        self.edges.extend(&other.edges);
        self.tidy();
        self.nodes = self.nodes.max(other.nodes);
    }

    /// Whether nobody talks to another place.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    fn tidy(&mut self) {
        self.edges.sort_unstable();
        self.edges.dedup();
    }

    fn add<'a>(&mut self, places: usize, pairs: impl Iterator<Item = (&'a u32, &'a u32)>) {
        let pairs = pairs.filter(|(from, to)| from != to);
        self.edges.extend(pairs.map(|(from, to)| [*from, *to]));
        self.tidy();
        if 1 < places {
            self.nodes = self.nodes.max(places);
        }
    }
}

/// What goes from one place to another between two stages, for one micro-batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// The place that sends activations, and gets gradients.
    pub from: u32,
    /// The other place, another one.
    pub to: u32,
    /// Bytes of one micro-batch of all ranks that share the way; as many come back.
    pub bytes: Bytes,
}

/// A pipeline by place.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipelineLayout {
    /// By stage: who talks to whom inside its passes.
    pub inside: Vec<Group>,
    /// What crosses places behind every stage but the last.
    pub hops: Vec<Vec<Message>>,
}

/// What an iteration is made of; see [`Layout`](super::Layout).
#[derive(Clone, Debug, PartialEq)]
pub struct LayoutSpec {
    /// What links between servers do; there are as many places as servers.
    pub links: Links,
    /// The kind of each server, and so of each place: server `i` has place `i` to begin with.
    pub kinds: Vec<u32>,
    /// Pipelines that differ in their places.
    pub pipelines: Vec<PipelineLayout>,
    /// Forward time of one micro-batch, by stage, over the slowest link inside the stage.
    pub forward: Vec<Curve>,
    /// The same of backward passes.
    pub backward: Vec<Curve>,
    /// Who sums gradients with whom, by stage.
    pub rings: Vec<Group>,
    /// Seconds that this costs outside passes, by stage, over the slowest link of its rings.
    pub sums: Vec<Curve>,
    /// Micro-batches of an iteration, of each pipeline.
    pub micro_batches: u64,
}

impl LayoutSpec {
    pub(super) fn check(&self) -> Result<(), PlacementError> {
        let (servers, stages) = (self.links.n_servers(), self.forward.len());
        length("kinds", self.kinds.len(), servers)?;
        length("backward", self.backward.len(), stages)?;
        length("rings", self.rings.len(), stages)?;
        length("sums", self.sums.len(), stages)?;
        for pipeline in &self.pipelines {
            length("inside", pipeline.inside.len(), stages)?;
            length("hops", pipeline.hops.len() + 1, stages)?;
        }
        let groups = self.pipelines.iter().flat_map(|one| &one.inside);
        let edges = groups.chain(&self.rings).flat_map(|group| &group.edges);
        let messages = self.pipelines.iter().flat_map(|one| &one.hops).flatten();
        let ends = messages.map(|message| message.from.max(message.to));
        let last = edges.map(|edge| edge[0].max(edge[1])).chain(ends).max();
        match last {
            Some(last) if servers <= last as usize => Err(PlacementError::Order {
                given: last as usize + 1,
                servers,
            }),
            _ => Ok(()),
        }
    }
}

fn length(field: &'static str, given: usize, needed: usize) -> Result<(), PlacementError> {
    if given == needed {
        return Ok(());
    }
    Err(PlacementError::Length {
        field,
        given,
        needed,
    })
}
