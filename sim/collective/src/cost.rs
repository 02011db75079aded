//! NCCL's cost model: latency and bandwidth of every algorithm and protocol.
//!
//! The formulas are those of NCCL 2.30.7's tuner (`src/graph/tuning.cc`), with two differences.
//! What leaves a domain is bounded by its NICs for every number of domains, where NCCL takes the
//! rate inside nodes for two. And the factor of trees is interpolated between powers of two.

use profile::{Algorithm, CollectiveKind, CommProfile, NetworkComm, Protocol, ScaleUpComm, Tuning};

use crate::hops::Pattern;
use crate::reached::{Reached, Takes};
use crate::{Choice, CommShape};

/// One way of running a collective. By `latency + bytes × slope` it is chosen, and takes that long
/// unless tables say otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) algorithm: Algorithm,
    pub(crate) protocol: Protocol,
    /// Seconds before the first byte counts.
    pub(crate) latency: f64,
    /// Bytes from which on the latency is `plateau` times as long.
    pub(crate) plateau_from: f64,
    pub(crate) plateau: f64,
    /// The largest size that is run so.
    pub(crate) most: f64,
    /// Seconds per byte of the collective's size.
    pub(crate) slope: f64,
    /// Seconds of the square root that is added: `√(ramp × time of the bytes)`.
    pub(crate) ramp: f64,
    /// What it takes where tables were fitted.
    pub(crate) takes: Option<Takes>,
    /// Whether the slope follows the tree's factor of size.
    pub(crate) tree_factor: bool,
    /// Bytes that a domain (for pairs: a rank, to one other) puts on the wire per byte of size.
    pub(crate) wire: f64,
    /// Who talks to whom between domains.
    pub(crate) pattern: Pattern,
}

impl Way {
    /// The same way, so many times as long for every size.
    pub(crate) fn at_pace(mut self, pace: f64) -> Self {
        for term in [
            &mut self.latency,
            &mut self.slope,
            &mut self.ramp,
            &mut self.wire,
        ] {
            *term *= pace;
        }
        self.takes = self.takes.map(|takes| takes.at_pace(pace));
        self
    }

    /// The same way behind a wait of its ranks for each other, in seconds.
    pub(crate) fn with_skew(mut self, seconds: f64) -> Self {
        self.latency += seconds;
        self.takes = self.takes.map(|takes| Takes {
            latency: takes.latency + seconds,
            ..takes
        });
        self
    }
}

/// The most ways that one kind of collective has.
pub(crate) const MAX_WAYS: usize = 10;

/// What the formulas share.
pub(crate) struct Model<'a> {
    pub(crate) kind: CollectiveKind,
    shape: &'a CommShape,
    pub(crate) tuning: &'a Tuning,
    pub(crate) scale_up: &'a ScaleUpComm,
    pub(crate) network: &'a NetworkComm,
    pub(crate) reached: Option<Reached<'a>>,
    /// Ranks, domains and ranks per domain.
    pub(crate) n: f64,
    pub(crate) domains: f64,
    pub(crate) per_domain: f64,
    /// Rates of the data sheets, with the correction for this kind; infinite where nothing is sent.
    pub(crate) sheet_intra: f64,
    pub(crate) sheet_ring: f64,
    pub(crate) sheet_trees: f64,
    /// What copies inside a GPU are counted in: the rate of its links.
    pub(crate) copy_rate: f64,
    /// Bytes per second of a rank inside its domain; infinite where it is alone there.
    intra: f64,
    /// Bytes per second of a domain to the next, and of trees; infinite in a single domain.
    ring: f64,
    trees: f64,
    /// The profile's correction of bandwidth for this kind.
    factor: f64,
    /// Place in lists by number of nodes.
    scale: usize,
    channels: f64,
}

