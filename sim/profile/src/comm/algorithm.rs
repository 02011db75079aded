//! The names of algorithms and protocols.

use serde::{Deserialize, Serialize};

/// How a collective is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Chains inside nodes, two complementary binary trees between them.
    Tree,
    /// Parallel rings over all ranks.
    Ring,
    /// Reduction in the network's switches, every GPU to its NIC.
    #[serde(rename = "collnet-direct")]
    CollNetDirect,
    /// The same, with a chain inside the node.
    #[serde(rename = "collnet-chain")]
    CollNetChain,
    /// Reduction and multicast in the switches of one domain.
    Nvls,
    /// The same inside domains, trees between them.
    NvlsTree,
    /// Logarithmic steps, one rank per node.
    Pat,
    /// Grouped send and receive between all pairs that talk.
    Pairs,
}

impl Algorithm {
    /// Every algorithm, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Tree,
        Self::Ring,
        Self::CollNetDirect,
        Self::CollNetChain,
        Self::Nvls,
        Self::NvlsTree,
        Self::Pat,
        Self::Pairs,
    ];

    /// The name as `NCCL_ALGO` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Ring => "ring",
            Self::CollNetDirect => "collnet-direct",
            Self::CollNetChain => "collnet-chain",
            Self::Nvls => "nvls",
            Self::NvlsTree => "nvls-tree",
            Self::Pat => "pat",
            Self::Pairs => "pairs",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

/// How data and the flags that announce it travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Eight bytes of data and flags in 16, stored together.
    #[serde(rename = "ll")]
    Ll,
    /// 120 bytes of data in 128, where NVLink keeps a line together.
    #[serde(rename = "ll128")]
    Ll128,
    /// Large chunks with a fence.
    Simple,
}

impl Protocol {
    /// Every protocol, in the order of lists over protocols.
    pub const ALL: [Self; 3] = [Self::Ll, Self::Ll128, Self::Simple];

    /// The place in lists over protocols.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name as `NCCL_PROTO` has it, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ll => "ll",
            Self::Ll128 => "ll128",
            Self::Simple => "simple",
        }
    }

    /// The protocol of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::from_name(protocol.name()), Some(protocol));
        }
    }
}
