//! The communicators of a program, by slot.

use plan::Shards;
use plan::ranks::Ranks;
use profile::CollectiveKind;
use task::Slot;
use units::RankId;
use workload::ops::Axis;

use crate::axes;
use crate::data_parallel::{Flow, Stage};

/// What the group in a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotGroup {
    /// The group of an axis.
    Axis(Axis),
    /// Of the group of an axis, the block of `outer` ranks around a rank, and of these the ones
    /// with the same place in their sub-block of `inner`.
    Level {
        /// The data-parallel axis.
        axis: Axis,
        /// Ranks that already hold different shards.
        inner: u32,
        /// Ranks of the block.
        outer: u32,
    },
    /// The first and the last stage of a pipeline, which share tied embeddings.
    Ends,
    /// Two devices of a pipeline that share tied embeddings, where they are not its ends.
    Devices([u32; 2]),
    /// The ranks of a pipeline again, on a communicator of their own: what one stage shares with
    /// all waits for no sum.
    Pipeline,
    /// All ranks of one replica of the model: they agree on the norm of the gradients.
    Replica,
}

/// The slots of a run: those of the axes first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slots {
    groups: Vec<SlotGroup>,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            groups: axes::GROUPS.map(SlotGroup::Axis).to_vec(),
        }
    }

    /// The slot of a group, new or known.
    pub(crate) fn of(&mut self, group: SlotGroup) -> Slot {
        let at = self
            .groups
            .iter()
            .position(|known| *known == group)
            .unwrap_or_else(|| {
                self.groups.push(group);
                self.groups.len() - 1
            });
        Slot::try_from(at).unwrap_or(Slot::MAX)
    }

    pub(crate) fn groups(&self) -> &[SlotGroup] {
        &self.groups
    }
}

impl SlotGroup {
    /// The ranks of a rank's group.
    pub fn ranks(self, ranks: &Ranks, rank: RankId) -> Vec<RankId> {
        match self {
            Self::Axis(axis) => ranks.group(axis, rank).iter().collect(),
            Self::Level { axis, inner, outer } => {
                let group = ranks.group(axis, rank);
                let place = group.position(rank).unwrap_or(0) % inner;
                let block = group.shard(rank, outer);
                block
                    .into_iter()
                    .skip(place as usize)
                    .step_by(inner as usize)
                    .collect()
            }
            Self::Pipeline => ranks.group(Axis::Pp, rank).iter().collect(),
            Self::Ends => {
                let last = ranks.degrees().pp - 1;
                let first = ranks.at_stage(rank, 0);
                if last == 0 {
                    vec![first]
                } else {
                    vec![first, ranks.at_stage(rank, last)]
                }
            }
            Self::Devices(devices) => {
                let mut pair = devices.map(|device| ranks.at_stage(rank, device)).to_vec();
                pair.sort_unstable();
                pair.dedup();
                pair
            }
            Self::Replica => {
                let pipeline = ranks.group(Axis::Pp, rank);
                let mut all: Vec<RankId> = pipeline
                    .iter()
                    .flat_map(|stage| ranks.group(Axis::Tp, stage).iter())
                    .collect();
                all.sort_unstable();
                all
            }
        }
    }
}

/// How gradients are summed and parameters brought back, level by level.
///
/// With levels of sizes `s1 < s2 < … < sk` inside `n` data-parallel ranks, gradients are
/// reduce-scattered over the first level, their shards over the next, and what is left is
/// all-reduced between replicas of the last; parameters come back the other way, down to the
/// level at which weights are sharded. One level is `ZeRO` (Rajbhandari et al. 2020) or hybrid
/// sharding; several are `ZeRO++`'s and Frontier's hierarchical partitions.
///
/// Where gradients are kept in shards, those levels are summed after every micro-batch, the
/// others once.
pub(crate) fn flow(slots: &mut Slots, axis: Axis, n: u32, shards: Shards) -> Flow {
    let mut stage = |kind, inner: u32, outer: u32| {
        let group = if inner == 1 && outer == n {
            SlotGroup::Axis(axis)
        } else {
            SlotGroup::Level { axis, inner, outer }
        };
        Stage {
            slot: slots.of(group),
            kind,
            share: 1.0 / f64::from(inner),
        }
    };
    let mut flow = Flow::default();
    for (inner, outer) in levels(n, &[shards.gradients, shards.optimizer]) {
        flow.reduce
            .push(stage(CollectiveKind::ReduceScatter, inner, outer));
        flow.each += usize::from(outer <= shards.gradients);
    }
    let held = shards.gradients.max(shards.optimizer);
    if held < n {
        flow.reduce.push(stage(CollectiveKind::AllReduce, held, n));
    }
    let sizes = [shards.weights, shards.gradients, shards.optimizer];
    for (inner, outer) in levels(n, &sizes).into_iter().rev() {
        if shards.weights <= inner {
            flow.gather
                .push(stage(CollectiveKind::AllGather, inner, outer));
        }
    }
    flow
}

/// The sizes above 1 in order, each with the one before it.
fn levels(n: u32, sizes: &[u32]) -> Vec<(u32, u32)> {
    let mut sizes: Vec<u32> = sizes
        .iter()
        .copied()
        .filter(|size| 1 < *size && *size <= n)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    let inner = std::iter::once(1).chain(sizes.iter().copied());
    inner.zip(sizes.iter().copied()).collect()
}

/// The gathers in front of a pass of weights that are cut over `weights` ranks.
pub(crate) fn gather_for_pass(slots: &mut Slots, axis: Axis, n: u32, weights: u32) -> Vec<Stage> {
    if weights < 2 {
        return Vec::new();
    }
    let group = if weights == n {
        SlotGroup::Axis(axis)
    } else {
        SlotGroup::Level {
            axis,
            inner: 1,
            outer: weights,
        }
    };
    vec![Stage {
        slot: slots.of(group),
        kind: CollectiveKind::AllGather,
        share: 1.0,
    }]
}
