//! Lists of flows as CSV: `id,src,dst,bytes,start_s,after`.
//!
//! ```text
//! id,src,dst,bytes,start_s,after
//! a,n0,n1,65536,0,
//! b,n1,n2,65536,0.000001,a
//! c,n2,n0,65536,0,a;b
//! ```
//!
//! A row is a flow. It is released at `start_s` or when all flows in `after` have ended, whichever
//! is later. Columns may stand in any order; `start_s` and `after` may be left out. Ids are texts,
//! and `after` may name ids of later rows. Times are kept to the picosecond.
//!
//! Deliberately absent: what a host is. The caller knows their names.

mod error;
mod ids;
mod read;
mod seconds;
mod texts;
mod write;

pub use error::FlowsCsvError;
pub use ids::FlowIds;
pub use read::{FlowList, read};
pub use write::write;

/// A column of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// What the flow is called.
    Id,
    /// The sender.
    Src,
    /// The receiver.
    Dst,
    /// The payload, in bytes.
    Bytes,
    /// The earliest release, in seconds.
    Start,
    /// The flows that it waits for, joined by `;`.
    After,
}

impl Column {
    /// Every column, in the order in which they are written.
    pub const ALL: [Self; 6] = [
        Self::Id,
        Self::Src,
        Self::Dst,
        Self::Bytes,
        Self::Start,
        Self::After,
    ];

    /// The name in the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Src => "src",
            Self::Dst => "dst",
            Self::Bytes => "bytes",
            Self::Start => "start_s",
            Self::After => "after",
        }
    }

    /// Whether a file may leave it out.
    const fn is_optional(self) -> bool {
        matches!(self, Self::Start | Self::After)
    }
}
