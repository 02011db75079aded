//! The names of collectives, and what NCCL decides of them.

use profile::CollectiveKind;

/// A collective that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// All-reduce over a ring, step by step.
    Ring,
    /// All-reduce as NCCL would run it.
    AllReduce,
    /// All-reduce over a ring for each channel, in chunks.
    RingChannels,
    /// All-reduce over two complementary trees.
    DoubleTree,
    /// All-reduce by recursive halving and doubling.
    HalvingDoubling,
    /// All-reduce in the switches of a domain.
    Nvls,
    /// All-reduce in the switches of domains and trees between them.
    NvlsTree,
    /// All-reduce in the switches of the network.
    CollNet,
    /// Gather everybody's part at everybody over a ring.
    AllGather,
    /// The same by recursive doubling.
    AllGatherDoubling,
    /// The same over parallel aggregated trees.
    AllGatherPat,
    /// The same in the switches of a domain.
    AllGatherNvls,
    /// Reduce everybody's part at its owner over a ring.
    ReduceScatter,
    /// The same by recursive halving.
    ReduceScatterHalving,
    /// The same over parallel aggregated trees.
    ReduceScatterPat,
    /// The same in the switches of a domain.
    ReduceScatterNvls,
    /// One rank's buffer at everybody.
    Broadcast,
    /// The sum at one rank.
    Reduce,
    /// Everybody's part at one rank.
    Gather,
    /// One rank's parts, one to each.
    Scatter,
    /// Every ordered pair.
    AllToAll,
    /// Every ordered pair, inside the domain first.
    AllToAllHierarchical,
    /// Every ordered pair, over the GPU on the receiver's rail.
    AllToAllRail,
    /// Everybody to the rank half way round.
    Permutation,
    /// Everybody to the next.
    SendRecv,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 25] = [
        Self::Ring,
        Self::AllReduce,
        Self::RingChannels,
        Self::DoubleTree,
        Self::HalvingDoubling,
        Self::Nvls,
        Self::NvlsTree,
        Self::CollNet,
        Self::AllGather,
        Self::AllGatherDoubling,
        Self::AllGatherPat,
        Self::AllGatherNvls,
        Self::ReduceScatter,
        Self::ReduceScatterHalving,
        Self::ReduceScatterPat,
        Self::ReduceScatterNvls,
        Self::Broadcast,
        Self::Reduce,
        Self::Gather,
        Self::Scatter,
        Self::AllToAll,
        Self::AllToAllHierarchical,
        Self::AllToAllRail,
        Self::Permutation,
        Self::SendRecv,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::AllReduce => "all_reduce",
            Self::RingChannels => "ring_channels",
            Self::DoubleTree => "double_tree",
            Self::HalvingDoubling => "halving_doubling",
            Self::Nvls => "nvls",
            Self::NvlsTree => "nvls_tree",
            Self::CollNet => "collnet",
            Self::AllGather => "all_gather",
            Self::AllGatherDoubling => "all_gather_doubling",
            Self::AllGatherPat => "all_gather_pat",
            Self::AllGatherNvls => "all_gather_nvls",
            Self::ReduceScatter => "reduce_scatter",
            Self::ReduceScatterHalving => "reduce_scatter_halving",
            Self::ReduceScatterPat => "reduce_scatter_pat",
            Self::ReduceScatterNvls => "reduce_scatter_nvls",
            Self::Broadcast => "broadcast",
            Self::Reduce => "reduce",
            Self::Gather => "gather",
            Self::Scatter => "scatter",
            Self::AllToAll => "alltoall",
            Self::AllToAllHierarchical => "alltoall_hierarchical",
            Self::AllToAllRail => "alltoall_rail",
            Self::Permutation => "permutation",
            Self::SendRecv => "sendrecv",
        }
    }

    /// The collective of which NCCL's tuner chooses algorithm and protocol; none where the name
    /// says how it is carried out.
    pub const fn tuned(self) -> Option<CollectiveKind> {
        Some(match self {
            Self::AllReduce => CollectiveKind::AllReduce,
            Self::AllGather => CollectiveKind::AllGather,
            Self::ReduceScatter => CollectiveKind::ReduceScatter,
            Self::Broadcast => CollectiveKind::Broadcast,
            Self::Reduce => CollectiveKind::Reduce,
            _ => return None,
        })
    }

    /// Whether its messages are spread over channels and cut by a protocol's buffers: what
    /// [`Options`](super::Options) say.
    pub const fn has_channels(self) -> bool {
        matches!(
            self,
            Self::RingChannels
                | Self::DoubleTree
                | Self::AllGather
                | Self::ReduceScatter
                | Self::Broadcast
                | Self::Reduce
        )
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("allreduce"), None);
    }
}
