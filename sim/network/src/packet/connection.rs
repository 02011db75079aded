//! Messages of one connection: sent one after the other, as the work requests of a queue pair are.

use super::core::Core;
use super::pool::NONE;

/// A connection, and a part of its messages: parts of one message go side by side.
pub(super) type Lane = (u32, u16);

impl Core {
    /// Puts a flow behind the last one of its connection, if that has packets left to send.
    pub(super) fn queue(&mut self, flow: u32, lane: Lane) {
        self.senders[flow as usize].lane = Some(lane);
        if let Some(last) = self.lanes.insert(lane, flow) {
            self.senders[last as usize].behind = flow;
            self.senders[flow as usize].is_held = true;
        }
    }

    /// Where a flow of a connection has sent each of its packets, the next one may begin.
    pub(super) fn pass_on(&mut self, nic: u32, flow: u32) {
        let sender = &mut self.senders[flow as usize];
        if sender.fresh < sender.packets {
            return;
        }
        let Some(lane) = sender.lane.take() else {
            return;
        };
        let behind = std::mem::replace(&mut sender.behind, NONE);
        if behind == NONE {
            self.lanes.remove(&lane);
            return;
        }
        self.senders[behind as usize].is_held = false;
        if self.may_send(behind) {
            self.line_up(nic, behind);
        }
    }
}
