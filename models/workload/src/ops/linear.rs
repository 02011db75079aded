//! One product with its weight, forward and backward, and what stands around it.

use units::Bytes;

use super::builder::Builder;
use super::op::{Overlap, Slot};
use super::region::Region;
use super::tp::gather;
use crate::optimizer::MatrixRole;
use crate::precision::Fp8Recipe;

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
    pub(super) quantized: bool,
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
            quantized: true,
            cast_before: false,
            adapted: false,
            owned: true,
        }
    }

    /// What its weight is to an optimizer: the output layer is updated as the embedding is.
    const fn role(&self) -> MatrixRole {
        match self.region {
            Region::Logits => MatrixRole::Values,
            _ => MatrixRole::Linear,
        }
    }

    /// Whether its outputs are partial sums over tensor-parallel ranks.
    pub(super) const fn sums(&self) -> bool {
        matches!(self.layout, Layout::Row | Layout::RowPartial)
    }

    /// Weights of all experts together, biases included.
    pub(super) const fn params(&self) -> u64 {
        let one = self.input * self.output + if self.bias { self.output } else { 0 };
        one * if self.experts == 0 { 1 } else { self.experts }
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
    pub(super) fn own(&mut self, linear: &Linear) {
        let (count, expert) = (linear.experts.max(1), linear.experts != 0);
        let role = linear.role();
        self.matrix(
            linear.input,
            linear.output,
            count,
            role,
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
        if let Some(work) = self.cast(weight, linear.quantized, self.job.precision.params) {
            let copies = 2 * self.gemm_bytes(weight, linear.quantized);
            self.once("weight_cast", linear.region, work, copies);
        }
    }

    /// Casts, gathers and multiplies.
    pub(super) fn linear_forward(&mut self, linear: &Linear) {
        let gathers =
            matches!(linear.layout, Layout::Column | Layout::ColumnFirst) && self.by_sequence();
        let fused =
            linear.cast_before && self.recipe(linear.quantized).is_some_and(Fp8Recipe::fuses);
        if !fused && linear.layout != Layout::ColumnLater {
            let rows = if gathers { self.stream } else { linear.rows };
            let compute = self.job.precision.compute;
            if let Some(work) = self.cast(rows * linear.input, linear.quantized, compute) {
                self.forward("cast", linear.region, work, 0);
            }
        }
        if gathers {
            let bytes = self.gemm_bytes(linear.rows * linear.input, linear.quantized);
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
    pub(super) fn sum_outputs(&mut self, linear: &Linear) {
        if linear.layout == Layout::Row && self.has_tp() {
            let values = linear.rows * linear.output;
            self.sum_forward(linear.region, values);
        }
    }

    /// Both gradients in the order of Megatron's linear layer: gather the inputs beside the input
    /// gradient, sum the input gradient beside the weight gradient.
    pub(super) fn linear_backward(&mut self, linear: &Linear, reduced: Option<Slot>) {
        let outputs = linear.rows * linear.output;
        let compute = self.job.precision.compute;
        let rows = if linear.layout == Layout::Row {
            self.stream
        } else {
            linear.rows
        };
        if let Some(work) = self.cast(rows * linear.output, linear.quantized, compute) {
            self.input_grad("cast", linear.region, work);
        }
        if linear.layout == Layout::Row {
            self.gather_backward(linear.region, outputs, linear.quantized);
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
}