impl<'a> Model<'a> {
    pub(crate) fn new(kind: CollectiveKind, shape: &'a CommShape, comm: &'a CommProfile) -> Self {
        let scale_up = &comm.scale_up[usize::from(shape.scale_up)];
        let network = &comm.network[usize::from(shape.network)];
        let several = shape.domains > 1;
        let factors = if several {
            &network.factors
        } else {
            &scale_up.factors
        };
        let factor = if factors.is_empty() {
            1.0
        } else {
            factors.get(&kind).copied().unwrap_or(1.0)
        };
        let when = |there: bool, rate: f64| if there { rate * factor } else { f64::INFINITY };
        let sheet_intra = when(shape.per_domain > 1, shape.intra.as_f64());
        let sheet_ring = when(several, shape.ring.as_f64());
        let sheet_trees = when(several, shape.trees.as_f64());
        Self {
            reached: Reached::new(scale_up.reached.as_ref(), network.reached.as_ref(), several),
            sheet_intra,
            sheet_ring,
            sheet_trees,
            copy_rate: shape.intra.as_f64(),
            kind,
            shape,
            tuning: &comm.tuning,
            scale_up,
            network,
            n: f64::from(shape.ranks),
            domains: f64::from(shape.domains),
            per_domain: f64::from(shape.per_domain),
            intra: sheet_intra * scale_up.efficiency,
            ring: sheet_ring * network.efficiency,
            trees: sheet_trees * network.efficiency,
            factor,
            scale: shape.domains.clamp(1, 3) as usize - 1,
            channels: f64::from(shape.channels(comm)),
        }
    }

    pub(crate) const fn several(&self) -> bool {
        self.shape.domains > 1
    }

    /// Calls `add` with every way that the choice allows.
    pub(crate) fn ways(&self, choice: Choice, mut add: impl FnMut(Way)) {
        use Algorithm as A;
        use CollectiveKind as K;
        let (several, alone) = (self.shape.domains > 1, self.shape.per_domain < 2);
        let ring = matches!(
            self.kind,
            K::AllReduce | K::AllGather | K::ReduceScatter | K::Broadcast | K::Reduce
        );
        let halves = matches!(self.kind, K::AllGather | K::ReduceScatter);
        let reduces = self.kind == K::AllReduce;
        // Two ranks never used NVLS in the tables, whatever its price.
        let nvls = self.scale_up.nvls.is_some()
            && !alone
            && !choice.without_nvls
            && (several || self.shape.ranks > 2);
        let simple = Protocol::Simple;
        let ordered = !several || !self.network.simple_only;
        for protocol in Protocol::ALL {
            let safe = (protocol != Protocol::Ll128 || self.scale_up.ll128)
                && (protocol == simple || ordered);
            if ring && safe && choice.allows(A::Ring, protocol) {
                add(self.ring_way(protocol));
            }
            if reduces && safe && choice.allows(A::Tree, protocol) {
                add(self.tree_way(protocol));
            }
        }
        if nvls && !several && (reduces || halves) && choice.allows(A::Nvls, simple) {
            add(self.nvls_way());
        }
        if nvls && several && reduces && choice.allows(A::NvlsTree, simple) {
            add(self.nvls_tree_way());
        }
        if several && alone && halves && choice.allows(A::Pat, simple) {
            add(self.pat_way());
        }
        if several && reduces && choice.collnet {
            for algorithm in [A::CollNetDirect, A::CollNetChain] {
                if choice.allows(algorithm, simple) {
                    add(self.collnet_way(algorithm));
                }
            }
        }
        match self.kind {
            K::AllToAll => match self.pairs_take().filter(|_| !several) {
                Some(both) => {
                    for (protocol, takes) in [Protocol::Ll, simple].into_iter().zip(both) {
                        if choice.protocol.is_none_or(|only| only == protocol) {
                            add(self.pairs_way(protocol, takes));
                        }
                    }
                }
                None => add(self.all_to_all_way()),
            },
            K::Gather | K::Scatter => add(self.root_way()),
            K::SendRecv => [Protocol::Ll, simple]
                .into_iter()
                .filter(|protocol| ordered || *protocol == simple)
                .for_each(|protocol| add(self.send_way(protocol))),
            _ => {}
        }
    }

