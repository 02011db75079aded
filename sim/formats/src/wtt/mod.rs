//! `.wtt`: our own trace files.
//!
//! ```text
//! file    ▸ magic (8 bytes)  major u16  minor u16  chunk*            all numbers little-endian
//! chunk   ▸ kind (4 bytes)  stored u32  raw u32  crc32 u32  zlib data (stored bytes)
//! kinds   ▸ HEAD  the header as JSON
//!           LANE  lanes       NAME  names of spans
//!           OPER  names of operators    DETL  kernels inside spans, by operator
//!           SPAN  up to 65,536 spans, column by column
//!           MEMO  up to 65,536 memory samples, column by column
//!           LINK  what links carried, each with its levels
//!           DONE  counts of everything and the end of the run
//! ```
//!
//! Columns hold varints: ends and memory as differences from the one before, starts as durations,
//! causes as distances. `raw` is the length of the data before zlib, the checksum is over kind, lengths and stored bytes. A
//! reader skips kinds that it does not know, so that later versions can add some; a file of
//! another major version is refused.
//!
//! Invariant: what was written reads back equal. Reading trusts nothing: a damaged file is an
//! error, and memory grows only with what is really there, up to [`Limits`].

mod column;
mod frame;
mod read;
mod write;

pub use frame::{Limits, MAGIC, MAJOR, MINOR};
pub use read::{read, read_header};
pub use write::write;
