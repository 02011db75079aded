//! What NCCL would choose.

use collective::Priced;
use profile::{Algorithm, CollectiveKind, CommProfile, Protocol};
use units::{Bytes, Seconds};

use super::{Kind, Options, Ranks};

/// What is taken out of NCCL's hands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Only this algorithm, as `NCCL_ALGO`; kinds of collective that do not have it are free.
    pub algorithm: Option<Algorithm>,
    /// Only this protocol, as `NCCL_PROTO`; algorithms that do not have it are left out, if others
    /// have it.
    pub protocol: Option<Protocol>,
    /// So many channels.
    pub channels: Option<u32>,
    /// Whether switches may reduce (SHARP), which NCCL does not do unless told.
    pub collnet: bool,
}

/// How a collective is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The collective that stands for it.
    pub kind: Kind,
    /// Channels, chunks and the protocol.
    pub options: Options,
    /// What the tuner says, where it was asked.
    pub tuned: Option<Tuned>,
}

/// What NCCL's tuner chose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuned {
    /// The algorithm as NCCL names it.
    pub algorithm: Algorithm,
    /// What NCCL's model says it takes, kernels and flags included.
    pub time: Seconds,
}

/// How a collective is run: by NCCL's tuning model, with its own constants, where NCCL has a
/// choice; else over NCCL's channels, with the protocol Simple.
pub fn choose(kind: Kind, ranks: &Ranks, bytes: Bytes, wishes: &Wishes) -> Choice {
    let comm = CommProfile::nccl();
    let most = ranks.shape().channels(&comm).max(1);
    let options = |algorithm, protocol| {
        let usual = || channels(algorithm, protocol, ranks.n(), bytes).min(most);
        Options::new(protocol, wishes.channels.unwrap_or_else(usual))
    };
    let Some(tuned) = kind.tuned() else {
        let protocol = wishes.protocol.filter(|_| kind.has_channels());
        return Choice {
            kind,
            options: options(Algorithm::Ring, protocol.unwrap_or(Protocol::Simple)),
            tuned: None,
        };
    };
    let allowed = collective::Choice {
        algorithm: wishes.algorithm,
        protocol: wishes.protocol,
        collnet: wishes.collnet,
        ..collective::Choice::default()
    };
    let cost = Priced::new(tuned, ranks.shape(), &comm, &allowed).time(bytes);
    Choice {
        kind: kind_of(tuned, cost.algorithm).unwrap_or(kind),
        options: options(cost.algorithm, cost.protocol),
        tuned: Some(Tuned {
            algorithm: cost.algorithm,
            time: cost.time,
        }),
    }
}

/// The collective that stands for an algorithm; none where it is the usual one.
const fn kind_of(kind: CollectiveKind, algorithm: Algorithm) -> Option<Kind> {
    Some(match (kind, algorithm) {
        (CollectiveKind::AllReduce, Algorithm::Tree) => Kind::DoubleTree,
        (CollectiveKind::AllReduce, Algorithm::CollNetDirect | Algorithm::CollNetChain) => {
            Kind::CollNet
        }
        (CollectiveKind::AllReduce, Algorithm::Nvls) => Kind::Nvls,
        (CollectiveKind::AllReduce, Algorithm::NvlsTree) => Kind::NvlsTree,
        (CollectiveKind::AllReduce, _) => Kind::RingChannels,
        (CollectiveKind::AllGather, Algorithm::Pat) => Kind::AllGatherPat,
        (CollectiveKind::AllGather, Algorithm::Nvls) => Kind::AllGatherNvls,
        (CollectiveKind::ReduceScatter, Algorithm::Pat) => Kind::ReduceScatterPat,
        (CollectiveKind::ReduceScatter, Algorithm::Nvls) => Kind::ReduceScatterNvls,
        _ => return None,
    })
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
