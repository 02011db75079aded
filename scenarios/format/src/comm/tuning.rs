//! `[comm.tuning]`: constants of collectives that do not depend on hardware.

use profile::{BufferComm, Tuning};

use super::{any, latencies, share};
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{array, list, number, table, whole};

/// Every field may be left out.
pub(super) fn tuning(t: &mut Fields<'_, '_>) -> Tuning {
    let own = Tuning::default();
    let lists = || array::<3, _>(list(any()));
    Tuning {
        base_us: t
            .get("base_us", "latency before the first hop", table(latencies))
            .or(own.base_us),
        tree_factors: t
            .get(
                "tree_factors",
                "a tree over the model for LL, LL128, Simple, at 64 bytes and each doubling",
                lists(),
            )
            .or(own.tree_factors),
        ring_plateau: t
            .get(
                "ring_plateau",
                "latency of Simple rings between nodes times this",
                any(),
            )
            .or(own.ring_plateau),
        ring_plateau_bytes: t
            .get(
                "ring_plateau_bytes",
                "from so many bytes per channel and rank on",
                any(),
            )
            .or(own.ring_plateau_bytes),
        ring_ll: t
            .get("ring_ll", "share of a line that is data, LL", share())
            .or(own.ring_ll),
        ring_ll128: t
            .get("ring_ll128", "the same, LL128", share())
            .or(own.ring_ll128),
        tree: t
            .get("tree", "a tree over the ring's speed", any())
            .or(own.tree),
        tree_ll: t
            .get("tree_ll", "LL in a tree, on top", any())
            .or(own.tree_ll),
        tree_ll128: t
            .get(
                "tree_ll128",
                "LL128 in a tree: one domain, several",
                array::<2, _>(any()),
            )
            .or(own.tree_ll128),
        nvls: t
            .get("nvls", "all-reduce by NVLS over its speed", any())
            .or(own.nvls),
        pat: t.get("pat", "PAT over the ring's speed", any()).or(own.pat),
        pat_net_divisor: t
            .get(
                "pat_net_divisor",
                "PAT: network latency over this",
                number(Limits::POSITIVE),
            )
            .or(own.pat_net_divisor),
        pat_rank_us: t
            .get("pat_rank_us", "PAT: each rank, in µs", any())
            .or(own.pat_rank_us),
        collnet_rank_us: t
            .get(
                "collnet_rank_us",
                "each further rank of a node, in µs",
                any(),
            )
            .or(own.collnet_rank_us),
        pairs_peer_us: t
            .get(
                "pairs_peer_us",
                "each further peer of a domain in an all-to-all, in µs",
                any(),
            )
            .or(own.pairs_peer_us),
        send_ll_bytes: t
            .get("send_ll_bytes", "sends up to this size use LL", whole(0))
            .or(own.send_ll_bytes),
        buffers: t
            .get(
                "buffers",
                "memory of a connection of a channel",
                table(buffers),
            )
            .or(own.buffers),
    }
}

fn buffers(t: &mut Fields<'_, '_>) -> BufferComm {
    let own = Tuning::default().buffers;
    BufferComm {
        protocols: t
            .get(
                "protocols",
                "bytes: LL, LL128, Simple",
                array::<3, _>(whole::<u64>(0)),
            )
            .or(own.protocols),
        connections: t
            .get(
                "connections",
                "connections with buffers of their own",
                whole(0),
            )
            .or(own.connections),
    }
}
