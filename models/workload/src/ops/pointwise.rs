//! Memory-bound operators: norms, activation functions, rotary embedding, residual additions.
//!
//! Traffic is counted in passes over a tensor: what must be read and written once each when the
//! kernel is fused, and what `PyTorch` moves operator by operator when it is not.

use profile::StreamKind;

use super::builder::{Builder, stream};
use super::region::Region;

/// A norm over tokens of some width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    /// Its name in traces.
    pub(super) name: &'static str,
    /// Its part of the block.
    pub(super) region: Region,
    /// Normalized values: tokens times width.
    pub(super) values: u64,
    /// Its weights, on this rank.
    pub(super) params: u64,
    /// Whether every tensor-parallel rank holds the same weights.
    pub(super) replicated: bool,
    /// Bytes that it keeps: its output in the format of its reader, its input where nothing else
    /// keeps it.
    pub(super) saved: u64,
    /// Whether its reader is a product in the recipe's format.
    pub(super) quantized: bool,
}

/// An activation function between two products.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activation {
    /// Its part of the block.
    pub(super) region: Region,
    /// Values of its result.
    pub(super) values: u64,
    /// Whether the first product gave a gate as well.
    pub(super) gated: bool,
    /// Bytes that it keeps of its output.
    pub(super) saved: u64,
}

impl Builder<'_> {
    /// Walks a norm. Without fusion: cast to fp32, square, mean, scale, cast, weight.
    pub(super) fn norm(&mut self, norm: &Norm) {
        self.values(norm.params, norm.replicated);
        let (values, act) = (norm.values, self.act);
        let fused = self.shard.fusion.norm;
        let written = self.fused_write(values, norm.quantized && fused);
        let (bytes, launches) = if fused {
            (values * act + written, 1)
        } else {
            (values * (7 * act + 16), 6)
        };
        let eager = if fused { 0 } else { values * (4 + act) };
        let work = stream(StreamKind::Norm, bytes, launches);
        self.forward(norm.name, norm.region, work, norm.saved + eager);
        let passes = if fused { 3 } else { 12 };
        let backward = stream(
            StreamKind::Norm,
            passes * values * act,
            if fused { 2 } else { 10 },
        );
        self.backward(|b| {
            b.input_grad(norm.name, norm.region, backward);
        });
    }

    /// Walks an activation function. A gated one without fusion keeps the activated gate too.
    pub(super) fn activation(&mut self, activation: &Activation) {
        let Activation {
            region,
            values,
            gated,
            saved,
        } = *activation;
        let act = self.act;
        let fused = self.shard.fusion.activation;
        let read = if gated { 2 } else { 1 };
        let extra = if fused || !gated { 0 } else { values * act };
        let (bytes, launches) = if fused {
            (read * values * act + self.fused_write(values, true), 1)
        } else {
            ((read + 3) * values * act, 2)
        };
        let work = stream(StreamKind::Activation, bytes, launches);
        self.forward("activation", region, work, saved + extra);
        let passes = 1 + 2 * read + if fused { 0 } else { 2 };
        let backward = stream(StreamKind::Activation, passes * values * act, launches);
        self.backward(|b| {
            b.input_grad("activation", region, backward);
        });
    }

    /// Walks rotary embedding over so many values, keeping `saved` bytes of its output. Without
    /// fusion: half turned, two products, a sum, for queries and keys each.
    pub(super) fn rotary(&mut self, region: Region, values: u64, saved: u64) {
        let (passes, launches) = if self.shard.fusion.rotary {
            (2, 1)
        } else {
            (10, 10)
        };
        let work = stream(StreamKind::Rotary, passes * values * self.act, launches);
        self.forward("rotary", region, work, saved);
        self.backward(|b| {
            b.input_grad("rotary", region, work);
        });
    }

    /// Walks an addition to the residual stream, with bias and dropout in front of it. It keeps
    /// the dropout mask and, inside a block, its result, which the next norm reads.
    pub(super) fn residual(&mut self, inside: bool, bias: bool) {
        let (values, act) = (self.stream * self.hidden, self.act);
        let mask = if self.drops() { values } else { 0 };
        let result = if inside { values * act } else { 0 };
        let fused = self.shard.fusion.bias_dropout_residual;
        let steps = 1 + u32::from(bias && !fused) + u32::from(self.drops() && !fused);
        let bytes = 3 * values * act + u64::from(steps - 1) * 2 * values * act + mask;
        let work = stream(StreamKind::Residual, bytes, steps);
        self.forward("residual", Region::Residual, work, mask + result);
        self.backward(|b| {
            if b.drops() {
                let work = stream(StreamKind::Dropout, 2 * values * act + mask, 1);
                b.input_grad("dropout", Region::Residual, work);
            }
        });
    }

    /// The sum of the gradients of two readers of one hidden state, where the second began: a
    /// kernel of autograd.
    pub(super) fn branch(&mut self, region: Region) {
        let bytes = 3 * self.stream * self.hidden * self.act;
        self.backward(|b| {
            let work = stream(StreamKind::Residual, bytes, 1);
            b.input_grad("grad_sum", region, work);
        });
    }

    /// Walks an addition of two tensors of so many values, in place of a collective's or a
    /// residual's.
    pub(super) fn add(&mut self, name: &'static str, region: Region, values: u64) {
        let work = stream(StreamKind::Residual, 3 * values * self.act, 1);
        self.forward(name, region, work, 0);
    }
}
