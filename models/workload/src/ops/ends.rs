//! The operators of a model outside its layers, on one GPU.

use profile::{CollectiveKind, StreamKind};
use units::Bytes;

use super::builder::{Builder, collective, stream};
use super::linear::{Layout, Linear};
use super::op::{Axis, BlockOps};
use super::pointwise::{Activation, Norm};
use super::region::Region;
use super::sharding::Sharding;
use crate::job::Job;
use crate::{Head, Mtp, NormKind, Pooler};

/// The operators of the embeddings in front of the first layer. An encoder-decoder embeds the
/// tokens of both here.
pub fn embedding_ops(job: &Job, shard: &Sharding) -> BlockOps {
    let model = &job.model;
    let both = Sharding {
        seq_len: shard.seq_len + job.decoder_seq_len.unwrap_or(0),
        ..*shard
    };
    let mut b = Builder::new(job, both, model.hidden());
    let Some(embedding) = model.embedding() else {
        return b.finish(0);
    };
    b.embedding(embedding.vocab, embedding.width, true);
    if let Some(bias) = embedding.relative_bias {
        b.values(
            bias.tables * bias.buckets * bias.heads.div_ceil(u64::from(shard.tp)),
            false,
        );
    }
    if embedding.width != b.hidden {
        let mnk = [b.stream, b.hidden, embedding.width];
        let saved = b.stream * embedding.width * b.act;
        b.linear(&Linear {
            saved,
            quantized: false,
            ..Linear::new("project_in", Region::Embedding, mnk)
        });
    }
    for rows in [embedding.positions, embedding.token_types] {
        if rows != 0 {
            b.added_table(rows, b.hidden);
        }
    }
    if let Some(kind) = embedding.norm {
        let input = b.stream * b.hidden * b.act;
        b.stream_norm("embedding_norm", Region::Embedding, kind, input);
    }
    b.embedding_dropout();
    b.finish(0)
}

/// The operators behind the last layer: final norm, logits and loss.
///
/// * `embedding_here` — whether the word embedding stands on the same GPU. A tied output layer
///   then has no weight of its own; elsewhere it holds a copy.
pub fn head_ops(job: &Job, shard: &Sharding, embedding_here: bool) -> BlockOps {
    let model = &job.model;
    let shard = Sharding {
        seq_len: job.decoder_seq_len.unwrap_or(shard.seq_len),
        ..*shard
    };
    let mut b = Builder::new(job, shard, model.hidden());
    let hidden = b.stream * b.hidden * b.act;
    b.final_norm(hidden);
    if let Some(pooler) = model.pooler() {
        b.pooler(*pooler);
    }
    if let Some(head) = model.head() {
        let width = model
            .embedding()
            .map_or(b.hidden, |embedding| embedding.width);
        let owned = !(head.tied && embedding_here);
        b.output(head, width, owned);
        if head.bias && !owned {
            b.values(shard.padded_vocab(head.vocab) / u64::from(shard.tp), false);
        }
    }
    b.finish(hidden)
}

/// The norm behind the last layer of an encoder in front of a decoder.
pub fn encoder_end_ops(job: &Job, shard: &Sharding) -> BlockOps {
    let mut b = Builder::new(job, *shard, job.model.hidden());
    let hidden = b.stream * b.hidden * b.act;
    b.final_norm(hidden);
    b.finish(hidden)
}

/// The operators of one module that predicts a further token, on the GPU of the head: the word
/// embedding again, two norms, a projection of both results, its layers, norm, logits and loss.
///
/// * `embedding_here` — whether the word embedding stands on the same GPU; else it holds a copy.
pub fn mtp_ops(job: &Job, mtp: &Mtp, shard: &Sharding, embedding_here: bool) -> BlockOps {
    let model = &job.model;
    let mut b = Builder::new(job, *shard, model.hidden());
    let hidden = b.stream * b.hidden * b.act;
    if let Some(embedding) = model.embedding() {
        b.embedding(embedding.vocab, embedding.width, !embedding_here);
    }
    b.joined_input(mtp.norm, hidden);
    for layer in &mtp.layers {
        b.layer(layer);
        if let Some(op) = b.last() {
            op.saved += Bytes::new(hidden);
        }
    }
    b.stream_norm("final_norm", Region::Logits, mtp.norm, hidden);
    if let Some(head) = model.head() {
        b.output(head, b.hidden, false);
    }
    b.finish(hidden)
}

