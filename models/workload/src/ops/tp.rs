//! The collectives of tensor parallelism: all-reduces, or with sequence parallelism pairs of
//! all-gathers and reduce-scatters, where Megatron-Core puts them.

use profile::CollectiveKind;
use units::Bytes;

use super::builder::{Builder, collective};
use super::linear::{Layout, Linear};
use super::op::{Axis, Op, Overlap, Slot, Work};
use super::region::Region;
use super::sharding::TpOverlap;

impl Builder<'_> {
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
    pub(super) fn gather_backward(&mut self, region: Region, values: u64, quantized: bool) {
        if self.by_sequence() {
            let bytes = self.gemm_bytes(values, quantized);
            let overlap = self.chunks(Overlap::Feeds);
            let op = self.input_grad("all_gather", region, gather(bytes));
            op.overlap = overlap;
            op.workspace = Bytes::new(bytes);
        }
    }

    /// Gathers the inputs again, for the weight gradient.
    pub(super) fn regather(&mut self, linear: &Linear) -> Option<Slot> {
        let needed = self.trained || linear.adapted;
        let gathers =
            matches!(linear.layout, Layout::Column | Layout::ColumnLater) && self.by_sequence();
        if !needed || !gathers {
            return None;
        }
        let bytes = self.gemm_bytes(linear.rows * linear.input, linear.quantized);
        let slot = self.slot();
        let overlaps = self.overlaps();
        let op = self.weight_grad("all_gather", linear.region, gather(bytes), 0);
        op.workspace = Bytes::new(bytes);
        if overlaps {
            op.overlap = Overlap::Async(slot);
        }
        overlaps.then_some(slot)
    }

    /// Sums partial input gradients: scattered where the stream is cut by sequence.
    pub(super) fn sum_backward(&mut self, region: Region, values: u64) -> &mut Op {
        let bytes = values * self.act;
        if self.by_sequence() {
            self.input_grad("reduce_scatter", region, scatter(bytes))
        } else {
            self.input_grad("all_reduce", region, reduce(bytes))
        }
    }

    /// Sums the input gradient of a product over shards, beside its weight gradient where told.
    pub(super) fn sum_gradient(&mut self, linear: &Linear, beside: Option<Slot>) {
        let overlap = beside.map_or(Overlap::None, Overlap::Async);
        self.sum_backward(linear.region, linear.rows * linear.input)
            .overlap = overlap;
    }

    /// Whether input gradients are summed over shards.
    pub(super) const fn reduces_gradient(&self, layout: Layout) -> bool {
        matches!(layout, Layout::Column | Layout::ColumnFirst) && self.has_tp()
    }

    /// Whether collectives of the backward pass run beside products.
    pub(super) fn overlaps(&self) -> bool {
        self.shard.tp_overlap != TpOverlap::None
    }

    /// How a collective is pipelined with the product beside it.
    pub(super) fn chunks(&self, overlap: impl FnOnce(u32) -> Overlap) -> Overlap {
        if self.shard.tp_overlap == TpOverlap::Chunked {
            overlap(self.shard.tp)
        } else {
            Overlap::None
        }
    }
}

/// An all-gather over tensor-parallel ranks.
pub(super) const fn gather(bytes: u64) -> Work {
    collective(Axis::Tp, CollectiveKind::AllGather, bytes)
}

/// A reduce-scatter over tensor-parallel ranks.
pub(super) const fn scatter(bytes: u64) -> Work {
    collective(Axis::Tp, CollectiveKind::ReduceScatter, bytes)
}

/// An all-reduce over tensor-parallel ranks.
pub(super) const fn reduce(bytes: u64) -> Work {
    collective(Axis::Tp, CollectiveKind::AllReduce, bytes)
}
