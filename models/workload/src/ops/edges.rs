//! What stands before the first and behind the last layer: embeddings, final norm, logits and
//! loss, as parts of a walk. The vocabulary is cut over tp.

use profile::StreamKind;
use units::Bytes;

use super::builder::{Builder, stream};
use super::linear::{Layout, Linear};
use super::region::Region;
use super::tp::reduce;
use crate::optimizer::MatrixRole;

impl Builder<'_> {
    /// Walks the word embedding: rows of the local vocabulary are gathered, others are zero, and
    /// the shards are summed; `owned` says whether the table is counted here. Backward the
    /// gradient is a dense table, which is zeroed, filled and added to the main gradient.
    pub(super) fn embedding(&mut self, vocab: u64, width: u64, owned: bool) {
        let rows = self.shard.padded_vocab(vocab) / u64::from(self.shard.tp);
        if owned {
            self.matrix(rows, width, 1, MatrixRole::Values, false, self.trained);
        }
        let values = self.tokens * width;
        let forward = stream(StreamKind::Embedding, 2 * values * self.act, 1);
        self.forward("embedding", Region::Embedding, forward, 0);
        if self.has_tp() {
            self.sum_forward(Region::Embedding, values);
        }
        self.backward(|b| {
            if b.trained {
                b.gather_backward(Region::Embedding, values, false);
                b.table_gradient(rows * width, values);
            }
        });
    }

    /// The gradient of a table of `table` values from `read` gradients.
    pub(super) fn table_gradient(&mut self, table: u64, read: u64) {
        let main = Bytes::from_f64(2.0 * self.job.grad_dtype.bytes() * table as f64).as_u64();
        let bytes = 2 * read * self.act + 3 * table * self.act + main;
        let held = read * self.act;
        let work = stream(StreamKind::Embedding, bytes, 3);
        self.weight_grad("embedding", Region::Embedding, work, held)
            .workspace = Bytes::new(table * self.act);
    }

    /// Walks a table of positions or token types that is added to the embedding.
    pub(super) fn added_table(&mut self, rows: u64, width: u64) {
        self.matrix(rows, width, 1, MatrixRole::Values, false, self.trained);
        let values = self.stream * width;
        let work = stream(StreamKind::Embedding, 3 * values * self.act, 1);
        self.forward("positions", Region::Embedding, work, 0);
        self.backward(|b| {
            if b.trained {
                b.table_gradient(rows * width, values);
            }
        });
    }

    /// Walks dropout behind the embedding, which keeps its mask.
    pub(super) fn embedding_dropout(&mut self) {
        if !self.drops() {
            return;
        }
        let values = self.stream * self.hidden;
        let work = stream(StreamKind::Dropout, 2 * values * self.act + values, 1);
        self.forward("dropout", Region::Embedding, work, values);
        self.backward(|b| {
            b.input_grad("dropout", Region::Embedding, work);
        });
    }

    /// Walks the output layer in the compute format, whatever the recipe. `owned` says whether
    /// its weight is its own or the embedding's.
    pub(super) fn logits(&mut self, vocab: u64, width: u64, owned: bool, bias: bool) {
        let columns = self.shard.padded_vocab(vocab) / u64::from(self.shard.tp);
        self.linear(&Linear {
            layout: Layout::Column,
            bias,
            owned,
            quantized: false,
            ..Linear::new("logits", Region::Logits, [self.tokens, columns, width])
        });
    }

    /// Walks the loss over logits cut by vocabulary.
    ///
    /// Unfused (Megatron-LM `vocab_parallel_cross_entropy`): logits are cast to fp32, the largest
    /// is subtracted, exponentials are summed and kept as the softmax; the largest logit, the
    /// target's logit and the sum are reduced one by one. Fused: the format of the logits is
    /// kept, and the latter two are reduced together; the kernel works on a copy with tokens in
    /// another order, beside the logits. A compiled loss keeps fp32, and holds the logits, their
    /// cast and the difference from the largest at once.
    pub(super) fn cross_entropy(&mut self, vocab: u64) {
        let columns = self.shard.padded_vocab(vocab) / u64::from(self.shard.tp);
        let values = self.tokens * columns;
        let fused = self.shard.fusion.cross_entropy;
        let act = self.act;
        let (read_write, launches) = if fused { (3 * act, 2) } else { (act + 28, 7) };
        let row = 4 * self.tokens;
        let reductions: &[u64] = if fused { &[row, 2 * row] } else { &[row; 3] };
        let work = stream(StreamKind::CrossEntropy, values * read_write, launches);
        // Kept, and held besides in the forward and the backward pass.
        let [kept, forward, backward] = match (fused, self.shard.fusion.cross_entropy_in_place) {
            (false, _) => [4, act, act],
            (true, true) => [act, act, act],
            (true, false) => [4, 4 + act, act],
        };
        let op = self.forward("cross_entropy", Region::Loss, work, values * kept);
        op.workspace = Bytes::new(values * forward);
        if self.has_tp() {
            for bytes in reductions {
                self.forward("all_reduce", Region::Loss, reduce(*bytes), 0);
            }
        }
        let passes = if fused { 2 * act } else { 12 + act };
        let work = stream(
            StreamKind::CrossEntropy,
            values * passes,
            launches.div_ceil(2),
        );
        self.backward(|b| {
            let op = b.input_grad("cross_entropy", Region::Loss, work);
            op.workspace = Bytes::new(values * backward);
        });
    }
}
