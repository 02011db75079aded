//! What senders learn from answers, and from none.

use super::balance::{Feedback, Trouble};
use super::config::Transport;
use super::core::Core;
use super::flow::Pace;
use super::message::Stage;
use super::nscc::Word;
use super::pool::{Form, MARKED, Packet};
use super::wheel::Kind;

/// Timeouts in a row without an answer after which a message counts as stuck.
pub(super) const PATIENCE: u8 = 16;

impl Core {
    /// An answer has arrived at the sender.
    pub(super) fn receive_answer(&mut self, packet: u32) {
        let entry = *self.pool.get(packet);
        self.pool.free(packet);
        let nic = self.senders[entry.flow as usize].nic;
        self.catch_up(nic);
        match entry.form {
            Form::Ack => self.acknowledged(entry),
            Form::Nack => self.refused(entry),
            Form::Pull => self.credited(entry.flow, entry.word),
            _ => self.slow_down(entry.flow),
        }
        self.senders[entry.flow as usize].backoff = 0;
        self.make_ready(entry.flow);
        self.release(entry.flow);
    }

    fn acknowledged(&mut self, entry: Packet) {
        let flow = entry.flow;
        if self.grants() && self.config.transport != Transport::Ndp {
            self.commit(flow);
        }
        let bytes = self.note_acked(flow, &entry);
        let marked = entry.flags & MARKED != 0;
        let feedback = if marked {
            Feedback::Bad(Trouble::Mark)
        } else {
            Feedback::Good
        };
        let sender = &mut self.senders[flow as usize];
        sender.balance.learn(entry.entropy, feedback);
        let in_flight = sender.in_flight as f64;
        if let Pace::Window(nscc) | Pace::Both(nscc) = &mut sender.pace {
            let word = Word {
                now: self.clock,
                delay: nscc.delay(self.clock - entry.sent),
                bytes: bytes as f64,
                marked,
                in_flight,
            };
            nscc.acknowledged(&self.terms, word);
        }
        if self.infers_loss() {
            self.infer_lost(flow, entry.sent);
        }
        let sender = &self.senders[flow as usize];
        if sender.all_below == sender.packets && !sender.done {
            self.finish(flow);
        }
    }

    /// Whether a packet counts as lost when later ones have arrived: where nothing says so.
    const fn infers_loss(&self) -> bool {
        match self.config.transport {
            Transport::DcqcnSr => true,
            Transport::Ideal | Transport::DcqcnGbn => false,
            _ => !self.config.trimming,
        }
    }

    /// Notes what an answer says has arrived; the bytes that were not known of.
    fn note_acked(&mut self, flow: u32, answer: &Packet) -> u64 {
        let whole = self.sizes.whole;
        let sender = &mut self.senders[flow as usize];
        let mut bytes = 0;
        let mut left = 0;
        let below = answer.all_below.min(sender.fresh);
        while sender.all_below < below {
            let number = sender.all_below;
            sender.all_below += 1;
            if sender.acked.len() == 0 || !sender.acked.remove(number) {
                let size = u64::from(sender.size(number, whole));
                bytes += size;
                let was_lost = 0 < sender.lost.len() && sender.lost.remove(number);
                left += if was_lost { 0 } else { size };
            }
        }
        let base = Packet::base(answer.number, answer.all_below);
        let mut bits = answer.word;
        while bits != 0 {
            let number = base + bits.trailing_zeros();
            bits &= bits - 1;
            if sender.is_acked(number) || sender.fresh <= number {
                continue;
            }
            sender.acked.forget_below(sender.all_below);
            sender.acked.insert(number);
            let size = u64::from(sender.size(number, whole));
            bytes += size;
            let was_lost = 0 < sender.lost.len() && sender.lost.remove(number);
            left += if was_lost { 0 } else { size };
        }
        sender.in_flight = sender.in_flight.saturating_sub(left);
        sender.next = sender.next.max(sender.all_below);
        bytes
    }

