//! Classes of ranks that behave alike.
//!
//! Ranks start with a color for what each is by itself: its stage, its GPU, how its groups lie
//! in the cluster. Then colors are refined until every rank of a color sees the same colors in
//! each of its groups: the coarsest equitable partition. All ranks of a class then do the
//! same work at the same times, so simulating one of them loses nothing.

use std::collections::BTreeMap;

use units::{ClassId, RankId};

use crate::Axis;
use crate::group::Group;
use crate::ranks::Ranks;

/// A partition of the ranks into classes, which are numbered by their first rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    of_rank: Vec<ClassId>,
    members: Vec<Vec<RankId>>,
}

impl Classes {
    /// The class of a rank.
    pub fn of(&self, rank: RankId) -> ClassId {
        self.of_rank[rank.index()]
    }

    /// The class of every rank.
    pub fn of_rank(&self) -> &[ClassId] {
        &self.of_rank
    }

    /// The ranks of every class, ascending.
    pub fn members(&self) -> &[Vec<RankId>] {
        &self.members
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no ranks.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The first rank of a class, which stands for all.
    pub fn representative(&self, class: ClassId) -> RankId {
        self.members[class.index()][0]
    }

    /// How many ranks a class has.
    pub fn count(&self, class: ClassId) -> usize {
        self.members[class.index()].len()
    }

    /// Every rank by itself: for jitter, packets, unequal routing.
    pub fn singletons(n_ranks: u32) -> Self {
        Self::from_colors(&(0..n_ranks).collect::<Vec<_>>())
    }

    fn from_colors(colors: &[u32]) -> Self {
        let mut members: Vec<Vec<RankId>> = Vec::new();
        let mut class_of_color = BTreeMap::new();
        let mut of_rank = Vec::with_capacity(colors.len());
        for (rank, color) in colors.iter().enumerate() {
            let class = *class_of_color.entry(*color).or_insert(members.len());
            if class == members.len() {
                members.push(Vec::new());
            }
            members[class].push(RankId::from_index(rank));
            of_rank.push(ClassId::from_index(class));
        }
        Self { of_rank, members }
    }
}

/// A part of the groups of an axis: of the block of `outer` ranks around a rank, those with the
/// same place in their sub-blocks of `inner`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The axis.
    pub axis: Axis,
    /// Ranks of a sub-block.
    pub inner: u32,
    /// Ranks of a block.
    pub outer: u32,
}

/// The coarsest equitable classes over the groups of these axes, and over these parts of groups.
///
/// * `color` — what a rank is by itself; ranks of different colors are never in one class.
/// * `hop` — what lies between a rank and the next in its group (or the first, after the last),
///   for groups whose place in the cluster matters.
///
/// Cost: a few passes over ranks and groups, each `O(n log n)` for `n` ranks and axis.
pub fn classes_by<C: Ord, H: Ord>(
    ranks: &Ranks,
    axes: &[Axis],
    parts: &[Part],
    mut color: impl FnMut(RankId) -> C,
    mut hop: impl FnMut(RankId, RankId) -> H,
) -> Classes {
    let axes: Vec<Axis> = axes
        .iter()
        .copied()
        .filter(|axis| 1 < ranks.group_size(*axis))
        .collect();
    let mut own = Names::default();
    let mut colors: Vec<u32> = ranks.all().map(|rank| own.of(color(rank))).collect();
    let mut hops = Names::default();
    for &axis in &axes {
        let of_hops = |group: &Group, _: &[u32]| -> Vec<u32> {
            let n = group.len();
            let pair = |i| hop(group.get(i), group.get((i + 1) % n));
            (0..n).map(pair).map(|hop| hops.of(hop)).collect()
        };
        colors = refine(ranks, axis, &colors, of_hops);
    }
    let mut n_colors = distinct(&colors);
    loop {
        for &axis in &axes {
            colors = refine(ranks, axis, &colors, sorted_colors);
        }
        for part in parts {
            colors = refine_part(ranks, *part, &colors);
        }
        let now = distinct(&colors);
        if now == n_colors {
            return Classes::from_colors(&colors);
        }
        n_colors = now;
    }
}

/// The colors of a group's members, as a multiset.
fn sorted_colors(group: &Group, colors: &[u32]) -> Vec<u32> {
    let mut seen: Vec<u32> = group.iter().map(|rank| colors[rank.index()]).collect();
    seen.sort_unstable();
    seen
}

/// Splits colors by what the groups of an axis are.
fn refine(
    ranks: &Ranks,
    axis: Axis,
    colors: &[u32],
    mut what: impl FnMut(&Group, &[u32]) -> Vec<u32>,
) -> Vec<u32> {
    let mut groups = Names::default();
    let mut of_group = vec![0; colors.len()];
    for group in ranks.groups(axis) {
        let name = groups.of(what(&group, colors));
        for rank in group.iter() {
            of_group[rank.index()] = name;
        }
    }
    let mut pairs = Names::default();
    colors
        .iter()
        .zip(of_group)
        .map(|(color, group)| pairs.of((*color, group)))
        .collect()
}

