//! Fitted scalars of a framework at a site: multipliers of time, 1 unless a fit says otherwise.

use std::ops::{Index, IndexMut};

use profile::{Exposed, KernelScales};
use workload::ops::Axis;

use crate::slots::SlotGroup;

/// One scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScaleKey {
    /// Time of matrix products, single and batched.
    Gemm,
    /// Time of grouped matrix products.
    Grouped,
    /// Time of products in formats with a scale for each block, on top.
    BlockScaled,
    /// Time of fused attention.
    Attention,
    /// Time of fused attention backward, on top.
    AttentionBackward,
    /// Time of memory-bound kernels.
    Stream,
    /// Time of memory-bound kernels between router and combination of experts, on top.
    MoeTraffic,
    /// Time of state-space scans.
    Scan,
    /// Time of the optimizer's kernels.
    Optimizer,
    /// Time of memory-bound kernels of output layer and loss, on top.
    Head,
    /// The gap between two kernels.
    Launch,
    /// Time of the host.
    Host,
    /// Time of the host for mixture-of-experts layers, on top.
    HostMoe,
    /// Time of collectives of tensor parallelism.
    Tp,
    /// Time of collectives of context parallelism.
    Cp,
    /// Time of collectives of data parallelism.
    Dp,
    /// Time of collectives of expert parallelism.
    Ep,
    /// Time of messages between pipeline stages.
    Pp,
    /// Microseconds, times `log₂ tp`, for which ranks wait for each other before a collective
    /// of tensor parallelism.
    TpSkew,
    /// Share of overlapped tensor-parallel communication that is waited for nevertheless.
    TpExposed,
    /// The same of context parallelism.
    CpExposed,
    /// The same of sums of gradients, where they are summed once an iteration.
    DpExposed,
}

impl ScaleKey {
    /// Every scalar, in the order of [`Scales`].
    pub const ALL: [Self; 22] = [
        Self::Gemm,
        Self::Grouped,
        Self::BlockScaled,
        Self::Attention,
        Self::AttentionBackward,
        Self::Stream,
        Self::MoeTraffic,
        Self::Scan,
        Self::Optimizer,
        Self::Head,
        Self::Launch,
        Self::Host,
        Self::HostMoe,
        Self::Tp,
        Self::Cp,
        Self::Dp,
        Self::Ep,
        Self::Pp,
        Self::TpSkew,
        Self::TpExposed,
        Self::CpExposed,
        Self::DpExposed,
    ];

    /// The name as framework files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gemm => "gemm",
            Self::Grouped => "grouped",
            Self::BlockScaled => "block_scaled",
            Self::Attention => "attention",
            Self::AttentionBackward => "attention_backward",
            Self::Stream => "stream",
            Self::MoeTraffic => "moe_traffic",
            Self::Scan => "scan",
            Self::Optimizer => "optimizer",
            Self::Head => "head",
            Self::Launch => "launch",
            Self::Host => "host",
            Self::HostMoe => "host_moe",
            Self::Tp => "tp",
            Self::Cp => "cp",
            Self::Dp => "dp",
            Self::Ep => "ep",
            Self::Pp => "pp",
            Self::TpSkew => "tp_skew_us",
            Self::TpExposed => "tp_exposed",
            Self::CpExposed => "cp_exposed",
            Self::DpExposed => "dp_exposed",
        }
    }

    /// What it scales, in a line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Gemm => "time of matrix products, single and batched",
            Self::Grouped => "time of grouped matrix products",
            Self::BlockScaled => {
                "time of products in formats with a scale for each block (MXFP8, NVFP4), on top"
            }
            Self::Attention => "time of fused attention, forward and backward",
            Self::AttentionBackward => "time of fused attention backward, on top",
            Self::Stream => "time of memory-bound kernels but the optimizer's",
            Self::MoeTraffic => {
                "time of memory-bound kernels between router and combination of experts, on top"
            }
            Self::Scan => "time of state-space scans",
            Self::Optimizer => "time of the optimizer's memory-bound kernels",
            Self::Head => "time of memory-bound kernels of output layer and loss, on top",
            Self::Launch => "gap between two kernels",
            Self::Host => "all times of the host",
            Self::HostMoe => "time of the host for a mixture-of-experts layer, on top",
            Self::Tp => "time of collectives of tensor parallelism",
            Self::Cp => "time of collectives of context parallelism",
            Self::Dp => "time of collectives of data parallelism",
            Self::Ep => "time of collectives of expert parallelism",
            Self::Pp => "time of messages between pipeline stages",
            Self::TpSkew => {
                "wait of ranks for each other before a collective of tensor parallelism, in µs, times log2 of their number"
            }
            Self::TpExposed => {
                "share of overlapped tensor-parallel communication that is waited for nevertheless"
            }
            Self::CpExposed => {
                "share of overlapped context-parallel communication that is waited for nevertheless"
            }
            Self::DpExposed => {
                "share of overlapped sums of gradients that is waited for nevertheless, where they are summed once an iteration"
            }
        }
    }

    /// Whether it is a share from 0 to 1, not a multiplier.
    pub const fn is_share(self) -> bool {
        matches!(self, Self::TpExposed | Self::CpExposed | Self::DpExposed)
    }

    /// Whether values add up, not multiply.
    pub const fn is_added(self) -> bool {
        self.is_share() || matches!(self, Self::TpSkew)
    }

    /// The value that changes nothing.
    pub const fn neutral(self) -> f64 {
        if self.is_added() { 0.0 } else { 1.0 }
    }
}

/// A value for every scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales([f64; ScaleKey::ALL.len()]);

