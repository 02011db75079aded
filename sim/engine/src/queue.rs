//! The event queue: by time, then by order of insertion.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use units::SimTime;

/// Something that happens at a known moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// The compute step of a lane ends, unless its version has passed.
    Compute { lane: u32, version: u32 },
    /// A delay step ends.
    Delay { lane: u32, fragment: u32, step: u16 },
    /// The delay of a group's phase is over.
    Group(u32),
    /// The message at the head of a channel has arrived.
    Arrive { channel: u32, message: u32 },
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<(SimTime, u64, Event)>>,
    inserted: u64,
}

impl Queue {
    pub(crate) fn push(&mut self, at: SimTime, event: Event) {
        self.heap.push(Reverse((at, self.inserted, event)));
        self.inserted += 1;
    }

    pub(crate) fn next_time(&self) -> Option<SimTime> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    pub(crate) fn pop(&mut self) -> Option<(SimTime, Event)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }

    pub(crate) fn inserted(&self) -> u64 {
        self.inserted
    }
}
