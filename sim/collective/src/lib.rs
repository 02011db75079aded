//! Collectives: what one costs in closed form, and which transfers carry it.
//!
//! ```text
//! group of GPUs ──shape──▶ CommShape ──time──▶ CollectiveTime        (planners, closed forms)
//!                              └──────expand──▶ phases ──hops──▶ transfers of a network engine
//! ```
//!
//! A [`CommShape`] says what of a group matters: ranks, scale-up domains, and what its links carry
//! while its siblings (the groups that run the same collective at the same time) do so too. The
//! cost of an operation is NCCL's own model, with the constants of
//! [`CommProfile`](profile::CommProfile): every algorithm and protocol is priced and the cheapest
//! wins, as NCCL's tuner chooses. [`expand`] turns the winner into delays and transfers whose time
//! on an idle fabric equals the closed form.
//!
//! [`textbook`] has the formulas of the literature, for tests and for reading.
//!
//! Deliberately absent: contention that changes with time (a network engine has it), and overlap
//! with compute.
//!
//! ```
//! use cluster::{Cluster, example};
//! use collective::{shape, time};
//! use profile::{Algorithm, CollectiveKind, CommProfile};
//! use units::Bytes;
//!
//! let cluster = Cluster::build(&example::two_dgx_h100()).unwrap();
//! let comm = CommProfile::nccl();
//! let group: Vec<_> = cluster.gpus().collect();
//! let shape = shape(&cluster, &comm, &group, &[]);
//! let cost = time(CollectiveKind::AllReduce, Bytes::from_gib(1.0), &shape, &comm);
//! assert_eq!(cost.algorithm, Algorithm::NvlsTree);
//! ```

mod cost;
mod expand;
mod hops;
mod inside;
mod load;
mod price;
mod reached;
mod regular;
mod shape;
mod sources;
mod spread;
mod table;
pub mod textbook;

pub use expand::{Phase, Transfers, expand};
pub use hops::{Hop, Pattern, hops, tree_edges};
pub use price::{Choice, CollectiveTime, Priced, time};
pub use regular::regular_shape;
pub use shape::{CommShape, pair_shape, shape};
pub use sources::sources;
pub use table::{BusRow, bus_table};