    fn way(&self, algorithm: Algorithm, protocol: Protocol) -> Way {
        let (overhead, ramp) = if self.shape.domains > 1 {
            (self.network.overhead_us, self.network.ramp_us)
        } else {
            (self.scale_up.overhead_us, self.scale_up.ramp_us)
        };
        Way {
            algorithm,
            protocol,
            latency: overhead * 1e-6,
            plateau_from: f64::INFINITY,
            plateau: 1.0,
            most: f64::INFINITY,
            slope: 0.0,
            ramp: ramp * 1e-6,
            takes: None,
            tree_factor: false,
            wire: 0.0,
            pattern: Pattern::Ring,
        }
    }

    /// Latency of a hop inside a domain and of one between domains, in seconds.
    pub(crate) fn hop(&self, algorithm: Algorithm, protocol: Protocol) -> (f64, f64) {
        let inside = self.scale_up.hop_us.micros(algorithm, protocol);
        // With one rank per domain nothing hides the network: NCCL takes the tree's row.
        let row = if self.shape.per_domain < 2 && algorithm == Algorithm::Ring {
            Algorithm::Tree
        } else {
            algorithm
        };
        let nics = if protocol == Protocol::Simple {
            2.0
        } else {
            1.0
        };
        let outside = self.network.hop_us.micros(row, protocol) + nics * self.network.nic_us;
        (inside * 1e-6, outside * 1e-6)
    }

    pub(crate) fn base(&self, algorithm: Algorithm, protocol: Protocol) -> f64 {
        self.tuning.base_us.micros(algorithm, protocol) * 1e-6
    }

    /// The share of what a ring puts on the wire that is data.
    pub(crate) fn data_share(&self, protocol: Protocol) -> f64 {
        match protocol {
            Protocol::Ll => self.tuning.ring_ll,
            Protocol::Ll128 => self.tuning.ring_ll128,
            Protocol::Simple => 1.0,
        }
    }

    /// Bytes that a rank passes on in a ring, per byte of size.
    pub(crate) fn ring_bytes(&self) -> f64 {
        match self.kind {
            CollectiveKind::AllReduce => 2.0 * (self.n - 1.0) / self.n,
            CollectiveKind::AllGather | CollectiveKind::ReduceScatter => (self.n - 1.0) / self.n,
            _ => 1.0,
        }
    }

    /// Bytes of a collective that the network carries in a ring per byte of its capacity.
    fn carried(&self, protocol: Protocol, share: f64) -> f64 {
        let own = self.network.reached.as_ref();
        own.map_or(self.network.efficiency * share, |own| {
            own.ring[protocol.index()]
        })
    }

    /// The same in trees.
    fn carried_by_trees(&self, protocol: Protocol, share: f64) -> f64 {
        let own = self.network.reached.as_ref();
        own.map_or(self.network.efficiency * share, |own| {
            own.tree[protocol.index()]
        })
    }

    fn ring_way(&self, protocol: Protocol) -> Way {
        let mut way = self.way(Algorithm::Ring, protocol);
        let (inside, outside) = self.hop(Algorithm::Ring, protocol);
        let passes = match self.kind {
            CollectiveKind::AllReduce => 2.0,
            _ => 1.0,
        };
        let between = passes * (self.domains - 1.0);
        way.latency += self.base(Algorithm::Ring, protocol);
        if matches!(
            self.kind,
            CollectiveKind::Broadcast | CollectiveKind::Reduce
        ) {
            way.latency += if self.intra.is_finite() { inside } else { 0.0 } + between * outside;
            way.pattern = Pattern::Chain;
        } else {
            way.latency += (passes * (self.n - 1.0) - between) * inside + between * outside;
            if protocol == Protocol::Simple && self.shape.domains > 1 {
                way.plateau = self.tuning.ring_plateau;
                way.plateau_from = self.tuning.ring_plateau_bytes * self.channels * self.n;
            }
        }
        let share = self.data_share(protocol);
        let cap = match protocol {
            Protocol::Ll => self.scale_up.ll_cap[self.scale] * 1e9,
            Protocol::Ll128 => self.scale_up.ll128_ring_cap[self.scale] * 1e9 * self.channels,
            Protocol::Simple => f64::INFINITY,
        };
        let rate = (self.intra.min(self.ring) * share).min(cap);
        way.slope = self.ring_bytes() / rate;
        way.wire = self.ring_bytes() / self.carried(protocol, share);
        way.takes = self.ring_takes(protocol);
        way
    }