impl Builder<'_> {
    /// The norm behind the last layer, which keeps the input of the output layer.
    pub(super) fn final_norm(&mut self, saved: u64) {
        if let Some(kind) = self.job.model.final_norm() {
            self.stream_norm("final_norm", Region::Logits, kind, saved);
        }
    }

    /// A norm over the stream whose reader computes in the compute format.
    fn stream_norm(&mut self, name: &'static str, region: Region, kind: NormKind, saved: u64) {
        self.norm(&Norm {
            name,
            region,
            values: self.stream * self.hidden,
            params: kind.params(self.hidden),
            replicated: true,
            saved,
            quantized: false,
        });
    }

    /// Logits and loss, with BERT's transformation in front where there is one.
    fn output(&mut self, head: &Head, width: u64, owned: bool) {
        if let Some(kind) = head.transform {
            self.square("head_transform", self.stream);
            let saved = 2 * self.stream * self.hidden * self.act;
            self.stream_norm("head_norm", Region::Logits, kind, saved);
        }
        if width != self.hidden {
            let mnk = [self.stream, width, self.hidden];
            let saved = self.stream * width * self.act;
            self.linear(&Linear {
                saved,
                quantized: false,
                ..Linear::new("project_out", Region::Logits, mnk)
            });
        }
        self.logits(head.vocab, width, owned, head.bias);
        self.cross_entropy(head.vocab);
    }

    /// A square product with bias and an activation behind it, the same on all ranks.
    fn square(&mut self, name: &'static str, rows: u64) {
        let values = rows * self.hidden;
        self.linear(&Linear {
            saved: values * self.act,
            bias: true,
            quantized: false,
            ..Linear::new(name, Region::Logits, [rows, self.hidden, self.hidden])
        });
        self.activation(&Activation {
            region: Region::Logits,
            values,
            gated: false,
            saved: 0,
        });
    }

    /// A product on the first token of each sequence, and its classifier.
    fn pooler(&mut self, pooler: Pooler) {
        let rows = self.shard.micro_batch;
        self.square("pooler", rows);
        if pooler.classes != 0 {
            let saved = rows * self.hidden * self.act;
            self.linear(&Linear {
                saved,
                bias: true,
                quantized: false,
                ..Linear::new(
                    "classifier",
                    Region::Logits,
                    [rows, pooler.classes, self.hidden],
                )
            });
        }
    }

    /// The input of a module for further tokens: norms of the embedding and of the last hidden
    /// state, side by side, projected to the hidden width and gathered over tp.
    fn joined_input(&mut self, kind: NormKind, hidden: u64) {
        // The embedding's norm keeps its input; the other's is the block's input. Both results
        // are the input of the projection.
        self.stream_norm("embedding_norm", Region::Norm, kind, 2 * hidden);
        self.stream_norm("hidden_norm", Region::Norm, kind, hidden);
        let copy = stream(StreamKind::Copy, 4 * hidden, 1);
        self.forward("concat", Region::Norm, copy, 0);
        self.backward(|b| {
            b.input_grad("split", Region::Norm, copy);
        });
        let columns = self.hidden.div_ceil(u64::from(self.shard.tp));
        self.linear(&Linear {
            layout: Layout::Column,
            saved: if self.has_tp() { 0 } else { hidden },
            ..Linear::new("join", Region::Mlp, [self.tokens, columns, 2 * self.hidden])
        });
        if self.has_tp() {
            let bytes = self.tokens * self.hidden * self.act;
            let gather = collective(Axis::Tp, CollectiveKind::AllGather, bytes);
            self.forward("all_gather", Region::Mlp, gather, hidden);
            self.backward(|b| {
                b.gather_backward(Region::Mlp, b.tokens * b.hidden, false);
            });
        }
    }
}
