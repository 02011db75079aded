//! The vocabulary cut over all pipeline devices, as passes of its own.
//!
//! ```text
//! EF  rows of the local table, summed on the first stage        EB  its gradient, from there
//! S   hidden states from the last stage, local logits           T   gradients
//! ```
//!
//! The softmax needs the largest logit and the sum of exponentials of all devices: one
//! synchronisation behind S. The input gradient is summed over devices: with two barriers behind
//! T, with one together with the statistics, since S computes both of its products before they
//! are known and only rescales them.
//!
//! Source: Yeung, Qi, Lin and Wan, "Balancing Pipeline Parallelism with Vocabulary Parallelism",
//! `MLSys` 2025, section 4.

use profile::{CollectiveKind, Gemm, Kernel, StreamKind};

use super::builder::{Builder, collective, stream};
use super::op::{Axis, BlockOps, Work};
use super::region::Region;
use super::sharding::Sharding;
use super::tp::{gather, reduce};
use crate::job::Job;
use crate::optimizer::MatrixRole;

/// How often the devices synchronise for a micro-batch's logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Barriers {
    /// For the statistics, and for the input gradient (algorithm 1).
    Two,
    /// For both at once (algorithm 2).
    One,
}

/// The passes of a vocabulary on one of the devices that share it.
#[derive(Clone, Debug, PartialEq)]
pub struct VocabularyOps {
    /// The input embedding: its forward list is pass EF, its backward lists are EB.
    pub embedding: BlockOps,
    /// The final norm, on the device of the last layer.
    pub norm: BlockOps,
    /// The output layer and the loss: its forward list is pass S, its backward lists are T.
    pub output: BlockOps,
}

/// The passes of a vocabulary that is cut over `devices` pipeline devices, and over tp on each.
/// A tied output layer has no weight of its own: each device holds the same rows of both tables.
pub fn vocabulary_ops(
    job: &Job,
    shard: &Sharding,
    devices: u32,
    barriers: Barriers,
) -> VocabularyOps {
    let vocab = job
        .model
        .head()
        .map_or(job.model.vocab(), |head| head.vocab);
    let shards = u64::from(devices) * u64::from(shard.tp);
    let rows = vocab.next_multiple_of(shard.vocab_multiple.max(1) * shards) / shards;
    let builder = || Builder::new(job, *shard, job.model.hidden());
    let mut b = builder();
    b.embedding_passes(rows);
    let embedding = b.finish(0);
    let mut b = builder();
    let hidden = b.stream * b.hidden * b.act;
    b.final_norm(hidden);
    let norm = b.finish(hidden);
    let mut b = builder();
    b.output_passes(rows, barriers, !job.model.tied_embeddings());
    // The hidden states arrive from the last stage and stay until the gradients are done.
    let output = b.finish(hidden);
    VocabularyOps {
        embedding,
        norm,
        output,
    }
}

