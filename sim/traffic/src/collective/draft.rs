//! A program in the making.

use units::{Bytes, HostId};

use super::Ranks;
use crate::program::{Program, Stream, Wait, count};

/// What the messages of a stream carry: data that are numbered by part and chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cargo {
    /// The parts of its steps.
    pub parts: Parts,
    /// Step `k` carries chunk `k` modulo this of its parts.
    pub chunks: u32,
    /// So many steps carry sums that the receiver adds to its own; what the others carry replaces
    /// what the receiver has.
    pub adds: u32,
    /// Where a switch works on it.
    pub through: Option<Through>,
    /// Over which NIC of a node it goes: parts of one lane are others than those of another.
    pub lane: u32,
}

/// What a switch does with the messages of several streams, step by step: none of them arrives
/// before the switch has those of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Through {
    /// It adds what senders have, and gives the sum to all receivers.
    Sum(u32),
    /// It gives what each sends to all receivers.
    Copies(u32),
}

/// The parts that a step carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Parts `first` to `first + len − 1`.
    Range {
        /// The first of them.
        first: u32,
        /// How many.
        len: u32,
    },
    /// One part a step, backwards round a ring: the first step carries `base + order[first]`.
    Ring {
        /// The lowest of the ring's parts.
        base: u32,
        /// Where on the ring the first step is.
        first: u32,
        /// The ranks of the ring, whose parts they are.
        order: Vec<u32>,
    },
    /// These.
    List(Vec<u32>),
}

impl Cargo {
    /// Chunks of parts that are added up, or that replace what the receiver has.
    pub(crate) fn range(first: u32, len: u32, chunks: u32, adds: bool) -> Self {
        Self {
            parts: Parts::Range { first, len },
            chunks,
            adds: if adds { chunks } else { 0 },
            through: None,
            lane: 0,
        }
    }

    /// The parts of a step.
    pub fn parts_of(&self, step: u32) -> Vec<u32> {
        match &self.parts {
            Parts::Range { first, len } => (*first..first + len).collect(),
            Parts::List(parts) => parts.clone(),
            Parts::Ring { base, first, order } => {
                let n = count(order.len());
                let at = (first + n - step / self.chunks % n) % n;
                vec![base + order[at as usize]]
            }
        }
    }

    /// The chunk of a step.
    pub const fn chunk_of(&self, step: u32) -> u32 {
        step % self.chunks
    }
}

/// A stream between ranks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) from: u32,
    pub(super) to: u32,
    /// Bytes of a step on the wire.
    pub(super) bytes: u64,
    pub(super) steps: u32,
    pub(super) window: u32,
}

impl Leg {
    /// One message.
    pub(super) const fn message(from: u32, to: u32, bytes: u64) -> Self {
        Self {
            from,
            to,
            bytes,
            steps: 1,
            window: 1,
        }
    }
}

/// A program that is being made for ranks.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) ranks: &'a Ranks,
    /// The NIC of nodes with several that messages go over, and by rank the host that does it.
    lane: u32,
    hosts: &'a [HostId],
    pub(super) program: Program,
    /// By stream, where it is asked for.
    pub(super) cargo: Option<Vec<Cargo>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(ranks: &'a Ranks) -> Self {
        Self {
            ranks,
            lane: 0,
            hosts: ranks.lane(0),
            program: Program::new(),
            cargo: None,
        }
    }

    pub(super) fn recording(ranks: &'a Ranks) -> Self {
        Self {
            cargo: Some(Vec::new()),
            ..Self::new(ranks)
        }
    }

    /// What follows goes over that NIC of every node.
    pub(super) fn enter(&mut self, lane: u32) {
        self.lane = lane;
        self.hosts = self.ranks.lane(lane);
    }

    /// How many ranks there are.
    pub(super) fn n(&self) -> u32 {
        self.ranks.n()
    }

    /// The number of the next stream.
    pub(super) fn next(&self) -> u32 {
        count(self.program.streams().len())
    }

    /// Adds a stream; what it carries is made only where it is asked for.
    pub(super) fn send(
        &mut self,
        leg: Leg,
        waits: impl IntoIterator<Item = Wait>,
        cargo: impl FnOnce() -> Cargo,
    ) -> u32 {
        let id = self.next();
        let [src, dst] = [leg.from, leg.to].map(|rank| self.hosts[rank as usize]);
        let stream = Stream {
            steps: leg.steps,
            window: leg.window,
            ..Stream::message(src, dst, Bytes::new(leg.bytes))
        };
        self.program.push(stream, waits);
        if let Some(list) = &mut self.cargo {
            list.push(Cargo {
                lane: self.lane,
                ..cargo()
            });
        }
        id
    }
}

/// Waits for the same step of streams.
pub(super) fn after(streams: &[u32]) -> impl Iterator<Item = Wait> + '_ {
    streams.iter().map(|&stream| Wait { stream, lag: 0 })
}
