//! Multipliers of a profile's times: how a site and a framework differ from microbenchmarks.

use units::DType;

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
    /// Products in formats with a scale for each block (MXFP8, NVFP4), on top: quantising their
    /// inputs along both dimensions.
    pub block_scaled: f64,
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
    /// Memory-bound kernels of output layer and loss ([`Place::Head`]), on top.
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
        block_scaled: 1.0,
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
            block_scaled: self.block_scaled * other.block_scaled,
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
        // The product of the output layer is a product like others; the loss is what frameworks
        // fuse or do not.
        match (place, kernel) {
            (Place::Head, Kernel::Stream(_)) => own * self.head,
            _ => own,
        }
    }

    /// What the time of a matrix product is multiplied with.
    pub(crate) fn product(&self, gemm: &Gemm) -> f64 {
        let packed = match gemm.packing {
            Packing::Single | Packing::Batched(_) => self.gemm,
            Packing::Grouped(_) => self.grouped,
        };
        match gemm.dtype {
            DType::MxFp8 | DType::NvFp4 => packed * self.block_scaled,
            _ => packed,
        }
    }

    pub(crate) fn on_host(&self, host: HostCost) -> HostCost {
        HostCost {
            kernel: host.kernel * self.host,
            layer: host.layer * self.host,
            expert_layer: host.expert_layer * (self.host * self.host_moe),
            micro_batch: host.micro_batch * self.host,
            loose_softmax: host.loose_softmax * self.host,
            collective: host.collective * self.host,
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

#[cfg(test)]
mod tests {
    use cluster::example;
    use units::Bytes;

    use super::*;
    use crate::{Profile, Stream};

    fn stream(kind: StreamKind) -> Kernel {
        Kernel::Stream(Stream {
            kind,
            bytes: Bytes::new(1 << 28),
            launches: 1,
        })
    }

    /// How many times as long a kernel takes.
    fn ratio(scales: KernelScales, kernel: &Kernel, place: Place) -> f64 {
        let plain = Profile::nominal(&example::h100());
        let own = plain.clone().scaled(&scales);
        own.time_at(kernel, place).time.as_secs() / plain.time_at(kernel, place).time.as_secs()
    }

    #[test]
    fn a_multiplier_acts_whatever_binds_the_kernel() {
        let scales = KernelScales {
            gemm: 1.5,
            grouped: 3.0,
            stream: 2.0,
            ..KernelScales::ONE
        };
        for extent in [16, 512, 16_384] {
            let gemm = Gemm::new(extent, extent, extent, DType::Bf16);
            let single = ratio(scales, &Kernel::Gemm(gemm), Place::Dense);
            assert!((single - 1.5).abs() < 1e-9);
            let packing = Packing::Grouped(4);
            let grouped = Kernel::Gemm(Gemm { packing, ..gemm });
            assert!((ratio(scales, &grouped, Place::Experts) - 3.0).abs() < 1e-9);
        }
        assert!((ratio(scales, &stream(StreamKind::Norm), Place::Dense) - 2.0).abs() < 1e-9);
        assert!((ratio(scales, &stream(StreamKind::Optimizer), Place::Dense) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn traffic_of_experts_and_the_head_have_multipliers_of_their_own() {
        let scales = KernelScales {
            stream: 2.0,
            moe_traffic: 3.0,
            head: 1.25,
            ..KernelScales::ONE
        };
        let kernel = stream(StreamKind::Activation);
        for (place, expected) in [
            (Place::Dense, 2.0),
            (Place::Experts, 6.0),
            (Place::Head, 2.5),
        ] {
            assert!((ratio(scales, &kernel, place) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn multipliers_multiply_and_the_host_follows() {
        let twice = KernelScales {
            host: 2.0,
            host_moe: 1.5,
            launch: 3.0,
            ..KernelScales::ONE
        };
        let plain = Profile::nominal(&example::h100());
        let own = plain.clone().scaled(&twice).scaled(&twice);
        let of = |profile: &Profile| profile.host();
        assert!((of(&own).layer.as_secs() / of(&plain).layer.as_secs() - 4.0).abs() < 1e-9);
        let experts = of(&own).expert_layer.as_secs() / of(&plain).expert_layer.as_secs();
        assert!((experts - 9.0).abs() < 1e-9);
        assert!((own.launch().as_secs() / plain.launch().as_secs() - 9.0).abs() < 1e-9);
    }

    #[test]
    fn exposing_twice_exposes_of_what_is_left() {
        let half = Exposed { tp: 0.5, cp: 0.0 };
        let expected = Exposed { tp: 0.75, cp: 0.0 };
        assert_eq!(half.and(half), expected);
    }
}
