//! When nothing moves any more: who waits for whom.
//!
//! A link that is paused waits until what came over it has left the switch at its end. Where that
//! waits for links that are paused, too, and these in the end for the first one, none goes on:
//!
//! ```text
//! a ─▶ switch ─▶ b ─▶ switch ─▶ c ─▶ switch ─▶ a        each holds what came over the one before
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::core::Core;
use super::pool::{List, NONE};
use super::wheel::Kind;

impl Core {
    /// Whether messages are under way and nothing is going to happen.
    pub(super) fn is_stalled(&self) -> bool {
        0 < self.open && self.reports.is_empty() && self.wheel.is_empty()
    }

    /// Ends pauses for which there is no reason any more; whether there were any.
    ///
    /// Switches look at a link's threshold when one of its packets leaves. Where the threshold of a
    /// shared buffer has risen since, a pause would go on although its link holds less. Real pauses
    /// run out by themselves (IEEE 802.1Qbb), so that such links go on.
    pub(super) fn release_pauses(&mut self) -> bool {
        let mut released = false;
        let mut last = NONE;
        for ((from, queue), _) in self.held_before() {
            let link = &self.links[from as usize];
            let is_first = std::mem::replace(&mut last, from) != from;
            if is_first && link.stopped && link.held <= self.goes_on_below(from, queue) {
                let at = self.clock + link.latency;
                self.links[from as usize].stopped = false;
                self.wheel.push(at, Kind::Resume, from);
                released = true;
            }
        }
        released
    }

    /// Links that pause each other in a circle: each waits for the next, the last for the first.
    pub(super) fn circle(&self) -> Option<Vec<u32>> {
        let held = self.held_before();
        let queues_of = |link: u32| {
            let range = held.range((link, 0)..=(link, NONE));
            range.map(|((_, queue), bytes)| (*queue, *bytes))
        };
        let stopped = (0..).zip(&self.links).filter(|(_, link)| link.stopped);
        let mut stopped: BTreeSet<u32> = stopped.map(|(link, _)| link).collect();
        // Links that can go on once what moves has moved are no part of it.
        loop {
            let stays = |link: u32| {
                let behind = queues_of(link).filter(|(queue, _)| stopped.contains(queue));
                let behind: u64 = behind.map(|(_, bytes)| bytes).sum();
                let least = queues_of(link).map(|(queue, _)| self.goes_on_below(link, queue));
                least.max().is_some_and(|least| least < behind)
            };
            let left: BTreeSet<u32> = stopped
                .iter()
                .copied()
                .filter(|link| stays(*link))
                .collect();
            if left.len() == stopped.len() {
                break;
            }
            stopped = left;
        }
        let mut walk = vec![*stopped.first()?];
        loop {
            let mut next = queues_of(*walk.last()?).map(|(queue, _)| queue);
            let next = next.find(|queue| stopped.contains(queue))?;
            if let Some(start) = walk.iter().position(|link| *link == next) {
                return Some(walk.split_off(start));
            }
            walk.push(next);
        }
    }

    /// Bytes that came over one link and wait before another.
    fn held_before(&self) -> BTreeMap<(u32, u32), u64> {
        let mut held = BTreeMap::new();
        for (queue, link) in (0..).zip(&self.links) {
            let mut note = |list: List| {
                let mut packet = list.head;
                while packet != NONE {
                    let entry = self.pool.get(packet);
                    if entry.from != NONE {
                        *held.entry((entry.from, queue)).or_default() += u64::from(entry.size);
                    }
                    packet = if packet == list.tail {
                        NONE
                    } else {
                        entry.next
                    };
                }
            };
            note(link.data);
            note(link.headers);
        }
        held
    }
}
