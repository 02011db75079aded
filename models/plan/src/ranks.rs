//! Ranks: how the axes of parallelism number them, and who talks to whom.
//!
//! ```text
//! order "tp-cp-ep-dp-pp", innermost first:  rank = tp + T (cp + C (dp + D pp))
//! the same ranks inside experts:            rank = etp + E_t (ep + E (edp + D_e pp))
//! ```
//!
//! Both readings count all ranks, with `T C D = E_t E D_e`. Source: Megatron-Core,
//! `parallel_state.RankGenerator`. Nothing is stored by rank: coordinates and groups are
//! arithmetic, and cost nothing to copy.

use std::fmt;

use units::RankId;

use crate::Axis;
use crate::group::Group;

/// Degrees of parallelism. Each is at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Degrees {
    /// Tensor parallel.
    pub tp: u32,
    /// Context parallel.
    pub cp: u32,
    /// Expert parallel.
    pub ep: u32,
    /// Tensor parallel inside experts.
    pub etp: u32,
    /// Data parallel; with context parallelism, groups of `cp` ranks count as one.
    pub dp: u32,
    /// Pipeline stages (devices, not virtual stages).
    pub pp: u32,
}

impl Degrees {
    /// One GPU.
    pub const ONE: Self = Self {
        tp: 1,
        cp: 1,
        ep: 1,
        etp: 1,
        dp: 1,
        pp: 1,
    };

    /// Ranks in all.
    pub const fn n_ranks(&self) -> u32 {
        self.tp * self.cp * self.dp * self.pp
    }

    /// Ranks that reduce the gradients of dense parameters together.
    pub const fn dense_data(&self) -> u32 {
        self.dp * self.cp
    }

    /// Ranks that reduce the gradients of an expert's parameters together.
    pub const fn expert_data(&self) -> u32 {
        self.tp * self.cp * self.dp / (self.etp * self.ep)
    }
}

/// One dimension of the rank order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dim {
    /// Tensor parallel, inside experts as well.
    Tp,
    /// Context parallel.
    Cp,
    /// Expert parallel.
    Ep,
    /// Data parallel.
    Dp,
    /// Pipeline parallel.
    Pp,
}

impl Dim {
    const ALL: [Self; 5] = [Self::Tp, Self::Cp, Self::Ep, Self::Dp, Self::Pp];

    const fn name(self) -> &'static str {
        match self {
            Self::Tp => "tp",
            Self::Cp => "cp",
            Self::Ep => "ep",
            Self::Dp => "dp",
            Self::Pp => "pp",
        }
    }
}

/// The order of the dimensions, innermost first. Invariant: each stands once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RankOrder([Dim; 5]);

/// The text is not an order of the five dimensions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rank order `{0}` is not an order of tp, cp, ep, dp and pp, such as `tp-cp-ep-dp-pp`")]
pub struct NotAnOrder(String);

impl RankOrder {
    /// Megatron's default: tensor parallelism innermost, pipeline outermost.
    pub const MEGATRON: Self = Self([Dim::Tp, Dim::Cp, Dim::Ep, Dim::Dp, Dim::Pp]);
    /// Megatron's `--use-tp-pp-dp-mapping`: data parallelism outermost.
    pub const TP_PP_DP: Self = Self([Dim::Tp, Dim::Cp, Dim::Ep, Dim::Pp, Dim::Dp]);
}

impl std::str::FromStr for RankOrder {
    type Err = NotAnOrder;

    fn from_str(text: &str) -> Result<Self, NotAnOrder> {
        let refuse = || NotAnOrder(text.chars().take(60).collect());
        let mut order = Vec::with_capacity(5);
        for name in text.split('-') {
            let dim = Dim::ALL.into_iter().find(|dim| dim.name() == name);
            order.push(dim.filter(|dim| !order.contains(dim)).ok_or_else(refuse)?);
        }
        order.try_into().map(Self).map_err(|_| refuse())
    }
}

impl fmt::Display for RankOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map(Dim::name).join("-"))
    }
}

/// Where a rank stands on every axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Coord {
    /// Tensor parallel.
    pub tp: u32,
    /// Context parallel.
    pub cp: u32,
    /// Data parallel.
    pub dp: u32,
    /// Pipeline stage.
    pub pp: u32,
    /// Tensor parallel inside experts.
    pub etp: u32,
    /// Expert parallel.
    pub ep: u32,
    /// Data parallel of expert parameters.
    pub edp: u32,
}

/// The size and stride of each dimension, by [`Dim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Grid {
    size: [u32; 5],
    stride: [u32; 5],
}

impl Grid {
    fn new(order: RankOrder, size: [u32; 5]) -> Self {
        let mut stride = [1; 5];
        let mut next = 1;
        for dim in order.0 {
            stride[dim as usize] = next;
            next *= size[dim as usize];
        }
        Self { size, stride }
    }

    const fn coord(&self, rank: u32, dim: Dim) -> u32 {
        rank / self.stride[dim as usize] % self.size[dim as usize]
    }

