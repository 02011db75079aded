//! What happened when: spans on lanes, what released them, memory over time.
//!
//! ```text
//! Trace ── lanes    one per class of ranks, with the number of its members
//!       ├─ spans    (lane, stream, start, end, name, category, micro-batch, cause)
//!       ├─ details  the kernels inside a span, stored once per step of a program
//!       └─ memory   levels by kind, sampled where they change
//! ```
//!
//! A lane stands for all ranks of its class; writers expand it to ranks when they write.
//! Invariant: spans of one stream of one lane do not overlap, except on [`StreamKind::Pp`], where
//! messages of both directions are under way at a time; and a span starts no earlier
//! than its cause ends, unless both lie on a transfer.

mod category;
mod record;

pub use category::{Category, MemoryKind, StreamKind};
pub use record::{
    Detail, DetailId, Lane, MemorySample, NO_INDEX, NameId, Names, Span, SpanId, Trace,
};
