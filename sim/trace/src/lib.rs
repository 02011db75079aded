//! What happened when: spans on lanes, what released them, memory over time.
//!
//! ```text
//! Trace ── lanes    one per class of ranks, with the number of its members
//!       ├─ spans    (lane, stream, start, end, name, category, micro-batch, cause)
//!       ├─ details  the kernels inside a span, stored once per step of a program
//!       ├─ memory   levels by kind, sampled where they change
//!       └─ links    what the busiest links carried, where somebody asked
//! ```
//!
//! What is read off it:
//!
//! ```text
//! critical_path  the chain of causes that ends last        breakdown  a lane's time by category
//! Causes         the same path without the trace
//! bounds         what a remedy saves at most               bubble     why a lane is idle
//! explain        all of it in ten lines                    exposure   communication not hidden
//! slacks         how much later a span could end          KindSums   sums by kind of any stretch
//! tracks, Pyramid   rows for viewers, and their level of detail      memory_timeline, memory_peaks
//! ```
//!
//! A lane stands for all ranks of its class; writers expand it to ranks when they write.
//! Invariant: spans of one stream of one lane do not overlap, except on [`StreamKind::Pp`], where
//! messages of both directions are under way at a time; and a span starts no earlier
//! than its cause ends, unless both lie on a transfer.

mod bound;
mod breakdown;
mod bubble;
mod by_lane;
mod category;
mod causes;
mod check;
mod error;
mod explain;
mod explanation_json;
mod exposure;
mod kind_sums;
mod link_track;
mod memory;
mod path;
mod pyramid;
mod record;
mod show;
mod slack;
mod sweep;
mod track;
mod track_sums;

pub use bound::{Bound, Remedy, bounds};
pub use breakdown::{Breakdown, bottleneck, breakdown, breakdowns};
pub use bubble::{Bubble, bubble, bubbles};
pub use category::{Category, MemoryKind, Pass, StreamKind};
pub use causes::{Causes, Link, PathTime};
pub use error::TraceError;
pub use explain::{BubbleShares, Communication, Explanation, LaneShare, Peak, explain};
pub use exposure::{Exposure, Utilization, exposure, utilization};
pub use kind_sums::{KindSum, KindSums};
pub use link_track::{LinkLevel, LinkStretch, LinkTrack};
pub use memory::{MemoryLevel, memory_peaks, memory_timeline, memory_timelines};
pub use path::{CriticalPath, Segment, Stretch, critical_path};
pub use pyramid::{Bar, Pyramid};
pub use record::{
    Detail, DetailId, Lane, MemorySample, NO_INDEX, NameId, Names, Span, SpanId, Trace,
};
pub use slack::slacks;
pub use track::{Track, tracks};
pub use track_sums::{TrackSums, track_sums};
