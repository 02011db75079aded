//! Constants beside the curves.

use serde::{Deserialize, Serialize};

/// `[host]`: what the host needs to issue work. A pass takes the larger of GPU and host time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// Per kernel that is launched one by one, in microseconds.
    pub kernel_us: f64,
    /// Per layer and pass besides its kernels, in microseconds.
    pub layer_us: f64,
    /// The same for a mixture-of-experts layer, whose token counts the host waits for.
    pub expert_layer_us: f64,
    /// Per micro-batch, in microseconds.
    pub micro_batch_us: f64,
    /// Where the constants come from.
    pub source: String,
}

/// `[memory]`: what a device holds besides tensors. Sizes in MiB (2²⁰ bytes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemorySpec {
    /// Driver context and loaded kernels, outside the framework's allocator.
    pub context_mib: f64,
    /// Small buffers of the framework that no tensor of the model explains, allocated.
    pub framework_mib: f64,
    /// Workspace of one handle of the matrix library, allocated.
    pub workspace_mib: f64,
    /// Workspace of one stream of Transformer Engine's products, allocated.
    #[serde(default)]
    pub module_workspace_mib: f64,
    /// How many times what crosses the border of a stage is allocated beside what is kept.
    #[serde(default)]
    pub borders: f64,
    /// Buffers of one communicator, outside the allocator.
    pub communicator_mib: f64,
    /// Reserved but unused memory of the allocator, as a share of the allocated peak.
    pub slack: f64,
    /// Where the constants come from.
    pub source: String,
}

/// `[interference]`: what a communication kernel takes from compute kernels while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterferenceSpec {
    /// SMs that communication kernels hold: one for each channel.
    pub channels: f64,
    /// Share of the memory bandwidth that they take.
    pub bandwidth: f64,
    /// Where the constants come from.
    pub source: String,
}
