//! Credit of receivers: what senders ask for, and the pacer that grants it at the rate of the NIC.

use super::config::Transport;
use super::core::Core;
use super::pool::{Form, NONE};
use super::wheel::Kind;

impl Core {
    /// What a sender wants in all: enough for what it has, a window ahead at most.
    pub(super) fn credit_wanted(&self, flow: u32) -> u64 {
        let sender = &self.senders[flow as usize];
        let left = u64::from(sender.packets - sender.next) * u64::from(self.sizes.whole);
        let held = if sender.speculates { 0 } else { sender.credit };
        let held = u64::try_from(held).unwrap_or(0);
        sender.granted + left.min(sender.window).saturating_sub(held)
    }

    /// A packet or its header has arrived: its flow stands in line for credit. `again`: it has to
    /// be sent once more, or what it carried was sent for nothing.
    pub(super) fn want(&mut self, packet: u32, again: bool) {
        let entry = *self.pool.get(packet);
        let whole = u64::from(self.sizes.whole);
        let asked = entry.word;
        let each = self.config.transport == Transport::Ndp;
        let receiver = &mut self.receivers[entry.flow as usize];
        if each {
            receiver.extra += whole;
        } else {
            receiver.wanted = receiver.wanted.max(asked);
            let missing = again && entry.form == Form::Trimmed && !receiver.has(entry.number);
            receiver.extra += if missing { whole } else { 0 };
        }
        self.stand_in_line(entry.flow);
    }

    fn stand_in_line(&mut self, flow: u32) {
        let receiver = &self.receivers[flow as usize];
        let wants = receiver.granted < receiver.wanted || 0 < receiver.extra;
        let complete = receiver.expected == receiver.packets;
        if receiver.in_line || !wants || complete {
            return;
        }
        let host = receiver.host;
        self.join_line(host, flow);
        self.call_granter(host);
    }

    fn join_line(&mut self, host: u32, flow: u32) {
        let receiver = &mut self.receivers[flow as usize];
        receiver.in_line = true;
        receiver.next_in_line = NONE;
        self.senders[flow as usize].uses += 1;
        let line = &mut self.granters[host as usize].line;
        let tail = line.tail;
        line.tail = flow;
        if line.head == NONE {
            line.head = flow;
        } else {
            self.receivers[tail as usize].next_in_line = flow;
        }
    }

    /// The pacer grants the next credit.
    pub(super) fn grant(&mut self, host: u32) {
        let granter = &mut self.granters[host as usize];
        granter.called = false;
        let flow = granter.line.head;
        if flow == NONE {
            return;
        }
        let receiver = &mut self.receivers[flow as usize];
        granter.line.head = receiver.next_in_line;
        receiver.in_line = false;
        if receiver.expected < receiver.packets {
            granter.next_at = self.clock + granter.every;
            self.grant_to(flow);
        }
        self.call_granter(host);
        self.release(flow);
    }

    fn grant_to(&mut self, flow: u32) {
        let receiver = &mut self.receivers[flow as usize];
        let credit = self.sizes.credit;
        let again = receiver.extra.min(credit);
        receiver.extra -= again;
        receiver.wanted += again;
        receiver.granted += credit;
        let granted = receiver.granted;
        self.totals.granted += credit;
        self.answer_afresh(flow, Form::Pull, granted);
        self.stand_in_line(flow);
    }

    /// Sees to it that the pacer runs while flows stand in line.
    fn call_granter(&mut self, host: u32) {
        let pacer = &mut self.granters[host as usize];
        if !pacer.called && !pacer.line.is_empty() {
            pacer.called = true;
            let at = pacer.next_at.max(self.clock);
            self.wheel.push(at, Kind::Grant, host);
        }
    }

    /// A sender learns how much was granted so far.
    pub(super) fn credited(&mut self, flow: u32, granted: u64) {
        self.commit(flow);
        let sender = &mut self.senders[flow as usize];
        let credit = granted.saturating_sub(sender.granted);
        sender.granted += credit;
        sender.credit += i64::try_from(credit).unwrap_or(i64::MAX);
    }

    /// The receiver answers: the first window is no longer for speculation.
    pub(super) fn commit(&mut self, flow: u32) {
        let sender = &mut self.senders[flow as usize];
        if sender.speculates && self.config.transport != Transport::Ndp {
            sender.credit = sender.credit.min(0);
        }
        sender.speculates = false;
    }
}
