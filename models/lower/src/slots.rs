//! The communicators of a program, by slot.

use plan::Shards;
use plan::ranks::Ranks;
use profile::CollectiveKind;
use task::Slot;
use units::RankId;
use workload::ops::Axis;

use crate::axes;
use crate::data_parallel::{Flow, Stage};
use crate::fabric::TrafficKind;

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
    /// What the traffic of the group is for.
    pub(crate) const fn traffic(self) -> TrafficKind {
        match self {
            Self::Axis(axis) | Self::Level { axis, .. } => match axis {
                Axis::Tp | Axis::Etp => TrafficKind::Tp,
                Axis::Cp => TrafficKind::Cp,
                Axis::Ep | Axis::EpEtp => TrafficKind::Ep,
                Axis::Dp | Axis::ExpertDp => TrafficKind::Dp,
                Axis::Pp => TrafficKind::Pp,
            },
            Self::Ends | Self::Devices(_) | Self::Pipeline => TrafficKind::Pp,
            Self::Replica => TrafficKind::Other,
        }
    }

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

#[cfg(test)]
mod tests {
    use plan::ranks::{Degrees, RankOrder};

    use super::*;
    use CollectiveKind::{AllGather, AllReduce, ReduceScatter};

    /// Pairs of tensor-parallel ranks in eight replicas of two stages.
    fn ranks() -> Ranks {
        let degrees = Degrees {
            tp: 2,
            dp: 8,
            pp: 2,
            ..Degrees::ONE
        };
        Ranks::dense(degrees, RankOrder::MEGATRON)
    }

    fn numbers(group: SlotGroup, rank: u32) -> Vec<u32> {
        let ranks = group.ranks(&ranks(), RankId::new(rank));
        ranks.iter().map(|rank| rank.get()).collect()
    }

    const fn level(inner: u32, outer: u32) -> SlotGroup {
        let axis = Axis::Dp;
        SlotGroup::Level { axis, inner, outer }
    }

    #[test]
    fn a_level_holds_the_ranks_of_one_block_that_stand_alike_in_theirs() {
        // Data-parallel ranks of the first stage: 0, 2, 4, .. 14.
        assert_eq!(numbers(level(1, 4), 4), [0, 2, 4, 6]);
        assert_eq!(numbers(level(1, 4), 9), [9, 11, 13, 15]);
        assert_eq!(numbers(level(2, 8), 4), [0, 4, 8, 12]);
        assert_eq!(numbers(level(4, 8), 4), [4, 12]);
    }

    #[test]
    fn every_slot_parts_the_ranks_into_groups() {
        let groups = [
            SlotGroup::Axis(Axis::Tp),
            SlotGroup::Axis(Axis::Dp),
            SlotGroup::Axis(Axis::Pp),
            SlotGroup::Pipeline,
            SlotGroup::Ends,
            SlotGroup::Devices([1, 0]),
            SlotGroup::Replica,
            level(1, 2),
            level(2, 4),
            level(2, 8),
        ];
        for group in groups {
            for rank in 0..32 {
                let own = numbers(group, rank);
                assert!(
                    own.contains(&rank) && own.is_sorted(),
                    "{group:?} of {rank}"
                );
                for other in &own {
                    assert_eq!(numbers(group, *other), own, "{group:?} of {rank}, {other}");
                }
            }
        }
    }

    #[test]
    fn a_group_has_one_slot() {
        let mut slots = Slots::new();
        let first = slots.of(SlotGroup::Replica);
        assert_eq!(slots.of(level(1, 2)), first + 1);
        assert_eq!(slots.of(SlotGroup::Replica), first);
        assert_eq!(slots.of(SlotGroup::Axis(Axis::Dp)), axes::slot(Axis::Dp));
        assert_eq!(slots.groups().len(), axes::GROUPS.len() + 2);
    }

    /// Operation, group and share of each collective.
    fn list(slots: &Slots, stages: &[Stage]) -> Vec<(CollectiveKind, SlotGroup, f64)> {
        let group = |slot: Slot| slots.groups()[usize::from(slot)];
        let stages = stages.iter();
        stages.map(|s| (s.kind, group(s.slot), s.share)).collect()
    }

    /// The reductions and gathers over eight ranks, and how many of the first come each time.
    fn flows(weights: u32, gradients: u32, optimizer: u32) -> (Vec<Entry>, usize, Vec<Entry>) {
        let mut slots = Slots::new();
        let shards = Shards {
            weights,
            gradients,
            optimizer,
        };
        let flow = flow(&mut slots, Axis::Dp, 8, shards);
        let (reduce, gather) = (list(&slots, &flow.reduce), list(&slots, &flow.gather));
        (reduce, flow.each, gather)
    }

    type Entry = (CollectiveKind, SlotGroup, f64);

    #[test]
    fn levels_reduce_outwards_and_gather_inwards_to_where_weights_lie() {
        let all = SlotGroup::Axis(Axis::Dp);
        let plain = (vec![(AllReduce, all, 1.0)], 0, vec![]);
        assert_eq!(flows(1, 1, 1), plain);
        let scatter = vec![(ReduceScatter, all, 1.0)];
        let gather = vec![(AllGather, all, 1.0)];
        assert_eq!(flows(1, 1, 8), (scatter.clone(), 0, gather.clone()));
        assert_eq!(flows(1, 8, 8), (scatter.clone(), 1, gather));
        assert_eq!(flows(8, 8, 8), (scatter, 1, vec![]));
        let frontier = (
            vec![
                (ReduceScatter, level(1, 4), 1.0),
                (ReduceScatter, level(4, 8), 0.25),
            ],
            1,
            vec![
                (AllGather, level(4, 8), 0.25),
                (AllGather, level(2, 4), 0.5),
            ],
        );
        assert_eq!(flows(2, 4, 8), frontier);
        let hybrid = (
            vec![
                (ReduceScatter, level(1, 2), 1.0),
                (AllReduce, level(2, 8), 0.5),
            ],
            1,
            vec![],
        );
        assert_eq!(flows(2, 2, 2), hybrid);
    }

    #[test]
    fn every_rank_ends_with_all_gradients_and_its_weights() {
        // Shares multiply: what is left of the gradients is what the optimizer's shard holds.
        let sizes = [1, 2, 4, 8];
        for (weights, gradients, optimizer) in sizes
            .iter()
            .flat_map(|w| sizes.iter().map(move |g| (*w, *g)))
            .flat_map(|(w, g)| sizes.iter().map(move |o| (w, g, *o)))
            .filter(|(w, g, o)| w <= o && g <= o)
        {
            let (reduce, _, gather) = flows(weights, gradients, optimizer);
            let size = |group: SlotGroup| numbers(group, 0).len() as f64;
            let summed: f64 = reduce.iter().map(|(_, group, _)| size(*group)).product();
            assert!((summed - 8.0).abs() < 1e-12, "sums meet every rank once");
            let spread: f64 = gather.iter().map(|(_, group, _)| size(*group)).product();
            let expected = f64::from(optimizer) / f64::from(weights.max(1));
            assert!(
                (spread - expected).abs() < 1e-12,
                "{weights} {gradients} {optimizer}"
            );
        }
    }
}
