//! The vocabulary of communication: the constants of collectives that a profile holds.

use serde::{Deserialize, Serialize};

/// A collective operation, with sizes in nccl-tests' sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectiveKind {
    /// Every rank ends with the sum.
    AllReduce,
    /// Every rank ends with all shards; size = the whole buffer.
    AllGather,
    /// Every rank ends with its shard of the sum; size = the whole buffer.
    ReduceScatter,
    /// Every rank sends a different part to every other; size = what one rank sends in all.
    #[serde(rename = "alltoall")]
    AllToAll,
    /// One rank's buffer reaches all.
    Broadcast,
    /// One rank ends with the sum.
    Reduce,
    /// One rank sends to one other.
    #[serde(rename = "sendrecv")]
    SendRecv,
    /// One rank ends with the parts of all; size = the whole buffer.
    Gather,
    /// One rank's parts go to all, one to each; size = the whole buffer.
    Scatter,
}

impl CollectiveKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 9] = [
        Self::AllReduce,
        Self::AllGather,
        Self::ReduceScatter,
        Self::AllToAll,
        Self::Broadcast,
        Self::Reduce,
        Self::SendRecv,
        Self::Gather,
        Self::Scatter,
    ];

    /// The name as nccl-tests prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllReduce => "all_reduce",
            Self::AllGather => "all_gather",
            Self::ReduceScatter => "reduce_scatter",
            Self::AllToAll => "alltoall",
            Self::Broadcast => "broadcast",
            Self::Reduce => "reduce",
            Self::SendRecv => "sendrecv",
            Self::Gather => "gather",
            Self::Scatter => "scatter",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Bus bandwidth over algorithm bandwidth for `n` ranks (nccl-tests, PERFORMANCE.md).
    pub fn bus_factor(self, n: u32) -> f64 {
        let n = f64::from(n.max(1));
        match self {
            Self::AllReduce => 2.0 * (n - 1.0) / n,
            Self::AllGather
            | Self::ReduceScatter
            | Self::AllToAll
            | Self::Gather
            | Self::Scatter => (n - 1.0) / n,
            Self::Broadcast | Self::Reduce | Self::SendRecv => 1.0,
        }
    }
}
