//! Attention with its projections: grouped queries, latent, and across from an encoder.

use profile::{AttentionKernel, CollectiveKind, Mask};

use super::builder::{Builder, collective};
use super::core::Core;
use super::linear::{Layout, Linear};
use super::op::Axis;
use super::pointwise::Norm;
use super::region::Region;
use super::tp::reduce;
use crate::{AttentionSpec, MlaSpec, QkSpan};

/// Heads of one tensor-parallel rank.
#[derive(Clone, Copy, Debug)]
struct Heads {
    /// Query heads.
    q: u64,
    /// Key and value heads, repeated where there are fewer than ranks.
    kv: u64,
}

impl Heads {
    /// A share of the heads.
    fn of(attention: &AttentionSpec, tp: u32) -> Self {
        let tp = u64::from(tp);
        Self {
            q: attention.heads.div_ceil(tp),
            kv: (attention.kv_heads / tp).max(1),
        }
    }
}

/// Which scores exist in sequences of `len` tokens, packed from ones of the mean length `packed`.
/// A chunk of Llama 4 is a packed sequence of that length.
pub(crate) fn mask(attention: &AttentionSpec, len: u64, packed: Option<u64>) -> Mask {
    let packed = packed.filter(|packed| *packed < len);
    let window = attention
        .window
        .filter(|window| *window < packed.unwrap_or(len));
    match window {
        _ if !attention.causal => Mask::Full,
        Some(chunk) if attention.chunked => Mask::Packed(chunk),
        Some(window) => Mask::Window(window),
        None => packed.map_or(Mask::Causal, Mask::Packed),
    }
}

