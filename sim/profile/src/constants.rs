//! What a profile says besides curves: the host's time, and what communication takes from
//! compute.

use units::Seconds;

use crate::{HostSpec, InterferenceSpec, Kernel};

/// What the host needs to issue work. A stretch of work takes the larger of GPU and host time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostCost {
    /// Per kernel that is launched one by one.
    pub kernel: Seconds,
    /// Per layer and pass, besides its kernels; a backward pass counts two.
    pub layer: Seconds,
    /// The same for a mixture-of-experts layer.
    pub expert_layer: Seconds,
    /// Per micro-batch.
    pub micro_batch: Seconds,
    /// Per attention core whose softmax is several kernels, not one.
    pub loose_softmax: Seconds,
    /// Per collective inside a layer: the call through the framework's process group, over that of
    /// a kernel.
    pub collective: Seconds,
    /// What hosts of a tensor-parallel group that wait for each other add, as a share, times the
    /// third power of the doublings of their number: hardly anything up to four, a fifth at eight
    /// where this is 0.0074.
    pub tp_share: f64,
    /// What CUDA graphs leave of kernels and layers: 0 where everything is captured.
    pub graphs_share: f64,
    /// What they leave of a mixture-of-experts layer, of which only parts can be captured.
    pub moe_graphs_share: f64,
}

impl HostCost {
    /// Captured in graphs: the micro-batch is left, and of kernels and layers what graphs leave.
    #[must_use]
    pub fn captured(self) -> Self {
        Self {
            kernel: self.kernel * self.graphs_share,
            layer: self.layer * self.graphs_share,
            expert_layer: self.expert_layer * self.moe_graphs_share,
            loose_softmax: self.loose_softmax * self.graphs_share,
            collective: self.collective * self.graphs_share,
            ..self
        }
    }

    /// What is left for a plan: of that tensor-parallel degree, which multiplies every time by
    /// `1 + tp_share · (log₂ tp)³`, with graphs or without.
    #[must_use]
    pub fn under(self, tp: u32, graphs: bool) -> Self {
        let left = if graphs { self.captured() } else { self };
        let doublings = f64::from(tp.max(1).ilog2());
        let factor = 1.0 + self.tp_share * doublings * doublings * doublings;
        Self {
            kernel: left.kernel * factor,
            layer: left.layer * factor,
            expert_layer: left.expert_layer * factor,
            micro_batch: left.micro_batch * factor,
            loose_softmax: left.loose_softmax * factor,
            collective: left.collective * factor,
            ..left
        }
    }

    /// Host time of one pass of one layer.
    pub fn pass(&self, kernels: u32, experts: bool) -> Seconds {
        let layer = if experts {
            self.expert_layer
        } else {
            self.layer
        };
        layer + self.kernel * f64::from(kernels)
    }

    pub(crate) fn new(spec: &HostSpec) -> Self {
        Self {
            kernel: Seconds::from_micros(spec.kernel_us),
            layer: Seconds::from_micros(spec.layer_us),
            expert_layer: Seconds::from_micros(spec.expert_layer_us),
            micro_batch: Seconds::from_micros(spec.micro_batch_us),
            loose_softmax: Seconds::ZERO,
            collective: Seconds::ZERO,
            tp_share: 0.0,
            graphs_share: 0.0,
            moe_graphs_share: 0.0,
        }
    }
}

/// What communication kernels take from compute kernels while both run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interference {
    /// Share of the SMs that they hold.
    pub sm_share: f64,
    /// Share of the memory bandwidth that they take.
    pub bandwidth_share: f64,
}

impl Interference {
    /// Nothing is taken: copy engines, or no communication.
    pub const NONE: Self = Self {
        sm_share: 0.0,
        bandwidth_share: 0.0,
    };

    /// The speed of a kernel beside communication, over its speed alone.
    pub fn speed(&self, kernel: &Kernel) -> f64 {
        match kernel {
            Kernel::Stream(_) => 1.0 - self.bandwidth_share,
            Kernel::Gemm(_) | Kernel::Attention(_) | Kernel::Scan(_) => 1.0 - self.sm_share,
        }
    }

    pub(crate) fn new(spec: &InterferenceSpec, sms: f64) -> Self {
        Self {
            sm_share: (spec.channels / sms).min(0.9),
            bandwidth_share: spec.bandwidth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gemm, Stream, StreamKind};
    use units::{Bytes, DType};

    #[test]
    fn graphs_leave_only_the_host_time_of_the_micro_batch() {
        let host = HostCost::new(&HostSpec {
            kernel_us: 6.0,
            layer_us: 650.0,
            expert_layer_us: 2000.0,
            micro_batch_us: 1000.0,
            source: String::new(),
        });
        assert!((host.pass(25, false).as_micros() - 800.0).abs() < 1e-9);
        assert!((host.pass(25, true).as_micros() - 2150.0).abs() < 1e-9);
        assert_eq!(host.captured().pass(25, true), Seconds::ZERO);
        assert_eq!(host.captured().micro_batch, host.micro_batch);
    }

    #[test]
    fn graphs_of_parts_leave_a_share_and_tensor_parallelism_adds_one() {
        let host = HostCost {
            kernel: Seconds::ZERO,
            layer: Seconds::from_micros(800.0),
            expert_layer: Seconds::from_micros(2_000.0),
            micro_batch: Seconds::from_micros(1_000.0),
            loose_softmax: Seconds::ZERO,
            collective: Seconds::from_micros(100.0),
            tp_share: 0.025,
            graphs_share: 0.5,
            moe_graphs_share: 0.25,
        };
        let under = host.under(4, true);
        assert!((under.layer.as_micros() - 480.0).abs() < 1e-9);
        assert!((under.expert_layer.as_micros() - 600.0).abs() < 1e-9);
        assert!((under.micro_batch.as_micros() - 1_200.0).abs() < 1e-9);
        assert!((under.collective.as_micros() - 60.0).abs() < 1e-9);
        assert_eq!(host.under(1, false), host);
    }

    #[test]
    fn communication_takes_sms_from_products_and_bandwidth_from_streams() {
        let spec = InterferenceSpec {
            channels: 33.0,
            bandwidth: 0.1,
            source: String::new(),
        };
        let interference = Interference::new(&spec, 132.0);
        let gemm = Kernel::Gemm(Gemm::new(64, 64, 64, DType::Bf16));
        let stream = Kernel::Stream(Stream {
            kind: StreamKind::Norm,
            bytes: Bytes::new(1),
            launches: 1,
        });
        assert!((interference.speed(&gemm) - 0.75).abs() < 1e-12);
        assert!((interference.speed(&stream) - 0.9).abs() < 1e-12);
        assert!((Interference::NONE.speed(&gemm) - 1.0).abs() < 1e-12);
    }
}
