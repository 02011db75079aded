//! Queues before links: admission, trimming, marks, pauses, and starts.
//!
//! Starts are handled late, when somebody looks at a link, so that a crossing is one event: the
//! arrival at its end. Where starts matter elsewhere at once (shared buffers, pauses) each has an
//! event of its own ([`Core::eager`]).

use rand::Rng as _;

use super::core::Core;
use super::pool::{Form, MARKED, NONE};
use super::routes::{END, JUMP, TURN};
use super::wheel::Kind;

impl Core {
    /// The first packet on a link reaches its end.
    pub(super) fn arrive(&mut self, at: u32) {
        self.catch_up(at);
        let link = &mut self.links[at as usize];
        if link.flying.is_empty() {
            link.expected = false;
            return;
        }
        let packet = self.pool.take(&mut link.flying);
        if link.flying.is_empty() {
            link.expected = false;
        } else {
            let next = self.pool.get(link.flying.head).at;
            self.wheel.push(next, Kind::Arrive, at);
        }
        match self.next_link(packet) {
            Some(next) => {
                self.pool.get_mut(packet).from = at;
                self.enqueue(next, packet);
            }
            None => self.deliver(packet),
        }
    }

    /// Moves a packet's route on; `None` where it has arrived.
    #[inline]
    fn next_link(&mut self, packet: u32) -> Option<u32> {
        let entry = self.pool.get_mut(packet);
        let table = &self.routes.table;
        let mut link = table[entry.route as usize];
        if link == JUMP {
            entry.route = entry.then;
            link = table[entry.route as usize];
        } else if link == TURN {
            return Some(self.turn(packet));
        }
        entry.route += 1;
        (link != END).then_some(link)
    }

    /// Starts what had its turn until now.
    #[inline]
    pub(super) fn catch_up(&mut self, at: u32) {
        loop {
            let link = &self.links[at as usize];
            if self.clock < link.free_at || !link.waits() || link.dead {
                return;
            }
            let start = link.free_at;
            if !self.start(at, start) {
                return;
            }
        }
    }

    /// Starts the next packet now, if the link is idle.
    #[inline]
    pub(super) fn kick(&mut self, at: u32) {
        let link = &self.links[at as usize];
        if link.free_at <= self.clock && link.waits() && !link.dead {
            self.start(at, self.clock);
        }
        self.call(at);
    }

    /// Asks for an event at the next start, where starts have one.
    #[inline]
    fn call(&mut self, at: u32) {
        let link = &mut self.links[at as usize];
        if self.eager && link.waits() && !link.called && self.clock < link.free_at {
            link.called = true;
            self.wheel.push(link.free_at, Kind::Serve, at);
        }
    }

    pub(super) fn serve(&mut self, at: u32) {
        self.links[at as usize].called = false;
        self.catch_up(at);
        self.call(at);
    }

    /// Starts the next packet at `start`: headers, then data, then the host's own flows. False
    /// where nothing could be sent.
    fn start(&mut self, at: u32, start: u64) -> bool {
        self.mark_last(at, start);
        let link = &mut self.links[at as usize];
        let packet = if !link.headers.is_empty() {
            link.settle(start);
            let packet = self.pool.take(&mut link.headers);
            link.header_bytes -= u64::from(self.pool.get(packet).size);
            packet
        } else if !link.data.is_empty() {
            link.settle(start);
            let packet = self.pool.take(&mut link.data);
            link.data_bytes -= u64::from(self.pool.get(packet).size);
            packet
        } else {
            let packet = self.pull(at, start);
            if packet == NONE {
                return false;
            }
            self.pool.get_mut(packet).at = start;
            packet
        };
        self.transmit(at, start, packet);
        true
    }

    #[inline]
    fn transmit(&mut self, at: u32, start: u64, packet: u32) {
        let link = &mut self.links[at as usize];
        let entry = self.pool.get_mut(packet);
        let size = entry.size;
        let time = if size == self.sizes.whole {
            link.whole
        } else {
            link.time(u32::from(size))
        };
        link.count.waited += f64::from(size) * (start - entry.at) as f64;
        link.count.bytes += u64::from(size);
        link.count.packets += 1;
        link.serving = if entry.form.is_control() {
            0
        } else {
            u32::from(size)
        };
        link.free_at = start + time;
        entry.at = start + time + link.latency;
        let (due, from) = (entry.at, entry.from);
        let mut flying = link.flying;
        self.pool.append(&mut flying, packet);
        let link = &mut self.links[at as usize];
        link.flying = flying;
        if !link.expected {
            link.expected = true;
            self.wheel.push(due, Kind::Arrive, at);
        }
        if self.eager {
            self.departed(at, from, u64::from(size));
        }
    }

