//! Lanes: the simulated members of classes, and what the slots of their programs mean.

use units::{BytesPerSec, ClassId, GroupId, LaneId, Seconds};

/// Everything that does not change while the engine runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    /// The lanes.
    pub lanes: Vec<LaneSetup>,
    /// The communicators.
    pub groups: Vec<Group>,
    /// The point-to-point channels.
    pub channels: Vec<Channel>,
}

/// One lane.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneSetup {
    /// The class that it stands for.
    pub class: ClassId,
    /// Index of its program.
    pub program: u32,
    /// A name for people.
    pub name: String,
    /// The pipeline stage (device of the schedule).
    pub stage: u32,
    /// The logical ranks that it stands for, ascending.
    pub ranks: Vec<u32>,
    /// Speed of its compute against nominal: 0.8 takes 1.25 times as long.
    pub speed: f64,
    /// The group of each slot.
    pub groups: Vec<GroupId>,
    /// The channel of each slot, an index into [`Lanes::channels`].
    pub channels: Vec<u32>,
    /// Memory that does not change during the run, in bytes, by `MemoryKind::index`.
    pub resident: [u64; trace::MemoryKind::ALL.len()],
}

/// A communicator as the engine sees it: the lanes that must come together, and the index of
/// its price list. Ranks that share a lane come together by definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The lanes, ascending.
    pub members: Vec<LaneId>,
    /// Index into the engine's prices: groups of one shape and one set of paths share it.
    pub price: u32,
}

/// A one-way channel between two lanes. Messages keep their order: the next one leaves when the
/// last byte of the one before has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    /// The sender.
    pub from: LaneId,
    /// The receiver.
    pub to: LaneId,
    /// What a message costs.
    pub price: SendPrice,
}

/// What a message costs: a latency that occupies nothing, then its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SendPrice {
    /// Latency.
    pub latency: Seconds,
    /// Rate on an idle path; none where messages carry no bytes worth counting.
    pub rate: Option<BytesPerSec>,
    /// The path in the network engine, where the message leaves its scale-up domain.
    pub path: Option<u32>,
}
