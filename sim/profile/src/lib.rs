//! What a GPU and a node really achieve: curves with provenance, and the roofline where nothing
//! was measured.

mod collectives;
mod kernel;
mod provenance;
mod spec;

pub use collectives::CollectiveKind;
pub use kernel::{
    Attention, AttentionKernel, Gemm, Kernel, Mask, Packing, Pass, Scan, Stream, StreamKind,
};
pub use provenance::{Provenance, Timed};
pub use spec::{
    AttentionSpec, FitSpec, GemmSpec, GridSpec, HostSpec, InterferenceSpec, MemorySpec,
    PackingKind, PointSpec, ProfileSpec, ScanSpec, StreamKindSpec, StreamSpec, UnfusedSpec,
};
