//! Shapes of the groups of a plan, and the prices of collectives over them.

use std::collections::BTreeMap;

use cluster::Cluster;
use collective::{Choice, CommShape, Priced, regular_shape, shape};
use engine::{Phase, Pricing};
use lower::AXIS_SLOTS;
use plan::Plan;
use profile::{CollectiveKind, CommProfile};
use units::{Bytes, GpuId, RankId};
use workload::ops::Axis;

/// Shapes by size and stride, kept from plan to plan.
#[derive(Clone, Debug, Default)]
pub(super) struct ShapeCache {
    known: BTreeMap<(u32, u32), CommShape>,
}

impl ShapeCache {
    /// The shape of `size` GPUs, `stride` apart.
    fn regular(
        &mut self,
        cluster: &Cluster,
        comm: &CommProfile,
        size: u32,
        stride: u32,
    ) -> CommShape {
        *self
            .known
            .entry((size, stride))
            .or_insert_with(|| regular_shape(cluster, comm, size as usize, stride as usize))
    }

    /// The shape of the group around the first rank. Groups with one stride on GPUs in rank order
    /// are looked up; others are computed, without siblings.
    pub(super) fn of(
        &mut self,
        cluster: &Cluster,
        comm: &CommProfile,
        plan: &Plan,
        ranks: &[RankId],
    ) -> CommShape {
        let gpus: Vec<GpuId> = ranks.iter().map(|rank| plan.gpu_of(*rank)).collect();
        let stride = gpus
            .get(1)
            .map_or(1, |second| second.get().saturating_sub(gpus[0].get()));
        let even = gpus
            .windows(2)
            .all(|pair| pair[0].get() + stride == pair[1].get());
        if even && 0 < stride && gpus.len() * stride as usize <= cluster.n_gpus() {
            let size = u32::try_from(gpus.len()).unwrap_or(u32::MAX);
            return self.regular(cluster, comm, size, stride);
        }
        shape(cluster, comm, &gpus, &[])
    }
}

/// The shapes of a plan's axes, by slot, and how to price collectives over them.
#[derive(Clone, Debug)]
pub(super) struct Shapes<'a> {
    pub(super) of_slot: [CommShape; AXIS_SLOTS.len()],
    pub(super) comm: &'a CommProfile,
    pub(super) choice: &'a Choice,
}

impl<'a> Shapes<'a> {
    pub(super) fn new(
        cache: &mut ShapeCache,
        cluster: &Cluster,
        comm: &'a CommProfile,
        choice: &'a Choice,
        plan: &Plan,
    ) -> Self {
        let first = RankId::new(0);
        let of_slot = AXIS_SLOTS.map(|axis| {
            let ranks: Vec<RankId> = plan.ranks().group(axis, first).iter().collect();
            cache.of(cluster, comm, plan, &ranks)
        });
        Self {
            of_slot,
            comm,
            choice,
        }
    }

    /// Seconds of a collective over an axis.
    pub(super) fn time(&self, axis: Axis, kind: CollectiveKind, bytes: Bytes) -> f64 {
        self.time_on(
            &self.of_slot[usize::from(lower::axis_slot(axis))],
            kind,
            bytes,
        )
    }

    /// Seconds of a collective over a shape.
    pub(super) fn time_on(&self, shape: &CommShape, kind: CollectiveKind, bytes: Bytes) -> f64 {
        Priced::new(kind, shape, self.comm, self.choice)
            .time(bytes)
            .time
            .as_secs()
    }
}

impl Pricing for Shapes<'_> {
    fn phases(&self, price: u32, kind: CollectiveKind, bytes: Bytes) -> Vec<Phase> {
        let shape = &self.of_slot[price as usize];
        let delay = Priced::new(kind, shape, self.comm, self.choice)
            .time(bytes)
            .time;
        vec![Phase {
            delay,
            transfers: Vec::new(),
        }]
    }
}
