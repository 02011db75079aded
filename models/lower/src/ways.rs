//! Which ways transfers take where static routing does not choose them.
//!
//! A transfer between two GPUs is a connection: under `ecmp` it keeps one way by a hash, under
//! `ecmp-k` each of its queue pairs does. All transfers of a phase are cut and laid out together
//! under `singlepath`, so that the phase loads all ways evenly.

use std::collections::BTreeMap;

use cluster::{Cluster, ClusterNetwork, Topology};
use collective::{Hop, Pattern, hops};
use traffic::{Policy, Program, Route, Split, Stream, balance, crossed};
use units::{Bytes, GpuId, HostId, LinkId};

use crate::fabric::{FabricOptions, Owner, Tenant};
use crate::traffic::for_each_owner;

/// Bytes that stand for a whole transfer when pieces are cut.
const WHOLE: u64 = 1 << 40;

/// Which transfers are laid out together: those of one communicator's slot, or of all channels,
/// that take one pattern. Groups that run it on other ranks do so at about the same time.
type Phase = (usize, Option<u16>, Pattern);

/// The pieces of every transfer of some jobs, in the order of [`for_each_owner`].
pub(crate) fn chosen(
    cluster: &Cluster,
    jobs: &[Tenant<'_>],
    options: &FabricOptions,
) -> Vec<Vec<Taken>> {
    let mut all: Vec<Hop> = Vec::new();
    let mut phases: BTreeMap<Phase, Vec<usize>> = BTreeMap::new();
    for_each_owner(jobs, |owner, pattern, groups| {
        let (job, slot) = match owner {
            Owner::Price { job, price, .. } => (job, Some(jobs[job].binding.prices[price].slot)),
            Owner::Route { job, .. } => (job, None),
        };
        let own = groups.flat_map(|gpus| hops(pattern, gpus, cluster));
        let first = all.len();
        all.extend(own);
        let phase = phases.entry((job, slot, pattern)).or_default();
        phase.extend(first..all.len());
    });
    let mut ways = Ways::new(cluster, options);
    let mut chosen = vec![Vec::new(); all.len()];
    for places in phases.into_values() {
        let own: Vec<Hop> = places.iter().map(|place| all[*place]).collect();
        for taken in ways.taken(&own) {
            chosen[places[taken.hop]].push(taken);
        }
    }
    chosen
}

/// Chooses ways over a cluster.
struct Ways {
    network: ClusterNetwork,
    policy: Policy,
    seed: u64,
    /// Phases that were asked about.
    asked: u64,
}

/// A piece of a transfer on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    /// The transfer, by its place in its phase.
    hop: usize,
    /// Which part of it.
    pub(crate) part: f64,
    /// The way, where there is one.
    pub(crate) way: Option<u32>,
    pub(crate) links: Vec<LinkId>,
    /// What of the piece crosses each link; empty where all of it does.
    pub(crate) parts: Vec<f64>,
}

impl Ways {
    fn new(cluster: &Cluster, options: &FabricOptions) -> Self {
        let policy = match options.policy {
            // Phases repeat: what is least loaded is found once for all transfers of a phase.
            Policy::AdaptiveFlow => Policy::SinglePath(Split::Greedy),
            policy => policy,
        };
        Self {
            network: ClusterNetwork::new(cluster.clone()),
            policy,
            seed: options.seed,
            asked: 0,
        }
    }

    /// The pieces of the transfers of a phase, in order.
    fn taken(&mut self, hops: &[Hop]) -> Vec<Taken> {
        let network = &self.network;
        let size = |hop: &Hop| Bytes::new(WHOLE).scale(hop.share);
        let stream = |hop: &Hop| {
            let [src, dst] = [hop.from, hop.to].map(|gpu| host(network, gpu));
            Stream::message(src, dst, size(hop))
        };
        let program = Program::of(hops.iter().map(stream));
        self.asked += 1;
        let seed = self.seed ^ self.asked << 32;
        let balanced = balance(network, &program, self.policy, seed);
        let pieces = balanced.origin.iter().zip(balanced.program.streams());
        pieces
            .map(|(&hop, piece)| {
                let hop = hop as usize;
                let (links, parts): (Vec<_>, Vec<_>) = crossed(network, piece).into_iter().unzip();
                let all = parts.iter().all(|part| 1.0 <= *part);
                Taken {
                    hop,
                    part: piece.bytes.as_f64() / size(&hops[hop]).as_f64(),
                    way: match piece.route {
                        Route::Way(way) => Some(way),
                        _ => None,
                    },
                    links,
                    parts: if all { Vec::new() } else { parts },
                }
            })
            .collect()
    }
}

/// A GPU as a host of the network.
pub(crate) fn host(network: &ClusterNetwork, gpu: GpuId) -> HostId {
    debug_assert!(gpu.get() < network.n_hosts());
    HostId::new(network.n_nodes() + gpu.get())
}
