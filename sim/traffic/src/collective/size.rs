//! How large programs are, before they are made.

use units::Bytes;

use super::{Kind, Options, Ranks, Wishes, choose, n_lanes};

/// A bound on the streams of a collective: what it would take is not made to find out. Only the
/// kinds that talk in pairs grow with the square of the ranks.
pub fn streams_at_most(kind: Kind, ranks: &Ranks, bytes: Bytes, options: &Options) -> u64 {
    let n = u64::from(ranks.n());
    let domains = ranks.domains().len() as u64;
    let widest = u64::from(ranks.widest());
    let channels = u64::from(options.bounded().channels);
    let rounds = n.max(1).next_power_of_two().ilog2();
    if kind == Kind::AllReduce {
        let choice = choose(kind, ranks, bytes, &Wishes::default());
        return streams_at_most(choice.kind, ranks, bytes, &choice.options);
    }
    let lanes = u64::from(n_lanes(kind, ranks, &options.bounded()));
    let of_one = match kind {
        Kind::Gather | Kind::Scatter | Kind::Permutation | Kind::SendRecv => n,
        Kind::Ring => n * u64::from(ranks.n_rails()),
        Kind::AllReduce
        | Kind::RingChannels
        | Kind::AllGather
        | Kind::ReduceScatter
        | Kind::Broadcast
        | Kind::Reduce => n * channels,
        Kind::AllGatherNvls | Kind::ReduceScatterNvls => n * n.max(channels),
        Kind::DoubleTree => 4 * n * channels,
        Kind::HalvingDoubling => n * (2 * u64::from(rounds) + 2),
        Kind::Nvls | Kind::NvlsTree => 2 * n + 4 * widest * domains,
        Kind::CollNet => 2 * n * widest + widest * (domains + 1),
        Kind::AllGatherDoubling
        | Kind::AllGatherPat
        | Kind::ReduceScatterHalving
        | Kind::ReduceScatterPat => n * u64::from(rounds),
        Kind::AllToAll => n * n,
        Kind::AllToAllHierarchical => n * (widest + domains),
        Kind::AllToAllRail => n * (widest + 1) * domains,
    };
    of_one.saturating_mul(lanes)
}
