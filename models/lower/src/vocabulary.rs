//! The pieces of a vocabulary that is spread over the devices of a pipeline.
//!
//! Every device holds one part of the word embedding and of the output layer. What else stands
//! at the ends stays there: positions and dropout on the first stage, the final norm on the last.
//!
//! Source: Yeung, Qi, Lin and Wan, "Balancing Pipeline Parallelism with Vocabulary
//! Parallelism", `MLSys` 2025, section 4.

use units::Bytes;
use workload::ops::{Axis, BlockOps, Op, Sharding, Work, embedding_ops, head_ops};
use workload::{Embedding, Head, Job, Model, ModelSpec};

/// One of `parts` parts of the word embedding.
pub(crate) fn words_ops(job: &Job, sharding: &Sharding, parts: u32) -> BlockOps {
    let mut job = with_model(job, |spec| {
        let rows = |vocab| part(sharding, vocab, parts);
        let words = |table: Embedding| Embedding::words(rows(table.vocab), table.width);
        spec.embedding = spec.embedding.map(words);
        spec.head = None;
    });
    job.dropout = 0.0;
    let mut ops = embedding_ops(&job, sharding);
    for list in [&mut ops.forward, &mut ops.input_grad, &mut ops.weight_grad] {
        list.retain(|op| op.name != PROJECTION);
    }
    ops
}

/// What the first stage does beside a spread word embedding.
pub(crate) fn positions_ops(job: &Job, sharding: &Sharding) -> BlockOps {
    let mut ops = embedding_ops(job, sharding);
    let Some(table) = job.model.embedding() else {
        return ops;
    };
    let values = sharding.padded_vocab(table.vocab) / u64::from(sharding.tp) * table.width;
    // The first table of the forward pass is that of the words, and its gradient the last.
    if let Some(at) = ops.forward.iter().position(|op| op.name == TABLE) {
        ops.forward.remove(at);
    }
    ops.forward.retain(|op| !is_collective(op));
    ops.input_grad.retain(|op| !is_collective(op));
    if job.peft.is_none() {
        ops.weight_grad.pop();
        ops.params.dense_trained = ops.params.dense_trained.saturating_sub(values);
    }
    ops.params.dense = ops.params.dense.saturating_sub(values);
    if !ops.matrices.is_empty() {
        ops.matrices.remove(0);
    }
    ops
}

/// What the last stage does in front of a spread output layer.
pub(crate) fn final_norm_ops(job: &Job, sharding: &Sharding) -> BlockOps {
    let job = with_model(job, |spec| spec.head = None);
    let mut ops = head_ops(&job, sharding, true);
    // Its output is the input of the output layer's part on this device, which keeps it.
    if let Some(norm) = ops.forward.iter_mut().find(|op| op.name == NORM) {
        norm.saved = Bytes::ZERO;
    }
    ops
}

/// One of `parts` parts of the output layer, with its share of the loss. A transformation in
/// front of it (BERT's) is computed by every device again.
pub(crate) fn output_ops(job: &Job, sharding: &Sharding, parts: u32) -> BlockOps {
    let tied = job.model.tied_embeddings();
    let job = with_model(job, |spec| {
        spec.final_norm = None;
        spec.pooler = None;
        let rows = |vocab| part(sharding, vocab, parts);
        spec.embedding = spec.embedding.map(|table| Embedding {
            vocab: rows(table.vocab),
            ..table
        });
        spec.head = spec.head.map(|head| Head {
            vocab: rows(head.vocab),
            ..head
        });
    });
    head_ops(&job, sharding, tied)
}

/// Rows of one part of a table, over all tensor-parallel ranks: padded so that every rank of
/// every device has as many.
fn part(sharding: &Sharding, vocab: u64, parts: u32) -> u64 {
    let parts = u64::from(parts);
    let multiple = sharding.vocab_multiple.max(1) * u64::from(sharding.tp) * parts;
    vocab.next_multiple_of(multiple) / parts
}

/// The job with another model.
fn with_model(job: &Job, change: impl FnOnce(&mut ModelSpec)) -> Job {
    let mut spec = job.model.spec().clone();
    spec.mtp = Vec::new();
    change(&mut spec);
    let mut job = job.clone();
    job.model = Model::build(spec).expect("a part of a sound model is sound");
    job
}

fn is_collective(op: &Op) -> bool {
    matches!(op.work, Work::Collective { axis: Axis::Tp, .. })
}

/// The lookup of rows in a table.
const TABLE: &str = "embedding";
/// The norm behind the last layer.
const NORM: &str = "final_norm";
/// The product behind a table of another width, which stays on the first stage.
const PROJECTION: &str = "project_in";
