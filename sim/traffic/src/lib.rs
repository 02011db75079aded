//! Network workloads: which bytes go where, after what, and when they arrive.
//!
//! A workload is a list of flows between hosts of a [`cluster::Topology`]. A flow is released at
//! its start or when all flows that it waits for have ended, whichever is later.
//!
//! A collective becomes such a workload too: [`collective`] for hosts, [`collective_over`] for
//! ranks that share domains, with channels, chunks and protocols as NCCL has them.
//!
//! ```
//! use cluster::{Cluster, ClusterNetwork, Topology, example};
//! use network::Share;
//! use traffic::{Keep, Kind, Options, Ranks, collective_over, run_folded};
//! use units::{Bytes, Control, HostId};
//!
//! let cluster = Cluster::build(&example::dgx_h100s(4)).unwrap();
//! let network = ClusterNetwork::new(cluster);
//! let gpus: Vec<HostId> = (network.n_nodes()..network.n_hosts()).map(HostId::new).collect();
//! let ranks = Ranks::of_cluster(&network, &gpus);
//! let program = collective_over(Kind::AllReduce, &ranks, Bytes::new(1 << 30), &Options::default());
//! let outcome =
//!     run_folded(&network, &program, Share::EQUAL, Keep::Totals, &Control::new()).unwrap();
//! // Eight NICs of 50 GB/s carry twice the data out of a node, spread over two trees.
//! let bound = 2.0 * (1_u64 << 30) as f64 / 400e9;
//! let ratio = outcome.makespan.as_seconds().as_secs() / bound;
//! assert!((1.0..1.2).contains(&ratio));
//! ```

mod balance;
mod chain;
mod collective;
mod flows;
mod loads;
mod orbits;
mod packets;
mod program;
mod reach;
mod run;
mod schedule;
mod split;
mod steps;
mod way;
mod wind;

pub use self::collective::{
    Cargo, Choice, Kind, Options, Parts, Ranks, Through, Tuned, Wishes, choose, collective,
    collective_over, collective_with_cargo, streams_at_most,
};
pub use balance::{Balanced, Policy, balance, congestion, sprayed_loads};
pub use chain::{Chain, chain};
pub use flows::{Flow, FlowId, Flows, FlowsError, Followers};
pub use loads::Curve;
pub use orbits::run_folded;
pub use packets::{PacketOutcome, run_packets};
pub use program::{Program, Route, Stream, Wait};
pub use reach::{Asked, Reached, reached};
pub use run::{Outcome, RunError, run};
pub use schedule::{Keep, Times};
pub use split::{Piece, Split, split};
pub use way::crossed;
