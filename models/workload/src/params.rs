//! Parameters: the list of tensors of every part, and its sums.
//!
//! The counts are those of a published checkpoint without buffers, copies of tied tables, vision
//! towers and modules that predict further tokens.

mod branch;

use crate::model::{Embedding, Head, Layer, Model, Mtp, NormKind, Pooler};
use crate::tensor::{Tensor, TensorKind};

impl Layer {
    /// Every parameter tensor of the layer.
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut out = Vec::with_capacity(16);
        branch::layer(self, &mut out);
        out
    }

    /// Its parameters.
    pub fn params(&self) -> u64 {
        self.tensors().iter().map(Tensor::values).sum()
    }

    /// Its parameters that one token meets.
    pub fn active_params(&self) -> u64 {
        self.tensors().iter().map(Tensor::active_values).sum()
    }

    /// Parameters of its routed experts.
    pub fn expert_params(&self) -> u64 {
        let tensors = self.tensors();
        let experts = tensors.iter().filter(|t| t.kind == TensorKind::Expert);
        experts.map(Tensor::values).sum()
    }
}

impl Model {
    /// Every parameter tensor, the ends included and the modules for further tokens left out;
    /// [`params`](Self::params) is its sum.
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut out = self.end_tensors();
        for (index, layer) in self.layers().iter().enumerate() {
            out.extend(layer.tensors().into_iter().map(|tensor| Tensor {
                layer: Some(index),
                ..tensor
            }));
        }
        out
    }

    /// The tensors in front of the first layer and behind the last.
    pub fn end_tensors(&self) -> Vec<Tensor> {
        let (hidden, mut out) = (self.hidden(), Vec::new());
        if let Some(table) = self.embedding() {
            embedding(table, hidden, &mut out);
        }
        if let Some(kind) = self.final_norm() {
            let stacks = if 0 < self.encoder_layers() { 2 } else { 1 };
            norm("final_norm", kind, hidden, stacks, &mut out);
        }
        if let Some(pooler) = self.pooler() {
            pooled(*pooler, hidden, &mut out);
        }
        if let Some(of) = self.head() {
            head(of, self.embedding(), hidden, &mut out);
        }
        out
    }

    /// The tensors of the modules that predict further tokens; embedding and head are the model's.
    pub fn mtp_tensors(&self) -> Vec<Tensor> {
        let modules = self.mtp().iter().enumerate();
        let tensors = modules.flat_map(|(index, module)| {
            let layer = Some(index);
            let own = module.tensors(self.hidden()).into_iter();
            own.map(move |tensor| Tensor { layer, ..tensor })
        });
        tensors.collect()
    }

    /// All parameters, without the modules that predict further tokens.
    pub fn params(&self) -> u64 {
        let (kinds, of) = (self.kinds(), self.kind_of_layers());
        let each: Vec<u64> = kinds.iter().map(Layer::params).collect();
        let ends: u64 = self.end_tensors().iter().map(Tensor::values).sum();
        ends + of.iter().map(|kind| each[*kind]).sum::<u64>()
    }

    /// The parameters that one token meets: embedding, head, router, attention and shared experts
    /// whole, and of the routed experts those that a token visits.
    pub fn active_params(&self) -> u64 {
        let (kinds, of) = (self.kinds(), self.kind_of_layers());
        let each: Vec<u64> = kinds.iter().map(Layer::active_params).collect();
        let ends: u64 = self.end_tensors().iter().map(Tensor::values).sum();
        ends + of.iter().map(|kind| each[*kind]).sum::<u64>()
    }

    /// Parameters of the modules that predict further tokens.
    pub fn mtp_params(&self) -> u64 {
        self.mtp_tensors().iter().map(Tensor::values).sum()
    }

    /// Parameters that two copies of embedding and head would have: what checkpoints with a module
    /// for further tokens, or with a tied head stored again, count twice.
    pub fn embedding_params(&self) -> u64 {
        let words = |table: &Embedding| table.vocab * table.width;
        self.embedding().map_or(0, words)
    }
}

impl Mtp {
    /// Every parameter tensor of the module.
    pub fn tensors(&self, hidden: u64) -> Vec<Tensor> {
        let mut out = vec![Tensor::new(
            "mtp.projection",
            TensorKind::Matrix,
            hidden,
            2 * hidden,
        )];
        norm("mtp.norm", self.norm, hidden, 3, &mut out);
        out.extend(self.layers.iter().flat_map(Layer::tensors));
        out
    }

    /// Its parameters.
    pub fn params(&self, hidden: u64) -> u64 {
        self.tensors(hidden).iter().map(Tensor::values).sum()
    }
}

/// The vectors of `count` norms.
fn norm(name: &'static str, kind: NormKind, width: u64, count: u64, out: &mut Vec<Tensor>) {
    let vectors = kind.vectors() * count;
    if 0 < vectors {
        out.push(Tensor::new(name, TensorKind::Norm, width, 1).times(vectors));
    }
}

/// A bias, where there is one.
fn bias(name: &'static str, there: bool, width: u64, out: &mut Vec<Tensor>) {
    if there {
        out.push(Tensor::new(name, TensorKind::Bias, width, 1));
    }
}

/// Tables and norms between tokens and the first layer.
fn embedding(table: &Embedding, hidden: u64, out: &mut Vec<Tensor>) {
    let rows = [
        ("embedding.words", table.vocab, table.width),
        ("embedding.positions", table.positions, hidden),
        ("embedding.token_types", table.token_types, hidden),
    ];
    let tables = rows.into_iter().filter(|(_, rows, _)| 0 < *rows);
    out.extend(
        tables.map(|(name, rows, cols)| Tensor::new(name, TensorKind::Embedding, rows, cols)),
    );
    if table.width != hidden {
        let project = |name, rows, cols| Tensor::new(name, TensorKind::Matrix, rows, cols);
        out.push(project("embedding.project_in", hidden, table.width));
        out.push(project("embedding.project_out", table.width, hidden));
    }
    if let Some(kind) = table.norm {
        norm("embedding.norm", kind, hidden, 1, out);
    }
    if let Some(relative) = table.relative_bias {
        let (rows, cols) = (relative.buckets, relative.heads);
        let one = Tensor::new("embedding.distances", TensorKind::Embedding, rows, cols);
        out.push(one.times(relative.tables));
    }
}

/// The product on the first token's state, and its classifier.
fn pooled(pooler: Pooler, hidden: u64, out: &mut Vec<Tensor>) {
    out.push(Tensor::new("pooler", TensorKind::Matrix, hidden, hidden));
    bias("pooler.bias", true, hidden, out);
    if 0 < pooler.classes {
        out.push(Tensor::new(
            "classifier",
            TensorKind::Matrix,
            pooler.classes,
            hidden,
        ));
        bias("classifier.bias", true, pooler.classes, out);
    }
}

/// The projection to the vocabulary and what stands in front of it.
fn head(head: &Head, table: Option<&Embedding>, hidden: u64, out: &mut Vec<Tensor>) {
    if let Some(kind) = head.transform {
        out.push(Tensor::new(
            "head.transform",
            TensorKind::Matrix,
            hidden,
            hidden,
        ));
        bias("head.transform.bias", true, hidden, out);
        norm("head.norm", kind, hidden, 1, out);
    }
    if !head.tied {
        let width = table.map_or(hidden, |table| table.width);
        out.push(Tensor::new(
            "head",
            TensorKind::Embedding,
            head.vocab,
            width,
        ));
    }
    bias("head.bias", head.bias, head.vocab, out);
}