/// Splits colors by what the parts of the groups of an axis are.
fn refine_part(ranks: &Ranks, part: Part, colors: &[u32]) -> Vec<u32> {
    let Part { axis, inner, outer } = part;
    let mut parts = Names::default();
    let mut of_part = vec![0; colors.len()];
    for group in ranks.groups(axis) {
        let mut seen: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        let place = |at: u32| (at / outer.max(1), at % inner.max(1));
        for (at, rank) in (0..).zip(group.iter()) {
            seen.entry(place(at))
                .or_default()
                .push(colors[rank.index()]);
        }
        for colors in seen.values_mut() {
            colors.sort_unstable();
        }
        let names: BTreeMap<_, _> = seen
            .into_iter()
            .map(|(place, colors)| (place, parts.of(colors)))
            .collect();
        for (at, rank) in (0..).zip(group.iter()) {
            of_part[rank.index()] = names[&place(at)];
        }
    }
    let mut pairs = Names::default();
    let of_part = colors.iter().zip(of_part);
    of_part
        .map(|(color, part)| pairs.of((*color, part)))
        .collect()
}

/// Small numbers for values, in the order in which they are first seen.
struct Names<T>(BTreeMap<T, u32>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> Names<T> {
    fn of(&mut self, value: T) -> u32 {
        let next = u32::try_from(self.0.len()).expect("no more names than ranks");
        *self.0.entry(value).or_insert(next)
    }
}

fn distinct(colors: &[u32]) -> usize {
    // Colors are named 0, 1, 2, … without gaps.
    colors.iter().max().map_or(0, |most| *most as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::{Degrees, RankOrder};

    const AXES: [Axis; 3] = [Axis::Tp, Axis::Dp, Axis::Pp];

    fn ranks(tp: u32, dp: u32, pp: u32) -> Ranks {
        let degrees = Degrees {
            tp,
            dp,
            pp,
            ..Degrees::ONE
        };
        Ranks::dense(degrees, RankOrder::MEGATRON)
    }

    fn by_stage(ranks: &Ranks, slow: Option<u32>) -> Classes {
        let color = |rank: RankId| (ranks.coords(rank).pp, Some(rank.get()) == slow);
        classes_by(ranks, &AXES, &[], color, |_, _| ())
    }

    /// Whether all members of every class see the same classes in each of their groups.
    fn is_equitable(ranks: &Ranks, classes: &Classes) -> bool {
        let sees = |rank: RankId, axis: Axis| {
            let mut seen: Vec<ClassId> = ranks
                .group(axis, rank)
                .iter()
                .map(|other| classes.of(other))
                .collect();
            seen.sort_unstable();
            seen
        };
        classes.members().iter().all(|members| {
            AXES.iter().all(|axis| {
                let first = sees(members[0], *axis);
                members.iter().all(|rank| sees(*rank, *axis) == first)
            })
        })
    }

    #[test]
    fn equal_gpus_fold_to_one_class_a_stage() {
        let ranks = ranks(8, 16, 4);
        let classes = by_stage(&ranks, None);
        assert_eq!(classes.len(), 4);
        assert_eq!(classes.count(ClassId::new(0)), 128);
        assert_eq!(classes.representative(ClassId::new(3)), RankId::new(384));
        assert!(is_equitable(&ranks, &classes));
    }

    #[test]
    fn one_slow_gpu_adds_classes_for_who_shares_a_group_with_it() {
        let ranks = ranks(8, 16, 4);
        let classes = by_stage(&ranks, Some(130));
        assert!(is_equitable(&ranks, &classes));
        // In each stage: in line with the slow rank on both axes, on one of them, on none.
        assert_eq!(classes.len(), 4 * 4);
        let slow = classes.of(RankId::new(130));
        assert_eq!(classes.members()[slow.index()], [RankId::new(130)]);
    }

    #[test]
    fn what_lies_between_ranks_tells_groups_apart() {
        let ranks = ranks(4, 4, 1);
        // Four ranks a node but one group that spans two.
        let node = |rank: RankId| (rank.get() + 2) / 4;
        let hop = |a: RankId, b: RankId| node(a) == node(b);
        let classes = classes_by(&ranks, &AXES[..1], &[], |_| (), hop);
        assert_eq!(classes.len(), 1, "every group lies across a border alike");
        let node = |rank: RankId| (rank.get() + 2).min(15) / 4;
        let hop = |a: RankId, b: RankId| node(a) == node(b);
        assert_eq!(classes_by(&ranks, &AXES[..1], &[], |_| (), hop).len(), 2);
    }

    #[test]
    fn refinement_is_equitable_for_any_colors() {
        let ranks = ranks(2, 6, 3);
        for seed in 1..40u32 {
            let color =
                |rank: RankId| rank.get().wrapping_mul(seed.wrapping_mul(2_654_435_761)) >> 30;
            let classes = classes_by(&ranks, &AXES, &[], color, |_, _| ());
            assert!(is_equitable(&ranks, &classes), "{seed}");
        }
    }

    #[test]
    fn a_slow_rank_splits_the_blocks_that_shard_with_it() {
        let ranks = ranks(1, 8, 1);
        let part = |inner, outer| Part {
            axis: Axis::Dp,
            inner,
            outer,
        };
        let slow = |rank: RankId| rank.get() == 5;
        let parts = [part(1, 2), part(2, 8)];
        let classes = classes_by(&ranks, &[Axis::Dp], &parts, slow, |_, _| ());
        // The slow one, its partner, those with its shard, and those with its partner's.
        let members: Vec<Vec<u32>> = classes
            .members()
            .iter()
            .map(|members| members.iter().map(|rank| rank.get()).collect())
            .collect();
        assert_eq!(members, [vec![0, 2, 6], vec![1, 3, 7], vec![4], vec![5]]);
        let even = classes_by(&ranks, &[Axis::Dp], &parts, |_| false, |_, _| ());
        assert_eq!(even.len(), 1);
    }
}
