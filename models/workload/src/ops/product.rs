//! The products of a linear layer: their shapes, formats and casts.

use profile::{Gemm, Kernel, Packing, StreamKind};
use units::{Bytes, DType};

use super::builder::{Builder, stream};
use super::linear::Linear;
use super::op::{Slot, Work};
use super::region::Region;

impl Builder<'_> {
    /// The weight gradient, and its addition to the main gradient.
    pub(super) fn weight_product(&mut self, linear: &Linear, gathered: Option<Slot>) {
        let launches = self.weight_products(linear);
        let held = self.gemm_bytes(
            linear.rows * (linear.input + linear.output),
            linear.quantized,
        );
        let held = held / launches.len().max(1) as u64;
        let workspace = self.head_gradient(linear);
        for work in launches {
            let op = self.weight_grad(linear.name, linear.region, work, held);
            op.waits = gathered;
            op.workspace = workspace;
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

    /// What the output layer's weight gradient takes beside the loss's tensors: a gradient in the
    /// weight's format, which autograd gets even where products add to the main gradient
    /// (Megatron-Core `tensor_parallel/layers.py`, `LinearWithGradAccumulationAndAsyncCommunication`:
    /// `torch.empty`), and the gradient of the logits. An fp32 softmax has gone by then.
    fn head_gradient(&self, linear: &Linear) -> Bytes {
        if linear.region != Region::Logits {
            return Bytes::ZERO;
        }
        let gradient = (linear.input + linear.rows) * linear.output * self.act;
        let gone = if self.shard.fusion.cross_entropy {
            0
        } else {
            4 * linear.rows * linear.output
        };
        Bytes::new(gradient.saturating_sub(gone))
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
    pub(super) fn products(
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
                self.dtype(linear.quantized),
            )
        };
        if linear.experts != 0 && grouped {
            gemm.packing = Packing::Grouped(linear.experts);
        }
        repeat(gemm, launches)
    }

    /// The products of inputs and output gradients. Of experts there are as many results, whose
    /// inner products run over the rows of one expert each.
    pub(super) fn weight_products(&self, linear: &Linear) -> std::iter::RepeatN<Work> {
        let fused = self.shard.fusion.grad_accumulation;
        let experts = linear.experts.max(1);
        let dtype = self.dtype(linear.quantized);
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
    pub(super) fn cast(&self, values: u64, quantized: bool, from: DType) -> Option<Work> {
        let recipe = self.recipe(quantized)?;
        let reads = 1 + recipe.extra_reads();
        let read = f64::from(reads) * from.bytes();
        let written = 2.0 * recipe.dtype().bytes();
        let bytes = Bytes::from_f64(values as f64 * (read + written)).as_u64();
        Some(stream(StreamKind::Cast, bytes, reads))
    }
}

/// That product, `launches` times.
pub(super) fn repeat(gemm: Gemm, launches: u64) -> std::iter::RepeatN<Work> {
    let count = usize::try_from(launches).unwrap_or(usize::MAX);
    std::iter::repeat_n(Work::Kernel(Kernel::Gemm(gemm)), count)
}
