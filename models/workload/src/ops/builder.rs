//! Collects the operators of one block while its parts are walked in forward order.
//!
//! The backward pass visits the parts in reverse, each in its own order. So the operators of a
//! part are appended reversed, and the whole list is turned around once at the end.

use profile::{CollectiveKind, Kernel, Stream, StreamKind};
use units::{Bytes, DType};

use super::op::{Axis, BlockOps, Op, Overlap, ParamCount, Phase, Slot, Work};
use super::region::{Region, Regions};
use super::sharding::Sharding;
use crate::job::{Job, LoraTargets};
use crate::optimizer::{Matrix, MatrixRole};
use crate::precision::Fp8Recipe;

/// The operators of a block under construction.
pub(super) struct Builder<'a> {
    /// What is trained, in which formats.
    pub(super) job: &'a Job,
    /// How it is cut.
    pub(super) shard: Sharding,
    /// Width of the residual stream.
    pub(super) hidden: u64,
    /// Tokens on the rank.
    pub(super) tokens: u64,
    /// Tokens of the residual stream on the rank.
    pub(super) stream: u64,
    /// Bytes of an activation.
    pub(super) act: u64,
    /// Whether base weights receive gradients.
    pub(super) trained: bool,
    forward: Vec<Op>,
    reversed: Vec<Op>,
    once: Vec<Op>,
    pub(super) params: ParamCount,
    copies: u64,
    matrices: Vec<Matrix>,
    slots: u16,
    awaited: Option<Slot>,
}

impl<'a> Builder<'a> {
    /// Begins a block.
    pub(super) fn new(job: &'a Job, shard: Sharding, hidden: u64) -> Self {
        let act = if job.precision.compute.bytes() < 4.0 {
            2
        } else {
            4
        };
        let stream = shard.stream_tokens();
        Self {
            job,
            shard,
            hidden,
            tokens: stream * shard.sequence_shards(),
            stream,
            act,
            trained: job.peft.is_none(),
            forward: Vec::with_capacity(24),
            reversed: Vec::with_capacity(48),
            once: Vec::new(),
            params: ParamCount::default(),
            copies: 0,
            matrices: Vec::with_capacity(10),
            slots: 0,
            awaited: None,
        }
    }

    /// Ends the block: turns the backward pass around and splits it.
    pub(super) fn finish(mut self, input: u64) -> BlockOps {
        self.keep_peak_rows();
        let weights = self
            .reversed
            .iter()
            .filter(|op| op.phase == Phase::WeightGrad);
        let n_weights = weights.count();
        let mut input_grad = Vec::with_capacity(self.reversed.len() - n_weights);
        let mut weight_grad = Vec::with_capacity(n_weights);
        let mut joint = Vec::with_capacity(n_weights);
        for op in self.reversed.into_iter().rev() {
            if op.phase == Phase::WeightGrad {
                weight_grad.push(op);
                joint.push(u16::try_from(input_grad.len()).unwrap_or(u16::MAX));
            } else {
                input_grad.push(op);
            }
        }
        BlockOps {
            forward: self.forward,
            input_grad,
            weight_grad,
            once: self.once,
            input: Bytes::new(input),
            params: self.params,
            copies: Bytes::new(self.copies),
            matrices: self.matrices,
            joint,
        }
    }

    /// Scales what is kept of rows of experts to the fullest rank.
    fn keep_peak_rows(&mut self) {
        let Some(excess) = self.shard.experts.peak_rows else {
            return;
        };
        for op in &mut self.forward {
            if Regions::ROUTED.contains(op.region) {
                op.saved = op.saved.scale(excess);
            }
        }
    }

    /// A name for a collective that runs beside other operators.
    pub(super) const fn slot(&mut self) -> Slot {
        let slot = Slot(self.slots);
        self.slots = self.slots.saturating_add(1);
        slot
    }

    /// Appends a forward operator that keeps `saved` bytes.
    pub(super) fn forward(
        &mut self,
        name: &'static str,
        region: Region,
        work: Work,
        saved: u64,
    ) -> &mut Op {
        let at = self.forward.len();
        let waits = self.awaited.take();
        self.forward.push(Op {
            waits,
            ..op(name, Phase::Forward, region, work, saved)
        });
        &mut self.forward[at]
    }

    /// Lets the next forward operator wait for `slot`.
    pub(super) const fn await_next(&mut self, slot: Slot) {
        self.awaited = Some(slot);
    }

    /// Which products carry an adapter: none without adapters.
    pub(super) fn targets(&self) -> LoraTargets {
        self.job.peft.map_or(LoraTargets::NONE, |lora| lora.targets)
    }

    /// Appends the backward operators of a part, emitted in the order in which they run.
    pub(super) fn backward(&mut self, emit: impl FnOnce(&mut Self)) {
        let start = self.reversed.len();
        emit(self);
        self.reversed[start..].reverse();
    }

