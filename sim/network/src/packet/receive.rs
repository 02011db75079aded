//! The receiving side of a host.

use super::config::Transport;
use super::core::Core;
use super::dcqcn::NOTIFY_EVERY;
use super::pool::{ASKS, Form, MARKED, NONE, Packet, RESENT};

/// How often go-back-N asks for the same gap again at most, in picoseconds: HPCC's 500 µs.
const ASK_AGAIN: u64 = 500_000_000;

impl Core {
    /// A packet has left its last link.
    pub(super) fn deliver(&mut self, packet: u32) {
        match self.pool.get(packet).form {
            Form::Data => self.receive_data(packet),
            Form::Trimmed => self.receive_trimmed(packet),
            Form::Ack | Form::Nack | Form::Pull | Form::Cnp => self.receive_answer(packet),
        }
    }

    fn receive_data(&mut self, packet: u32) {
        let entry = *self.pool.get(packet);
        let marked = entry.flags & MARKED != 0;
        if marked {
            self.notify(entry.flow);
        }
        let receiver = &mut self.receivers[entry.flow as usize];
        let go_back = self.config.transport == Transport::DcqcnGbn;
        if go_back && receiver.expected < entry.number {
            self.totals.early += 1;
            self.note_order(&entry);
            return self.ask_from_gap(packet);
        }
        let new = receiver.note(entry.number);
        let complete = receiver.expected == receiver.packets;
        if new {
            let payload = u64::from(entry.size - self.sizes.header);
            receiver.unanswered += payload;
            self.totals.payload += payload;
            self.totals.held = self.totals.held.max(receiver.seen.len());
            self.note_order(&entry);
        } else {
            self.totals.duplicates += 1;
        }
        let asks = entry.flags & ASKS != 0;
        if self.grants() {
            self.want(packet, !new);
        }
        let receiver = &mut self.receivers[entry.flow as usize];
        let due = self.sizes.ack_every <= receiver.unanswered;
        if due || marked || asks || complete || !new {
            receiver.unanswered = 0;
            self.answer(packet, Form::Ack);
        } else {
            self.pool.free(packet);
            self.release(entry.flow);
        }
        if new && complete {
            self.delivered(entry.flow);
        }
    }

    /// Counts a packet that was sent once and arrives after one with a higher number, whether the
    /// receiver keeps what comes early or not.
    fn note_order(&mut self, entry: &Packet) {
        let highest = &mut self.receivers[entry.flow as usize].highest;
        let is_late = entry.number < *highest && entry.flags & RESENT == 0;
        let depth = highest.saturating_sub(entry.number + 1);
        *highest = (*highest).max(entry.number + 1);
        if is_late {
            self.totals.reordered += 1;
            self.totals.depth = self.totals.depth.max(depth);
        }
    }

    fn receive_trimmed(&mut self, packet: u32) {
        let entry = *self.pool.get(packet);
        self.totals.headers += 1;
        if self.grants() {
            self.want(packet, true);
        }
        let known = self.receivers[entry.flow as usize].has(entry.number);
        self.answer(packet, if known { Form::Ack } else { Form::Nack });
    }

    /// Turns a packet round: it becomes an answer to itself.
    pub(super) fn answer(&mut self, packet: u32, form: Form) {
        let entry = *self.pool.get(packet);
        let receiver = &self.receivers[entry.flow as usize];
        let (side, nic) = (receiver.side, receiver.nic);
        let all_below = receiver.expected;
        let word = if receiver.seen.len() == 0 {
            0
        } else {
            receiver.seen.window(Packet::base(entry.number, all_below))
        };
        let [route, then] = self.way_back(entry.flow, side, entry.entropy);
        let turned = self.pool.get_mut(packet);
        turned.form = form;
        turned.word = word;
        turned.all_below = all_below;
        turned.size = self.sizes.header;
        turned.route = route;
        turned.then = then;
        turned.from = NONE;
        self.enqueue(nic, packet);
    }

    /// Sends an answer that no packet caused.
    pub(super) fn answer_afresh(&mut self, flow: u32, form: Form, word: u64) {
        let receiver = &self.receivers[flow as usize];
        let (side, nic, number) = (receiver.side, receiver.nic, receiver.expected);
        let entropy = super::balance::low(self.totals.sent ^ u64::from(flow));
        let [route, then] = self.way_back(flow, side, entropy);
        let packet = self.pool.add(Packet {
            at: self.clock,
            sent: self.clock,
            word,
            all_below: number,
            flow,
            number,
            route,
            then,
            next: NONE,
            from: NONE,
            size: self.sizes.header,
            entropy,
            form,
            flags: 0,
        });
        self.senders[flow as usize].uses += 1;
        self.enqueue(nic, packet);
    }

    /// At most one congestion notification in 50 µs.
    fn notify(&mut self, flow: u32) {
        let dcqcn = matches!(
            self.config.transport,
            Transport::DcqcnGbn | Transport::DcqcnSr
        );
        let receiver = &mut self.receivers[flow as usize];
        let due = receiver
            .notified
            .is_none_or(|last| last + NOTIFY_EVERY <= self.clock);
        if dcqcn && due {
            receiver.notified = Some(self.clock);
            self.answer_afresh(flow, Form::Cnp, 0);
        }
    }

    /// Go-back-N drops what comes after a gap, and asks once for all from the gap on.
    fn ask_from_gap(&mut self, packet: u32) {
        let flow = self.pool.get(packet).flow;
        let clock = self.clock;
        // An answer takes a round trip.
        let wait = ASK_AGAIN.max(self.senders[flow as usize].round_trip);
        let receiver = &mut self.receivers[flow as usize];
        let gap = receiver.expected;
        let asked = receiver
            .asked
            .is_some_and(|(number, at)| number == gap && clock < at + wait);
        if asked {
            self.pool.free(packet);
            return self.release(flow);
        }
        receiver.asked = Some((gap, clock));
        self.answer(packet, Form::Nack);
    }
}
