//! The packet engine: queues, marks, pauses, trimmed packets, transports and load balancers.

mod acknowledge;
mod balance;
mod bits;
mod build;
mod config;
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
mod nic;
mod nscc;
mod pool;
mod receive;
mod routes;
mod sample;
mod stats;
mod submit;
mod switch;
mod wheel;

pub use config::{Amount, Balancing, Buffer, Config, Control, Ecn, Pfc, Transport};
pub use engine::Packets;
pub use error::PacketError;
pub use link::LinkStats;
pub use message::{Message, MessageId, Report, Stage, Times};
pub use sample::{Sample, Samples};
pub use stats::Totals;
