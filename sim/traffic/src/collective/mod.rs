//! Collectives as programs: who sends what to whom, after what.
//!
//! `n` ranks in the order given, `S` bytes. A *domain* is a set of ranks that a scale-up fabric
//! joins, mostly a node; ranks without one are domains by themselves.
//!
//! | kind | streams |
//! |---|---|
//! | `ring` | all-reduce: each rank to the next, 2 (n − 1) steps of ⌈S/n⌉, each after the one before it arrived |
//! | `all_reduce` | one of the next, as NCCL's tuner chooses ([`choose`]) |
//! | `ring_channels` | all-reduce: one ring a channel, parts cut into chunks that follow each other |
//! | `double_tree` | all-reduce: chains inside domains, two complementary binary trees between them |
//! | `halving_doubling` | all-reduce: 2 ⌊log₂ n⌋ rounds, and one at both ends where n is no power of two |
//! | `nvls`, `nvls_tree` | all-reduce in the switches of a domain; trees between domains |
//! | `collnet` | all-reduce in the switches of the network (SHARP) |
//! | `all_gather`, `reduce_scatter` | one ring a channel, n − 1 steps of ⌈S/n⌉; `S` is the size of the whole buffer |
//! | `all_gather_doubling`, `reduce_scatter_halving` | ⌈log₂ n⌉ rounds |
//! | `all_gather_pat`, `reduce_scatter_pat` | ⌈log₂ n⌉ rounds, the farthest with the least data |
//! | `all_gather_nvls`, `reduce_scatter_nvls` | in the switch of a domain; rings over several |
//! | `broadcast`, `reduce` | a chain from or to the first rank, one a channel, in chunks |
//! | `gather`, `scatter` | straight to or from the first rank, ⌈S/n⌉ each |
//! | `alltoall` | every ordered pair at once, `S` each |
//! | `alltoall_hierarchical` | inside the domain, then between domains |
//! | `alltoall_rail` | over the GPU on the receiver's rail (PXN), one message for a domain |
//! | `permutation` | rank i to i + n/2, `S` each |
//! | `sendrecv` | rank i to i + 1, `S` each |
//!
//! [`choose`] says how NCCL would run `all_reduce`, `all_gather`, `reduce_scatter`, `broadcast` and
//! `reduce`, and over how many channels others run. Channels enter domains at different NICs; `ring`
//! has one ring for each NIC of domains with several. Ranks that are nodes with several NICs run
//! the whole program once for each NIC, with its part of the bytes.
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

pub use choose::{Choice, Tuned, Wishes, choose};
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
    collective_over(kind, &Ranks::alone(hosts), bytes, &Options::default())
}

/// A collective over ranks, as these options say: an all-gather and a reduce-scatter are rings. The
/// kind [`Kind::AllReduce`] takes algorithm and options from [`choose`].
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
    if kind == Kind::AllReduce {
        let choice = choose(kind, draft.ranks, bytes, &Wishes::default());
        return draw(draft, choice.kind, bytes, &choice.options);
    }
    let options = options.bounded();
    let lanes = n_lanes(kind, draft.ranks, &options);
    let size = bytes.as_u64().div_ceil(u64::from(lanes));
    let options = Options {
        channels: options.channels.div_ceil(lanes),
        ..options
    };
    if draft.n() < 2 {
        return;
    }
    for lane in 0..lanes {
        draft.enter(lane);
        draw_lane(draft, kind, size, &options);
    }
}

/// NICs of nodes that a collective uses: no more than it has channels.
fn n_lanes(kind: Kind, ranks: &Ranks, options: &Options) -> u32 {
    let lanes = ranks.n_lanes();
    if kind.has_channels() {
        lanes.min(options.channels)
    } else {
        lanes
    }
}

fn draw_lane(draft: &mut Draft<'_>, kind: Kind, size: u64, options: &Options) {
    use ring::Turns;
    use rounds::Rounds::{Doubling, Pat};
    let several = 1 < draft.ranks.domains().len();
    match kind {
        Kind::Ring => ring::plain(draft, Turns::AllReduce, size),
        Kind::AllReduce | Kind::RingChannels => {
            ring::channels(draft, Turns::AllReduce, size, options);
        }
        Kind::AllGatherNvls if !several => pairs::copies(draft, size),
        Kind::AllGather | Kind::AllGatherNvls => {
            ring::channels(draft, Turns::AllGather, size, options);
        }
        Kind::ReduceScatterNvls if !several => pairs::sums(draft, size),
        Kind::ReduceScatter | Kind::ReduceScatterNvls => {
            ring::channels(draft, Turns::ReduceScatter, size, options);
        }
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
