//! Chakra execution traces: for every rank a file with what it computes and communicates, as
//! ASTRA-sim replays it.
//!
//! ```text
//! prefix.0.et   length, GlobalMetadata, length, Node, length, Node, ...
//! prefix.1.et   ...
//! ```
//!
//! ```text
//! files --read--> traces by rank --flows--> flows with what they wait for
//! flows --write_flows--> files;   a collective --write_collective--> files
//! ```
//!
//! Source of the fields: `et_def.proto` of mlcommons/chakra. Messages are declared here by hand,
//! so that building needs no compiler of protobuf.

mod collective;
mod flows;
mod join;
mod message;
mod read;
mod write;

pub use flows::{Workload, flows};
pub use read::read;
pub use write::{write_collective, write_flows};

/// What a node does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Computes, or moves memory, or says something about the trace.
    Local,
    /// Sends to another rank.
    Send {
        /// The receiver.
        to: u32,
        /// Tells messages between two ranks apart.
        tag: i64,
        /// The payload in bytes.
        bytes: u64,
    },
    /// Receives from another rank.
    Receive {
        /// The sender.
        from: u32,
        /// Tells messages between two ranks apart.
        tag: i64,
    },
    /// Takes part in a collective.
    Collective {
        /// Which.
        kind: Collective,
        /// Bytes, in ASTRA-sim's sense; see [`Collective`].
        bytes: u64,
        /// The rank that sends or receives, where one does.
        root: u32,
        /// The name of the group; empty for all ranks.
        group: String,
    },
}

/// A collective, and what its bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Collective {
    /// The buffer of every rank.
    AllReduce,
    /// The buffer of every rank.
    Reduce,
    /// What one rank contributes.
    AllGather,
    /// What one rank contributes.
    Gather,
    /// The buffer of the root.
    Scatter,
    /// The buffer of every rank.
    Broadcast,
    /// What one rank sends to all ranks together, itself included.
    AllToAll,
    /// The buffer of every rank before.
    ReduceScatter,
    /// Waits for all ranks; no bytes.
    Barrier,
}

/// A node of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id in the trace of its rank.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// How long it takes, in microseconds, where it computes.
    pub micros: u64,
    /// The ids of the nodes that it waits for.
    pub after: Vec<u64>,
}

/// What a rank does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The version of the schema.
    pub version: String,
    /// Its nodes, in the order of the file.
    pub nodes: Vec<Node>,
    /// What of the file is not kept.
    pub ignored: Vec<String>,
}
