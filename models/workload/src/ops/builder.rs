//! Collects the operators of one block while its parts are walked in forward order.
//!
//! The backward pass visits the parts in reverse, each in its own order. So the operators of a
//! part are appended reversed, and the whole list is turned around once at the end.

use profile::{CollectiveKind, Gemm, Kernel, Packing, Stream, StreamKind};
use units::{Bytes, DType};

use super::op::{Axis, BlockOps, Op, Overlap, ParamCount, Phase, Slot, Work};
use super::region::Region;
use super::sharding::{Sharding, TpOverlap};
use crate::job::{Fp8Recipe, Job, LoraTargets};
use crate::optimizer::{Matrix, MatrixRole};

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
    params: ParamCount,
    matrices: Vec<Matrix>,
    slots: u8,
    awaited: Option<Slot>,
}

/// How a product is cut, and so which collectives stand around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Output columns over tp: inputs are gathered where the stream is cut by sequence, and
    /// input gradients are summed.
    Column,
    /// The first of several that share an input: gathers it forward and sums its gradient.
    ColumnFirst,
    /// A later one: gathers the input again for its weight gradient.
    ColumnLater,
    /// Input columns over tp: outputs are summed.
    Row,
    /// Input columns over tp, summed later with those of a sibling.
    RowPartial,
    /// The same on every rank, or cut by the caller.
    Local,
}

/// One product with its weight.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each property is there or not by itself"
)]
pub(super) struct Linear {
    /// Its name in traces.
    pub(super) name: &'static str,
    /// Its part of the block.
    pub(super) region: Region,
    /// Rows of the product.
    pub(super) rows: u64,
    /// Length of its inner products on this rank.
    pub(super) input: u64,
    /// Columns of its result on this rank.
    pub(super) output: u64,
    /// How it is cut.
    pub(super) layout: Layout,
    /// Experts on this rank, each with rows and a weight of its own; 0 for a plain product.
    pub(super) experts: u64,
    /// Bytes that its forward operator keeps.
    pub(super) saved: u64,
    /// Whether a bias is added.
    pub(super) bias: bool,
    /// Whether it runs in the recipe's format.
    pub(super) quantised: bool,
    /// Whether the kernel before it writes that format where the recipe allows.
    pub(super) cast_before: bool,
    /// Whether it carries an adapter, where the job has adapters.
    pub(super) adapted: bool,
    /// Whether its weight is its own, not another operator's.
    pub(super) owned: bool,
}

impl Linear {
    /// A plain product in the recipe's format.
    pub(super) const fn new(name: &'static str, region: Region, mnk: [u64; 3]) -> Self {
        let [rows, output, input] = mnk;
        Self {
            name,
            region,
            rows,
            input,
            output,
            layout: Layout::Local,
            experts: 0,
            saved: 0,
            bias: false,
            quantised: true,
            cast_before: false,
            adapted: false,
            owned: true,
        }
    }

    /// Whether its outputs are partial sums over tensor-parallel ranks.
    const fn sums(&self) -> bool {
        matches!(self.layout, Layout::Row | Layout::RowPartial)
    }