impl Default for Scales {
    fn default() -> Self {
        Self(ScaleKey::ALL.map(ScaleKey::neutral))
    }
}

impl Index<ScaleKey> for Scales {
    type Output = f64;

    fn index(&self, key: ScaleKey) -> &f64 {
        &self.0[key as usize]
    }
}

impl IndexMut<ScaleKey> for Scales {
    fn index_mut(&mut self, key: ScaleKey) -> &mut f64 {
        &mut self.0[key as usize]
    }
}

impl Scales {
    /// The same with one scalar set.
    #[must_use]
    pub fn with(mut self, key: ScaleKey, value: f64) -> Self {
        self[key] = value;
        self
    }

    /// What of it scales kernels and the host.
    pub fn kernels(&self) -> KernelScales {
        KernelScales {
            gemm: self[ScaleKey::Gemm],
            grouped: self[ScaleKey::Grouped],
            block_scaled: self[ScaleKey::BlockScaled],
            attention: self[ScaleKey::Attention],
            attention_backward: self[ScaleKey::AttentionBackward],
            stream: self[ScaleKey::Stream],
            moe_traffic: self[ScaleKey::MoeTraffic],
            scan: self[ScaleKey::Scan],
            optimizer: self[ScaleKey::Optimizer],
            head: self[ScaleKey::Head],
            launch: self[ScaleKey::Launch],
            host: self[ScaleKey::Host],
            host_moe: self[ScaleKey::HostMoe],
        }
    }

    /// What of it scales collectives.
    pub fn axes(&self) -> AxisScales {
        AxisScales {
            tp: self[ScaleKey::Tp],
            cp: self[ScaleKey::Cp],
            dp: self[ScaleKey::Dp],
            ep: self[ScaleKey::Ep],
            pp: self[ScaleKey::Pp],
            tp_skew: self[ScaleKey::TpSkew] * 1e-6,
        }
    }

    /// What of it exposes communication.
    pub fn exposed(&self) -> Exposed {
        Exposed {
            tp: self[ScaleKey::TpExposed],
            cp: self[ScaleKey::CpExposed],
        }
    }
}

/// Multipliers of the time of collectives and messages, by axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisScales {
    /// Tensor parallelism, inside experts too.
    pub tp: f64,
    /// Context parallelism.
    pub cp: f64,
    /// Data parallelism, of experts too.
    pub dp: f64,
    /// Expert parallelism.
    pub ep: f64,
    /// Pipeline parallelism.
    pub pp: f64,
    /// Seconds for which tensor-parallel ranks wait for each other, see
    /// [`collective::CommShape::with_skew`].
    pub tp_skew: f64,
}

impl AxisScales {
    /// As the model of collectives says.
    pub const ONE: Self = Self {
        tp: 1.0,
        cp: 1.0,
        dp: 1.0,
        ep: 1.0,
        pp: 1.0,
        tp_skew: 0.0,
    };

    /// One after the other.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        Self {
            tp: self.tp * other.tp,
            cp: self.cp * other.cp,
            dp: self.dp * other.dp,
            ep: self.ep * other.ep,
            pp: self.pp * other.pp,
            tp_skew: self.tp_skew + other.tp_skew,
        }
    }

    /// The larger of both, by axis.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            tp: self.tp.max(other.tp),
            cp: self.cp.max(other.cp),
            dp: self.dp.max(other.dp),
            ep: self.ep.max(other.ep),
            pp: self.pp.max(other.pp),
            tp_skew: self.tp_skew.max(other.tp_skew),
        }
    }

    /// The wait of the ranks of an axis for each other, in seconds.
    pub const fn skew_of(self, axis: Axis) -> f64 {
        match axis {
            Axis::Tp | Axis::Etp => self.tp_skew,
            _ => 0.0,
        }
    }

    /// The same of a group.
    pub const fn skew_of_group(self, group: SlotGroup) -> f64 {
        match group {
            SlotGroup::Axis(axis) => self.skew_of(axis),
            _ => 0.0,
        }
    }

    /// Of the collectives of an axis.
    pub const fn of(self, axis: Axis) -> f64 {
        match axis {
            Axis::Tp | Axis::Etp => self.tp,
            Axis::Cp => self.cp,
            Axis::Ep | Axis::EpEtp => self.ep,
            Axis::Dp | Axis::ExpertDp => self.dp,
            Axis::Pp => self.pp,
        }
    }

    /// Of the collectives of a group.
    pub const fn of_group(self, group: SlotGroup) -> f64 {
        match group {
            SlotGroup::Axis(axis) | SlotGroup::Level { axis, .. } => self.of(axis),
            SlotGroup::Ends | SlotGroup::Devices(_) | SlotGroup::Pipeline => self.pp,
            // Four bytes over ranks of two axes: no axis is to blame.
            SlotGroup::Replica => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scalar_has_a_place_of_its_own() {
        for (place, key) in ScaleKey::ALL.into_iter().enumerate() {
            assert_eq!(key as usize, place, "{}", key.name());
            let scales = Scales::default().with(key, 0.5);
            assert!((scales[key] - 0.5).abs() < 1e-12);
            let others = ScaleKey::ALL.into_iter().filter(|other| *other != key);
            assert!(
                others
                    .into_iter()
                    .all(|other| scales[other].to_bits() == other.neutral().to_bits())
            );
        }
    }

    #[test]
    fn the_default_changes_nothing() {
        let scales = Scales::default();
        assert_eq!(scales.kernels(), KernelScales::ONE);
        assert_eq!(scales.axes(), AxisScales::ONE);
        assert_eq!(scales.exposed(), Exposed::default());
    }
}
