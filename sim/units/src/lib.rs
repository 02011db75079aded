//! Quantities, ids and simulated time: the words that every other crate speaks.
//!
//! Each quantity is a type that stores one unit, and each constructor and accessor names its
//! unit, so that bytes and bits, seconds and microseconds, one direction and both cannot be
//! mixed up silently. Deliberately absent: a general dimension system. The few products and
//! quotients that occur are written out.
//!
//! Invariant: [`SimTime`] is whole picoseconds; a formula's [`Seconds`] enters the simulated
//! clock through [`SimTime::after`] alone, which rounds up.

mod control;
mod data;
mod dtype;
mod ids;
pub mod math;
mod parse;
mod quantity;
mod time;

pub use control::{Control, Interrupted};
pub use data::{Bytes, BytesPerSec};
pub use dtype::DType;
pub use ids::{ClassId, GpuId, GroupId, HostId, LaneId, LinkId, NodeId, RankId, StageId};
pub use parse::{QuantityError, parse_bytes, parse_rate, parse_seconds};
pub use quantity::{Flops, FlopsPerSec, Seconds, Watts};
pub use time::{SimTime, TimeOverflow};
