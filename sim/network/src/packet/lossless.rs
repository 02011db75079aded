//! Shared buffers, and pauses of links that fill them.
//!
//! A switch knows of each incoming link how many bytes that came over it still wait
//! ([`Link::held`](super::link::Link)). Above the threshold it sends a pause, which takes the
//! link's latency; what arrives until then goes into the headroom of that link.

use super::config::{Buffer, Headroom};
use super::core::{Core, Switch};
use super::pool::NONE;
use super::routes::Side;
use super::wheel::Kind;

impl Core {
    /// Whether a shared buffer takes another data packet for a port.
    pub(super) fn admits_shared(&self, at: u32, size: u64) -> bool {
        let link = &self.links[at as usize];
        let switch = &self.switches[link.switch as usize];
        let headroom = self.headroom.unwrap_or(0);
        let headroom = headroom.saturating_mul(u64::from(switch.ports));
        let Buffer::Shared { alpha, .. } = self.config.buffer else {
            return link.occupied(self.clock) + size <= link.room.saturating_add(headroom);
        };
        if self.config.pfc.is_some() {
            return switch.used + size <= self.pool_bytes.saturating_add(headroom);
        }
        let free = self.pool_bytes.saturating_sub(switch.used);
        size <= free && (link.data_bytes + size) as f64 <= alpha * free as f64
    }

    /// A packet that came over `from` waits at `at`.
    pub(super) fn joined(&mut self, at: u32, from: u32, size: u64) {
        let switch = self.links[at as usize].switch;
        if switch == NONE || from == NONE {
            return;
        }
        self.switches[switch as usize].used += size;
        let Some(threshold) = self.threshold(at, from) else {
            return;
        };
        let incoming = &mut self.links[from as usize];
        incoming.held += size;
        if !incoming.stopped && threshold < incoming.held {
            incoming.stopped = true;
            let at = self.clock + incoming.latency;
            self.wheel.push(at, Kind::Pause, from);
        }
    }

    /// A packet that came over `from` no longer waits at `at`.
    pub(super) fn departed(&mut self, at: u32, from: u32, size: u64) {
        let switch = self.links[at as usize].switch;
        if switch == NONE || from == NONE {
            return;
        }
        let used = &mut self.switches[switch as usize].used;
        *used = used.saturating_sub(size);
        let threshold = self.threshold(at, from);
        let incoming = &mut self.links[from as usize];
        incoming.held = incoming.held.saturating_sub(size);
        let Some(threshold) = threshold else {
            return;
        };
        let below = threshold.saturating_sub(self.resume_below);
        if incoming.stopped && incoming.held <= below {
            incoming.stopped = false;
            let at = self.clock + incoming.latency;
            self.wheel.push(at, Kind::Resume, from);
        }
    }

    /// Bytes from one link that pause it, by the queue that one of its packets joins or leaves.
    fn threshold(&self, at: u32, from: u32) -> Option<u64> {
        let pfc = self.config.pfc.as_ref()?;
        let link = &self.links[at as usize];
        let switch = &self.switches[link.switch as usize];
        Some(match (self.config.buffer, pfc.headroom) {
            (Buffer::Shared { .. }, headroom) => {
                let reserved = match headroom {
                    Headroom::Within => switch.reserved,
                    Headroom::Beyond(_) => 0,
                };
                let taken = reserved.saturating_add(switch.used);
                let free = self.pool_bytes.saturating_sub(taken);
                super::nscc::picos(free as f64 * pfc.share)
            }
            (_, Headroom::Beyond(_)) => self.pause_bytes,
            (_, Headroom::Within) => {
                let part = link.room / u64::from(switch.ports.max(1));
                part.saturating_sub(self.in_flight(from))
            }
        })
    }

    /// What may still arrive over a link that is told to stop: what is on its way until it knows,
    /// the packet that it then sends, and the one that was too much.
    fn in_flight(&self, link: u32) -> u64 {
        let link = &self.links[link as usize];
        let on_the_way = super::nscc::picos(2.0 * link.latency as f64 / link.per_byte);
        on_the_way + 2 * u64::from(self.sizes.whole)
    }

    /// How many bytes that came over a paused link and go on over another may still wait when it
    /// goes on.
    pub(super) fn goes_on_below(&self, from: u32, at: u32) -> u64 {
        let threshold = self.threshold(at, from).unwrap_or(0);
        threshold.saturating_sub(self.resume_below)
    }

    pub(super) fn pause(&mut self, at: u32) {
        self.catch_up(at);
        let link = &mut self.links[at as usize];
        link.paused = true;
        link.count.paused += 1;
    }

    pub(super) fn resume(&mut self, at: u32) {
        self.catch_up(at);
        let link = &mut self.links[at as usize];
        link.paused = false;
        link.free_at = link.free_at.max(self.clock);
        self.kick(at);
    }

    /// Learns which links leave and enter one switch from the ways of two hosts.
    pub(super) fn find_switches(&mut self, side: Side) {
        let n_ways = self.routes.sets[side.set as usize].starts.len().max(1);
        for way in 0..n_ways {
            let links: Vec<u32> = self.routes.links(side, way).collect();
            for pair in links.windows(2) {
                self.join_at_switch(pair[0], pair[1]);
            }
        }
    }

    /// One link ends where the other begins.
    fn join_at_switch(&mut self, ends: u32, begins: u32) {
        let pair = [self.ends[ends as usize], self.links[begins as usize].switch];
        let switch = match pair {
            [NONE, NONE] => {
                self.switches.push(Switch::default());
                u32::try_from(self.switches.len() - 1).unwrap_or(NONE)
            }
            [NONE, one] | [one, NONE] => one,
            [one, other] if one == other => return,
            [one, other] => {
                self.merge(one, other);
                one
            }
        };
        if self.ends[ends as usize] == NONE {
            self.ends[ends as usize] = switch;
            let reserved = self.in_flight(ends);
            let entry = &mut self.switches[switch as usize];
            entry.ports += 1;
            entry.reserved += reserved;
        }
        self.links[begins as usize].switch = switch;
    }

    fn merge(&mut self, one: u32, other: u32) {
        let gone = std::mem::take(&mut self.switches[other as usize]);
        let kept = &mut self.switches[one as usize];
        kept.used += gone.used;
        kept.ports += gone.ports;
        kept.reserved += gone.reserved;
        for end in self.ends.iter_mut().filter(|end| **end == other) {
            *end = one;
        }
        for link in self.links.iter_mut().filter(|link| link.switch == other) {
            link.switch = one;
        }
    }
}