    /// The ranks that differ from one in these dimensions alone, in ascending order.
    fn group(&self, rank: u32, dims: [Dim; 2]) -> Group {
        let mut first = rank;
        for dim in dims {
            first -= self.coord(rank, dim) * self.stride[dim as usize];
        }
        let [mut a, mut b] = dims.map(|dim| (self.size[dim as usize], self.stride[dim as usize]));
        if b.1 < a.1 {
            std::mem::swap(&mut a, &mut b);
        }
        Group {
            first,
            inner: a,
            outer: b,
        }
    }
}

/// The numbering of the ranks of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ranks {
    degrees: Degrees,
    dense: Grid,
    expert: Grid,
}

impl Ranks {
    /// The numbering of these degrees in that order; `None` where the ranks inside experts do
    /// not count all ranks (`etp ep` must divide `tp cp dp`), or where experts and dense
    /// parameters would have other pipeline groups.
    pub fn new(degrees: Degrees, order: RankOrder) -> Option<Self> {
        let Degrees {
            tp,
            cp,
            ep,
            etp,
            dp,
            pp,
        } = degrees;
        let dense = Grid::new(order, [tp, cp, 1, dp, pp]);
        let expert = Grid::new(order, [etp, 1, ep, degrees.expert_data(), pp]);
        let whole = u64::from(degrees.expert_data()) * u64::from(etp) * u64::from(ep)
            == u64::from(tp) * u64::from(cp) * u64::from(dp);
        let same = dense.stride[Dim::Pp as usize] == expert.stride[Dim::Pp as usize];
        (whole && (same || pp == 1)).then_some(Self {
            degrees,
            dense,
            expert,
        })
    }

    /// The numbering for a model without experts, whose expert axes follow the dense ones.
    pub fn dense(degrees: Degrees, order: RankOrder) -> Self {
        let Degrees { tp, cp, dp, pp, .. } = degrees;
        let grid = Grid::new(order, [tp, cp, 1, dp, pp]);
        Self {
            degrees: Degrees {
                ep: 1,
                etp: tp,
                ..degrees
            },
            dense: grid,
            expert: grid,
        }
    }

    /// The degrees.
    pub const fn degrees(&self) -> Degrees {
        self.degrees
    }

    /// Ranks in all.
    pub const fn len(&self) -> u32 {
        self.degrees.n_ranks()
    }

    /// Never: there is at least one rank.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Every rank, in order.
    pub fn all(&self) -> impl ExactSizeIterator<Item = RankId> + use<> {
        (0..self.len()).map(RankId::new)
    }

    /// Where a rank stands on every axis.
    pub const fn coords(&self, rank: RankId) -> Coord {
        let rank = rank.get();
        Coord {
            tp: self.dense.coord(rank, Dim::Tp),
            cp: self.dense.coord(rank, Dim::Cp),
            dp: self.dense.coord(rank, Dim::Dp),
            pp: self.dense.coord(rank, Dim::Pp),
            etp: self.expert.coord(rank, Dim::Tp),
            ep: self.expert.coord(rank, Dim::Ep),
            edp: self.expert.coord(rank, Dim::Dp),
        }
    }

    /// The rank at these coordinates; those inside experts follow from them and are not read.
    pub const fn rank_at(&self, at: Coord) -> RankId {
        let stride = &self.dense.stride;
        RankId::new(
            at.tp * stride[Dim::Tp as usize]
                + at.cp * stride[Dim::Cp as usize]
                + at.dp * stride[Dim::Dp as usize]
                + at.pp * stride[Dim::Pp as usize],
        )
    }

    /// The rank with the same coordinates in another pipeline stage.
    pub const fn at_stage(&self, rank: RankId, stage: u32) -> RankId {
        let stride = self.dense.stride[Dim::Pp as usize];
        let own = self.dense.coord(rank.get(), Dim::Pp);
        RankId::new(rank.get() - own * stride + stage * stride)
    }

    /// The ranks of a rank's group on an axis, ascending. Gradients of dense parameters are
    /// reduced over data and context parallelism together, so [`Axis::Dp`] holds both.
    pub fn group(&self, axis: Axis, rank: RankId) -> Group {
        let rank = rank.get();
        match axis {
            Axis::Tp => self.dense.group(rank, [Dim::Tp, Dim::Ep]),
            Axis::Cp => self.dense.group(rank, [Dim::Cp, Dim::Ep]),
            Axis::Dp => self.dense.group(rank, [Dim::Cp, Dim::Dp]),
            Axis::Pp => self.dense.group(rank, [Dim::Pp, Dim::Ep]),
            Axis::Ep => self.expert.group(rank, [Dim::Ep, Dim::Cp]),
            Axis::Etp => self.expert.group(rank, [Dim::Tp, Dim::Cp]),
            Axis::EpEtp => self.expert.group(rank, [Dim::Tp, Dim::Ep]),
            Axis::ExpertDp => self.expert.group(rank, [Dim::Dp, Dim::Cp]),
        }
    }

    /// Ranks in every group of an axis.
    pub fn group_size(&self, axis: Axis) -> u32 {
        self.group(axis, RankId::new(0)).len()
    }

    /// Every group of an axis, by its first rank.
    pub fn groups(&self, axis: Axis) -> impl Iterator<Item = Group> + '_ {
        self.all()
            .map(move |rank| (rank, self.group(axis, rank)))
            .filter(|(rank, group)| group.first == rank.get())
            .map(|(_, group)| group)
    }
}

#[cfg(test)]
mod tests;