impl Builder<'_> {
    /// Walks self-attention between its norm and its residual addition.
    pub(super) fn attention(&mut self, attention: &AttentionSpec, input: Layout, output: Layout) {
        let heads = Heads::of(attention, self.shard.tp);
        let d = attention.head_dim;
        let (q, kv) = (self.tokens * heads.q * d, self.tokens * heads.kv * d);
        let width = (heads.q + 2 * heads.kv) * d;
        // Whoever writes queries and keys last keeps them: projection, q/k norm or rotary; the
        // norm needs its input as well.
        let rotated = self.tokens * (heads.q + heads.kv) * attention.rotary_dims();
        let early = attention.qk_norm.is_some() || rotated == 0;
        self.linear(&Linear {
            layout: input,
            saved: (kv + if early { q + kv } else { 0 }) * self.act,
            bias: attention.qkv_bias,
            cast_before: true,
            adapted: self.targets().qkv,
            ..Linear::new("qkv", Region::Qkv, [self.tokens, width, self.hidden])
        });
        self.qk_norm(attention, &heads, rotated == 0);
        if rotated != 0 {
            self.rotary(Region::Qkv, rotated, (q + kv) * self.act);
        }
        if attention.sinks {
            self.values(heads.q, false);
        }
        self.attention_core(&Core {
            batch: self.shard.micro_batch,
            q_len: self.shard.seq_len,
            kv_len: self.shard.seq_len,
            heads: heads.q,
            kv_heads: heads.kv,
            qk_dim: d,
            v_dim: d,
            mask: mask(attention, self.shard.seq_len, self.job.packed),
        });
        self.attention_output(heads.q * d, attention.out_bias, output);
    }

    /// The norms of queries and keys. One over all heads sums its statistics over tp.
    fn qk_norm(&mut self, attention: &AttentionSpec, heads: &Heads, last: bool) {
        let Some(norm) = attention.qk_norm else {
            return;
        };
        let d = attention.head_dim;
        let values = self.tokens * (heads.q + heads.kv) * d;
        let by_head = norm.span == QkSpan::Head;
        let width = if by_head {
            2 * d
        } else {
            (heads.q + heads.kv) * d
        };
        self.norm(&Norm {
            name: "qk_norm",
            region: Region::Qkv,
            values,
            params: norm.kind.params(width),
            replicated: by_head,
            saved: if last { values * self.act } else { 0 },
            quantized: false,
        });
        if norm.span == QkSpan::AllHeads && self.has_tp() {
            let statistics = reduce(8 * self.tokens);
            self.forward("all_reduce", Region::Qkv, statistics, 0);
            self.backward(|b| {
                b.input_grad("all_reduce", Region::Qkv, statistics);
            });
        }
    }

    /// The projection behind the core. It keeps the core's result: flash kernels read it in their
    /// backward pass, the projection in its weight gradient.
    fn attention_output(&mut self, width: u64, bias: bool, layout: Layout) {
        let values = self.tokens * width;
        let adapted = self.targets().output;
        let copy = self.input_saved(values, true, adapted);
        let flash = self.shard.fusion.attention != AttentionKernel::Unfused;
        let same = self.recipe(true).is_none() || !self.trained;
        let saved = match (flash, same) {
            (true, true) => values * self.act,
            (true, false) => values * self.act + copy,
            (false, _) => copy,
        };
        self.linear(&Linear {
            layout,
            saved,
            bias,
            adapted,
            ..Linear::new(
                "attention_output",
                Region::AttentionOutput,
                [self.tokens, self.hidden, width],
            )
        });
    }

    /// Walks attention to the states of an encoder with `memory` tokens a sequence.
    pub(super) fn cross_attention(&mut self, attention: &AttentionSpec, memory: u64) {
        let heads = Heads::of(attention, self.shard.tp);
        let d = attention.head_dim;
        let rows = (self.shard.micro_batch * memory).div_ceil(u64::from(self.shard.cp));
        let (q, kv) = (self.tokens * heads.q * d, rows * heads.kv * d);
        self.linear(&Linear {
            layout: Layout::Column,
            saved: q * self.act,
            bias: attention.qkv_bias,
            cast_before: true,
            adapted: self.targets().qkv,
            ..Linear::new(
                "cross_q",
                Region::Qkv,
                [self.tokens, heads.q * d, self.hidden],
            )
        });
        self.linear(&Linear {
            layout: Layout::Column,
            saved: 2 * kv * self.act,
            bias: attention.qkv_bias,
            adapted: self.targets().qkv,
            ..Linear::new(
                "cross_kv",
                Region::Qkv,
                [rows, 2 * heads.kv * d, self.hidden],
            )
        });
        self.attention_core(&Core {
            batch: self.shard.micro_batch,
            q_len: self.shard.seq_len,
            kv_len: memory,
            heads: heads.q,
            kv_heads: heads.kv,
            qk_dim: d,
            v_dim: d,
            mask: Mask::Full,
        });
        self.attention_output(heads.q * d, attention.out_bias, Layout::Row);
    }

    /// Walks latent attention (`DeepSeek`-V2, section 2.1). Down-projections are the same on
    /// all tensor-parallel ranks, each over its share of the stream; up-projections are
    /// column-parallel and gather the small latents in place of the hidden states.
    pub(super) fn latent_attention(&mut self, mla: &MlaSpec) {
        let heads = mla.heads.div_ceil(u64::from(self.shard.tp));
        let qk = mla.qk_dim();
        self.branch(Region::LatentDown);
        self.latent_queries(mla, heads * qk);
        self.latent_keys(mla, heads);
        let mask = self.indexer(mla);
        // Rotary embedding writes queries and keys as the core reads them.
        let (q, v) = (self.tokens * heads * qk, self.tokens * heads * mla.v_dim);
        let rotated = self.tokens * (heads * mla.qk_rope_dim + mla.qk_rope_dim);
        self.rotary(Region::LatentUp, rotated, (2 * q + v) * self.act);
        self.attention_core(&Core {
            batch: self.shard.micro_batch,
            q_len: self.shard.seq_len,
            kv_len: self.shard.seq_len,
            heads,
            kv_heads: heads,
            qk_dim: qk,
            v_dim: mla.v_dim,
            mask,
        });
        self.attention_output(heads * mla.v_dim, mla.bias, Layout::Row);
    }

    /// Queries, by way of a latent where they are compressed.
    fn latent_queries(&mut self, mla: &MlaSpec, width: u64) {
        let targets = self.targets();
        let Some(rank) = mla.q_lora_rank else {
            self.linear(&Linear {
                layout: Layout::Column,
                cast_before: true,
                adapted: targets.qkv,
                ..Linear::new("q", Region::LatentUp, [self.tokens, width, self.hidden])
            });
            return;
        };
        self.latent_down("q_down", rank, rank, mla.bias);
        self.latent_norm("q_norm", rank);
        self.linear(&Linear {
            layout: Layout::Column,
            cast_before: true,
            adapted: targets.qkv,
            ..Linear::new("q_up", Region::LatentUp, [self.tokens, width, rank])
        });
    }

    /// Keys and values by way of their latent; the rotary part of the keys beside it.
    fn latent_keys(&mut self, mla: &MlaSpec, heads: u64) {
        let rank = mla.kv_lora_rank;
        self.latent_down("kv_down", rank + mla.qk_rope_dim, rank, mla.bias);
        if self.by_sequence() {
            let bytes = self.tokens * mla.qk_rope_dim * self.act;
            let gather = collective(Axis::Tp, CollectiveKind::AllGather, bytes);
            let scatter = collective(Axis::Tp, CollectiveKind::ReduceScatter, bytes);
            self.forward("rope_all_gather", Region::LatentDown, gather, 0);
            self.backward(|b| {
                b.input_grad("rope_reduce_scatter", Region::LatentDown, scatter);
            });
        }
        self.latent_norm("kv_norm", rank);
        let width = heads * (mla.qk_nope_dim + mla.v_dim);
        self.linear(&Linear {
            layout: Layout::Column,
            cast_before: true,
            adapted: self.targets().qkv,
            ..Linear::new("kv_up", Region::LatentUp, [self.tokens, width, rank])
        });
    }

    /// The scores that choose the tokens of sparse attention, the same on all tensor-parallel
    /// ranks, and the mask that is left: each token reads at most `top_k` before it, as many as
    /// in a window.
    fn indexer(&mut self, mla: &MlaSpec) -> Mask {
        let len = self.shard.seq_len;
        let causal = self.job.packed.map_or(Mask::Causal, Mask::Packed);
        let Some(indexer) = mla.indexer else {
            return causal;
        };
        let (width, rows) = (indexer.heads * indexer.head_dim, self.stream);
        let from = mla.q_lora_rank.unwrap_or(self.hidden);
        for (name, output, input) in [
            ("index_q", width, from),
            ("index_k", indexer.head_dim, self.hidden),
            ("index_weights", indexer.heads, self.hidden),
        ] {
            let saved = rows * output * self.act;
            self.linear(&Linear {
                saved,
                ..Linear::new(name, Region::LatentDown, [rows, output, input])
            });
        }
        self.norm(&Norm {
            name: "index_norm",
            region: Region::LatentDown,
            values: rows * indexer.head_dim,
            params: 2 * indexer.head_dim,
            replicated: true,
            saved: 0,
            quantized: false,
        });
        self.index_scores(&Core {
            batch: self.shard.micro_batch,
            q_len: len,
            kv_len: len,
            heads: indexer.heads,
            kv_heads: 1,
            qk_dim: indexer.head_dim,
            v_dim: 0,
            mask: causal,
        });
        if indexer.top_k < len {
            Mask::Window(indexer.top_k)
        } else {
            causal
        }
    }

    /// A down-projection, which keeps the latent that its norm reads.
    fn latent_down(&mut self, name: &'static str, width: u64, rank: u64, bias: bool) {
        self.linear(&Linear {
            saved: self.stream * rank * self.act,
            bias,
            cast_before: true,
            adapted: self.targets().qkv,
            ..Linear::new(name, Region::LatentDown, [self.stream, width, self.hidden])
        });
    }

    /// The norm of a latent, which keeps the input of the up-projection.
    fn latent_norm(&mut self, name: &'static str, rank: u64) {
        let values = self.stream * rank;
        self.norm(&Norm {
            name,
            region: Region::LatentDown,
            values,
            params: rank,
            replicated: true,
            saved: self.input_saved(values, true, self.targets().qkv),
            quantized: true,
        });
    }
}
