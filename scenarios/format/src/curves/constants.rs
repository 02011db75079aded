//! `[host]`, `[memory]` and `[interference]`: constants beside the curves.

use profile::{HostSpec, InterferenceSpec, MemorySpec};

use super::{SOURCE, positive};
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{number, text};

pub(super) fn host(t: &mut Fields<'_, '_>) -> HostSpec {
    HostSpec {
        kernel_us: t
            .get(
                "kernel_us",
                "time of the host per kernel launch, in µs",
                positive(),
            )
            .required(),
        layer_us: t
            .get(
                "layer_us",
                "time of the host per layer and pass, in µs",
                positive(),
            )
            .required(),
        expert_layer_us: t
            .get(
                "expert_layer_us",
                "the same for a mixture-of-experts layer",
                positive(),
            )
            .required(),
        micro_batch_us: t
            .get(
                "micro_batch_us",
                "time of the host per micro-batch, in µs",
                positive(),
            )
            .required(),
        source: t.get("source", SOURCE, text()).required(),
    }
}

pub(super) fn memory(t: &mut Fields<'_, '_>) -> MemorySpec {
    MemorySpec {
        context_mib: t
            .get(
                "context_mib",
                "driver context and kernels, in MiB",
                positive(),
            )
            .required(),
        framework_mib: t
            .get(
                "framework_mib",
                "small buffers of the framework, in MiB",
                positive(),
            )
            .required(),
        workspace_mib: t
            .get(
                "workspace_mib",
                "workspace of one handle of the matrix library, in MiB",
                positive(),
            )
            .required(),
        module_workspace_mib: t
            .get(
                "module_workspace_mib",
                "workspace of one stream of Transformer Engine's products, in MiB, default 0",
                positive(),
            )
            .or(0.0),
        borders: t
            .get(
                "borders",
                "how many times what crosses a stage's border is allocated, default 0",
                number(Limits::within(0.0, 100.0)),
            )
            .or(0.0),
        communicator_mib: t
            .get(
                "communicator_mib",
                "buffers of one communicator, in MiB",
                positive(),
            )
            .required(),
        slack: t
            .get(
                "slack",
                "reserved but unused, as a share of the allocated peak",
                number(Limits::within(0.0, 1.0).below_max()),
            )
            .required(),
        source: t.get("source", SOURCE, text()).required(),
    }
}

pub(super) fn interference(t: &mut Fields<'_, '_>) -> InterferenceSpec {
    InterferenceSpec {
        channels: t
            .get("channels", "SMs that communication holds", positive())
            .required(),
        bandwidth: t
            .get(
                "bandwidth",
                "share of the memory bandwidth that it takes",
                number(Limits::within(0.0, 1.0).below_max()),
            )
            .required(),
        source: t.get("source", SOURCE, text()).required(),
    }
}