    /// Appends an operator of the input gradient.
    pub(super) fn input_grad(&mut self, name: &'static str, region: Region, work: Work) -> &mut Op {
        let at = self.reversed.len();
        self.reversed
            .push(op(name, Phase::InputGrad, region, work, 0));
        &mut self.reversed[at]
    }

    /// Appends an operator of the weight gradient that holds `held` bytes until it runs.
    pub(super) fn weight_grad(
        &mut self,
        name: &'static str,
        region: Region,
        work: Work,
        held: u64,
    ) -> &mut Op {
        let at = self.reversed.len();
        self.reversed
            .push(op(name, Phase::WeightGrad, region, work, held));
        &mut self.reversed[at]
    }

    /// Appends what runs once an iteration: the cast of weights to `copies` bytes.
    pub(super) fn once(&mut self, name: &'static str, region: Region, work: Work, copies: u64) {
        self.copies += copies;
        self.once.push(op(name, Phase::Forward, region, work, 0));
    }

    /// The last forward operator.
    pub(super) fn last(&mut self) -> Option<&mut Op> {
        self.forward.last_mut()
    }

    /// Adds parameters that are no product's weight: norms, biases of scores, tables.
    pub(super) fn values(&mut self, count: u64, replicated: bool) {
        self.matrix(1, count, 1, MatrixRole::Values, false, self.trained);
        if replicated {
            self.params.replicated += count;
        }
    }

    /// Adds a parameter tensor, `count` times.
    pub(super) fn matrix(
        &mut self,
        rows: u64,
        cols: u64,
        count: u64,
        role: MatrixRole,
        expert: bool,
        trained: bool,
    ) {
        let matrix = Matrix {
            rows,
            cols,
            count,
            role,
            expert,
            trained,
        };
        let values = matrix.values();
        let kept = if trained { values } else { 0 };
        if expert {
            self.params.expert += values;
            self.params.expert_trained += kept;
        } else {
            self.params.dense += values;
            self.params.dense_trained += kept;
        }
        if values != 0 {
            self.matrices.push(matrix);
        }
    }

    /// Whether collectives of tensor parallelism exist.
    pub(super) const fn has_tp(&self) -> bool {
        1 < self.shard.tp
    }

    /// Whether the residual stream is cut by sequence.
    pub(super) const fn by_sequence(&self) -> bool {
        self.has_tp() && self.shard.sequence_parallel
    }

    /// The recipe of products in fewer bits, for products that follow it.
    pub(super) fn recipe(&self, quantized: bool) -> Option<Fp8Recipe> {
        self.job.precision.fp8.filter(|_| quantized)
    }

    /// The format of a product's inputs.
    pub(super) fn dtype(&self, quantized: bool) -> DType {
        self.recipe(quantized)
            .map_or(self.job.precision.compute, Fp8Recipe::dtype)
    }

    /// Bytes of so many values in the format of products.
    pub(super) fn gemm_bytes(&self, values: u64, quantized: bool) -> u64 {
        Bytes::from_f64(values as f64 * self.dtype(quantized).bytes()).as_u64()
    }

    /// Bytes kept of a product's input: nothing where neither its weight nor an adapter learns.
    pub(super) fn input_saved(&self, values: u64, quantized: bool, adapted: bool) -> u64 {
        if self.trained {
            self.gemm_bytes(values, quantized)
        } else if adapted {
            values * self.act
        } else {
            0
        }
    }

    /// Bytes that a kernel writes whose result is a product's input, the cast fused where the
    /// recipe allows.
    pub(super) fn fused_write(&self, values: u64, quantized: bool) -> u64 {
        match self.recipe(quantized) {
            Some(recipe) if recipe.fuses() => 2 * self.gemm_bytes(values, quantized),
            _ => values * self.act,
        }
    }

    /// Lets the input gradient that follows in backward order wait for `slot`: it stands last in
    /// the reversed list, since its part came before in forward order. False where it waits for
    /// something else already.
    pub(super) fn await_in_backward(&mut self, slot: Slot) -> bool {
        let mut inputs = self
            .reversed
            .iter_mut()
            .rev()
            .filter(|op| op.phase == Phase::InputGrad);
        let Some(op) = inputs.next() else { return true };
        let free = op.waits.is_none();
        op.waits = op.waits.or(Some(slot));
        free
    }
}

/// An operator without workspace or overlap.
const fn op(name: &'static str, phase: Phase, region: Region, work: Work, saved: u64) -> Op {
    Op {
        name,
        phase,
        work,
        saved: Bytes::new(saved),
        workspace: Bytes::ZERO,
        region,
        overlap: Overlap::None,
        waits: None,
    }
}

/// A memory-bound kernel.
pub(super) const fn stream(kind: StreamKind, bytes: u64, launches: u32) -> Work {
    Work::Kernel(Kernel::Stream(Stream {
        kind,
        bytes: Bytes::new(bytes),
        launches,
    }))
}

/// A collective.
pub(super) const fn collective(axis: Axis, kind: CollectiveKind, bytes: u64) -> Work {
    Work::Collective {
        axis,
        kind,
        bytes: Bytes::new(bytes),
    }
}
