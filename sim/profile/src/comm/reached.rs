//! What collectives take where they were measured.
//!
//! NCCL chooses an algorithm and a protocol by a model of its own, whose constants its authors
//! wrote down ([`ScaleUpComm`](crate::ScaleUpComm), [`NetworkComm`](crate::NetworkComm)). That
//! model finds the sizes at which real tables jump, but not the times on either side of a jump.
//! So where tables were fitted, NCCL's constants only choose, and these say how long it takes:
//!
//! ```text
//! t = start + Σ hops · hop + x + √(ramp · x),     x = bytes on a link / (share · rate of the link)
//! ```
//!
//! The root is how a pipeline reaches its bandwidth whose chunks are chosen well: a part of `x`
//! in `k` chunks of a fixed cost `c` takes `x + k·c + x/k`, least for `k = √(x/c)`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CollectiveKind, Provenance};

/// Inside a scale-up domain. Lists over protocols are in the order LL, LL128, Simple; shares are
/// of the data sheet's rate of a GPU, one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsideReached {
    /// Time before the first hop, by protocol, in µs.
    pub start_us: [f64; 3],
    /// Time of a hop, by protocol, in µs.
    pub hop_us: [f64; 3],
    /// What rings reach, by protocol.
    pub ring: [f64; 3],
    /// What trees reach of half the rate, by protocol: a chain carries every byte up and down.
    pub tree: [f64; 3],
    /// How slowly rings and trees reach it, by protocol, in µs.
    pub ramp_us: [f64; 3],
    /// NVLS: time before its first byte, in µs.
    pub nvls_us: f64,
    /// NVLS: what each rank adds, in µs.
    pub nvls_rank_us: f64,
    /// NVLS: bytes all-reduced per second over the rate.
    pub nvls: f64,
    /// NVLS between domains: bytes all-reduced per second over the rate, however fast the network.
    pub nvls_tree: f64,
    /// NVLS: how slowly that is reached, in µs.
    pub nvls_ramp_us: f64,
    /// The rate at which a rank copies its own part, in all-gathers and reduce-scatters.
    pub copy: f64,
    /// All-to-all: time before its first byte with LL and with Simple, in µs.
    pub pairs_us: [f64; 2],
    /// All-to-all: what LL moves to each peer, in 10⁹ bytes/s.
    pub pairs_ll: f64,
    /// All-to-all: what Simple reaches.
    pub pairs: f64,
    /// All-to-all: how slowly that is reached, in µs.
    pub pairs_ramp_us: f64,
    /// All-to-all: the rate at which a rank copies its own part.
    pub pairs_copy: f64,
    /// The rows behind these.
    pub fit: CommFit,
}

/// Between domains. Shares are of the rate of the NICs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BetweenReached {
    /// Time of a hop with its two NICs, by protocol, in µs.
    pub hop_us: [f64; 3],
    /// What rings reach, by protocol.
    pub ring: [f64; 3],
    /// What trees reach, by protocol.
    pub tree: [f64; 3],
    /// How slowly rings and trees reach it, by protocol, in µs.
    pub ramp_us: [f64; 3],
    /// The rows behind these.
    pub fit: CommFit,
}

/// How well constants describe the rows that they were fitted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommFit {
    /// Rows.
    pub rows: u32,
    /// Median absolute relative error on them, below and from 1 MiB.
    pub median_error: [f64; 2],
    /// The same on tables that were left out of the fit; 0 where no table could be.
    pub held_out: [f64; 2],
    /// Which rows were left out together.
    pub held_out_by: String,
    /// Below 1 MiB: the interval of measured over predicted time with 80 % of the rows that were
    /// left out, which reaches as many times below 1 as above.
    pub small: [f64; 2],
    /// The same from 1 MiB.
    pub large: [f64; 2],
    /// The collectives that were measured; others follow from the form.
    pub kinds: Vec<CollectiveKind>,
    /// Fewest and most that were measured: ranks inside a domain, domains between them. Beyond the
    /// most the form extrapolates.
    pub counts: [u32; 2],
    /// Every count that was measured, by collective; empty in files that say less.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<CollectiveKind, Vec<u32>>,
}

impl CommFit {
    /// Bytes below which a collective is small.
    pub const SMALL: u64 = 1 << 20;

    /// What a prediction for that kind is worth, on so many ranks of a domain or domains.
    pub fn provenance(&self, kind: CollectiveKind, count: u32) -> Provenance {
        if self.most(kind).is_some_and(|most| count <= most) {
            Provenance::Interpolated
        } else {
            Provenance::Extrapolated
        }
    }

    /// The most ranks of a domain, or domains, on which that kind was measured.
    fn most(&self, kind: CollectiveKind) -> Option<u32> {
        if self.measured.is_empty() {
            return self.kinds.contains(&kind).then_some(self.counts[1]);
        }
        self.measured.get(&kind)?.iter().max().copied()
    }

    /// What of a prediction for that kind was not measured, in words; `None` where it lies between
    /// counts that were.
    ///
    /// * `what` — what is counted: nodes, ranks.
    pub fn beyond(&self, kind: CollectiveKind, count: u32, what: &str) -> Option<String> {
        let name = kind.name();
        match self.most(kind) {
            Some(most) if count <= most => None,
            Some(most) => Some(format!(
                "{name} was measured on up to {most} {what}: {count} {what} follow from the closed form"
            )),
            None => Some(format!(
                "{name} was not measured: it follows from the closed form and other collectives"
            )),
        }
    }

    /// Which counts were measured, by collective: `all_reduce on 2, 4; all_gather on 2`.
    pub fn measured_in_words(&self) -> String {
        let words = self.measured.iter().map(|(kind, counts)| {
            let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
            format!("{} on {}", kind.name(), counts.join(", "))
        });
        words.collect::<Vec<_>>().join("; ")
    }

    /// From the 10th to the 90th percentile of measured over predicted time, for a size in bytes.
    /// Invariant: 1 is inside, so that an interval has its prediction in it.
    pub fn interval(&self, bytes: u64) -> [f64; 2] {
        let [low, high] = if bytes < Self::SMALL {
            self.small
        } else {
            self.large
        };
        [low.min(1.0), high.max(1.0)]
    }
}