    fn tree_way(&self, protocol: Protocol) -> Way {
        let mut way = self.way(Algorithm::Tree, protocol);
        let (inside, outside) = self.hop(Algorithm::Tree, protocol);
        let depth = f64::from(self.shape.domains.ilog2());
        way.latency += self.base(Algorithm::Tree, protocol)
            + 2.0 * ((self.per_domain - 1.0) * inside + depth * outside);
        // A chain carries every byte up and down.
        let bound = self.tuning.tree * (self.intra / 2.0).min(self.trees);
        let several = usize::from(self.shape.domains > 1);
        let (share, cap) = match protocol {
            Protocol::Ll => (self.tuning.tree_ll, self.scale_up.ll_cap[self.scale]),
            Protocol::Ll128 => (
                self.tuning.tree_ll128[several],
                self.scale_up.ll128_tree_cap[self.scale] * self.channels,
            ),
            Protocol::Simple => (1.0, self.scale_up.tree_cap[self.scale] * self.channels),
        };
        way.slope = (bound * share).min(cap * 1e9 / 2.0).recip();
        way.tree_factor = true;
        way.wire = 1.0 / self.carried_by_trees(protocol, self.data_share(protocol));
        way.takes = self.tree_takes(protocol, depth);
        way.pattern = Pattern::Trees;
        way
    }

    fn nvls_way(&self) -> Way {
        let mut way = self.way(Algorithm::Nvls, Protocol::Simple);
        way.latency += self.base(Algorithm::Nvls, Protocol::Simple)
            + self.hop(Algorithm::Nvls, Protocol::Simple).0;
        let share = if self.kind == CollectiveKind::AllReduce {
            self.tuning.nvls
        } else {
            (self.per_domain - 1.0) / self.per_domain
        };
        way.slope = (self.nvls_rate() * share).recip();
        way.takes = self.nvls_takes();
        way
    }

    pub(crate) fn nvls_rate(&self) -> f64 {
        self.intra * self.scale_up.nvls.unwrap_or(1.0)
    }

    fn nvls_tree_way(&self) -> Way {
        let mut way = self.way(Algorithm::NvlsTree, Protocol::Simple);
        let (inside, outside) = self.hop(Algorithm::NvlsTree, Protocol::Simple);
        let depth = f64::from(self.shape.domains.ilog2());
        way.latency +=
            self.base(Algorithm::NvlsTree, Protocol::Simple) + inside + 2.0 * depth * outside;
        let rate = (self.nvls_rate() * self.tuning.nvls).min(self.trees);
        way.slope = rate.recip();
        way.wire = 1.0 / self.carried_by_trees(Protocol::Simple, 1.0);
        way.takes = self.nvls_tree_takes(depth);
        way.pattern = Pattern::Trees;
        way
    }

    fn pat_way(&self) -> Way {
        let mut way = self.way(Algorithm::Pat, Protocol::Simple);
        let (_, outside) = self.hop(Algorithm::Pat, Protocol::Simple);
        let depth = f64::from(self.shape.domains.ilog2());
        way.latency += self.base(Algorithm::Pat, Protocol::Simple)
            + depth * outside / self.tuning.pat_net_divisor
            + self.n * self.tuning.pat_rank_us * 1e-6;
        way.slope = self.ring_bytes() / (self.tuning.pat * self.ring);
        way.wire = self.ring_bytes() / self.network.efficiency;
        way
    }

