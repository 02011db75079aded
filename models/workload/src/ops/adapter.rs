//! Low-rank adapters beside frozen products (Hu et al. 2021).

use profile::StreamKind;

use super::builder::{Builder, stream};
use super::linear::{Layout, Linear};
use super::op::Slot;
use super::tp::{gather, reduce};
use crate::optimizer::MatrixRole;

impl Builder<'_> {
    /// The two small products of an adapter and its addition (Hu et al. 2021), cut as Megatron
    /// Bridge cuts them: a column-parallel layer has its rank cut and gathered, a row-parallel
    /// one has it summed.
    pub(super) fn adapter(&mut self, linear: &Linear) {
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
    pub(super) fn adapter_down(&self, linear: &Linear, rank: u64) -> Linear {
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
    pub(super) fn own_adapter(&mut self, linear: &Linear) {
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
    pub(super) fn adapter_backward(&mut self, linear: &Linear, gathered: Option<Slot>) {
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
    pub(super) const fn adapter(name: &'static str, base: &Self, mnk: [u64; 3]) -> Self {
        Self {
            experts: base.experts,
            quantized: false,
            ..Self::new(name, base.region, mnk)
        }
    }
}
