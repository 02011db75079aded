//! Memory of a device that no tensor of the model explains.
//!
//! ```text
//! allocated:      small buffers + handles × workspace + streams × module workspace
//!                 + what crosses the borders of stages, a few times
//! outside of it:  context, buffers of communicators, blocks that the allocator keeps unused
//! ```
//!
//! `PyTorch` gives each thread that multiplies a handle of cuBLAS with a workspace: the one that
//! runs forward passes and the one that runs backward passes (`aten/src/ATen/cuda/CublasHandlePool.cpp`,
//! `getChosenWorkspaceSize`: 32 MiB on Hopper and newer, else 8 x 1 MiB and 16 KiB x 8). Transformer
//! Engine keeps one of its own, and one for each of the four streams of grouped products
//! (`transformer_engine/pytorch/module/base.py`, `get_workspace`, `get_multi_stream_cublas_workspace`:
//! 32 MiB on Hopper and newer, else 4 MiB). Deterministic runs ask for 8 x 4 MiB
//! (`CUBLAS_WORKSPACE_CONFIG`) on every GPU.

use units::Bytes;

use crate::MemorySpec;

/// Memory of a device that no tensor of the model explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryConstants {
    /// Driver context and loaded kernels; outside the framework's allocator.
    pub context: Bytes,
    /// Small buffers of the framework; allocated.
    pub framework: Bytes,
    /// Workspace of one handle of the matrix library; allocated.
    pub workspace: Bytes,
    /// Workspace of one stream of the products of Transformer Engine; allocated.
    pub module_workspace: Bytes,
    /// How many times what crosses the border of a stage lies on a rank of a pipeline, beside the
    /// inputs that are kept; allocated.
    pub borders: f64,
    /// Buffers of one communicator; outside the allocator.
    pub communicator: Bytes,
    /// Reserved but unused by the allocator, as a share of the allocated peak.
    pub slack: f64,
}

/// Handles of the matrix library: one of the thread of forward passes, one of backward passes.
const HANDLES: u64 = 2;

/// Streams of grouped products, beside the one of all others.
const GROUPED_STREAMS: u64 = 4;

/// Share of what the allocator holds unused that it cannot give back. Of BigScience's 42 runs that
/// ran and 4 that ran out of memory (A100), a half tells all but one apart; none takes three for
/// runs that fit, and all of it one for a run that does not.
const IN_PARTLY_USED_SEGMENTS: f64 = 0.5;

/// Workspace that deterministic runs ask for.
pub const DETERMINISTIC_WORKSPACE: Bytes = Bytes::new(32 << 20);

impl MemoryConstants {
    /// What is allocated besides tensors.
    ///
    /// * `grouped` — whether products of experts run as grouped ones.
    /// * `border` — what crosses the border of a stage; nothing without a pipeline.
    pub fn allocated(&self, grouped: bool, border: Bytes) -> Bytes {
        let streams = 1 + if grouped { GROUPED_STREAMS } else { 0 };
        let workspaces = self.workspace * HANDLES + self.module_workspace * streams;
        self.framework + workspaces + border.scale(self.borders)
    }

    /// What the allocator reserves for an allocated peak.
    pub fn reserved(&self, allocated: Bytes) -> Bytes {
        allocated.scale(1.0 + self.slack)
    }

    /// What the device shows as used: reserved, context and communicators.
    pub fn device_used(&self, allocated: Bytes, communicators: u64) -> Bytes {
        self.reserved(allocated) + self.context + self.communicator * communicators
    }

    /// What the device must have: as [`device_used`](Self::device_used), but the allocator has given
    /// back what it holds unused, as it does before it gives up, except in segments that are in
    /// use in part.
    pub fn device_needed(&self, allocated: Bytes, communicators: u64) -> Bytes {
        let fragmented = allocated.scale(1.0 + self.slack * IN_PARTLY_USED_SEGMENTS);
        fragmented + self.context + self.communicator * communicators
    }

    /// The same in deterministic runs.
    #[must_use]
    pub fn deterministic(self) -> Self {
        Self {
            workspace: self.workspace.max(DETERMINISTIC_WORKSPACE),
            ..self
        }
    }

    pub(crate) fn new(spec: &MemorySpec) -> Self {
        let mib = |mib: f64| Bytes::from_f64(mib * 1_048_576.0);
        Self {
            context: mib(spec.context_mib),
            framework: mib(spec.framework_mib),
            workspace: mib(spec.workspace_mib),
            module_workspace: mib(spec.module_workspace_mib),
            borders: spec.borders,
            communicator: mib(spec.communicator_mib),
            slack: spec.slack,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn ampere() -> MemoryConstants {
        MemoryConstants::new(&MemorySpec {
            context_mib: 500.0,
            framework_mib: 10.0,
            workspace_mib: 8.0,
            module_workspace_mib: 4.0,
            borders: 3.0,
            communicator_mib: 250.0,
            slack: 0.05,
            source: String::new(),
        })
    }

    #[test]
    fn a_device_shows_more_than_was_allocated() {
        let used = ampere().device_used(Bytes::new(1000 * MIB), 2);
        assert_eq!(used, Bytes::new((1050 + 500 + 500) * MIB));
    }

    #[test]
    fn threads_and_streams_have_workspaces_of_their_own() {
        let memory = ampere();
        let plain = memory.allocated(false, Bytes::ZERO);
        assert_eq!(plain, Bytes::new((10 + 2 * 8 + 4) * MIB));
        let grouped = memory.allocated(true, Bytes::new(MIB));
        assert_eq!(grouped, plain + Bytes::new((4 * 4 + 3) * MIB));
        let same_bits = memory.deterministic().allocated(false, Bytes::ZERO);
        assert_eq!(same_bits, Bytes::new((10 + 2 * 32 + 4) * MIB));
    }
}
