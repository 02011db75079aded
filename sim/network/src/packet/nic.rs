//! The sending side of a host: which flow sends next, which packet, and over which way.

use units::math::mix;

use super::balance::Balance;
use super::config::{Balancing, Control, Transport};
use super::core::Core;
use super::flow::Pace;
use super::pool::{ASKS, Form, NONE, Packet, RESENT};
use super::routes::{Side, TURN};
use super::wheel::Kind;

/// The route of a packet that turns where the switch decides.
const SWITCH_DECIDES: u32 = NONE;

impl Core {
    /// Whether a flow may send its next packet now.
    #[inline]
    pub(super) fn may_send(&self, flow: u32) -> bool {
        let sender = &self.senders[flow as usize];
        if !sender.has_more() || sender.is_held {
            return false;
        }
        let whole = u64::from(self.sizes.whole);
        match &sender.pace {
            Pace::None => true,
            Pace::Credit => 0 < sender.credit,
            Pace::Window(nscc) => (sender.in_flight + whole) as f64 <= nscc.window,
            Pace::Both(nscc) => {
                0 < sender.credit && (sender.in_flight + whole) as f64 <= nscc.window
            }
            Pace::Rate(_) => !sender.waits,
        }
    }

    /// Puts a flow that may send in line at its NIC. The NIC has caught up.
    pub(super) fn make_ready(&mut self, flow: u32) {
        if self.senders[flow as usize].is_ready || !self.may_send(flow) {
            return;
        }
        let nic = self.senders[flow as usize].nic;
        self.line_up(nic, flow);
        self.kick(nic);
    }

    pub(super) fn line_up(&mut self, nic: u32, flow: u32) {
        let sender = &mut self.senders[flow as usize];
        sender.is_ready = true;
        sender.next_ready = NONE;
        let line = &mut self.links[nic as usize].ready;
        let tail = line.tail;
        line.tail = flow;
        if line.head == NONE {
            line.head = flow;
        } else {
            self.senders[tail as usize].next_ready = flow;
        }
    }

    /// The next packet of the flows at a NIC, in turn; [`NONE`] if none may send after all.
    pub(super) fn pull(&mut self, nic: u32, start: u64) -> u32 {
        loop {
            let line = &mut self.links[nic as usize].ready;
            let flow = line.head;
            if flow == NONE {
                return NONE;
            }
            let sender = &mut self.senders[flow as usize];
            line.head = sender.next_ready;
            sender.is_ready = false;
            if !self.may_send(flow) {
                continue;
            }
            let packet = self.send(flow, start);
            self.pass_on(nic, flow);
            if self.may_send(flow) {
                self.line_up(nic, flow);
            }
            return packet;
        }
    }

    /// Makes a flow's next packet: what was lost, else the next number.
    fn send(&mut self, flow: u32, start: u64) -> u32 {
        let (number, again) = self.take_number(flow);
        let sender = &mut self.senders[flow as usize];
        let size = sender.size(number, self.sizes.whole);
        sender.in_flight += u64::from(size);
        sender.uses += 1;
        let entropy = sender.balance.next(start, &mut sender.rng);
        sender.note_sent(number, start, entropy);
        let ways = sender.side;
        self.spend(flow, start, size);
        let [route, after] = self.way_out(flow, ways, entropy);
        let asks = if self.may_send(flow) { 0 } else { ASKS };
        let resent = if again { RESENT } else { 0 };
        let word = if self.grants() {
            self.credit_wanted(flow)
        } else {
            0
        };
        self.arm(flow, start);
        self.pool.add(Packet {
            at: start,
            sent: start,
            word,
            all_below: 0,
            flow,
            number,
            route,
            then: after,
            next: NONE,
            from: NONE,
            size,
            entropy,
            form: Form::Data,
            flags: asks | resent,
        })
    }

    /// The number that a flow sends next, and whether it was sent before.
    fn take_number(&mut self, flow: u32) -> (u32, bool) {
        let sender = &mut self.senders[flow as usize];
        let lost = sender.lost.first(sender.all_below, sender.fresh);
        let number = if let Some(lost) = lost {
            sender.lost.remove(lost);
            lost
        } else {
            sender.next += 1;
            sender.next - 1
        };
        let again = number < sender.fresh;
        sender.fresh = sender.fresh.max(number + 1);
        self.totals.sent += 1;
        self.totals.resent += u64::from(again);
        (number, again)
    }

