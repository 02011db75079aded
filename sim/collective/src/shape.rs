//! What of a group of GPUs matters to the cost of its collectives.

use std::collections::BTreeSet;

use cluster::Cluster;
use profile::CommProfile;
use units::math::log2;
use units::{BytesPerSec, GpuId};

use crate::hops::{Domains, Pattern, hops_between};
use crate::inside::intra;
use crate::load::Loads;
use crate::spread::pairs;

/// A group of ranks, as far as costs depend on it.
///
/// Rates are those of data sheets and links, without the efficiencies of a profile. Where domains
/// or GPUs differ, the slowest counts, since all wait for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CommShape {
    /// Ranks in all.
    pub ranks: u32,
    /// Scale-up domains over which they are spread.
    pub domains: u32,
    /// Ranks of the domain with most of them.
    pub per_domain: u32,
    /// Ranks of the domain with fewest of them.
    pub fewest: u32,
    /// NICs that the group uses in the domain with fewest of them.
    pub rails: u32,
    /// Rails or planes of the fabric on which these NICs are; 1 where any NIC reaches any other.
    pub lanes: u32,
    /// What a rank sends to the other ranks of its domain, one direction.
    pub intra: BytesPerSec,
    /// What a domain sends to the next in a ring while the siblings do so too.
    pub ring: BytesPerSec,
    /// The bytes per second that are all-reduced over trees between domains, under the same
    /// condition.
    pub trees: BytesPerSec,
    /// What a rank sends to ranks of other domains in an all-to-all, under the same condition.
    pub pairs: BytesPerSec,
    /// The entry of [`CommProfile::scale_up`].
    pub scale_up: u8,
    /// The entry of [`CommProfile::network`].
    pub network: u8,
    /// What collectives take over what the model says, 1 unless a fit says otherwise. Where links
    /// are shared, they carry that much more.
    pub pace: f64,
    /// Seconds for which ranks wait for each other before each collective, 0 unless a fit says
    /// otherwise: kernels do not end at the same time on all of them.
    pub skew: f64,
}

impl CommShape {
    /// The same shape whose collectives take so many times as long.
    #[must_use]
    pub fn at_pace(mut self, pace: f64) -> Self {
        self.pace *= pace;
        self
    }

    /// The same shape whose ranks wait for each other before each collective: `log₂ ranks` times
    /// some seconds, since the slowest of many is slower.
    #[must_use]
    pub fn with_skew(mut self, seconds: f64) -> Self {
        if 1 < self.ranks {
            self.skew += seconds * log2(f64::from(self.ranks));
        }
        self
    }

    /// Channels (parallel rings) of the communicator; with
    /// [`CommProfile::memory`] they give the size of its buffers.
    pub fn channels(&self, comm: &CommProfile) -> u32 {
        if self.domains > 1 {
            comm.network[usize::from(self.network)].channels_per_nic * self.rails.max(1)
        } else {
            comm.scale_up[usize::from(self.scale_up)].channels
        }
    }

    /// Ranks behind switches that connect any two of them at that rate, in one domain.
    pub const fn domain(ranks: u32, rate: BytesPerSec, scale_up: u8) -> Self {
        Self {
            ranks,
            domains: 1,
            per_domain: ranks,
            fewest: ranks,
            rails: 0,
            lanes: 1,
            intra: rate,
            ring: rate,
            trees: rate,
            pairs: rate,
            scale_up,
            network: 0,
            pace: 1.0,
            skew: 0.0,
        }
    }

    /// Ranks with a NIC of that rate each, and nothing else, on a fabric that never blocks.
    pub fn hosts(ranks: u32, rate: BytesPerSec, network: u8) -> Self {
        let trees = rate.scale(1.0 / tree_load(ranks)).unwrap_or(rate);
        Self {
            ranks,
            domains: ranks,
            per_domain: 1,
            fewest: 1,
            rails: 1,
            trees,
            network,
            ..Self::domain(ranks, rate, 0)
        }
    }
}

/// What the busiest place sends in two complementary trees over `n` places, in copies of the
/// buffer.
fn tree_load(n: u32) -> f64 {
    match n {
        0..=2 => 1.0,
        3 => 1.5,
        _ => 2.0,
    }
}

