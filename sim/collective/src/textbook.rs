//! Closed forms of the literature, with a latency `α` a step and a rate `B` of every link.
//!
//! Throughout, `n` is the number of ranks, `S` the buffer that each contributes, adding is free,
//! and every rank sends and receives at once. Valid while no other traffic shares a link.

use units::{Bytes, BytesPerSec, Seconds, math};

/// A link of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// `α`: time of a step before its first byte counts.
    pub latency: Seconds,
    /// `B`: bytes per second in each direction.
    pub rate: BytesPerSec,
}

impl Link {
    fn step(self, bytes: f64) -> Seconds {
        self.latency + Seconds::from_secs(bytes / self.rate.as_f64())
    }
}

/// Ring reduce-scatter, or all-gather: `(n − 1)(α + S/(nB))`.
///
/// Source: Patarasuk and Yuan, *J. Parallel Distrib. Comput.* 69(2), 2009.
pub fn ring_reduce_scatter(n: u32, bytes: Bytes, link: Link) -> Seconds {
    let n = f64::from(n.max(1));
    link.step(bytes.as_f64() / n) * (n - 1.0)
}

/// Ring all-reduce: a reduce-scatter and an all-gather,
///
/// ```text
/// T = 2 (n − 1) α + 2 (n − 1)/n · S/B
/// ```
///
/// Source: Patarasuk and Yuan, *J. Parallel Distrib. Comput.* 69(2), 2009.
pub fn ring_all_reduce(n: u32, bytes: Bytes, link: Link) -> Seconds {
    ring_reduce_scatter(n, bytes, link) * 2.0
}

/// Star all-reduce: all send to one, who returns the sum,
///
/// ```text
/// T = 2 α + 2 (n − 1) S/B
/// ```
///
/// The link of the rank in the middle carries all. Source: TPI-LLM (Li et al., arXiv 2410.00531).
pub fn star_all_reduce(n: u32, bytes: Bytes, link: Link) -> Seconds {
    let n = f64::from(n.max(1));
    if n < 2.0 {
        return Seconds::ZERO;
    }
    link.step((n - 1.0) * bytes.as_f64()) * 2.0
}

/// The latency above which a star all-reduce beats a ring: `α > (n − 1)²/(n(n − 2)) · S/B`;
/// `None` for two ranks and fewer, where the ring is never slower.
///
/// Derived from [`star_all_reduce`] and [`ring_all_reduce`].
pub fn star_crossover(n: u32, bytes: Bytes, rate: BytesPerSec) -> Option<Seconds> {
    let n = f64::from(n);
    (n > 2.0).then(|| (bytes / rate) * ((n - 1.0).powi(2) / (n * (n - 2.0))))
}

/// All-reduce by recursive halving and doubling, for a power of two of ranks:
///
/// ```text
/// T = 2 log₂(n) α + 2 (n − 1)/n · S/B
/// ```
///
/// Source: Thakur, Rabenseifner and Gropp, *Int. J. High Perform. Comput. Appl.* 19(1), 2005,
/// after Rabenseifner. For other `n` the rounds are counted up.
pub fn halving_doubling_all_reduce(n: u32, bytes: Bytes, link: Link) -> Seconds {
    let rounds = f64::from(math::ceil_log2(u64::from(n)));
    let n = f64::from(n.max(1));
    link.latency * (2.0 * rounds) + (bytes / link.rate) * (2.0 * (n - 1.0) / n)
}

/// All-gather by recursive doubling, or reduce-scatter by recursive halving: half of
/// [`halving_doubling_all_reduce`].
///
/// Source: Thakur, Rabenseifner and Gropp, 2005.
pub fn recursive_all_gather(n: u32, bytes: Bytes, link: Link) -> Seconds {
    halving_doubling_all_reduce(n, bytes, link) * 0.5
}

/// All-reduce over two complementary binary trees, pipelined in `chunks` pieces:
///
/// ```text
/// T = 2 (log₂ n + k − 1) (α + 2 S/(2 k B)) = 2 (⌈log₂ n⌉ + k − 1)(α + S/(kB))
/// ```
///
/// where an inner place receives from two children, half of the data in each tree. With many
/// chunks the bandwidth term is `2 S/B`, twice that of one broadcast, and the latency is
/// logarithmic. Source: Sanders, Speck and Träff, *Parallel Computing* 35(12), 2009.
pub fn double_tree_all_reduce(n: u32, bytes: Bytes, chunks: u32, link: Link) -> Seconds {
    if n < 2 {
        return Seconds::ZERO;
    }
    let chunks = f64::from(chunks.max(1));
    let depth = f64::from(math::ceil_log2(u64::from(n)));
    link.step(bytes.as_f64() / chunks) * (2.0 * (depth + chunks - 1.0))
}

/// Pipelined broadcast along a chain, in `chunks` pieces: `(n − 2 + k)(α + S/(kB))`.
///
/// Source: Chan, Heimlich, Purkayastha and van de Geijn, *Concurrency Computat.: Pract. Exper.*
/// 19(13), 2007.
pub fn chain_broadcast(n: u32, bytes: Bytes, chunks: u32, link: Link) -> Seconds {
    if n < 2 {
        return Seconds::ZERO;
    }
    let chunks = f64::from(chunks.max(1));
    link.step(bytes.as_f64() / chunks) * (f64::from(n) - 2.0 + chunks)
}

/// All-to-all by shifted pairs: `(n − 1)(α + S/(nB))`, where `S` is what a rank sends in all, its
/// part for itself included.
///
/// Source: Thakur, Rabenseifner and Gropp, 2005 (pairwise exchange).
pub fn pairwise_all_to_all(n: u32, bytes: Bytes, link: Link) -> Seconds {
    ring_reduce_scatter(n, bytes, link)
}

/// Hierarchical all-reduce over `domains` domains of `per_domain` ranks: reduce-scatter inside,
/// all-reduce of each rank's part between domains, all-gather inside:
///
/// ```text
/// T = 2 (m − 1)(α₁ + S/(m B₁)) + 2 (d − 1)(α₂ + S/(m d B₂))
/// ```
///
/// * `outside` — the link of one rank, with its own NIC.
///
/// Source: Mikami et al., arXiv 1811.05233 (two-dimensional torus all-reduce).
pub fn hierarchical_all_reduce(
    per_domain: u32,
    domains: u32,
    bytes: Bytes,
    inside: Link,
    outside: Link,
) -> Seconds {
    let part = bytes / u64::from(per_domain.max(1));
    ring_all_reduce(per_domain, bytes, inside) + ring_all_reduce(domains, part, outside)
}

/// A step of ring attention over `n` ranks: keys and values of the next block travel one way,
/// `2 (s/n) h_kv e` bytes.
///
/// Source: Liu, Zaharia and Abbeel, arXiv 2310.01889.
pub fn ring_attention_step(n: u32, seq: u64, kv_width: u64, element: f64, link: Link) -> Seconds {
    link.step(2.0 * seq as f64 / f64::from(n.max(1)) * kv_width as f64 * element)
}

/// A step of TokenRing over `n` ranks: queries travel one way, `(s/n) h e` bytes, and partial
/// outputs of the same size return on the other direction of the link.
///
/// It moves half of [`ring_attention_step`] where queries and keys have equal width, as much where
/// a key head serves two query heads, and more beyond. Source: Wang et al., arXiv 2412.20501.
pub fn token_ring_step(n: u32, seq: u64, width: u64, element: f64, link: Link) -> Seconds {
    link.step(seq as f64 / f64::from(n.max(1)) * width as f64 * element)
}
