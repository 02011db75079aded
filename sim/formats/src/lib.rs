//! Traces, topologies and workloads in the formats of other tools and in our own.
//!
//! ```text
//! Trace ──┬─ perfetto   Chrome JSON of all ranks, for Perfetto and chrome://tracing
//!         ├─ kineto     JSON of one rank as PyTorch's profiler writes it, for HolisticTraceAnalysis
//!         └─ wtt        our own: exact, compact, one lane per class of ranks; reads back
//! ```
//!
//! Flows of network workloads are CSV ([`flows_csv`]).
//!
//! Writers take any [`std::io::Write`] and stream: the text of a file is never whole in memory.
//! Equal traces give equal bytes, compressed or not. Deliberately absent: files. The caller
//! opens them, and renames them when they are complete.

mod action;
pub mod astra_sim;
pub mod chakra;
pub mod cluster_file;
mod compress;
mod error;
mod event;
mod export;
pub mod flows_csv;
mod header;
pub mod htsim;
pub mod ibnetdiscover;
mod import_error;
mod kineto;
pub mod nccl;
pub mod nccl_tests;
pub mod nvidia_smi;
mod perfetto;
mod ranks;
pub mod simgrid;
pub mod slurm_topology;
pub mod wtt;
mod xml;
mod yaml;

pub use compress::compressed;
pub use error::FormatError;
pub use export::{Detail, Export};
pub use header::Header;
pub use import_error::ImportError;
pub use kineto::{Kineto, Resolution, write_kineto};
pub use perfetto::{Perfetto, write_perfetto};