    /// Weights of all experts together, biases included.
    const fn params(&self) -> u64 {
        let one = self.input * self.output + if self.bias { self.output } else { 0 };
        one * if self.experts == 0 { 1 } else { self.experts }
    }
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
            matrices: Vec::with_capacity(10),
            slots: 0,
            awaited: None,
        }
    }

    /// Ends the block: turns the backward pass around and splits it.
    pub(super) fn finish(self, input: u64) -> BlockOps {
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
            matrices: self.matrices,
            joint,
        }
    }

    /// A name for a collective that runs beside other operators.
    pub(super) const fn slot(&mut self) -> Slot {
        self.slots += 1;
        Slot(self.slots - 1)
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

    /// Appends what runs once an iteration.
    pub(super) fn once(&mut self, name: &'static str, region: Region, work: Work) {
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
    pub(super) fn recipe(&self, quantised: bool) -> Option<Fp8Recipe> {
        self.job.precision.fp8.filter(|_| quantised)
    }

    /// The format of a product's inputs.
    pub(super) fn dtype(&self, quantised: bool) -> DType {
        self.recipe(quantised)
            .map_or(self.job.precision.compute, Fp8Recipe::dtype)
    }

    /// Bytes of so many values in the format of products.
    pub(super) fn gemm_bytes(&self, values: u64, quantised: bool) -> u64 {
        Bytes::from_f64(values as f64 * self.dtype(quantised).bytes()).as_u64()
    }

    /// Bytes kept of a product's input: nothing where neither its weight nor an adapter learns.
    pub(super) fn input_saved(&self, values: u64, quantised: bool, adapted: bool) -> u64 {
        if self.trained {
            self.gemm_bytes(values, quantised)
        } else if adapted {
            values * self.act
        } else {
            0
        }
    }

    /// Bytes that a kernel writes whose result is a product's input, the cast fused where the
    /// recipe allows.
    pub(super) fn fused_write(&self, values: u64, quantised: bool) -> u64 {
        match self.recipe(quantised) {
            Some(recipe) if recipe.fuses() => 2 * self.gemm_bytes(values, quantised),
            _ => values * self.act,
        }
    }
}

impl Builder<'_> {
    /// Walks one product: casts, collectives, the product, its two gradients, its adapter.
    pub(super) fn linear(&mut self, linear: &Linear) {
        if linear.owned {
            self.own(linear);
        }
        self.linear_forward(linear);
        if linear.adapted && !self.trained {
            self.adapter(linear);
        }
        self.sum_outputs(linear);
        let reduced =
            (self.reduces_gradient(linear.layout) && self.overlaps()).then(|| self.slot());
        let reduced = reduced.filter(|slot| self.await_in_backward(*slot));
        self.backward(|b| b.linear_backward(linear, reduced));
    }

    /// Counts the weight, and casts it once an iteration.
    fn own(&mut self, linear: &Linear) {
        let (count, expert) = (linear.experts.max(1), linear.experts != 0);
        self.matrix(
            linear.input,
            linear.output,
            count,
            MatrixRole::Linear,
            expert,
            self.trained,
        );
        if linear.bias {
            self.matrix(
                1,
                linear.output,
                count,
                MatrixRole::Values,
                expert,
                self.trained,
            );
        }
        if linear.layout == Layout::Local && !expert && self.has_tp() {
            self.params.replicated += linear.params();
        }
        if linear.sums() && linear.bias && self.has_tp() {
            self.params.replicated += linear.output;
        }
        let weight = linear.input * linear.output * count;
        if let Some(work) = self.cast(weight, linear.quantised, self.job.precision.params) {
            self.once("weight_cast", linear.region, work);
        }
    }

    /// Casts, gathers and multiplies.
    fn linear_forward(&mut self, linear: &Linear) {
        let gathers =
            matches!(linear.layout, Layout::Column | Layout::ColumnFirst) && self.by_sequence();
        let fused =
            linear.cast_before && self.recipe(linear.quantised).is_some_and(Fp8Recipe::fuses);
        if !fused && linear.layout != Layout::ColumnLater {
            let rows = if gathers { self.stream } else { linear.rows };
            let compute = self.job.precision.compute;
            if let Some(work) = self.cast(rows * linear.input, linear.quantised, compute) {
                self.forward("cast", linear.region, work, 0);
            }
        }
        if gathers {
            let bytes = self.gemm_bytes(linear.rows * linear.input, linear.quantised);
            let overlap = self.chunks(Overlap::Feeds);
            let op = self.forward("all_gather", linear.region, gather(bytes), 0);
            op.overlap = overlap;
            op.workspace = Bytes::new(bytes);
        }
        let works = self.products(linear, [linear.rows, linear.output, linear.input]);
        for work in works {
            self.forward(linear.name, linear.region, work, 0);
        }
        if let Some(op) = self.last() {
            op.saved = Bytes::new(linear.saved);
        }
    }

    /// The sum over shards behind a row-parallel product.
    fn sum_outputs(&mut self, linear: &Linear) {
        if linear.layout == Layout::Row && self.has_tp() {
            let values = linear.rows * linear.output;
            self.sum_forward(linear.region, values);
        }
    }

    /// Sums partial outputs: scattered where the stream is cut by sequence.
    pub(super) fn sum_forward(&mut self, region: Region, values: u64) {
        let bytes = values * self.act;
        if self.by_sequence() {
            let overlap = self.chunks(Overlap::Drains);
            self.forward("reduce_scatter", region, scatter(bytes), 0)
                .overlap = overlap;
        } else {
            self.forward("all_reduce", region, reduce(bytes), 0);
        }
    }

    /// Gathers output gradients where the stream is cut by sequence, in front of the backward
    /// pass of whatever [`sum_forward`](Self::sum_forward) summed.
    pub(super) fn gather_backward(&mut self, region: Region, values: u64, quantised: bool) {
        if self.by_sequence() {
            let bytes = self.gemm_bytes(values, quantised);
            let overlap = self.chunks(Overlap::Feeds);
            let op = self.input_grad("all_gather", region, gather(bytes));
            op.overlap = overlap;
            op.workspace = Bytes::new(bytes);
        }
    }

    /// Both gradients in the order of Megatron's linear layer: gather the inputs beside the input
    /// gradient, sum the input gradient beside the weight gradient.
    fn linear_backward(&mut self, linear: &Linear, reduced: Option<Slot>) {
        let outputs = linear.rows * linear.output;
        let compute = self.job.precision.compute;
        let rows = if linear.layout == Layout::Row {
            self.stream
        } else {
            linear.rows
        };
        if let Some(work) = self.cast(rows * linear.output, linear.quantised, compute) {
            self.input_grad("cast", linear.region, work);
        }
        if linear.layout == Layout::Row {
            self.gather_backward(linear.region, outputs, linear.quantised);
        }
        let gathered = self.regather(linear);
        if linear.adapted && !self.trained {
            self.adapter_backward(linear, gathered);
        }
        for work in self.products(linear, [linear.rows, linear.input, linear.output]) {
            self.input_grad(linear.name, linear.region, work);
        }
        if self.reduces_gradient(linear.layout) {
            self.sum_gradient(linear, reduced);
        }
        if self.trained {
            self.weight_product(linear, gathered);
        }
    }

    /// Gathers the inputs again, for the weight gradient.
    fn regather(&mut self, linear: &Linear) -> Option<Slot> {
        let needed = self.trained || linear.adapted;
        let gathers =
            matches!(linear.layout, Layout::Column | Layout::ColumnLater) && self.by_sequence();
        if !needed || !gathers {
            return None;
        }
        let bytes = self.gemm_bytes(linear.rows * linear.input, linear.quantised);
        let slot = self.slot();
        let overlaps = self.overlaps();
        let op = self.weight_grad("all_gather", linear.region, gather(bytes), 0);
        op.workspace = Bytes::new(bytes);
        if overlaps {
            op.overlap = Overlap::Async(slot);
        }
        overlaps.then_some(slot)
    }

    /// Sums the input gradient over shards.
    fn sum_gradient(&mut self, linear: &Linear, beside: Option<Slot>) {
        let bytes = linear.rows * linear.input * self.act;
        let work = if self.by_sequence() {
            scatter(bytes)
        } else {
            reduce(bytes)
        };
        let name = if self.by_sequence() {
            "reduce_scatter"
        } else {
            "all_reduce"
        };
        let overlap = beside.map_or(Overlap::None, Overlap::Async);
        self.input_grad(name, linear.region, work).overlap = overlap;
    }

    /// The weight gradient, and its addition to the main gradient.
    fn weight_product(&mut self, linear: &Linear, gathered: Option<Slot>) {
        let launches = self.weight_products(linear);
        let held = self.gemm_bytes(
            linear.rows * (linear.input + linear.output),
            linear.quantised,
        );
        let held = held / launches.len().max(1) as u64;
        for work in launches {
            self.weight_grad(linear.name, linear.region, work, held)
                .waits = gathered;
        }
        self.accumulate(
            linear.region,
            linear.input * linear.output * linear.experts.max(1),
        );
        if linear.bias && !self.shard.fusion.grad_accumulation {
            let bytes = linear.rows * linear.output * self.act;
            let work = stream(StreamKind::Bias, bytes, 1);
            self.weight_grad("bias_grad", linear.region, work, 0);
        }
    }

    /// Adds a weight gradient to the main gradient in a kernel of its own, where that is not
    /// fused and the formats differ or micro-batches accumulate.
    pub(super) fn accumulate(&mut self, region: Region, values: u64) {
        if !self.shard.fusion.grad_accumulation {
            let main = Bytes::from_f64(2.0 * self.job.grad_dtype.bytes() * values as f64);
            let bytes = values * self.act + main.as_u64();
            let work = stream(StreamKind::Optimizer, bytes, 1);
            self.weight_grad("accumulate", region, work, 0);
        }
    }

    /// The launches of a product over the rows of a linear layer: one, or one an expert where
    /// products are not grouped.
    fn products(
        &self,
        linear: &Linear,
        [rows, output, input]: [u64; 3],
    ) -> std::iter::RepeatN<Work> {
        let grouped = self.shard.fusion.grouped_gemm;
        let launches = if grouped { 1 } else { linear.experts.max(1) };
        let mut gemm = Gemm {
            output: self.job.precision.compute,
            ..Gemm::new(
                rows.div_ceil(launches),
                output,
                input,
                self.dtype(linear.quantised),
            )
        };
        if linear.experts != 0 && grouped {
            gemm.packing = Packing::Grouped(linear.experts);
        }
        repeat(gemm, launches)
    }

    /// The products of inputs and output gradients. Of experts there are as many results, whose
    /// inner products run over the rows of one expert each.
    fn weight_products(&self, linear: &Linear) -> std::iter::RepeatN<Work> {
        let fused = self.shard.fusion.grad_accumulation;
        let experts = linear.experts.max(1);
        let dtype = self.dtype(linear.quantised);
        let mut gemm = Gemm {
            output: if fused {
                self.job.grad_dtype
            } else {
                self.job.precision.compute
            },
            accumulate: fused,
            ..Gemm::new(
                linear.input,
                linear.output,
                linear.rows.div_ceil(experts),
                dtype,
            )
        };
        if linear.experts != 0 && self.shard.fusion.grouped_gemm {
            gemm.packing = Packing::Batched(experts);
            return repeat(gemm, 1);
        }
        repeat(gemm, experts)
    }

    /// The cast of so many values to the recipe's format, both orientations; nothing without a
    /// recipe.
    fn cast(&self, values: u64, quantised: bool, from: DType) -> Option<Work> {
        let recipe = self.recipe(quantised)?;
        let reads = 1 + recipe.extra_reads();
        let read = f64::from(reads) * from.bytes();
        let written = 2.0 * recipe.dtype().bytes();
        let bytes = Bytes::from_f64(values as f64 * (read + written)).as_u64();
        Some(stream(StreamKind::Cast, bytes, reads))
    }

    /// Whether input gradients are summed over shards.
    const fn reduces_gradient(&self, layout: Layout) -> bool {
        matches!(layout, Layout::Column | Layout::ColumnFirst) && self.has_tp()
    }

    /// Whether collectives of the backward pass run beside products.
    pub(super) fn overlaps(&self) -> bool {
        self.shard.tp_overlap != TpOverlap::None
    }

    /// How a collective is pipelined with the product beside it.
    fn chunks(&self, overlap: impl FnOnce(u32) -> Overlap) -> Overlap {
        if self.shard.tp_overlap == TpOverlap::Chunked {
            overlap(self.shard.tp)
        } else {
            Overlap::None
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

impl Builder<'_> {
    /// The two small products of an adapter and its addition (Hu et al. 2021), cut as Megatron
    /// Bridge cuts them: a column-parallel layer has its rank cut and gathered, a row-parallel
    /// one has it summed.
    fn adapter(&mut self, linear: &Linear) {
        let Some(lora) = self.job.peft else { return };
        let down = self.adapter_down(linear, lora.rank);
        self.linear_forward(&down);
        self.own_adapter(&down);
        if self.has_tp() && linear.experts == 0 {
            let bytes = linear.rows * lora.rank * self.act;
            let work = if linear.layout == Layout::Row {
                reduce(bytes)
            } else {
                gather(bytes)
            };
            self.forward("adapter_tp", linear.region, work, 0);
        }
        let up = Linear {
            saved: linear.rows * lora.rank * self.act,
            ..Linear::adapter(
                "adapter_up",
                linear,
                [linear.rows, linear.output, lora.rank],
            )
        };
        self.linear_forward(&up);
        self.own_adapter(&up);
        let added = 3 * linear.rows * linear.output * self.act;
        self.forward(
            "adapter_add",
            linear.region,
            stream(StreamKind::Residual, added, 1),
            0,
        );
    }

    /// The product into the rank of an adapter.
    fn adapter_down(&self, linear: &Linear, rank: u64) -> Linear {
        let cut = matches!(
            linear.layout,
            Layout::Column | Layout::ColumnFirst | Layout::ColumnLater
        );
        let shards = if cut { u64::from(self.shard.tp) } else { 1 };
        Linear::adapter(
            "adapter_down",
            linear,
            [linear.rows, rank.div_ceil(shards), linear.input],
        )
    }

    /// Counts an adapter's weight, which always learns.
    fn own_adapter(&mut self, linear: &Linear) {
        let (count, expert) = (linear.experts.max(1), linear.experts != 0);
        self.matrix(
            linear.input,
            linear.output,
            count,
            MatrixRole::Linear,
            expert,
            true,
        );
    }

    /// Gradients of an adapter: through both products, and of both weights.
    fn adapter_backward(&mut self, linear: &Linear, gathered: Option<Slot>) {
        let Some(lora) = self.job.peft else { return };
        let down = self.adapter_down(linear, lora.rank);
        let up = Linear::adapter(
            "adapter_up",
            linear,
            [linear.rows, linear.output, lora.rank],
        );
        for (part, waits) in [(up, None), (down, gathered)] {
            for work in self.products(&part, [part.rows, part.input, part.output]) {
                self.input_grad(part.name, part.region, work);
            }
            self.weight_product(&part, waits);
        }
        let added = 3 * linear.rows * linear.input * self.act;
        self.input_grad(
            "adapter_add",
            linear.region,
            stream(StreamKind::Residual, added, 1),
        );
    }
}

impl Linear {
    /// A product of an adapter of `base`, in the compute format.
    const fn adapter(name: &'static str, base: &Self, mnk: [u64; 3]) -> Self {
        Self {
            experts: base.experts,
            quantised: false,
            ..Self::new(name, base.region, mnk)
        }
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

/// That product, `launches` times.
fn repeat(gemm: Gemm, launches: u64) -> std::iter::RepeatN<Work> {
    let count = usize::try_from(launches).unwrap_or(usize::MAX);
    std::iter::repeat_n(Work::Kernel(Kernel::Gemm(gemm)), count)
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

/// An all-gather over tensor-parallel ranks.
const fn gather(bytes: u64) -> Work {
    collective(Axis::Tp, CollectiveKind::AllGather, bytes)
}

/// A reduce-scatter over tensor-parallel ranks.
const fn scatter(bytes: u64) -> Work {
    collective(Axis::Tp, CollectiveKind::ReduceScatter, bytes)
}

/// An all-reduce over tensor-parallel ranks.
pub(super) const fn reduce(bytes: u64) -> Work {
    collective(Axis::Tp, CollectiveKind::AllReduce, bytes)
}
