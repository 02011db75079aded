//! The attention core of one rank.

use profile::{Attention, AttentionKernel, Kernel, Mask, Pass, StreamKind};
use units::Bytes;

use super::builder::{Builder, stream};
use super::context::{gathered_parts, ring_parts};
use super::op::{Op, Phase, Work};
use super::region::Region;
use super::sharding::CpMethod;

/// The attention core of one tensor-parallel rank, before context parallelism.
#[derive(Clone, Copy, Debug)]
pub(super) struct Core {
    /// Sequences.
    pub(super) batch: u64,
    /// Query tokens of a whole sequence.
    pub(super) q_len: u64,
    /// Key tokens of a whole sequence.
    pub(super) kv_len: u64,
    /// Query heads on the rank.
    pub(super) heads: u64,
    /// Key and value heads on the rank.
    pub(super) kv_heads: u64,
    /// Dimension of queries and keys.
    pub(super) qk_dim: u64,
    /// Dimension of values.
    pub(super) v_dim: u64,
    /// Which scores exist.
    pub(super) mask: Mask,
}

impl Core {
    /// Bytes of the queries of `tokens` tokens, in values.
    pub(super) const fn q_values(&self, tokens: u64) -> u64 {
        tokens * self.heads * self.qk_dim
    }

    /// Keys and values of `tokens` tokens, in values.
    pub(super) const fn kv_values(&self, tokens: u64) -> u64 {
        tokens * self.kv_heads * (self.qk_dim + self.v_dim)
    }

    /// Outputs of `tokens` tokens, in values.
    pub(super) const fn out_values(&self, tokens: u64) -> u64 {
        tokens * self.heads * self.v_dim
    }
}

/// One kernel of the core: its shape on this rank.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) q_len: u64,
    pub(super) kv_len: u64,
    pub(super) mask: Mask,
}

impl Builder<'_> {
    /// Walks the attention core, forward and backward.
    pub(super) fn attention_core(&mut self, core: &Core) {
        let cp = u64::from(self.shard.cp);
        let whole = Part {
            q_len: core.q_len,
            kv_len: core.kv_len,
            mask: core.mask,
        };
        match self.shard.cp_method {
            _ if cp <= 1 => self.one_kernel(core, whole),
            CpMethod::AllToAll => self.by_heads(core, whole),
            CpMethod::AllGather => self.gathered(core),
            CpMethod::Ring => self.ring(core, &ring_parts(core, cp)),
            CpMethod::TokenRing => self.token_ring(core, &ring_parts(core, cp)),
        }
        let saved = self.core_saved(core, cp);
        if let Some(op) = self.last() {
            op.saved = Bytes::new(saved);
        }
    }

    /// What the core keeps beside its inputs and its output: scores where they stand in memory
    /// (softmax; with dropout also its mask and result), else one fp32 statistic a row.
    pub(super) fn core_saved(&self, core: &Core, cp: u64) -> u64 {
        let rows = core.batch * core.heads * core.q_len.div_ceil(cp);
        if self.shard.fusion.attention == AttentionKernel::Unfused {
            let dropout = if self.drops() { 1 + self.act } else { 0 };
            bounded(rows, core.kv_len, self.act + dropout)
        } else {
            rows * 4
        }
    }

    /// Walks scores alone, forward and backward: those of an indexer.
    pub(super) fn index_scores(&mut self, core: &Core) {
        let cp = u64::from(self.shard.cp);
        let parts = gathered_parts(core, cp);
        for part in &parts {
            let work = self.kernel(core, *part, Pass::Forward);
            self.forward("index_scores", Region::AttentionCore, work, 0);
        }
        self.backward(|b| {
            for part in &parts {
                let work = b.kernel(core, *part, Pass::Backward);
                b.input_grad("index_scores", Region::AttentionCore, work);
            }
        });
    }

    /// Whether dropout is applied.
    pub(super) fn drops(&self) -> bool {
        0.0 < self.job.dropout
    }

    /// One kernel over all queries of the rank.
    pub(super) fn one_kernel(&mut self, core: &Core, part: Part) {
        self.eager_softmax(core, part, Phase::Forward);
        self.part_forward(core, part);
        self.backward(|b| {
            b.part_backward(core, part);
            b.eager_softmax(core, part, Phase::InputGrad);
        });
    }

    /// Scale, mask and softmax as separate kernels in fp32, where unfused attention has no fused
    /// one: Megatron-LM's asks for whole multiples of 4 and a bounded length.
    pub(super) fn eager_softmax(&mut self, core: &Core, part: Part, phase: Phase) {
        let fits = part.kv_len <= self.shard.fusion.softmax_limit
            && (core.batch * core.heads).is_multiple_of(4)
            && part.q_len.is_multiple_of(4)
            && self.act == 2;
        if self.shard.fusion.attention != AttentionKernel::Unfused || fits {
            return;
        }
        let rows = core.batch * core.heads * part.q_len;
        // Forward: cast, scale, mask, softmax, cast, each reading and writing. Backward: three.
        let (passes, launches) = if phase == Phase::Forward {
            (32, 5)
        } else {
            (20, 3)
        };
        let bytes = bounded(rows, part.kv_len, passes);
        let work = stream(StreamKind::Cast, bytes, launches);
        if phase == Phase::Forward {
            self.forward("softmax_eager", Region::AttentionCore, work, 0);
        } else {
            self.input_grad("softmax_eager", Region::AttentionCore, work);
        }
    }

    /// A forward kernel.
    pub(super) fn part_forward(&mut self, core: &Core, part: Part) -> &mut Op {
        let work = self.kernel(core, part, Pass::Forward);
        self.forward("attention", Region::AttentionCore, work, 0)
    }

    /// A backward kernel, with the fp32 sum of query gradients that FlashAttention holds, or the
    /// gradients of scores before and behind the softmax.
    pub(super) fn part_backward(&mut self, core: &Core, part: Part) -> &mut Op {
        let work = self.kernel(core, part, Pass::Backward);
        let flash = self.shard.fusion.attention != AttentionKernel::Unfused;
        let sum = 4 * core.q_values(core.batch * part.q_len);
        let rows = core.batch * core.heads * part.q_len;
        let scores = bounded(rows, part.kv_len, 2 * self.act);
        let op = self.input_grad("attention", Region::AttentionCore, work);
        op.workspace = Bytes::new(if flash { sum } else { scores });
        op
    }

    /// The kernel of a part.
    pub(super) fn kernel(&self, core: &Core, part: Part, pass: Pass) -> Work {
        Work::Kernel(Kernel::Attention(Attention {
            pass,
            batch: core.batch,
            q_len: part.q_len,
            kv_len: part.kv_len,
            heads: core.heads,
            kv_heads: core.kv_heads,
            qk_dim: core.qk_dim,
            v_dim: core.v_dim,
            mask: part.mask,
            kernel: self.shard.fusion.attention,
            dtype: self.job.precision.compute,
            dropout: self.drops(),
        }))
    }
}

/// Bytes of `rows` rows of scores, at most 2⁵⁸: no machine holds more, and sums stay in 64 bits.
fn bounded(rows: u64, keys: u64, bytes: u64) -> u64 {
    let all = rows.saturating_mul(keys).saturating_mul(bytes);
    all.min(1 << 58)
}
