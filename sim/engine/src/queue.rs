//! The event queue: by time, then by order of insertion.
//!
//! A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, *J. ACM* 37(2), 1990). No event is queued
//! before the moment of the last one taken, so events can wait in 64 bins, by the highest bit in
//! which their time differs from that moment:
//!
//! ```text
//! last = 0110     bin 0: 0111     bin 3: 1001, 1000, 1111     earliest: the lowest filled bin
//!                                        └── taken next: last = 1000, the bin is spread ──▶
//! last = 1000     now: 1000     bin 0: 1001     bin 2: 1111
//! ```
//!
//! An event only moves to lower bins, all of a bin at once and in order, so that events of one
//! instant need no numbers to keep theirs.

use std::collections::VecDeque;

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

#[derive(Debug)]
pub(crate) struct Queue {
    /// The moment of the last event taken.
    last: SimTime,
    /// Events of that moment.
    now: VecDeque<Event>,
    bins: [Bin; 64],
    /// Which bins hold events, by bit.
    filled: u64,
    inserted: u64,
}

/// Events whose time differs from the last one taken in one bit, and in no higher one.
#[derive(Debug)]
struct Bin {
    events: Vec<(SimTime, Event)>,
    earliest: SimTime,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            last: SimTime::ZERO,
            now: VecDeque::new(),
            bins: std::array::from_fn(|_| Bin {
                events: Vec::new(),
                earliest: SimTime::MAX,
            }),
            filled: 0,
            inserted: 0,
        }
    }
}

impl Queue {
    /// Queues an event, no earlier than the last one taken.
    pub(crate) fn push(&mut self, at: SimTime, event: Event) {
        debug_assert!(self.last <= at, "an event in the past");
        self.inserted += 1;
        self.place(at, event);
    }

    pub(crate) fn next_time(&self) -> Option<SimTime> {
        if !self.now.is_empty() {
            return Some(self.last);
        }
        let bin = self.bins.get(self.filled.trailing_zeros() as usize)?;
        Some(bin.earliest)
    }

    pub(crate) fn pop(&mut self) -> Option<(SimTime, Event)> {
        if self.now.is_empty() {
            self.spread();
        }
        self.now.pop_front().map(|event| (self.last, event))
    }

    pub(crate) fn inserted(&self) -> u64 {
        self.inserted
    }

    fn place(&mut self, at: SimTime, event: Event) {
        let differs = at.as_picos() ^ self.last.as_picos();
        let Some(bit) = differs.checked_ilog2() else {
            self.now.push_back(event);
            return;
        };
        let bin = &mut self.bins[bit as usize];
        bin.events.push((at, event));
        bin.earliest = bin.earliest.min(at);
        self.filled |= 1 << bit;
    }

    /// Moves on to the earliest event, and the events of its bin to where they belong then.
    fn spread(&mut self) {
        let at = self.filled.trailing_zeros() as usize;
        let Some(bin) = self.bins.get_mut(at) else {
            return;
        };
        self.last = std::mem::replace(&mut bin.earliest, SimTime::MAX);
        self.filled &= self.filled - 1;
        if let [(_, only)] = bin.events[..] {
            bin.events.clear();
            self.now.push_back(only);
            return;
        }
        let mut events = std::mem::take(&mut bin.events);
        for (at, event) in events.drain(..) {
            self.place(at, event);
        }
        self.bins[at].events = events;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn events_leave_by_time_and_then_in_the_order_in_which_they_came() {
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let mut queue = Queue::default();
        let mut expected: Vec<(u64, u32)> = Vec::new();
        let (mut now, mut next) = (0, 0);
        for _ in 0..20_000 {
            if rng.random_bool(0.52) || expected.is_empty() {
                // Few distinct times, some of them now, some far away.
                let at = now + (rng.random_range(0..8_u64) << rng.random_range(0..12));
                queue.push(SimTime::from_picos(at), Event::Group(next));
                let place = expected.partition_point(|other| other.0 <= at);
                expected.insert(place, (at, next));
                next += 1;
            } else {
                let (at, number) = expected.remove(0);
                assert_eq!(queue.next_time(), Some(SimTime::from_picos(at)));
                assert_eq!(
                    queue.pop(),
                    Some((SimTime::from_picos(at), Event::Group(number)))
                );
                now = at;
            }
        }
    }

    #[test]
    fn the_whole_range_of_the_clock_fits() {
        let mut queue = Queue::default();
        queue.push(SimTime::MAX, Event::Group(0));
        queue.push(SimTime::ZERO, Event::Group(1));
        assert_eq!(queue.pop(), Some((SimTime::ZERO, Event::Group(1))));
        assert_eq!(queue.pop(), Some((SimTime::MAX, Event::Group(0))));
        assert_eq!(queue.pop(), None);
        assert_eq!(queue.next_time(), None);
    }
}
