//! What a profiler of single stages would find: no messages between stages, no data parallelism.

use crate::estimate::work::Merged;

/// What the passes of one micro-batch take on a pipeline device, and what the device holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageTime {
    /// Seconds of the forward passes of its layers, with tensor, context and expert parallelism and
    /// waits for the host.
    pub forward: f64,
    /// The same of the backward passes, with what is computed again.
    pub backward: f64,
    /// Parameters on one GPU that receive a gradient.
    pub trained: u64,
}

/// By pipeline device, the sums over its stages.
pub(super) fn stage_times(merged: &Merged) -> Vec<StageTime> {
    let device = |stages: &Vec<usize>| {
        let mut sum = StageTime::default();
        for stage in merged.chunks(stages) {
            sum.forward += stage.forward.total;
            sum.backward += stage.backward.total;
            sum.trained += stage.params.trained();
        }
        sum
    };
    merged.chunks_of.iter().map(device).collect()
}
