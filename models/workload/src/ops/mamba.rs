//! The Mamba-2 mixer (Dao and Gu 2024): projection, convolution, scan, gated norm, projection.
//!
//! Heads are cut over tp, and groups of B and C with them. Context parallelism exchanges
//! sequence shards for head shards around convolution, scan and norm, as Megatron-Core does.

use profile::{CollectiveKind, Kernel, Pass, Scan, StreamKind};

use super::builder::{Builder, collective, stream};
use super::linear::{Layout, Linear};
use super::op::{Axis, Work};
use super::region::Region;
use crate::MambaSpec;

/// Widths of a mixer on one tensor-parallel rank.
#[derive(Clone, Copy, Debug)]
struct Widths {
    heads: u64,
    inner: u64,
    groups: u64,
    /// x, B and C: what the convolution reads.
    convolved: u64,
    /// z, x, B, C and a step size a head: what the projection writes.
    projected: u64,
}

impl Widths {
    /// A share of the heads.
    fn of(mamba: &MambaSpec, tp: u32) -> Self {
        let tp = u64::from(tp);
        let heads = mamba.heads.div_ceil(tp);
        let inner = heads * mamba.head_dim;
        let groups = (mamba.groups / tp).max(1);
        let convolved = inner + 2 * groups * mamba.state;
        Self {
            heads,
            inner,
            groups,
            convolved,
            projected: inner + convolved + heads,
        }
    }
}

impl Builder<'_> {
    /// Walks a Mamba-2 mixer between its norm and its residual addition.
    pub(super) fn mamba(&mut self, mamba: &MambaSpec) {
        let widths = Widths::of(mamba, self.shard.tp);
        let targets = self.targets();
        self.linear(&Linear {
            layout: Layout::Column,
            bias: mamba.bias,
            saved: self.tokens * widths.projected * self.act,
            cast_before: true,
            adapted: targets.qkv,
            ..Linear::new(
                "mamba_in",
                Region::Mamba,
                [self.tokens, widths.projected, self.hidden],
            )
        });
        self.exchange(self.tokens * widths.projected);
        self.convolution(mamba, &widths);
        self.scan(mamba, &widths);
        self.gated_norm(&widths);
        self.exchange(self.tokens * widths.inner);
        self.linear(&Linear {
            layout: Layout::Row,
            bias: mamba.bias,
            cast_before: true,
            adapted: targets.output,
            ..Linear::new(
                "mamba_out",
                Region::Mamba,
                [self.tokens, self.hidden, widths.inner],
            )
        });
        // A rate, a skip and a step bias a head.
        self.values(3 * widths.heads, false);
    }

    /// The all-to-all between sequence shards and head shards, alike both ways.
    fn exchange(&mut self, values: u64) {
        if 1 < self.shard.cp {
            let work = collective(Axis::Cp, CollectiveKind::AllToAll, values * self.act);
            self.forward("cp_all_to_all", Region::Mamba, work, 0);
            self.backward(|b| {
                b.input_grad("cp_all_to_all", Region::Mamba, work);
            });
        }
    }

    /// The causal convolution over x, B and C; its backward pass reads inputs and gradients and
    /// computes the activation again.
    fn convolution(&mut self, mamba: &MambaSpec, widths: &Widths) {
        self.values(
            widths.convolved * (mamba.conv + u64::from(mamba.conv_bias)),
            false,
        );
        let bytes = self.tokens * widths.convolved * self.act;
        let forward = stream(StreamKind::Convolution, 2 * bytes, 1);
        let backward = stream(StreamKind::Convolution, 4 * bytes, 2);
        self.forward("conv", Region::Mamba, forward, 0);
        self.backward(|b| {
            b.input_grad("conv", Region::Mamba, backward);
        });
    }

    /// The chunked scan, which keeps its result for the gated norm.
    fn scan(&mut self, mamba: &MambaSpec, widths: &Widths) {
        let cp = u64::from(self.shard.cp);
        let scan = Scan {
            pass: Pass::Forward,
            tokens: self.tokens * cp,
            heads: widths.heads.div_ceil(cp),
            head_dim: mamba.head_dim,
            state: mamba.state,
            groups: (widths.groups / cp).max(1),
            chunk: mamba.chunk,
            dtype: self.job.precision.compute,
        };
        let saved = self.tokens * widths.inner * self.act;
        self.forward(
            "scan",
            Region::Mamba,
            Work::Kernel(Kernel::Scan(scan)),
            saved,
        );
        let backward = Scan {
            pass: Pass::Backward,
            ..scan
        };
        self.backward(|b| {
            b.input_grad("scan", Region::Mamba, Work::Kernel(Kernel::Scan(backward)));
        });
    }

    /// The norm of the scan's result times the activated gate, which keeps the input of the
    /// projection.
    fn gated_norm(&mut self, widths: &Widths) {
        self.values(widths.inner, false);
        let values = self.tokens * widths.inner;
        let bytes = 2 * values * self.act + self.fused_write(values, true);
        let saved = self.input_saved(values, true, self.targets().output);
        self.forward(
            "gated_norm",
            Region::Mamba,
            stream(StreamKind::Norm, bytes, 1),
            saved,
        );
        let backward = stream(StreamKind::Norm, 5 * values * self.act, 2);
        self.backward(|b| {
            b.input_grad("gated_norm", Region::Mamba, backward);
        });
    }
}
