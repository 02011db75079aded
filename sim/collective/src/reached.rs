//! What a way takes where tables were fitted: NCCL's model chooses, this says how long.
//!
//! Where only one of the two levels was fitted, the other keeps NCCL's constants.

use profile::{Algorithm, BetweenReached, CollectiveKind, InsideReached, Protocol};

use crate::cost::Model;

/// `time = latency + x + √(ramp · x)`, `x = bytes · slope`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Takes {
    /// Seconds before the first byte counts.
    pub(crate) latency: f64,
    /// Seconds per byte of the collective's size.
    pub(crate) slope: f64,
    /// Seconds.
    pub(crate) ramp: f64,
}

impl Takes {
    /// The same, so many times as long.
    pub(crate) fn at_pace(mut self, pace: f64) -> Self {
        for term in [&mut self.latency, &mut self.slope, &mut self.ramp] {
            *term *= pace;
        }
        self
    }

    /// The seconds of the bytes, without the latency.
    pub(crate) fn transfer(self, size: f64) -> f64 {
        let smooth = size * self.slope;
        smooth + (self.ramp * smooth).sqrt()
    }
}

/// The constants of both levels, as far as they were fitted.
#[derive(Clone, Copy)]
pub(crate) struct Reached<'a> {
    inside: Option<&'a InsideReached>,
    between: Option<&'a BetweenReached>,
}

impl<'a> Reached<'a> {
    /// `None` where no level that the group uses was fitted.
    pub(crate) fn new(
        inside: Option<&'a InsideReached>,
        between: Option<&'a BetweenReached>,
        several: bool,
    ) -> Option<Self> {
        let between = between.filter(|_| several);
        (inside.is_some() || between.is_some()).then_some(Self { inside, between })
    }
}

const fn bytes_per_sec(share: f64, rate: f64) -> f64 {
    share * rate
}

/// Seconds of the root; between domains it is the network's.
fn ramp(reached: Reached<'_>, at: Protocol) -> f64 {
    let inside = reached.inside.map_or(0.0, |own| own.ramp_us[at.index()]);
    let micros = (reached.between).map_or(inside, |own| own.ramp_us[at.index()]);
    micros * 1e-6
}

