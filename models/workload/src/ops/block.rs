//! One layer: its branches, their norms and how they join the residual stream.

use super::builder::Builder;
use super::ffn::Width;
use super::linear::Layout;
use super::op::{BlockOps, Work};
use super::pointwise::Norm;
use super::region::Region;
use super::sharding::Sharding;
use crate::job::Job;
use crate::{AttentionSpec, DenseSpec, Ffn, Layer, MeasuredLayer, Mixer, NormPlacement, Stack};

/// The operators of one layer on one GPU.
///
/// Called once for each distinct layer and sharding; some microseconds.
pub fn layer_ops(job: &Job, layer: &Layer, shard: &Sharding) -> BlockOps {
    if let Some(measured) = &layer.measured {
        return measured_ops(job, measured, shard);
    }
    let shard = at_length(job, layer, shard);
    let mut b = Builder::new(job, shard, layer.hidden);
    b.layer(layer);
    let input = b.stream * b.hidden * b.act;
    b.finish(input)
}

/// A layer that was measured as a whole: its time stands for all its operators, and its backward
/// pass is not split.
fn measured_ops(job: &Job, measured: &MeasuredLayer, shard: &Sharding) -> BlockOps {
    let mut b = Builder::new(job, *shard, 0);
    let samples = shard.micro_batch as f64;
    if let Some(time) = measured.time(shard.tp) {
        let saved = (measured.saved * shard.micro_batch).as_u64();
        let forward = Work::Measured(time.forward * samples);
        b.forward("measured", Region::Measured, forward, saved);
        b.backward(|b| {
            b.input_grad(
                "measured",
                Region::Measured,
                Work::Measured(time.backward * samples),
            );
        });
    }
    b.values(measured.params.div_ceil(u64::from(shard.tp)), false);
    b.finish(0)
}

/// The sharding with the sequence length of the layer's stack.
fn at_length(job: &Job, layer: &Layer, shard: &Sharding) -> Sharding {
    let decoder = job.decoder_seq_len.filter(|_| layer.stack == Stack::Main);
    Sharding {
        seq_len: decoder.unwrap_or(shard.seq_len),
        ..*shard
    }
}

