//! What goes into the packet engine and what comes out.

use units::{Bytes, HostId, SimTime};

use super::core::Core;

/// Bytes to move from one host to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender.
    pub src: HostId,
    /// The receiver.
    pub dst: HostId,
    /// The payload; 0 bytes take the latency only.
    pub bytes: Bytes,
    /// The way that [`Balancing::SinglePath`](super::Balancing::SinglePath) takes, by its number
    /// in the topology; `None`: the way of static routing. Other policies ignore it.
    pub way: Option<u32>,
    /// Comes back with each report: the caller's own number.
    pub tag: u64,
}

/// A message that was submitted. Ids count up in the order of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub(super) u32);

impl MessageId {
    /// The index in the order of submission.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Its last byte has reached the receiver.
    Delivered,
    /// The last acknowledgement has reached the sender.
    Acked,
}

/// What has happened to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The message.
    pub id: MessageId,
    /// Its tag.
    pub tag: u64,
    /// What has happened.
    pub stage: Stage,
    /// When.
    pub at: SimTime,
}

/// The moments of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it was submitted.
    pub released: SimTime,
    /// When its last byte reached the receiver.
    pub finish: Option<SimTime>,
    /// When the last acknowledgement reached the sender.
    pub acked: Option<SimTime>,
}

/// A message under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) tag: u64,
    pub(super) ends: [HostId; 2],
    /// Parts that are not yet delivered, and not yet acknowledged.
    pub(super) left: [u32; 2],
    pub(super) times: Times,
}

impl Core {
    /// A part of a message has reached a stage.
    pub(super) fn advance_message(&mut self, message: u32, stage: Stage) {
        let at = self.now();
        let record = &mut self.messages[message as usize];
        let left = &mut record.left[stage as usize];
        *left -= 1;
        if 0 < *left {
            return;
        }
        match stage {
            Stage::Delivered => record.times.finish = Some(at),
            Stage::Acked => {
                record.times.acked = Some(at);
                self.open -= 1;
            }
        }
        self.reports.push(Report {
            id: MessageId(message),
            tag: record.tag,
            stage,
            at,
        });
    }

    /// The last byte of a flow has arrived.
    pub(super) fn delivered(&mut self, flow: u32) {
        self.end_on_way(flow);
        let message = self.receivers[flow as usize].message;
        self.advance_message(message, Stage::Delivered);
    }

    /// A message without packets has arrived.
    pub(super) fn arrive_empty(&mut self, message: u32) {
        self.advance_message(message, Stage::Delivered);
        self.advance_message(message, Stage::Acked);
    }
}