impl Model<'_> {
    /// Seconds before the first hop, of a hop inside, and of one between domains.
    fn hops_taken(&self, reached: Reached<'_>, algorithm: Algorithm, at: Protocol) -> [f64; 3] {
        let (inside, outside) = self.hop(algorithm, at);
        let p = at.index();
        [
            (reached.inside).map_or_else(|| self.base(algorithm, at), |own| own.start_us[p] * 1e-6),
            (reached.inside).map_or(inside, |own| own.hop_us[p] * 1e-6),
            (reached.between).map_or(outside, |own| own.hop_us[p] * 1e-6),
        ]
    }

    /// What a ring takes: hops, and the slower of both levels. A ring over domains crosses between
    /// them once a domain and pass.
    pub(crate) fn ring_takes(&self, protocol: Protocol) -> Option<Takes> {
        let reached = self.reached?;
        let [start, inside, outside] = self.hops_taken(reached, Algorithm::Ring, protocol);
        let p = protocol.index();
        let (passes, all, crossings) = match self.kind {
            CollectiveKind::AllReduce => (2.0, self.n - 1.0, self.domains),
            CollectiveKind::Broadcast | CollectiveKind::Reduce => {
                (1.0, self.n - 1.0, self.domains - 1.0)
            }
            _ => (1.0, self.n - 1.0, self.domains),
        };
        let crossings = if self.several() {
            f64::min(crossings, all)
        } else {
            0.0
        };
        let hops = passes * ((all - crossings) * inside + crossings * outside);
        let share = self.data_share(protocol);
        let rate_inside = bytes_per_sec(
            (reached.inside).map_or(self.scale_up.efficiency * share, |own| own.ring[p]),
            self.sheet_intra,
        );
        let rate_outside = bytes_per_sec(
            (reached.between).map_or(self.network.efficiency * share, |own| own.ring[p]),
            self.sheet_ring,
        );
        let slope = self.ring_bytes() / rate_inside.min(rate_outside);
        let copied = match (self.kind, reached.inside) {
            (CollectiveKind::AllGather | CollectiveKind::ReduceScatter, Some(own)) => {
                1.0 / (self.n * own.copy * self.copy_rate)
            }
            _ => 0.0,
        };
        Some(Takes {
            latency: start + hops,
            slope: slope + copied,
            ramp: ramp(reached, protocol),
        })
    }

    pub(crate) fn tree_takes(&self, protocol: Protocol, depth: f64) -> Option<Takes> {
        let reached = self.reached?;
        let [start, inside, outside] = self.hops_taken(reached, Algorithm::Tree, protocol);
        let p = protocol.index();
        let share = self.tuning.tree * self.data_share(protocol);
        let rate_inside = bytes_per_sec(
            (reached.inside).map_or(self.scale_up.efficiency * share, |own| own.tree[p]),
            self.sheet_intra / 2.0,
        );
        let rate_outside = bytes_per_sec(
            (reached.between).map_or(self.network.efficiency * share, |own| own.tree[p]),
            self.sheet_trees,
        );
        Some(Takes {
            latency: start + 2.0 * ((self.per_domain - 1.0) * inside + depth * outside),
            slope: rate_inside.min(rate_outside).recip(),
            ramp: ramp(reached, protocol),
        })
    }

    /// NVLS in one domain.
    pub(crate) fn nvls_takes(&self) -> Option<Takes> {
        let own = self.reached?.inside?;
        let share = if self.kind == CollectiveKind::AllReduce {
            own.nvls
        } else {
            own.nvls * self.per_domain / (self.per_domain - 1.0)
        };
        Some(Takes {
            latency: (own.nvls_us + self.n * own.nvls_rank_us) * 1e-6,
            slope: bytes_per_sec(share, self.sheet_intra).recip(),
            ramp: own.nvls_ramp_us * 1e-6,
        })
    }

    pub(crate) fn nvls_tree_takes(&self, depth: f64) -> Option<Takes> {
        let reached = self.reached?;
        let simple = Protocol::Simple;
        let (inside, outside) = self.hop(Algorithm::NvlsTree, simple);
        let start = (reached.inside).map_or(inside, |own| {
            (own.nvls_us + self.per_domain * own.nvls_rank_us) * 1e-6
        });
        let hop = (reached.between).map_or(outside, |own| own.hop_us[simple.index()] * 1e-6);
        let inside = reached
            .inside
            .map_or(self.nvls_rate() * self.tuning.nvls, |own| {
                bytes_per_sec(own.nvls_tree, self.sheet_intra)
            });
        let outside = bytes_per_sec(
            (reached.between).map_or(self.network.efficiency, |own| own.tree[simple.index()]),
            self.sheet_trees,
        );
        Some(Takes {
            latency: start + 2.0 * depth * hop,
            slope: inside.min(outside).recip(),
            ramp: ramp(reached, simple),
        })
    }

    /// What an all-to-all in one domain takes, with LL and with Simple.
    pub(crate) fn pairs_take(&self) -> Option<[Takes; 2]> {
        let own = self.reached?.inside?;
        let peers = (self.n - 1.0) / self.n;
        Some([
            Takes {
                latency: own.pairs_us[0] * 1e-6,
                slope: 1.0 / (self.n * own.pairs_ll * 1e9),
                ramp: 0.0,
            },
            Takes {
                latency: own.pairs_us[1] * 1e-6,
                slope: peers / bytes_per_sec(own.pairs, self.sheet_intra)
                    + 1.0 / (self.n * bytes_per_sec(own.pairs_copy, self.copy_rate)),
                ramp: own.pairs_ramp_us * 1e-6,
            },
        ])
    }
}