/// A branch of a layer.
#[derive(Clone, Copy)]
enum Branch<'a> {
    Mixer(&'a Mixer),
    Cross(&'a AttentionSpec),
    Ffn(&'a Ffn),
}

impl Builder<'_> {
    /// Walks a layer.
    pub(super) fn layer(&mut self, layer: &Layer) {
        if let (true, Some(mixer), Some(ffn)) = (layer.parallel, &layer.mixer, &layer.ffn) {
            self.parallel(layer, mixer, ffn);
            return;
        }
        let mixer = layer.mixer.as_ref().map(Branch::Mixer);
        let cross = layer.cross.as_ref().map(Branch::Cross);
        let ffn = layer.ffn.as_ref().map(Branch::Ffn);
        let mut branches = [mixer, cross, ffn].into_iter().flatten().peekable();
        while let Some(branch) = branches.next() {
            self.branch_of(layer, branch, branches.peek().is_none());
        }
    }

    /// Walks one branch with its norms and its residual addition.
    fn branch_of(&mut self, layer: &Layer, branch: Branch<'_>, last: bool) {
        let placement = layer.norms.placement;
        let before = matches!(
            placement,
            NormPlacement::Before | NormPlacement::BeforeShared | NormPlacement::BeforeAndAfter
        );
        self.branch(Region::Residual);
        if before {
            self.norm_before(layer, branch);
        }
        let bias = self.one_branch(branch, [Layout::Column, Layout::Row]);
        if matches!(
            placement,
            NormPlacement::AfterBranch | NormPlacement::BeforeAndAfter
        ) {
            let input = self.stream * self.hidden * self.act;
            self.hidden_norm("norm_after", layer, input, false);
        }
        let after = placement == NormPlacement::AfterSum;
        self.residual(!last || after, bias);
        if after {
            // Its result is the next branch's input, or the next block's, which keeps it itself.
            let output = if last {
                0
            } else {
                self.stream * self.hidden * self.act
            };
            self.hidden_norm("norm", layer, output, true);
        }
    }

    /// The norm in front of a branch. What follows a mixture of experts' norm is no product in
    /// the recipe's format: it keeps its result as it is.
    fn norm_before(&mut self, layer: &Layer, branch: Branch<'_>) {
        let values = self.stream * self.hidden;
        let targets = self.targets();
        let (quantized, saved) = match branch {
            Branch::Ffn(Ffn::Moe(_)) => (false, values * self.act),
            Branch::Ffn(Ffn::Dense(_)) => (true, self.input_saved(values, true, targets.up)),
            _ => (true, self.input_saved(values, true, targets.qkv)),
        };
        self.hidden_norm("norm", layer, saved, quantized);
    }

    /// A norm over the hidden width, the same on all tensor-parallel ranks.
    fn hidden_norm(&mut self, name: &'static str, layer: &Layer, saved: u64, quantized: bool) {
        self.norm(&Norm {
            name,
            region: Region::Norm,
            values: self.stream * self.hidden,
            params: layer.norms.kind.params(self.hidden),
            replicated: true,
            saved,
            quantized,
        });
    }

    /// Walks what a branch computes, its first and last products cut as told; says whether a bias
    /// is added behind it.
    fn one_branch(&mut self, branch: Branch<'_>, [input, output]: [Layout; 2]) -> bool {
        match branch {
            Branch::Mixer(Mixer::Attention(attention)) => {
                self.attention(attention, input, output);
                attention.out_bias
            }
            Branch::Mixer(Mixer::Latent(mla)) => {
                self.latent_attention(mla);
                mla.bias
            }
            Branch::Mixer(Mixer::Mamba2(mamba)) => {
                self.mamba(mamba);
                mamba.bias
            }
            Branch::Cross(attention) => {
                let memory = self.job.seq_len;
                self.cross_attention(attention, memory);
                attention.out_bias
            }
            Branch::Ffn(Ffn::Dense(dense)) => {
                self.dense(&width(dense, input, output));
                dense.bias
            }
            Branch::Ffn(Ffn::Moe(moe)) => {
                self.moe(moe);
                false
            }
        }
    }

    /// Walks a layer whose mixer and feed-forward part read the same stream: attention and a
    /// dense part share one sum over tp, and one gather where they share a norm.
    fn parallel(&mut self, layer: &Layer, mixer: &Mixer, ffn: &Ffn) {
        let shared = layer.norms.placement == NormPlacement::BeforeShared;
        let partial = matches!((mixer, ffn), (Mixer::Attention(_), Ffn::Dense(_)));
        let layout = |first| match (partial, shared) {
            (true, true) => [first, Layout::RowPartial],
            (true, false) => [Layout::Column, Layout::RowPartial],
            (false, _) => [Layout::Column, Layout::Row],
        };
        let (mixer, ffn) = (Branch::Mixer(mixer), Branch::Ffn(ffn));
        self.branch(Region::Residual);
        self.norm_before(layer, mixer);
        if shared {
            self.branch(Region::Norm);
        }
        let mixer_bias = self.one_branch(mixer, layout(Layout::ColumnFirst));
        if !shared {
            self.branch(Region::Residual);
            self.norm_before(layer, ffn);
        }
        let ffn_bias = self.one_branch(ffn, layout(Layout::ColumnLater));
        let values = if partial { self.tokens } else { self.stream } * self.hidden;
        self.add("branch_add", Region::Residual, values);
        if partial && self.has_tp() {
            self.sum_forward(Region::Residual, values);
            self.backward(|b| b.gather_backward(Region::Residual, values, true));
        }
        self.residual(false, mixer_bias || ffn_bias);
    }
}

/// A dense part as the walk sees it.
const fn width(dense: &DenseSpec, up: Layout, down: Layout) -> Width {
    Width {
        inner: dense.ffn,
        gated: dense.gated,
        bias: dense.bias,
        region: Region::Mlp,
        activation: Region::MlpActivation,
        up,
        down,
    }
}
