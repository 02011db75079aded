//! What NCCL would choose.

use collective::Priced;
use profile::{Algorithm, CollectiveKind, CommProfile, Protocol};
use units::{Bytes, Seconds};

use super::{Kind, Options, Ranks};

/// How NCCL would run an all-reduce.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The algorithm as NCCL names it.
    pub algorithm: Algorithm,
    /// The collective that stands for the algorithm.
    pub kind: Kind,
    /// Channels, chunks and the protocol.
    pub options: Options,
    /// What NCCL's model says it takes, kernels and flags included.
    pub time: Seconds,
}

/// The algorithm and protocol of an all-reduce by NCCL's tuning model, with its own constants.
pub fn choose(ranks: &Ranks, bytes: Bytes) -> Choice {
    let comm = CommProfile::nccl();
    let (kind, shape) = (CollectiveKind::AllReduce, ranks.shape());
    let cost = Priced::new(kind, shape, &comm, &collective::Choice::default()).time(bytes);
    let most = shape.channels(&comm).max(1);
    let channels = channels(cost.algorithm, cost.protocol, ranks.n(), bytes).min(most);
    Choice {
        algorithm: cost.algorithm,
        kind: kind_of(cost.algorithm),
        options: Options::new(cost.protocol, channels),
        time: cost.time,
    }
}

const fn kind_of(algorithm: Algorithm) -> Kind {
    match algorithm {
        Algorithm::Tree => Kind::DoubleTree,
        Algorithm::CollNetDirect | Algorithm::CollNetChain => Kind::CollNet,
        Algorithm::Nvls => Kind::Nvls,
        Algorithm::NvlsTree => Kind::NvlsTree,
        Algorithm::Ring | Algorithm::Pat | Algorithm::Pairs => Kind::RingChannels,
    }
}

/// Channels that get enough to do: each thread of a channel at least 8 bytes with LL and LL128,
/// times the ranks for LL in a ring, and 64 bytes with Simple.
///
/// Source: NCCL 2.30.7, `src/graph/tuning.cc` (thresholds of threads), with the 512 threads of a
/// block, for LL128 640.
fn channels(algorithm: Algorithm, protocol: Protocol, n: u32, bytes: Bytes) -> u32 {
    let least = match (protocol, algorithm) {
        (Protocol::Ll, Algorithm::Ring) => 8 * 512 * u64::from(n.max(1)),
        (Protocol::Ll, _) => 8 * 512,
        (Protocol::Ll128, _) => 8 * 640,
        (Protocol::Simple, _) => 64 * 512,
    };
    u32::try_from(bytes.as_u64() / least)
        .unwrap_or(u32::MAX)
        .max(1)
}
