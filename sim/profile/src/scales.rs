//! Multipliers of a profile's times: how a site and a framework differ from microbenchmarks.

use crate::{Gemm, HostCost, Kernel, Packing, Pass, StreamKind};

/// Which part of a model a kernel works for, where that matters to its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// Everywhere else.
    #[default]
    Dense,
    /// Between the router and the end of a mixture of experts.
    Experts,
    /// The output layer and the loss.
    Head,
}

/// Multipliers of time, by what runs: 1 leaves a profile as it is.
///
/// They act behind the roofline of the data sheet, so that none is without effect. One below 1
/// may therefore beat the data sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelScales {
    /// Matrix products, single and batched.
    pub gemm: f64,
    /// Grouped matrix products.
    pub grouped: f64,
    /// Fused attention, forward and backward.
    pub attention: f64,
    /// Fused attention backward, on top.
    pub attention_backward: f64,
    /// Memory-bound kernels but the optimizer's.
    pub stream: f64,
    /// Memory-bound kernels of experts ([`Place::Experts`]), on top.
    pub moe_traffic: f64,
    /// State-space scans.
    pub scan: f64,
    /// Memory-bound kernels of the optimizer's step.
    pub optimizer: f64,
    /// All kernels of output layer and loss ([`Place::Head`]), on top.
    pub head: f64,
    /// The gap between two kernels.
    pub launch: f64,
    /// All times of the host.
    pub host: f64,
    /// The host's time for a mixture-of-experts layer, on top.
    pub host_moe: f64,
}

impl Default for KernelScales {
    fn default() -> Self {
        Self::ONE
    }
}

impl KernelScales {
    /// All times as they are.
    pub const ONE: Self = Self {
        gemm: 1.0,
        grouped: 1.0,
        attention: 1.0,
        attention_backward: 1.0,
        stream: 1.0,
        moe_traffic: 1.0,
        scan: 1.0,
        optimizer: 1.0,
        head: 1.0,
        launch: 1.0,
        host: 1.0,
        host_moe: 1.0,
    };

    /// One after the other.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self {
            gemm: self.gemm * other.gemm,
            grouped: self.grouped * other.grouped,
            attention: self.attention * other.attention,
            attention_backward: self.attention_backward * other.attention_backward,
            stream: self.stream * other.stream,
            moe_traffic: self.moe_traffic * other.moe_traffic,
            scan: self.scan * other.scan,
            optimizer: self.optimizer * other.optimizer,
            head: self.head * other.head,
            launch: self.launch * other.launch,
            host: self.host * other.host,
            host_moe: self.host_moe * other.host_moe,
        }
    }

    /// What the time of a kernel is multiplied with. Unfused attention is products and memory
    /// traffic: see [`Self::product`] and `stream`.
    pub(crate) fn of(&self, kernel: &Kernel, place: Place) -> f64 {
        let own = match kernel {
            Kernel::Gemm(gemm) => self.product(gemm),
            Kernel::Attention(attention) if attention.pass == Pass::Backward => {
                self.attention * self.attention_backward
            }
            Kernel::Attention(_) => self.attention,
            Kernel::Stream(stream) if stream.kind == StreamKind::Optimizer => self.optimizer,
            Kernel::Stream(_) if place == Place::Experts => self.stream * self.moe_traffic,
            Kernel::Stream(_) => self.stream,
            Kernel::Scan(_) => self.scan,
        };
        match place {
            Place::Head => own * self.head,
            Place::Dense | Place::Experts => own,
        }
    }

    /// What the time of a matrix product is multiplied with.
    pub(crate) fn product(&self, gemm: &Gemm) -> f64 {
        match gemm.packing {
            Packing::Single | Packing::Batched(_) => self.gemm,
            Packing::Grouped(_) => self.grouped,
        }
    }

    pub(crate) fn on_host(&self, host: HostCost) -> HostCost {
        HostCost {
            kernel: host.kernel * self.host,
            layer: host.layer * self.host,
            expert_layer: host.expert_layer * (self.host * self.host_moe),
            micro_batch: host.micro_batch * self.host,
            ..host
        }
    }
}

/// Shares of communication that runs beside kernels, and yet is waited for: 0 where overlap is
/// free.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposed {
    /// Of tensor parallelism.
    pub tp: f64,
    /// Of context parallelism.
    pub cp: f64,
}

impl Exposed {
    /// The share that is left when what one leaves hidden is exposed by the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let both = |a: f64, b: f64| a + b - a * b;
        Self {
            tp: both(self.tp, other.tp),
            cp: both(self.cp, other.cp),
        }
    }
}
