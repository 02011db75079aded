//! The pieces of every stage: operators built once for each distinct piece.

use cluster::Cluster;
use plan::Plan;
use plan::schedule::Vocabulary;
use plan::split::StageContent;
use units::Bytes;
use workload::ops::{
    Recompute, Sharding, embedding_ops, encoder_end_ops, head_ops, layer_ops, mtp_ops,
};
use workload::{Ffn, Job, Layer};

use crate::framework::Framework;
use crate::piece::{Piece, PieceKind};
use crate::vocabulary::{final_norm_ops, output_ops, positions_ops, words_ops};

/// Distinct pieces, and which of them each virtual stage runs in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    /// Distinct pieces.
    pub pieces: Vec<Piece>,
    /// For every virtual stage, indices of its pieces in forward order.
    pub stages: Vec<Vec<u32>>,
    /// How every piece is cut.
    pub sharding: Sharding,
    /// What every device holds of a vocabulary that is spread over them.
    pub spread: Option<Spread>,
}

/// A vocabulary spread over the devices of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// One part of the word embedding, an index into [`Book::pieces`].
    pub words: u32,
    /// One part of the output layer.
    pub output: u32,
    /// Where the barriers stand.
    pub algorithm: Vocabulary,
    /// Hidden states of a micro-batch on one rank, which barriers send.
    pub states: Bytes,
}

impl Book {
    /// The pieces of a virtual stage, in forward order.
    pub fn pieces_of(&self, stage: u32) -> impl Iterator<Item = &Piece> {
        let own = &self.stages[stage as usize];
        own.iter().map(|piece| &self.pieces[*piece as usize])
    }

    /// The pieces that every device holds besides its stages.
    pub fn shared(&self) -> impl Iterator<Item = &Piece> {
        let parts = self.spread.map(|spread| [spread.words, spread.output]);
        let parts = parts.into_iter().flatten();
        parts.map(|piece| &self.pieces[piece as usize])
    }
}

/// The pieces of a job under a plan.
pub fn book(cluster: &Cluster, job: &Job, plan: &Plan, framework: &Framework) -> Book {
    let fusion = framework.fusion_on(cluster.kinds());
    let mut sharding = plan.sharding(job.seq_len, framework.vocab_multiple, fusion);
    sharding.experts.peak_rows = framework.peak_rows(&sharding.experts);
    sharding.experts.shared_overlap |= plan.overlap().ep;
    let (kinds, kind_of) = job.model.layer_kinds();
    let mut known: Vec<(PieceKind, Recompute)> = Vec::new();
    let mut pieces = Vec::new();
    let mut piece = |kind: PieceKind, policy: Recompute| -> u32 {
        let at = known
            .iter()
            .position(|known| *known == (kind, policy))
            .unwrap_or_else(|| {
                known.push((kind, policy));
                let piece = build_piece(job, &sharding, &kinds, kind, policy);
                pieces.push(piece.replayed(framework.replay));
                known.len() - 1
            });
        u32::try_from(at).unwrap_or(u32::MAX)
    };
    let spread = plan.vocabulary().map(|algorithm| {
        let parts = plan.degrees().pp;
        let width = job.model.hidden() as f64 * job.precision.compute.bytes();
        Spread {
            words: piece(PieceKind::Words(parts), Recompute::None),
            output: piece(PieceKind::Output(parts), Recompute::None),
            algorithm,
            states: Bytes::from_f64(sharding.stream_tokens() as f64 * width),
        }
    });
    let contents = plan.stages().iter().enumerate();
    let stages = contents
        .map(|(stage, content)| {
            let list = stage_pieces(job, plan, stage, content, &kind_of);
            list.into_iter()
                .map(|(kind, policy)| piece(kind, policy))
                .collect()
        })
        .collect();
    Book {
        pieces,
        stages,
        sharding,
        spread,
    }
}

fn stage_pieces(
    job: &Job,
    plan: &Plan,
    stage: usize,
    content: &StageContent,
    kind_of: &[usize],
) -> Vec<(PieceKind, Recompute)> {
    let encoder_layers = job.model.encoder_layers();
    let spread = plan.vocabulary().is_some();
    let table_here = plan.shares_table(content);
    let mut list = Vec::new();
    if content.embedding {
        let kind = if spread {
            PieceKind::Positions
        } else {
            PieceKind::Embedding
        };
        list.push((kind, Recompute::None));
    }
    for (index, layer) in content.layers.clone().enumerate() {
        let kind = u32::try_from(kind_of[layer]).unwrap_or(u32::MAX);
        list.push((PieceKind::Layer(kind), plan.recompute(stage, index)));
        if layer + 1 == encoder_layers && encoder_layers != job.model.layers().len() {
            list.push((PieceKind::EncoderEnd, Recompute::None));
        }
    }
    for module in 0..content.mtp {
        let index = content.layers.len() + module as usize;
        let kind = PieceKind::Mtp(module, table_here);
        list.push((kind, plan.recompute(stage, index)));
    }
    if content.head {
        let kind = if spread {
            PieceKind::FinalNorm
        } else {
            PieceKind::Head(table_here)
        };
        list.push((kind, Recompute::None));
    }
    list
}

/// One piece: `kinds` are the model's distinct layers, which [`PieceKind::Layer`] counts.
pub fn build_piece(
    job: &Job,
    sharding: &Sharding,
    kinds: &[Layer],
    kind: PieceKind,
    policy: Recompute,
) -> Piece {
    let routed = |layer: &Layer| matches!(layer.ffn, Some(Ffn::Moe(_)));
    match kind {
        PieceKind::Embedding => Piece::new(kind, embedding_ops(job, sharding), policy, false),
        PieceKind::Layer(layer) => {
            let layer = &kinds[layer as usize];
            Piece::new(kind, layer_ops(job, layer, sharding), policy, routed(layer))
        }
        PieceKind::EncoderEnd => Piece::new(kind, encoder_end_ops(job, sharding), policy, false),
        PieceKind::Mtp(module, here) => {
            let mtp = &job.model.mtp()[module as usize];
            let routed = mtp.layers.iter().any(routed);
            Piece::new(kind, mtp_ops(job, mtp, sharding, here), policy, routed)
        }
        PieceKind::Words(parts) => Piece::new(kind, words_ops(job, sharding, parts), policy, false),
        PieceKind::Positions => Piece::new(kind, positions_ops(job, sharding), policy, false),
        PieceKind::FinalNorm => Piece::new(kind, final_norm_ops(job, sharding), policy, false),
        PieceKind::Output(parts) => {
            Piece::new(kind, output_ops(job, sharding, parts), policy, false)
        }
        PieceKind::Head(here) => Piece::new(kind, head_ops(job, sharding, here), policy, false),
    }
}
