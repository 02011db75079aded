//! What a profile says besides curves: the host's time, memory that no tensor explains, and
//! what communication takes from compute.

use units::{Bytes, Seconds};

use crate::{HostSpec, InterferenceSpec, Kernel, MemorySpec};

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
    /// What each doubling of the tensor-parallel degree adds, as a share: more calls, and more
    /// hosts that wait for each other.
    pub tp_share: f64,
    /// What CUDA graphs leave of kernels and layers: 0 where everything is captured.
    pub graphs_share: f64,
}

impl HostCost {
    /// Captured in graphs: the micro-batch is left, and of kernels and layers what graphs leave.
    #[must_use]
    pub fn captured(self) -> Self {
        Self {
            kernel: self.kernel * self.graphs_share,
            layer: self.layer * self.graphs_share,
            expert_layer: self.expert_layer * self.graphs_share,
            ..self
        }
    }

    /// What a tensor-parallel degree makes of every time: `1 + tp_share · log₂ tp`.
    pub fn at_tp(&self, tp: u32) -> f64 {
        1.0 + self.tp_share * f64::from(tp.max(1).ilog2())
    }

    /// What is left for a plan: of that tensor-parallel degree, with graphs or without.
    #[must_use]
    pub fn under(self, tp: u32, graphs: bool) -> Self {
        let left = if graphs { self.captured() } else { self };
        let factor = self.at_tp(tp);
        Self {
            kernel: left.kernel * factor,
            layer: left.layer * factor,
            expert_layer: left.expert_layer * factor,
            micro_batch: left.micro_batch * factor,
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
            tp_share: 0.0,
            graphs_share: 0.0,
        }
    }
}

/// Memory of a device that no tensor of the model explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryConstants {
    /// Driver context and loaded kernels; outside the framework's allocator.
    pub context: Bytes,
    /// Small buffers of the framework; allocated.
    pub framework: Bytes,
    /// Workspace of the matrix library; allocated.
    pub workspace: Bytes,
    /// Buffers of one communicator; outside the allocator.
    pub communicator: Bytes,
    /// Reserved but unused by the allocator, as a share of the allocated peak.
    pub slack: f64,
}

impl MemoryConstants {
    /// What the allocator reserves for an allocated peak.
    pub fn reserved(&self, allocated: Bytes) -> Bytes {
        allocated.scale(1.0 + self.slack)
    }

    /// What the device shows as used: reserved, context and communicators.
    pub fn device_used(&self, allocated: Bytes, communicators: u64) -> Bytes {
        self.reserved(allocated) + self.context + self.communicator * communicators
    }

    pub(crate) fn new(spec: &MemorySpec) -> Self {
        let mib = |mib: f64| Bytes::from_f64(mib * 1_048_576.0);
        Self {
            context: mib(spec.context_mib),
            framework: mib(spec.framework_mib),
            workspace: mib(spec.workspace_mib),
            communicator: mib(spec.communicator_mib),
            slack: spec.slack,
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
    use units::DType;

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
            tp_share: 0.1,
            graphs_share: 0.5,
        };
        let under = host.under(4, true);
        assert!((under.layer.as_micros() - 480.0).abs() < 1e-9);
        assert!((under.micro_batch.as_micros() - 1_200.0).abs() < 1e-9);
        assert_eq!(host.under(1, false), host);
    }

    #[test]
    fn a_device_shows_more_than_was_allocated() {
        let memory = MemoryConstants::new(&MemorySpec {
            context_mib: 500.0,
            framework_mib: 95.0,
            workspace_mib: 32.0,
            communicator_mib: 250.0,
            slack: 0.05,
            source: String::new(),
        });
        let mib = 1 << 20;
        let used = memory.device_used(Bytes::new(1000 * mib), 2);
        assert_eq!(used, Bytes::new((1050 + 500 + 500) * mib));
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
