//! Attention over the ranks of context parallelism.
//!
//! A causal mask over n ranks is balanced by zigzag: a sequence is cut into 2n chunks and rank i
//! holds the chunks i and 2n − 1 − i. Its own block is then causal, and every block that it meets
//! later is half full: all its queries with the first chunk of an earlier rank, or its later
//! chunk with all keys of a later one. Each of the n steps has the same work.

use profile::{CollectiveKind, Mask, StreamKind};
use units::Bytes;

use super::builder::{Builder, collective, stream};
use super::core::{Core, Part};
use super::op::{Axis, Overlap, Phase, Slot, Work};
use super::region::Region;

impl Builder<'_> {
    /// Ulysses: four all-to-alls each way around a kernel over whole sequences and a share of
    /// the heads. Key and value heads are repeated where there are fewer than ranks.
    pub(super) fn by_heads(&mut self, core: &Core, whole: Part) {
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
    pub(super) fn gathered(&mut self, core: &Core) {
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
    pub(super) fn ring(&mut self, core: &Core, parts: &[Part]) {
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
    pub(super) fn token_ring(&mut self, core: &Core, parts: &[Part]) {
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
    pub(super) fn shifted(
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
    pub(super) fn merge(&mut self, core: &Core, parts: &[Part]) {
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
pub(super) fn ring_parts(core: &Core, cp: u64) -> Vec<Part> {
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
pub(super) fn windowed_parts(own: Part, window: u64, cp: u64) -> Vec<Part> {
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
pub(super) fn gathered_parts(core: &Core, cp: u64) -> Vec<Part> {
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
pub(super) const fn to_all(bytes: u64) -> Work {
    collective(Axis::Cp, CollectiveKind::AllToAll, bytes)
}

/// A step of a ring over context-parallel ranks.
pub(super) const fn shift(forward: u64, back: u64, back_hops: u32) -> Work {
    Work::Shift {
        axis: Axis::Cp,
        forward: Bytes::new(forward),
        back: Bytes::new(back),
        back_hops,
    }
}