    /// A packet that was sent well before one that has arrived is lost.
    fn infer_lost(&mut self, flow: u32, arrived: u64) {
        let sender = &self.senders[flow as usize];
        let Some(before) = arrived.checked_sub(sender.round_trip) else {
            return;
        };
        if sender.acked.len() == 0 {
            return;
        }
        for number in sender.all_below..sender.fresh {
            let sender = &self.senders[flow as usize];
            if before < sender.sent_at(number) && sender.lost.len() == 0 {
                break;
            }
            if sender.sent_at(number) <= before {
                self.lose(flow, number);
            }
        }
    }

    /// Marks a packet that is under way as lost; false where it is not under way.
    pub(super) fn lose(&mut self, flow: u32, number: u32) -> bool {
        let whole = self.sizes.whole;
        let sender = &mut self.senders[flow as usize];
        let under_way = number < sender.fresh && !sender.is_acked(number);
        if !under_way {
            return false;
        }
        sender.lost.forget_below(sender.all_below);
        if !sender.lost.insert(number) {
            return false;
        }
        let size = u64::from(sender.size(number, whole));
        sender.in_flight = sender.in_flight.saturating_sub(size);
        true
    }

    /// A packet was trimmed, or go-back-N asks for all from one on.
    fn refused(&mut self, entry: Packet) {
        let flow = entry.flow;
        if self.grants() {
            self.commit(flow);
        }
        if self.config.transport == Transport::DcqcnGbn {
            return self.go_back(flow, &entry);
        }
        self.note_acked(flow, &entry);
        let sender = &mut self.senders[flow as usize];
        sender
            .balance
            .learn(entry.entropy, Feedback::Bad(Trouble::Loss));
        if !self.lose(flow, entry.number) {
            return;
        }
        let sender = &mut self.senders[flow as usize];
        let bytes = f64::from(sender.size(entry.number, self.sizes.whole));
        let in_flight = sender.in_flight as f64;
        if let Pace::Window(nscc) | Pace::Both(nscc) = &mut sender.pace {
            let word = Word {
                now: self.clock,
                delay: 0.0,
                bytes,
                marked: false,
                in_flight,
            };
            nscc.lost(&self.terms, word);
        }
    }

    /// Everything from the gap on is sent again.
    fn go_back(&mut self, flow: u32, answer: &Packet) {
        self.note_acked(flow, answer);
        let sender = &mut self.senders[flow as usize];
        sender.next = sender.all_below;
        sender.in_flight = 0;
    }

    fn slow_down(&mut self, flow: u32) {
        let sender = &mut self.senders[flow as usize];
        let Pace::Rate(dcqcn) = &mut sender.pace else {
            return;
        };
        dcqcn.notified();
        if !dcqcn.timed {
            dcqcn.timed = true;
            sender.uses += 1;
            let at = self.clock + super::dcqcn::TIMER;
            self.wheel.push(at, Kind::Rate, flow);
        }
    }

    /// The timer of a DCQCN flow.
    pub(super) fn tick_rate(&mut self, flow: u32) {
        let sender = &mut self.senders[flow as usize];
        let again = match &mut sender.pace {
            Pace::Rate(dcqcn) => {
                dcqcn.ticked();
                dcqcn.timed = !dcqcn.is_idle() && !sender.done;
                dcqcn.timed
            }
            _ => false,
        };
        if again {
            let at = self.clock + super::dcqcn::TIMER;
            self.wheel.push(at, Kind::Rate, flow);
        } else {
            self.release(flow);
        }
    }

    /// The last acknowledgement of a flow.
    fn finish(&mut self, flow: u32) {
        let sender = &mut self.senders[flow as usize];
        sender.done = true;
        let message = sender.message;
        self.advance_message(message, Stage::Acked);
    }

    /// Sees to it that a timer runs while packets are under way.
    pub(super) fn arm(&mut self, flow: u32, sent: u64) {
        let sender = &self.senders[flow as usize];
        if !sender.timer && self.config.transport != Transport::Ideal {
            self.set_timer(flow, sent + sender.patience());
        }
    }

