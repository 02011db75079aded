//! What other tools say about hardware, as cluster files of our own.
//!
//! ```text
//! nvidia_smi::Matrix, nccl::topology::System, nccl::graphs::Graphs ──> a node, on an ideal switch
//! ibnetdiscover::Network, slurm_topology::Topology                 ──> a fabric, with plain nodes
//! astra_sim::Network                                               ──> both
//! ```
//!
//! No such file says everything. What it leaves open is taken from [`Choices`] or from what
//! machines of that kind have, and a note says so, here and in the file. A fabric that is regular
//! becomes a shape with a few numbers; every other one a graph with all its cables.

mod astra;
mod draft;
mod gpu;
mod graph;
mod infiniband;
mod infiniband_shape;
mod matrix;
mod nccl_graphs;
mod nccl_system;
mod node;
mod order;
mod slurm;

pub use astra::of_astra_sim;
pub use draft::Imported;
pub use infiniband::of_ibnetdiscover;
pub use matrix::of_nvidia_smi;
pub use nccl_graphs::of_nccl_graphs;
pub use nccl_system::of_nccl_topology;
pub use slurm::of_slurm_topology;

use units::BytesPerSec;

/// What a file does not say and somebody knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// The GPU, by its name in the zoo.
    pub gpu: Option<String>,
    /// The kind of node, by its name in the zoo; for files that tell nothing of nodes.
    pub node: Option<String>,
    /// Of one NIC.
    pub nic_rate: Option<BytesPerSec>,
    /// How many nodes; for files that tell of one.
    pub nodes: Option<u32>,
}