/// The shape of a group whose ranks sit on those GPUs, in order.
///
/// * `siblings` — the groups that run the same collective at the same time, without the group
///   itself: the eight data-parallel rings of a node that share its NICs, for example.
///
/// The rates come from the routes of all transfers of a ring and of trees, so contention on NICs,
/// `PCIe` and oversubscribed links counts, wherever it is; those of an all-to-all from the
/// capacity of NICs, leaves and pods, where traffic is taken to spread evenly. The time grows
/// with the number of ranks of all groups; [`regular_shape`](crate::regular_shape) is for plans
/// by the thousand.
pub fn shape(
    cluster: &Cluster,
    comm: &CommProfile,
    group: &[GpuId],
    siblings: &[Vec<GpuId>],
) -> CommShape {
    let domains = Domains::new(group, cluster);
    let others: Vec<_> = siblings
        .iter()
        .map(|sibling| Domains::new(sibling, cluster))
        .collect();
    shape_of(cluster, comm, &domains, &others, &|_, _| true)
}

/// The shape of two GPUs that send to each other: as that of [`shape`] for messages, which is all
/// that it is good for, in a third of the time.
///
/// * `others` — the pairs that send at the same time, without the pair itself.
pub fn pair_shape(
    cluster: &Cluster,
    comm: &CommProfile,
    pair: [GpuId; 2],
    others: &[[GpuId; 2]],
) -> CommShape {
    let domains = Domains::new(&pair, cluster);
    let others: Vec<_> = others
        .iter()
        .map(|other| Domains::new(other, cluster))
        .collect();
    let inside = intra(cluster, comm, &domains, &others);
    let rates = if domains.len() > 1 {
        let rate = between(cluster, Pattern::Ring, &domains, &others, &|_, _| true);
        [BytesPerSec::new(rate).unwrap_or(inside.0); 3]
    } else {
        [inside.0; 3]
    };
    with_rates(cluster, comm, &domains, inside, rates)
}

/// The shape of a group by domains. Only transfers that `counts` accepts are looked at.
pub(crate) fn shape_of(
    cluster: &Cluster,
    comm: &CommProfile,
    group: &Domains,
    siblings: &[Domains],
    counts: &dyn Fn(GpuId, GpuId) -> bool,
) -> CommShape {
    let inside = intra(cluster, comm, group, siblings);
    let mut rates = [inside.0; 3];
    if group.len() > 1 {
        let between = |pattern| between(cluster, pattern, group, siblings, counts);
        let found = [
            between(Pattern::Ring),
            between(Pattern::Trees),
            pairs(cluster, group, siblings),
        ];
        rates = found.map(|rate| BytesPerSec::new(rate).unwrap_or(inside.0));
    }
    with_rates(cluster, comm, group, inside, rates)
}

/// The shape of a group whose rates are known: inside a domain, of rings, of trees, of pairs.
fn with_rates(
    cluster: &Cluster,
    comm: &CommProfile,
    group: &Domains,
    (intra, scale_up): (BytesPerSec, u8),
    [ring, trees, pairs]: [BytesPerSec; 3],
) -> CommShape {
    let count = |n: usize| u32::try_from(n).expect("a cluster counts its GPUs in u32");
    CommShape {
        ranks: count(group.members.iter().map(Vec::len).sum()),
        domains: count(group.len()),
        per_domain: count(group.members.iter().map(Vec::len).max().unwrap_or(0)),
        fewest: count(group.members.iter().map(Vec::len).min().unwrap_or(0)),
        rails: count(group.rails.iter().map(Vec::len).min().unwrap_or(0)),
        lanes: lanes(cluster, &group.rails),
        intra,
        ring,
        trees,
        pairs,
        scale_up,
        network: comm.network_of(cluster.network(), cluster.fabric_name()),
        pace: 1.0,
        skew: 0.0,
    }
}

/// The different lanes of the NICs of the first domain.
fn lanes(cluster: &Cluster, rails: &[Vec<GpuId>]) -> u32 {
    let nics = rails.first().into_iter().flatten();
    let lanes: BTreeSet<u32> = nics
        .filter_map(|&gpu| cluster.nic_of(gpu))
        .map(|nic| cluster.lane_of(nic))
        .collect();
    u32::try_from(lanes.len()).unwrap_or(1).max(1)
}

/// The rate of a pattern between domains while the siblings run it too.
fn between(
    cluster: &Cluster,
    pattern: Pattern,
    group: &Domains,
    siblings: &[Domains],
    counts: &dyn Fn(GpuId, GpuId) -> bool,
) -> f64 {
    let mut loads = Loads::new(cluster);
    let mut own = hops_between(pattern, group);
    own.retain(|hop| counts(hop.from, hop.to));
    for hop in &own {
        loads.add(hop.from, hop.to, hop.share);
    }
    for sibling in siblings {
        for hop in hops_between(pattern, sibling) {
            if counts(hop.from, hop.to) {
                loads.add(hop.from, hop.to, hop.share);
            }
        }
    }
    loads.rate(&own)
}