    pub(super) fn set_timer(&mut self, flow: u32, at: u64) {
        let sender = &mut self.senders[flow as usize];
        if !sender.timer {
            sender.timer = true;
            sender.uses += 1;
            let at = at.max(self.clock) + sender.hesitation();
            self.wheel.push(at, Kind::Timeout, flow);
        }
    }

    /// The timer of a flow: what was sent long enough ago counts as lost.
    pub(super) fn time_out(&mut self, flow: u32) {
        let nic = self.senders[flow as usize].nic;
        self.catch_up(nic);
        self.senders[flow as usize].timer = false;
        let next = if self.config.transport == Transport::Ideal {
            self.tell_again(flow)
        } else {
            self.expire(flow)
        };
        let sender = &mut self.senders[flow as usize];
        if next.is_none() && sender.has_more() && sender.credit <= 0 && !sender.done {
            // Credit may have been lost: a packet without it asks for more.
            sender.credit = i64::from(self.sizes.whole);
        }
        self.make_ready(flow);
        if let Some(next) = next {
            self.arm(flow, next);
        }
        self.release(flow);
    }

    /// Without a transport: losses are known, an acknowledgement may be among them.
    fn tell_again(&mut self, flow: u32) -> Option<u64> {
        let receiver = &self.receivers[flow as usize];
        let complete = receiver.expected == receiver.packets;
        let sender = &mut self.senders[flow as usize];
        sender.backoff += 1;
        if PATIENCE < sender.backoff {
            self.stuck = Some(sender.message);
        } else if complete && !sender.done {
            self.answer_afresh(flow, Form::Ack, 0);
        }
        None
    }

    /// Loses what timed out; when the oldest packet under way was sent.
    fn expire(&mut self, flow: u32) -> Option<u64> {
        let sender = &self.senders[flow as usize];
        if sender.done {
            return None;
        }
        let timeout = sender.patience();
        let (from, to) = (sender.all_below, sender.fresh);
        let mut oldest = None;
        let mut expired = 0;
        for number in from..to {
            let sender = &self.senders[flow as usize];
            if sender.is_acked(number) || sender.lost.contains(number) {
                continue;
            }
            let sent = sender.sent_at(number);
            if sent + timeout <= self.clock {
                expired += 1;
                self.lose(flow, number);
                let sender = &mut self.senders[flow as usize];
                let entropy = sender.entropy_of(number);
                sender
                    .balance
                    .learn(entropy, Feedback::Bad(Trouble::Silence));
            } else {
                oldest = Some(oldest.map_or(sent, |oldest: u64| oldest.min(sent)));
            }
        }
        if 0 < expired {
            self.after_timeout(flow, expired);
        }
        oldest
    }

    fn after_timeout(&mut self, flow: u32, expired: u32) {
        let clock = self.clock;
        self.totals.timed_out += u64::from(expired);
        let sender = &mut self.senders[flow as usize];
        sender.backoff += 1;
        sender.speculates = false;
        sender.balance.timed_out(clock);
        let bytes = u64::from(expired) * u64::from(self.sizes.whole);
        let in_flight = sender.in_flight as f64;
        if matches!(sender.pace, Pace::Credit | Pace::Both(_)) {
            // What was lost without a trace is sent again at once.
            sender.credit = sender.credit.max(0) + i64::try_from(bytes).unwrap_or(i64::MAX);
        }
        if let Pace::Window(nscc) | Pace::Both(nscc) = &mut sender.pace {
            let word = Word {
                now: clock,
                delay: 0.0,
                bytes: bytes as f64,
                marked: false,
                in_flight,
            };
            nscc.lost(&self.terms, word);
        }
        if self.config.transport == Transport::DcqcnGbn {
            sender.next = sender.all_below;
            sender.in_flight = 0;
            sender.lost = super::bits::Bits::default();
        }
        if PATIENCE < sender.backoff {
            self.stuck = Some(sender.message);
        }
    }
}