    /// Takes what a packet costs from credit or rate.
    fn spend(&mut self, flow: u32, start: u64, size: u16) {
        let sender = &mut self.senders[flow as usize];
        match &mut sender.pace {
            Pace::None | Pace::Window(_) => {}
            Pace::Credit | Pace::Both(_) => sender.credit -= i64::from(size),
            Pace::Rate(dcqcn) => {
                dcqcn.sent(u64::from(size));
                let [nic, narrow] = [sender.nic, sender.narrow].map(|link| link as usize);
                let slower = self.links[nic].per_byte < self.links[narrow].per_byte;
                if dcqcn.rate < 1.0 || slower {
                    let time = self.links[narrow].time(u32::from(size));
                    let next = start + super::nscc::picos(time as f64 / dcqcn.rate);
                    sender.waits = true;
                    sender.uses += 1;
                    self.wheel.push(next.max(self.clock), Kind::Paced, flow);
                }
            }
        }
    }

    /// The flow's rate allows its next packet.
    pub(super) fn paced(&mut self, flow: u32) {
        let sender = &mut self.senders[flow as usize];
        sender.waits = false;
        let nic = sender.nic;
        self.catch_up(nic);
        self.make_ready(flow);
        self.release(flow);
    }

    /// Whether receivers grant credit.
    #[inline]
    pub(super) const fn grants(&self) -> bool {
        match self.config.transport {
            Transport::Uec => !matches!(self.config.control, Control::Sender),
            transport => transport.pulls(),
        }
    }

    /// Where a packet's route goes on after the sender's NIC, and where after that.
    pub(super) fn way_out(&mut self, flow: u32, side: Side, entropy: u16) -> [u32; 2] {
        let next = side.head + 1;
        let set = &self.routes.sets[side.set as usize];
        if set.starts.len() < 2 && self.routes.table[next as usize] != TURN {
            return [next, NONE];
        }
        let sender = &mut self.senders[flow as usize];
        if matches!(sender.balance, Balance::Adaptive) {
            return [next, SWITCH_DECIDES];
        }
        let start = if let Balance::Spray(place) = &mut sender.balance {
            let way = set.schedule[*place as usize % set.schedule.len()];
            *place = place.wrapping_add(1);
            set.starts[way as usize]
        } else {
            let n_live = set.live.len() as u64;
            let nth = match (self.config.balancing, self.config.entropies) {
                (Balancing::SinglePath | Balancing::AdaptiveFlow, _) => {
                    let way = u32::from(entropy);
                    let live = set.live.binary_search(&way);
                    live.map_or_else(|_| u64::from(way) % n_live, |nth| nth as u64)
                }
                (_, None) => u64::from(entropy) % n_live,
                (_, Some(_)) => scaled(mix(sender.salt ^ u64::from(entropy)), n_live),
            };
            let way = set.live[usize::try_from(nth).unwrap_or(0)];
            set.starts[way as usize]
        };
        if self.routes.table[next as usize] == TURN {
            [start, side.tail]
        } else {
            [next, start]
        }
    }

    /// A packet is where ways branch: the first link of its way.
    pub(super) fn turn(&mut self, packet: u32) -> u32 {
        let entry = *self.pool.get(packet);
        let side = match entry.form {
            Form::Data | Form::Trimmed => self.senders[entry.flow as usize].side,
            _ => self.receivers[entry.flow as usize].side,
        };
        let start = if entry.then == SWITCH_DECIDES {
            self.least_loaded(side, entry.number)
        } else {
            entry.then
        };
        let entry = self.pool.get_mut(packet);
        entry.route = start + 1;
        entry.then = side.tail;
        self.routes.table[start as usize]
    }

    /// The way whose links until the ways join hold the least, its first link before all; of
    /// equals the first from a turning place on.
    pub(super) fn least_loaded(&mut self, side: Side, turn: u32) -> u32 {
        let n_live = self.routes.sets[side.set as usize].live.len();
        let first = mix(u64::from(turn) << 32 | u64::from(side.head));
        let first = usize::try_from(scaled(first, n_live as u64)).unwrap_or(0);
        let mut best = (f64::INFINITY, 0);
        for nth in 0..n_live {
            let set = &self.routes.sets[side.set as usize];
            let way = set.live[(first + nth) % n_live];
            let start = set.starts[way as usize];
            let link = self.routes.table[start as usize];
            self.catch_up(link);
            let link = &self.links[link as usize];
            let load = (link.occupied(self.clock) + link.header_bytes) as f64 * link.per_byte;
            if load < best.0 {
                best = (load, start);
            }
        }
        best.1
    }
}

/// A hash as a number below `n`.
#[inline]
pub(super) const fn scaled(hash: u64, n: u64) -> u64 {
    ((hash as u128 * n as u128) >> 64) as u64
}
