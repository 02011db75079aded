//! The pieces of every stage: operators built once for each distinct piece.

use cluster::Cluster;
use plan::Plan;
use plan::split::StageContent;
use workload::ops::{
    Recompute, Sharding, embedding_ops, encoder_end_ops, head_ops, layer_ops, mtp_ops,
};
use workload::{Ffn, Job, Layer};

use crate::framework::Framework;
use crate::piece::{Piece, PieceKind};

/// Distinct pieces, and which of them each virtual stage runs in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    /// Distinct pieces.
    pub pieces: Vec<Piece>,
    /// For every virtual stage, indices of its pieces in forward order.
    pub stages: Vec<Vec<u32>>,
    /// How every piece is cut.
    pub sharding: Sharding,
}

/// The pieces of a job under a plan.
pub fn book(cluster: &Cluster, job: &Job, plan: &Plan, framework: &Framework) -> Book {
    let fusion = framework.fusion_on(cluster.kinds());
    let sharding = plan.sharding(job.seq_len, framework.vocab_multiple, fusion);
    let (kinds, kind_of) = job.model.layer_kinds();
    let mut known: Vec<(PieceKind, Recompute)> = Vec::new();
    let mut pieces = Vec::new();
    let mut piece = |kind: PieceKind, policy: Recompute| -> u32 {
        let at = known
            .iter()
            .position(|known| *known == (kind, policy))
            .unwrap_or_else(|| {
                known.push((kind, policy));
                pieces.push(build_piece(job, &sharding, &kinds, kind, policy));
                known.len() - 1
            });
        u32::try_from(at).unwrap_or(u32::MAX)
    };
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
    let mut list = Vec::new();
    if content.embedding {
        list.push((PieceKind::Embedding, Recompute::None));
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
        let kind = PieceKind::Mtp(module, content.embedding);
        list.push((kind, plan.recompute(stage, index)));
    }
    if content.head {
        list.push((PieceKind::Head(content.embedding), Recompute::None));
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
        PieceKind::Head(here) => Piece::new(kind, head_ops(job, sharding, here), policy, false),
    }
}
