//! Files for htsim: which flows run (`.cm`) and on which fat tree (`.topo`).
//!
//! ```text
//! Nodes 4                          Nodes 4          Tier 1
//! Connections 2                    Tiers 2          Downlink_speed_Gbps 100
//! Triggers 1                       Podsize 4        Radix_Down 2
//! 0->1 id 1 start 0 size 8 ...     Tier 0           ...
//! 1->2 id 2 trigger 1 size 8       ...
//! trigger id 1 oneshot
//! ```
//!
//! What htsim cannot say is an error: flows of no bytes, of 2³¹ bytes and more or within a host,
//! a flow with a start and others to wait for, fabrics that are no fat tree of one plane.
//!
//! Source of the fields: `sim/datacenter/connection_matrix.cpp` and `fat_tree_topology.cpp` of
//! Broadcom/csg-htsim 841d9e7.

mod flows;
mod topology;

pub use flows::{Fires, write_flows};
pub use topology::write_topology;

/// What htsim cannot say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum HtsimError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("flow {flow} ends at host {host}, but there are {nodes} nodes")]
    UnknownNode { flow: u32, host: u32, nodes: u32 },
    #[error("flow {flow} stays on host {host}, and htsim sends over the network only")]
    Loop { flow: u32, host: u32 },
    #[error("flow {flow} has {bytes} bytes, and htsim takes from 1 to 2³¹ - 1")]
    Size { flow: u32, bytes: u64 },
    #[error("flow {flow} has a start and waits for others, and htsim takes one of both")]
    StartAndWait { flow: u32 },
    #[error(
        "flow {flow} is waited for together with different others, and htsim's flows fire one trigger"
    )]
    TwoTriggers { flow: u32 },
    #[error("flow {flow} waits for flow {before} twice")]
    Twice { flow: u32, before: u32 },
    #[error("the fabric {0}, and htsim reads fat trees of one plane with equal switches")]
    Fabric(String),
    #[error("{what} is {value}, and htsim takes whole numbers")]
    NotWhole { what: &'static str, value: f64 },
}
