//! Ranks on a cluster: which of them behave alike there.

use std::collections::BTreeMap;

use cluster::{Cluster, LinkKind};
use units::{GpuId, LinkId, RankId};

use crate::Axis;
use crate::classes::{Classes, Part, classes_by};
use crate::plan::Plan;

/// Every axis, in an order that refines quickly: the small groups first.
pub(crate) const AXES: [Axis; 8] = [
    Axis::Pp,
    Axis::Tp,
    Axis::Cp,
    Axis::Dp,
    Axis::Ep,
    Axis::Etp,
    Axis::EpEtp,
    Axis::ExpertDp,
];

impl Plan {
    /// The ranks that behave alike on a cluster, jitter and unequal routing apart.
    ///
    /// Ranks of a class run the same stage on GPUs of the same kind and speed; their groups lie
    /// alike in the cluster (the routes between neighbors have links of the same kinds, rates
    /// and latencies); and each sees the same classes in each of its groups. So simulating one
    /// rank of each class gives what simulating all gives.
    pub fn classes(&self, cluster: &Cluster) -> Classes {
        self.classes_with(cluster, |_| 0)
    }

    /// As [`Plan::classes`], with ranks of different `color` kept apart: for stragglers that a
    /// scenario names, or unequal loads.
    pub fn classes_with<C: Ord>(
        &self,
        cluster: &Cluster,
        mut color: impl FnMut(RankId) -> C,
    ) -> Classes {
        let mut routes = Routes::new(cluster);
        let ranks = self.ranks();
        classes_by(
            ranks,
            &self.distinct_axes(),
            &self.shard_parts(),
            |rank| {
                let gpu = self.gpu_of(rank);
                let speed = cluster.gpu_speed(gpu).to_bits();
                (
                    ranks.coords(rank).pp,
                    cluster.kind_of(gpu),
                    speed,
                    color(rank),
                )
            },
            |from, to| routes.kind(self.gpu_of(from), self.gpu_of(to)),
        )
    }

    /// Every rank by itself.
    pub fn singletons(&self) -> Classes {
        Classes::singletons(self.n_ranks())
    }

    /// The parts of data-parallel groups over which something is sharded, level by level.
    fn shard_parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for (axis, shards) in [
            (Axis::Dp, self.shards()),
            (Axis::ExpertDp, self.expert_shards()),
        ] {
            let n = self.ranks().group_size(axis);
            let mut sizes = vec![1, shards.weights, shards.gradients, shards.optimizer, n];
            sizes.sort_unstable();
            sizes.dedup();
            for (at, &inner) in sizes.iter().enumerate() {
                let outers = sizes[at + 1..]
                    .iter()
                    .map(|&outer| Part { axis, inner, outer });
                // The whole group is an axis already.
                parts.extend(
                    outers.filter(|part| part.outer <= n && (1, n) != (part.inner, part.outer)),
                );
            }
        }
        parts
    }

    /// The axes without those whose groups are the same as an earlier one's.
    fn distinct_axes(&self) -> Vec<Axis> {
        let ranks = self.ranks();
        let first = RankId::new(0);
        let mut axes: Vec<Axis> = Vec::with_capacity(AXES.len());
        for axis in AXES {
            let group = ranks.group(axis, first);
            let known = axes
                .iter()
                .any(|other| ranks.group(*other, first).iter().eq(group.iter()));
            if !known {
                axes.push(axis);
            }
        }
        axes
    }
}

/// What the links of a route are, by kind, rate and latency.
type LinkShape = (LinkKind, u64, u64);

/// Small numbers for routes that look alike.
struct Routes<'a> {
    cluster: &'a Cluster,
    path: Vec<LinkId>,
    shape: Vec<LinkShape>,
    known: BTreeMap<Vec<LinkShape>, u32>,
}

impl<'a> Routes<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            path: Vec::new(),
            shape: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    /// The number of the route's shape, with the measured rate between the nodes where the
    /// cluster has one.
    fn kind(&mut self, from: GpuId, to: GpuId) -> (u32, Option<u64>) {
        let cluster = self.cluster;
        self.path.clear();
        cluster.route(from, to, Cluster::D_MOD_K, &mut self.path);
        self.shape.clear();
        self.shape.extend(self.path.iter().map(|link| {
            let link = cluster.link(*link);
            let (rate, latency) = (link.rate.as_f64(), link.latency.as_secs());
            (link.kind, rate.to_bits(), latency.to_bits())
        }));
        let measured = cluster.measured_rate(from, to);
        let measured = measured.map(|rate| rate.as_f64().to_bits());
        if let Some(&kind) = self.known.get(&self.shape) {
            return (kind, measured);
        }
        let kind = u32::try_from(self.known.len()).expect("no more routes than pairs of ranks");
        self.known.insert(self.shape.clone(), kind);
        (kind, measured)
    }
}
