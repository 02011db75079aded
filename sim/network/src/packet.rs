//! The packet engine: queues, marks, pauses, trimmed packets, transports and load balancers.
//!
//! The question: what do a transport and a policy of load balancing make of the same messages on
//! the same fabric? Every packet is simulated, on every link that it crosses:
//!
//! ```text
//! Message ─▶ flow ─▶ NIC ─▶ queue ─ link ─▶ queue ─ link ─▶ … ─▶ receiver
//!            window,  one     marks, trims,                       notes what came,
//!            credit   flow    pauses, drops                       answers, grants credit
//!            or rate  in turn                                       │
//!              ▲                                                    │
//!              └───────── acknowledgements, requests, credits ◀─────┘
//! ```
//!
//! Switches queue at their outputs. A message is a flow of its own with a fresh window; with
//! [`Balancing::EcmpK`] it is several. Packets of one payload and header each cross a link after
//! `bytes / rate` and its latency; on an idle path a message takes
//!
//! ```text
//! bytes · (payload + header)/payload / rate + hops · (latency + packet/rate) − packet/rate
//! ```
//!
//! [`Config::new`] has the defaults of each [`Transport`], with their sources. The engine is
//! polled: [`Packets::submit`] accepts a message, [`Packets::advance`] moves the clock and
//! reports what was delivered (its last byte is there: what waits for it may start) and
//! acknowledged (what htsim prints). Who waits for reports only calls
//! [`Packets::advance_to_report`] or [`Packets::run`].
//!
//! Speed: one event for each crossing of a link, whether it is busy or not, since starts are
//! worked out when somebody looks at the link; packets of one cache line in slots that are used
//! again; no allocation and no hash table for a packet.
//!
//! Deliberately absent: dependencies between messages (the `traffic` crate), telemetry in packets
//! (`HPCC`), and NICs that one message leaves over several of. A topology's fat pipes are links
//! like others here.
//!
//! Invariants: time is whole picoseconds and the time that a packet takes is rounded up. Equal
//! topologies, configurations and calls give equal reports. Every payload byte is delivered once.
//!
//! ```
//! use cluster::{Cluster, ClusterNetwork, example};
//! use network::packet::{Balancing, Config, Message, Packets, Stage, Transport};
//! use units::{Bytes, HostId, SimTime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Two leaves with four hosts each, four spines, 100 Gbit/s.
//! let cluster = Cluster::build(&example::hosts(2, 4, 4, 100.0)).expect("a valid example");
//! let topology = ClusterNetwork::new(cluster);
//! let config = Config::new(Transport::Uec, Balancing::Reps);
//! let mut net = Packets::new(&topology, config)?;
//! for host in 0..4 {
//!     let message = Message {
//!         src: HostId::new(host),
//!         dst: HostId::new(host + 4),
//!         bytes: Bytes::new(1 << 20),
//!         way: None,
//!         tag: host.into(),
//!     };
//!     net.submit(SimTime::ZERO, message)?;
//! }
//! let mut reports = Vec::new();
//! net.run(&mut reports)?;
//! let delivered = reports.iter().filter(|report| report.stage == Stage::Delivered);
//! assert_eq!(delivered.count(), 4);
//! assert!(net.now().as_seconds().as_micros() < 120.0);
//! assert_eq!(net.totals().payload, 4 << 20);
//! # Ok(())
//! # }
//! ```

mod acknowledge;
mod balance;
mod bits;
mod build;
mod calm;
mod config;
mod connection;
mod core;
mod credit;
mod dcqcn;
mod engine;
mod error;
mod fate;
mod flow;
mod link;
mod lossless;
mod message;
mod network;
mod nic;
mod nscc;
mod pool;
mod receive;
mod routes;
mod sample;
mod stall;
mod stats;
mod submit;
mod switch;
mod wheel;

pub use config::{Amount, Balancing, Buffer, Config, Control, Ecn, Headroom, Pfc, Transport};
pub use engine::Packets;
pub use error::PacketError;
pub use link::LinkStats;
pub use message::{Message, MessageId, Report, Stage, Times};
pub use network::{Carried, PacketNetwork, Part};
pub use sample::{Sample, Samples};
pub use stats::Totals;
