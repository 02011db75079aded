//! What comes behind the last gradient: sums over replicas, and the optimizer.

use profile::CollectiveKind;
use units::Bytes;
use workload::ops::{Axis, ParamCount, optimizer_ops};

use lower::SlotGroup;

use crate::estimate::estimator::{Kept, StepKey, sheet_key};
use crate::estimate::sheet::optimizer_time;
use crate::estimate::work::{Merged, Work};

impl Work<'_> {
    /// What the first and the last stage need to sum the gradients of the words that they share.
    pub(super) fn tied_time(&self) -> f64 {
        let plan = self.plan;
        let job = &self.scenario.job;
        let copied = plan.stages().iter().any(|stage| stage.embedding_copy);
        if plan.degrees().pp == 1 || !copied {
            return 0.0;
        }
        let table = job.model.embedding().map_or(0, |embedding| {
            self.sharding.padded_vocab(embedding.vocab) / u64::from(plan.degrees().tp)
                * embedding.width
        });
        let bytes = Bytes::from_f64(table as f64 * job.grad_dtype.bytes());
        let shape = self.group_shape(SlotGroup::Ends);
        self.shapes
            .time_on(&shape, CollectiveKind::AllReduce, bytes)
    }

    /// The sum over tensor-parallel ranks of gradients of norms, which each of them holds.
    pub(super) fn norms_time(&self, params: &[ParamCount]) -> f64 {
        if !self.plan.sequence_parallel() || self.plan.degrees().tp == 1 {
            return 0.0;
        }
        let replicated = params.iter().map(|params| params.replicated);
        let most = replicated.max().unwrap_or(0);
        let bytes = Bytes::from_f64(most as f64 * self.scenario.job.grad_dtype.bytes());
        self.shapes.time(Axis::Tp, CollectiveKind::AllReduce, bytes)
    }

    /// What the ranks of a replica take to agree on the norm of all gradients.
    pub(super) fn clip_time(&self) -> f64 {
        let degrees = self.plan.degrees();
        if !self.scenario.framework.clips_gradients || degrees.tp * degrees.pp == 1 {
            return 0.0;
        }
        let shape = self.group_shape(SlotGroup::Replica);
        self.shapes
            .time_on(&shape, CollectiveKind::AllReduce, Bytes::new(4))
    }

    /// The longest optimizer step.
    pub(super) fn slowest_step(
        &self,
        merged: &Merged,
        params: &[ParamCount],
        kept: &mut Kept,
    ) -> f64 {
        let mut slowest = 0.0_f64;
        for (device, params) in params.iter().enumerate() {
            slowest = slowest.max(self.step_time(merged, device, params, kept));
        }
        slowest
    }

    /// Seconds of the optimizer's step on a device.
    fn step_time(
        &self,
        merged: &Merged,
        device: usize,
        params: &ParamCount,
        kept: &mut Kept,
    ) -> f64 {
        let (kind, speed) = self.hosts.of_device[device];
        let plan = self.plan;
        let chunks = merged.chunks(&merged.chunks_of[device]);
        let shards = plan.step_shards();
        let n_chunks = chunks.len() as u64;
        let counts = [params.dense, params.expert, params.dense_trained, n_chunks];
        let key: StepKey = (kind, counts, [shards.dense, shards.expert]);
        let sheet = &kept.sheets[&sheet_key(kind, &self.sharding, plan)];
        let time = *kept.steps.entry(key).or_insert_with(|| {
            let mut matrices = Vec::new();
            for (piece, times) in chunks.iter().flat_map(|chunk| &chunk.runs) {
                for _ in 0..*times {
                    matrices.extend_from_slice(&sheet.pieces[*piece].piece.ops.matrices);
                }
            }
            let ops = optimizer_ops(&self.scenario.job, &matrices, shards);
            optimizer_time(&self.scenario.profiles[kind], &ops)
        });
        time / speed
    }
}