    /// Every domain sends its sum to the switches once and receives the total once.
    fn collnet_way(&self, algorithm: Algorithm) -> Way {
        let mut way = self.way(algorithm, Protocol::Simple);
        let (inside, outside) = self.hop(algorithm, Protocol::Simple);
        let others = self.per_domain - 1.0;
        way.latency += self.base(algorithm, Protocol::Simple)
            + outside
            + 2.0
                * if algorithm == Algorithm::CollNetDirect {
                    others.min(1.0) * inside + others * self.tuning.collnet_rank_us * 1e-6
                } else {
                    others * inside
                };
        way.slope = (self.intra / 2.0).min(self.ring).recip();
        way.wire = 1.0 / self.network.efficiency;
        way
    }

    fn all_to_all_way(&self) -> Way {
        let mut way = self.way(Algorithm::Pairs, Protocol::Simple);
        let inside = self.per_domain - 1.0;
        let outside = self.n - f64::from(self.shape.fewest);
        way.latency += self.base(Algorithm::Pairs, Protocol::Simple)
            + inside * self.tuning.pairs_peer_us * 1e-6;
        if outside > 0.0 {
            way.latency += (self.network.pairs_us + outside * self.network.peer_us) * 1e-6;
        }
        let scale_up = self.intra * self.scale_up.pairs_efficiency / self.scale_up.efficiency;
        let network = self.shape.pairs.as_f64() * self.network.pairs_efficiency * self.factor;
        way.slope = (inside / scale_up).max(outside / network) / self.n;
        way.wire = 1.0 / (self.n * self.network.pairs_efficiency);
        way.pattern = Pattern::Pairs;
        way
    }

    /// An all-to-all in one domain as tables have it.
    fn pairs_way(&self, protocol: Protocol, takes: Takes) -> Way {
        let mut way = self.way(Algorithm::Pairs, protocol);
        (way.latency, way.slope, way.ramp) = (takes.latency, takes.slope, takes.ramp);
        way.pattern = Pattern::Pairs;
        way
    }

    /// One rank sends to or receives from every other by grouped sends: its links carry all.
    fn root_way(&self) -> Way {
        let mut way = self.all_to_all_way();
        let inside = self.per_domain - 1.0;
        let outside = self.n - f64::from(self.shape.fewest);
        let scale_up = self.intra * self.scale_up.pairs_efficiency / self.scale_up.efficiency;
        let network = self.root_rate();
        way.slope = (inside / scale_up).max(outside / network) / self.n;
        way.wire = 1.0 / (self.n * self.network.efficiency);
        way.pattern = if self.kind == CollectiveKind::Gather {
            Pattern::Gather
        } else {
            Pattern::Scatter
        };
        way
    }

    /// What one rank receives from ranks of other domains, or sends to them: all comes in by its own
    /// NIC, and goes out by that of the receiver's rail, over `NVLink` first (NCCL's PXN).
    fn root_rate(&self) -> f64 {
        let nic = self.ring / f64::from(self.shape.rails.max(1));
        if self.kind == CollectiveKind::Scatter {
            nic * f64::from(self.shape.lanes)
        } else {
            nic
        }
    }

    /// Every rank sends to the next: one of a domain's ranks to another domain, by its own NIC.
    fn send_way(&self, protocol: Protocol) -> Way {
        let mut way = self.way(Algorithm::Pairs, protocol);
        let (inside, outside) = self.hop(Algorithm::Pairs, protocol);
        let several = self.shape.domains > 1;
        let hop = if several { outside } else { inside };
        way.latency += self.base(Algorithm::Pairs, protocol) + hop;
        let scale_up = self.intra * self.scale_up.send_efficiency / self.scale_up.efficiency;
        let network = self.ring / f64::from(self.shape.rails.max(1));
        let share = self.data_share(protocol);
        let rate = scale_up.min(network) * share;
        way.slope = rate.recip();
        if protocol == Protocol::Ll {
            way.most = self.tuning.send_ll_bytes as f64;
        }
        way.wire = 1.0 / (self.network.efficiency * share);
        way.pattern = Pattern::Send;
        way
    }
}
