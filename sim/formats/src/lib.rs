//! Traces and topologies in the formats of other tools, and traces in our own.
//!
//! ```text
//! Trace ──┬─ perfetto   Chrome JSON of all ranks, for Perfetto and chrome://tracing
//!         ├─ kineto     JSON of one rank as PyTorch's profiler writes it, for HolisticTraceAnalysis
//!         └─ wtt        our own: exact, compact, one lane per class of ranks; reads back
//! ```
//!
//! Writers take any [`std::io::Write`] and stream: the text of a file is never whole in memory.
//! Equal traces give equal bytes, compressed or not. Deliberately absent: files. The caller
//! opens them, and renames them when they are complete.

mod action;
mod compress;
mod error;
mod event;
mod export;
mod header;
mod kineto;
mod perfetto;
mod ranks;
pub mod simgrid;
pub mod wtt;

pub use compress::compressed;
pub use error::FormatError;
pub use export::{Detail, Export};
pub use header::Header;
pub use kineto::{Kineto, Resolution, write_kineto};
pub use perfetto::{Perfetto, write_perfetto};
