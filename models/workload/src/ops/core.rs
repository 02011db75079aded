//! The attention core, over one rank or over the ranks of context parallelism.
//!
//! A causal mask over n context-parallel ranks is balanced by zigzag: a sequence is cut into 2n
//! chunks and rank i holds the chunks i and 2n − 1 − i. Its own block is then causal, and every
//! block that it meets later is half full: all its queries with the first chunk of an earlier
//! rank, or its later chunk with all keys of a later one. Each of the n steps has the same work.

use profile::{Attention, AttentionKernel, CollectiveKind, Kernel, Mask, Pass, StreamKind};
use units::Bytes;

use super::builder::{Builder, collective, stream};
use super::op::{Axis, Op, Overlap, Phase, Slot, Work};
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
    const fn q_values(&self, tokens: u64) -> u64 {
        tokens * self.heads * self.qk_dim
    }

    /// Keys and values of `tokens` tokens, in values.
    const fn kv_values(&self, tokens: u64) -> u64 {
        tokens * self.kv_heads * (self.qk_dim + self.v_dim)
    }

    /// Outputs of `tokens` tokens, in values.
    const fn out_values(&self, tokens: u64) -> u64 {
        tokens * self.heads * self.v_dim
    }
}

/// One kernel of the core: its shape on this rank.
#[derive(Clone, Copy)]
struct Part {
    q_len: u64,
    kv_len: u64,
    mask: Mask,
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
    fn core_saved(&self, core: &Core, cp: u64) -> u64 {
        let rows = core.batch * core.heads * core.q_len.div_ceil(cp);
        if self.shard.fusion.attention == AttentionKernel::Unfused {
            let dropout = if self.drops() { 1 + self.act } else { 0 };
            rows * core.kv_len * (self.act + dropout)
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
    fn one_kernel(&mut self, core: &Core, part: Part) {
        self.eager_softmax(core, part, Phase::Forward);
        self.part_forward(core, part);
        self.backward(|b| {
            b.part_backward(core, part);
            b.eager_softmax(core, part, Phase::InputGrad);
        });
    }

    /// Scale, mask and softmax as separate kernels in fp32, where unfused attention has no fused
    /// one: Megatron-LM's asks for whole multiples of 4 and a bounded length.
    fn eager_softmax(&mut self, core: &Core, part: Part, phase: Phase) {
        let fits = part.kv_len <= self.shard.fusion.softmax_limit
            && (core.batch * core.heads).is_multiple_of(4)
            && part.q_len.is_multiple_of(4)
            && self.act == 2;
        if self.shard.fusion.attention != AttentionKernel::Unfused || fits {
            return;
        }
        let scores = core.batch * core.heads * part.q_len * part.kv_len;
        // Forward: cast, scale, mask, softmax, cast, each reading and writing. Backward: three.
        let (passes, launches) = if phase == Phase::Forward {
            (32, 5)
        } else {
            (20, 3)
        };
        let work = stream(StreamKind::Cast, scores * passes, launches);
        if phase == Phase::Forward {
            self.forward("softmax_eager", Region::AttentionCore, work, 0);
        } else {
            self.input_grad("softmax_eager", Region::AttentionCore, work);
        }
    }

    /// A forward kernel.
    fn part_forward(&mut self, core: &Core, part: Part) -> &mut Op {
        let work = self.kernel(core, part, Pass::Forward);
        self.forward("attention", Region::AttentionCore, work, 0)
    }

    /// A backward kernel, with the fp32 sum of query gradients that FlashAttention holds.
    fn part_backward(&mut self, core: &Core, part: Part) -> &mut Op {
        let work = self.kernel(core, part, Pass::Backward);
        let flash = self.shard.fusion.attention != AttentionKernel::Unfused;
        let sum = 4 * core.q_values(core.batch * part.q_len);
        let op = self.input_grad("attention", Region::AttentionCore, work);
        op.workspace = Bytes::new(if flash { sum } else { 0 });
        op
    }

    /// The kernel of a part.
    fn kernel(&self, core: &Core, part: Part, pass: Pass) -> Work {
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

    /// Ulysses: four all-to-alls each way around a kernel over whole sequences and a share of
    /// the heads. Key and value heads are repeated where there are fewer than ranks.
    fn by_heads(&mut self, core: &Core, whole: Part) {
        let cp = u64::from(self.shard.cp);
        let tokens = (core.batch * core.q_len).div_ceil(cp);
        let keys = (core.batch * core.kv_len).div_ceil(cp);
        let repeated = core.kv_heads.max(cp.min(core.heads));
        let local = Core {
            heads: core.heads.div_ceil(cp),
            kv_heads: (core.kv_heads / cp).max(1),
            ..*core
        };
        let q = core.q_values(tokens) * self.act;
        let k = keys * repeated * core.qk_dim * self.act;
        let v = keys * repeated * core.v_dim * self.act;
        let out = core.out_values(tokens) * self.act;
        // Parts are walked in forward order; each of these runs once in either direction.
        for bytes in [q, k, v] {
            self.forward("cp_all_to_all", Region::AttentionCore, to_all(bytes), 0);
        }
        self.backward(|b| {
            for bytes in [q, k, v] {
                b.input_grad("cp_all_to_all", Region::AttentionCore, to_all(bytes));
            }
        });
        self.one_kernel(&local, whole);
        self.forward("cp_all_to_all", Region::AttentionCore, to_all(out), 0);
        self.backward(|b| {
            b.input_grad("cp_all_to_all", Region::AttentionCore, to_all(out));
        });
    }

    /// Llama 3: keys and values are gathered, each rank's two chunks meet those before them.
    fn gathered(&mut self, core: &Core) {
        let cp = u64::from(self.shard.cp);
        let bytes = core.kv_values(core.batch * core.kv_len) * self.act;
        let work = collective(Axis::Cp, CollectiveKind::AllGather, bytes);
        let parts = gathered_parts(core, cp);
        self.forward("cp_all_gather", Region::AttentionCore, work, 0)
            .workspace = Bytes::new(bytes);
        for part in &parts {
            self.part_forward(core, *part);
        }
        self.backward(|b| {
            b.input_grad("cp_all_gather", Region::AttentionCore, work)
                .workspace = Bytes::new(bytes);
            for part in &parts {
                b.part_backward(core, *part);
            }
            let work = collective(Axis::Cp, CollectiveKind::ReduceScatter, bytes);
            b.input_grad("cp_reduce_scatter", Region::AttentionCore, work);
        });
    }

    /// Ring attention: while a block of keys and values is used, the next one arrives. Backward
    /// their gradients travel along, one step behind, and take one step more to get home.
    fn ring(&mut self, core: &Core, parts: &[Part]) {
        let cp = u64::from(self.shard.cp);
        let tokens = (core.batch * core.kv_len).div_ceil(cp);
        let block = core.kv_values(tokens) * self.act;
        self.shifted(core, parts, Phase::Forward, |_| [block, 0]);
        self.merge(core, parts);
        self.backward(|b| {
            b.shifted(core, parts, Phase::InputGrad, |step| {
                [block + if step == 0 { 0 } else { block }, 0]
            });
            let home = shift(block, 0, 0);
            b.input_grad("cp_shift", Region::AttentionCore, home);
        });
    }

    /// TokenRing: queries go forward while the partial output of the step before goes back to
    /// its owner. Backward queries, output gradients and statistics go forward, query gradients
    /// back.
    fn token_ring(&mut self, core: &Core, parts: &[Part]) {
        let cp = u64::from(self.shard.cp);
        let tokens = (core.batch * core.q_len).div_ceil(cp);
        let statistics = 4 * tokens * core.heads;
        let queries = core.q_values(tokens) * self.act;
        let outputs = core.out_values(tokens) * self.act + statistics;
        self.shifted(core, parts, Phase::Forward, |step| {
            [queries, if step == 0 { 0 } else { outputs }]
        });
        let last = shift(0, outputs, self.shard.cp - 1);
        self.forward("cp_return", Region::AttentionCore, last, 0);
        self.merge(core, parts);
        self.backward(|b| {
            b.shifted(core, parts, Phase::InputGrad, |step| {
                [
                    queries + outputs + statistics,
                    if step == 0 { 0 } else { queries },
                ]
            });
            let last = shift(0, queries, b.shard.cp - 1);
            b.input_grad("cp_return", Region::AttentionCore, last);
        });
    }

    /// Kernels of the steps of a ring, each beside the shift that brings the next block.
    fn shifted(
        &mut self,
        core: &Core,
        parts: &[Part],
        phase: Phase,
        bytes: impl Fn(usize) -> [u64; 2],
    ) {
        let mut arrived: Option<Slot> = None;
        for (step, part) in parts.iter().enumerate() {
            let mut next = None;
            if step + 1 < parts.len() {
                let [forward, back] = bytes(step);
                let hops = if back == 0 {
                    0
                } else {
                    u32::try_from(step).unwrap_or(u32::MAX)
                };
                let work = shift(forward, back, hops);
                let slot = self.slot();
                let op = if phase == Phase::Forward {
                    self.forward("cp_shift", Region::AttentionCore, work, 0)
                } else {
                    self.input_grad("cp_shift", Region::AttentionCore, work)
                };
                op.overlap = Overlap::Async(slot);
                op.workspace = Bytes::new(forward + back);
                next = Some(slot);
            }
            let op = if phase == Phase::Forward {
                self.part_forward(core, *part)
            } else {
                self.part_backward(core, *part)
            };
            op.waits = arrived;
            arrived = next;
        }
    }

    /// Corrects and adds the partial outputs of a ring, in fp32.
    fn merge(&mut self, core: &Core, parts: &[Part]) {
        let values: u64 = parts
            .iter()
            .skip(1)
            .map(|part| core.out_values(core.batch * part.q_len))
            .sum();
        let launches = u32::try_from(parts.len() - 1).unwrap_or(u32::MAX);
        let work = stream(StreamKind::Residual, values * (self.act + 8), launches);
        self.forward("cp_merge", Region::AttentionCore, work, 0);
    }
}

/// The kernels of the steps of a ring on one rank.
fn ring_parts(core: &Core, cp: u64) -> Vec<Part> {
    let (q, kv) = (core.q_len.div_ceil(cp), core.kv_len.div_ceil(cp));
    let own = |mask| Part {
        q_len: q,
        kv_len: kv,
        mask,
    };
    let steps = usize::try_from(cp).unwrap_or(usize::MAX);
    match core.mask {
        Mask::Full => vec![own(Mask::Full); steps],
        Mask::Causal => {
            let half = Part {
                q_len: q,
                kv_len: kv.div_ceil(2),
                mask: Mask::Full,
            };
            let mut parts = vec![half; steps];
            parts[0] = own(Mask::Causal);
            parts
        }
        // Every packed sequence is cut over all ranks, so a step meets a share of its length.
        Mask::Packed(length) => vec![own(Mask::Packed(length.div_ceil(cp))); steps],
        Mask::Window(window) => windowed_parts(own(Mask::Window(window)), window, cp),
    }
}

/// A window over contiguous shards: the rank's own block, then the ranks before it as far as the
/// window reaches.
fn windowed_parts(own: Part, window: u64, cp: u64) -> Vec<Part> {
    let (q, w) = (own.q_len, window);
    let inside = q * w.min(q) - w.min(q) * w.min(q) / 2;
    let total = q * w - (w * w / 2).div_ceil(cp);
    let reach = w.div_ceil(q).min(cp - 1).max(1);
    let met = total.saturating_sub(inside) / (reach * q);
    let other = Part {
        q_len: q,
        kv_len: met.max(1),
        mask: Mask::Full,
    };
    let mut parts = vec![own];
    parts.extend((0..reach).map(|_| other));
    parts
}

/// The two chunks of a zigzag rank against all keys before them; of ranks alike in work, the
/// first: its chunks are the first and the last of the sequence.
fn gathered_parts(core: &Core, cp: u64) -> Vec<Part> {
    let q = core.q_len.div_ceil(cp);
    match core.mask {
        Mask::Causal if 1 < cp => {
            let chunk = q.div_ceil(2);
            let part = |kv_len| Part {
                q_len: chunk,
                kv_len,
                mask: Mask::Causal,
            };
            vec![part(chunk), part(core.kv_len)]
        }
        mask => vec![Part {
            q_len: q,
            kv_len: core.kv_len,
            mask,
        }],
    }
}

/// An all-to-all over context-parallel ranks.
const fn to_all(bytes: u64) -> Work {
    collective(Axis::Cp, CollectiveKind::AllToAll, bytes)
}

/// A step of a ring over context-parallel ranks.
const fn shift(forward: u64, back: u64, back_hops: u32) -> Work {
    Work::Shift {
        axis: Axis::Cp,
        forward: Bytes::new(forward),
        back: Bytes::new(back),
        back_hops,
    }
}