impl Builder<'_> {
    /// Rows of the local table, summed on the first stage; and their gradient.
    fn embedding_passes(&mut self, rows: u64) {
        let values = self.tokens * self.hidden;
        self.matrix(
            rows,
            self.hidden,
            1,
            MatrixRole::Values,
            false,
            self.trained,
        );
        let gather = stream(StreamKind::Embedding, 2 * values * self.act, 1);
        let sent = self.stream * self.hidden * self.act;
        self.forward("embedding", Region::Embedding, gather, 0);
        if self.has_tp() {
            self.sum_forward(Region::Embedding, values);
        }
        let sum = collective(Axis::Pp, CollectiveKind::Reduce, sent);
        self.forward("embedding_reduce", Region::Embedding, sum, 0);
        self.backward(|b| {
            let spread = collective(Axis::Pp, CollectiveKind::Broadcast, sent);
            b.input_grad("embedding_broadcast", Region::Embedding, spread);
            if b.trained {
                b.gather_backward(Region::Embedding, values, false);
                b.table_gradient(rows * b.hidden, values);
            }
        });
    }

    /// Passes S and T.
    fn output_passes(&mut self, rows: u64, barriers: Barriers, owned: bool) {
        if owned {
            self.matrix(
                rows,
                self.hidden,
                1,
                MatrixRole::Values,
                false,
                self.trained,
            );
        }
        let logits = self.tokens * rows;
        self.local_logits(rows);
        let one = barriers == Barriers::One;
        if one {
            self.gradient_products(rows);
        }
        // The largest logit and the sum of exponentials of each token.
        if self.has_tp() {
            self.forward("all_reduce", Region::Loss, reduce(8 * self.tokens), 0);
        }
        let statistics = collective(Axis::Pp, CollectiveKind::AllReduce, 8 * self.tokens);
        self.forward("softmax_all_reduce", Region::Loss, statistics, 0);
        if one {
            self.gradient_sum();
        }
        self.backward(|b| {
            let scaled = stream(StreamKind::CrossEntropy, 2 * logits * b.act, 1);
            b.input_grad("softmax_scale", Region::Loss, scaled);
            if !one {
                let dx = b.gemm([b.tokens, b.hidden, rows]);
                b.input_grad("logits", Region::Logits, dx);
                if b.has_tp() {
                    b.sum_backward(Region::Logits, b.tokens * b.hidden);
                }
                let sent = b.stream * b.hidden * b.act;
                let sum = collective(Axis::Pp, CollectiveKind::Reduce, sent);
                b.input_grad("gradient_reduce", Region::Logits, sum);
            }
            if b.trained {
                let held = (b.tokens * b.hidden + logits) * b.act;
                let dw = b.gemm([rows, b.hidden, b.tokens]);
                b.weight_grad("logits", Region::Logits, dw, held);
                b.accumulate(Region::Logits, rows * b.hidden);
            }
        });
    }

    /// The hidden states from the last stage, and the exponentials of the local logits, which are
    /// kept until the gradients.
    fn local_logits(&mut self, rows: u64) {
        let (tokens, act) = (self.tokens, self.act);
        let sent = self.stream * self.hidden * act;
        let spread = collective(Axis::Pp, CollectiveKind::Broadcast, sent);
        self.forward("hidden_broadcast", Region::Logits, spread, 0);
        if self.by_sequence() {
            let whole = gather(tokens * self.hidden * act);
            self.forward("all_gather", Region::Logits, whole, 0);
        }
        let product = self.gemm([tokens, rows, self.hidden]);
        self.forward("logits", Region::Logits, product, 0);
        let fused = self.shard.fusion.cross_entropy;
        let (passes, kept, launches) = if fused {
            (3 * act, act, 2)
        } else {
            (act + 28, 4, 7)
        };
        let values = tokens * rows;
        let work = stream(StreamKind::CrossEntropy, values * passes, launches);
        self.forward("softmax", Region::Loss, work, values * kept);
    }

    /// Both products of the input gradient before the softmax is known: exponentials with the
    /// weight, and the weight's rows of the targets.
    fn gradient_products(&mut self, rows: u64) {
        let product = self.gemm([self.tokens, self.hidden, rows]);
        self.forward("logits_gradient", Region::Logits, product, 0);
        let values = self.tokens * self.hidden;
        let targets = stream(StreamKind::Embedding, 2 * values * self.act, 1);
        self.forward("target_rows", Region::Logits, targets, 0);
    }

    /// The input gradient summed over devices, in the same synchronisation as the statistics.
    fn gradient_sum(&mut self) {
        if self.has_tp() {
            self.sum_forward(Region::Logits, self.tokens * self.hidden);
        }
        let sent = self.stream * self.hidden * self.act;
        let sum = collective(Axis::Pp, CollectiveKind::Reduce, sent);
        self.forward("gradient_reduce", Region::Logits, sum, 0);
    }

    /// A product in the compute format.
    fn gemm(&self, [m, n, k]: [u64; 3]) -> Work {
        Work::Kernel(Kernel::Gemm(Gemm::new(m, n, k, self.dtype(false))))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        AttentionSpec, BlockOps, DenseSpec, Embedding, Ffn, Head, Job, JobSpec, Layer, Mixer,
        Model, ModelSpec, NormKind, Norms, Stack, head_ops,
    };

    use super::*;

    fn job() -> Job {
        let layer = Layer {
            hidden: 1024,
            stack: Stack::Main,
            mixer: Some(Mixer::Attention(AttentionSpec::rotary(16, 16, 64))),
            cross: None,
            ffn: Some(Ffn::Dense(DenseSpec::swiglu(4096))),
            norms: Norms::PRE_RMS,
            parallel: false,
            measured: None,
        };
        let model = Model::build(ModelSpec {
            name: "test".to_owned(),
            family: "test".to_owned(),
            hidden: 1024,
            layers: vec![layer],
            embedding: Some(Embedding::words(32_768, 1024)),
            final_norm: Some(NormKind::Rms),
            head: Some(Head {
                vocab: 32_768,
                tied: false,
                bias: false,
                transform: None,
            }),
            pooler: None,
            mtp: Vec::new(),
            max_positions: None,
            notes: Vec::new(),
        });
        JobSpec::new(8, 2048).check(model.unwrap()).unwrap()
    }

    #[test]
    fn devices_share_the_products_of_the_output_layer() {
        let (job, shard) = (job(), Sharding::single(2048));
        let whole = head_ops(&job, &shard, true);
        let all = |block: &BlockOps| {
            BlockOps::flops(block.forward.iter().chain(block.backward())).as_f64()
        };
        for barriers in [Barriers::Two, Barriers::One] {
            let part = vocabulary_ops(&job, &shard, 8, barriers);
            assert!((all(&whole) / all(&part.output) / 8.0 - 1.0).abs() < 1e-12);
            let params = part.embedding.params.total() + part.output.params.total();
            assert_eq!(params, 2 * 32_768 * 1024 / 8);
        }
    }

    #[test]
    fn one_barrier_moves_the_input_gradient_into_the_forward_pass() {
        let (job, shard) = (job(), Sharding::single(2048));
        let products = |barriers| {
            let output = vocabulary_ops(&job, &shard, 8, barriers).output;
            let count =
                |ops: &[super::super::Op]| ops.iter().filter(|op| op.gemm().is_some()).count();
            let backward = count(&output.input_grad) + count(&output.weight_grad);
            (count(&output.forward), backward)
        };
        assert_eq!(products(Barriers::Two), (1, 2));
        assert_eq!(products(Barriers::One), (2, 1));
    }
}