    /// Marks the packet whose transmission has just ended, by what waits then.
    #[inline]
    fn mark_last(&mut self, at: u32, start: u64) {
        let link = &mut self.links[at as usize];
        let [least, most] = link.marks;
        let ended = link.serving != 0 && link.free_at == start && !link.flying.is_empty();
        if !ended || link.data_bytes <= least {
            return;
        }
        let chance = if most <= link.data_bytes {
            1.0
        } else {
            let pmax = self.config.ecn.map_or(1.0, |ecn| ecn.pmax);
            pmax * (link.data_bytes - least) as f64 / (most - least) as f64
        };
        if chance < 1.0 && chance <= f64::from(self.rng.next_u32()) * 2f64.powi(-32) {
            return;
        }
        link.count.marked += 1;
        self.totals.marked += 1;
        self.pool.get_mut(link.flying.tail).flags |= MARKED;
    }

    /// Puts a packet into a link's queue.
    pub(super) fn enqueue(&mut self, at: u32, packet: u32) {
        self.catch_up(at);
        if self.links[at as usize].dead {
            return self.drop_packet(at, packet);
        }
        let entry = self.pool.get(packet);
        let (size, form) = (u64::from(entry.size), entry.form);
        if form.is_control() {
            self.enqueue_header(at, packet);
        } else if self.admits(at, size) {
            self.enqueue_data(at, packet);
        } else if self.config.trimming {
            self.trim(at, packet, size);
        } else {
            return self.drop_packet(at, packet);
        }
        self.kick(at);
    }

    #[inline]
    fn admits(&self, at: u32, size: u64) -> bool {
        let link = &self.links[at as usize];
        if self.eager && Self::is_link(link.switch) {
            return self.admits_shared(at, size);
        }
        link.occupied(self.clock) + size <= link.room
    }

    #[inline]
    fn enqueue_data(&mut self, at: u32, packet: u32) {
        self.pool.get_mut(packet).at = self.clock;
        let (size, from) = {
            let entry = self.pool.get(packet);
            (u64::from(entry.size), entry.from)
        };
        let link = &mut self.links[at as usize];
        link.settle(self.clock);
        self.pool.append(&mut link.data, packet);
        link.data_bytes += size;
        link.joined();
        if self.eager {
            self.joined(at, from, size);
        }
    }

    fn enqueue_header(&mut self, at: u32, packet: u32) {
        let clock = self.clock;
        let link = &mut self.links[at as usize];
        let entry = self.pool.get_mut(packet);
        let (size, from) = (u64::from(entry.size), entry.from);
        if !self.eager && link.room.saturating_mul(2) < link.header_bytes + size {
            return self.drop_packet(at, packet);
        }
        entry.at = clock;
        link.settle(clock);
        self.pool.append(&mut link.headers, packet);
        link.header_bytes += size;
        link.joined();
        if self.eager {
            self.joined(at, from, size);
        }
    }

    /// No room for data: a coin decides whether the packet or the last one that waits loses its
    /// payload. Source: Handley et al., NDP, SIGCOMM 2017, section 3.1.
    fn trim(&mut self, at: u32, packet: u32, size: u64) {
        let link = &mut self.links[at as usize];
        let coin = self.rng.next_u32() & 1 != 0;
        let mut trimmed = packet;
        let last = link.data.tail;
        if coin && !link.data.is_empty() {
            let older = u64::from(self.pool.get(last).size);
            link.settle(self.clock);
            let at_of_last = self.pool.get(last).at;
            link.count.waited += older as f64 * (self.clock - at_of_last) as f64;
            link.data_bytes = link.data_bytes + size - older;
            trimmed = self.pool.replace_last(link.data, packet);
            self.pool.get_mut(last).at = self.clock;
            if self.eager {
                self.departed(at, self.pool.get(trimmed).from, older);
                self.joined(at, self.pool.get(last).from, size);
            }
            self.links[at as usize].count.trimmed += 1;
        } else {
            link.count.trimmed += 1;
        }
        self.totals.trimmed += 1;
        let entry = self.pool.get_mut(trimmed);
        entry.form = Form::Trimmed;
        entry.size = self.sizes.header;
        self.enqueue_header(at, trimmed);
    }
}
