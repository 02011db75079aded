//! What a GPU and a node really achieve: curves with provenance, and the roofline where nothing
//! was measured.
//!
//! ```text
//! profile file --> ProfileSpec --+--> Profile::build --> Profile --> time(&Kernel) --> Timed
//! data sheet   --> GpuSpec ------+--> Profile::nominal --^
//! ```
//!
//! A profile holds shares of what the data sheet promises, never absolute speeds, so that the
//! profile of one GPU serves its relatives, at a lower worth. [`Profile::time`] is pure and takes
//! some tens of nanoseconds: planners ask it millions of times.
//!
//! Deliberately absent: contention between kernels (the engine's, from [`Interference`]), what a
//! launch costs a stream of kernels ([`Profile::launch`] is added by whoever strings kernels
//! together), and files (`scenarios/format` reads them).

mod assemble;
mod attention;
mod check;
mod collectives;
mod comm;
mod constants;
mod error;
mod gemm;
mod grid;
mod kernel;
mod memory;
mod nominal;
mod profile;
mod provenance;
mod range;
mod roof;
mod scales;
mod sheet;
mod spec;
mod stream;

pub use collectives::CollectiveKind;
pub use comm::{
    Algorithm, BetweenReached, BufferComm, CommFit, CommProfile, InsideReached, LatencyTable,
    NetworkComm, Protocol, ScaleUpComm, ScaleUpKind, Tuning,
};
pub use constants::{HostCost, Interference};
pub use error::ProfileError;
pub use kernel::{
    Attention, AttentionKernel, Gemm, Kernel, Mask, Packing, Pass, Scan, Stream, StreamKind,
};
pub use memory::{DETERMINISTIC_WORKSPACE, MemoryConstants};
pub use profile::Profile;
pub use provenance::{Provenance, Timed};
pub use scales::{Exposed, KernelScales, Place};
pub use spec::{
    AttentionPointSpec, AttentionSpec, FitSpec, GemmSpec, GridSpec, HostSpec, InterferenceSpec,
    MemorySpec, PackingKind, PointSpec, ProfileSpec, ScanSpec, StreamKindSpec, StreamSpec,
    UnfusedSpec,
};
