//! Collectives as programs: who sends what to whom, after what.
//!
//! `n` ranks in the order given, `S` bytes. A *domain* is a set of ranks that a scale-up fabric
//! joins, mostly a node; ranks without one are domains by themselves.
//!
//! | kind | streams |
//! |---|---|
//! | `ring` | all-reduce: each rank to the next, 2 (n − 1) steps of ⌈S/n⌉, each after the one before it arrived |
//! | `all_reduce` | the algorithm and protocol that NCCL's tuner chooses ([`choose`]) |
//! | `ring_channels` | all-reduce: one ring a channel, parts cut into chunks that follow each other |
//! | `double_tree` | all-reduce: chains inside domains, two complementary binary trees between them |
//! | `halving_doubling` | all-reduce: 2 ⌊log₂ n⌋ rounds, and one at both ends where n is no power of two |
//! | `nvls`, `nvls_tree` | all-reduce in the switches of a domain; trees between domains |
//! | `collnet` | all-reduce in the switches of the network (SHARP) |
//! | `all_gather`, `reduce_scatter` | ring, n − 1 steps of ⌈S/n⌉; `S` is the size of the whole buffer |
//! | `all_gather_doubling`, `reduce_scatter_halving` | ⌈log₂ n⌉ rounds |
//! | `all_gather_pat`, `reduce_scatter_pat` | ⌈log₂ n⌉ rounds, the farthest with the least data |
//! | `broadcast`, `reduce` | a chain from or to the first rank, one a channel, in chunks |
//! | `gather`, `scatter` | straight to or from the first rank, ⌈S/n⌉ each |
//! | `alltoall` | every ordered pair at once, `S` each |
//! | `alltoall_hierarchical` | inside the domain, then between domains |
//! | `alltoall_rail` | over the GPU on the receiver's rail (PXN), one message for a domain |
//! | `permutation` | rank i to i + n/2, `S` each |
//! | `sendrecv` | rank i to i + 1, `S` each |
//!
//! Sizes are those of nccl-tests but for the three kinds of all-to-all: there `S` is what one rank
//! sends in all, here what it sends to each other rank.
//!
//! Deliberately absent: the time of kernels, proxies and flags, which NCCL's latencies contain
//! (`collective` has them); here a hop takes the latency of its links.

mod choose;
mod draft;
mod halving;
mod kind;
mod options;
mod pairs;
mod rails;
mod ranks;
mod ring;
mod rounds;
mod size;
mod switch;
mod tree;

use units::{Bytes, HostId};

pub use choose::{Choice, choose};
pub use draft::{Cargo, Parts, Through};
pub use kind::Kind;
pub use options::Options;
pub use ranks::Ranks;
pub use size::streams_at_most;

use draft::Draft;

use crate::program::Program;

/// A collective over hosts, each a domain by itself, in one channel with the protocol Simple.
/// Where NCCL's tuner chooses, it is told of NICs of 100 Gbit/s.
pub fn collective(kind: Kind, hosts: &[HostId], bytes: Bytes) -> Program {
    let ranks = Ranks::alone(hosts);
    match kind {
        Kind::AllReduce => {
            let choice = choose(&ranks, bytes);
            collective_over(choice.kind, &ranks, bytes, &choice.options)
        }
        _ => collective_over(kind, &ranks, bytes, &Options::default()),
    }
}

/// A collective over ranks. The kind [`Kind::AllReduce`] takes algorithm and options from
/// [`choose`]; others take these options.
pub fn collective_over(kind: Kind, ranks: &Ranks, bytes: Bytes, options: &Options) -> Program {
    let mut draft = Draft::new(ranks);
    draw(&mut draft, kind, bytes, options);
    draft.program
}

/// The same with what each stream carries: for those who check or translate programs. It takes
/// more memory.
pub fn collective_with_cargo(
    kind: Kind,
    ranks: &Ranks,
    bytes: Bytes,
    options: &Options,
) -> (Program, Vec<Cargo>) {
    let mut draft = Draft::recording(ranks);
    draw(&mut draft, kind, bytes, options);
    (draft.program, draft.cargo.unwrap_or_default())
}

fn draw(draft: &mut Draft<'_>, kind: Kind, bytes: Bytes, options: &Options) {
    use rounds::Rounds::{Doubling, Pat};
    let size = bytes.as_u64();
    let options = &options.bounded();
    if draft.n() < 2 {
        return;
    }
    match kind {
        Kind::AllReduce => {
            let choice = choose(draft.ranks, bytes);
            draw(draft, choice.kind, bytes, &choice.options);
        }
        Kind::Ring => ring::plain(draft, ring::Turns::AllReduce, size),
        Kind::AllGather => ring::plain(draft, ring::Turns::AllGather, size),
        Kind::ReduceScatter => ring::plain(draft, ring::Turns::ReduceScatter, size),
        Kind::RingChannels => ring::channels(draft, size, options),
        Kind::Broadcast => ring::broadcast(draft, size, options),
        Kind::Reduce => ring::reduce(draft, size, options),
        Kind::DoubleTree => tree::double_tree(draft, size, options),
        Kind::HalvingDoubling => halving::halving_doubling(draft, size),
        Kind::Nvls => switch::nvls(draft, size, options),
        Kind::NvlsTree => switch::nvls_tree(draft, size, options),
        Kind::CollNet => switch::collnet(draft, size, options),
        Kind::AllGatherDoubling => rounds::all_gather(draft, Doubling, size),
        Kind::AllGatherPat => rounds::all_gather(draft, Pat, size),
        Kind::ReduceScatterHalving => rounds::reduce_scatter(draft, Doubling, size),
        Kind::ReduceScatterPat => rounds::reduce_scatter(draft, Pat, size),
        Kind::AllToAll => pairs::all_to_all(draft, size),
        Kind::AllToAllHierarchical => rails::hierarchical(draft, size),
        Kind::AllToAllRail => rails::rail_aligned(draft, size),
        Kind::Gather => pairs::gather(draft, size),
        Kind::Scatter => pairs::scatter(draft, size),
        Kind::Permutation => pairs::shifted(draft, size, draft.n() / 2),
        Kind::SendRecv => pairs::shifted(draft, size, 1),
    }
}
