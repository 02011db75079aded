//! What a split of layers over stages has to weigh: each layer, the embedding and the head by
//! themselves.

use lower::{PieceKind, issued};
use plan::state::StateBytes;
use plan::{Plan, ScheduleKind};
use units::{Bytes, Seconds};

use crate::Scenario;
use crate::estimate::memory::interleaved_in_flight;
use crate::estimate::sheet::{PassTime, PieceSheet, Sheet};
use crate::estimate::stage::StageSums;

/// What a layer, the embedding or the head costs one rank.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PieceCost {
    /// Time of the forward and the backward pass of one micro-batch: kernels, what is computed
    /// again, collectives inside the stage, and the host where it takes longer.
    pub time: Seconds,
    /// Weights, gradients and optimizer states, after sharding and what is kept on the host.
    pub state: Bytes,
    /// What one micro-batch keeps from its forward pass to its backward pass.
    pub kept: Bytes,
}

impl PieceCost {
    fn add(&mut self, other: Self) {
        self.time += other.time;
        self.state += other.state;
        self.kept += other.kept;
    }
}

/// What the parts of a model cost under a plan. How the plan itself splits the layers matters only
/// where recomputation depends on a layer's place in its stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerCosts {
    /// The layers, in order; the last one of an encoder with what ends it.
    pub layers: Vec<PieceCost>,
    /// The embedding, on the first virtual stage.
    pub embedding: PieceCost,
    /// Modules of multi-token prediction, final norm, head and loss, on the last virtual stage.
    pub head: PieceCost,
    /// Micro-batches in flight on each virtual stage at most, where stage `v` lies on device
    /// `v % pp`; none for schedules that lay their stages otherwise.
    pub in_flight: Option<Vec<u32>>,
}

/// The costs of the pieces of a plan's stages.
pub(super) fn layer_costs(
    scenario: &Scenario,
    plan: &Plan,
    (sheet, stages): (&Sheet, &[StageSums]),
    speed: f64,
) -> LayerCosts {
    let mut costs = LayerCosts {
        in_flight: in_flight(plan),
        ..LayerCosts::default()
    };
    for (at, times) in stages.iter().flat_map(|stage| &stage.runs) {
        let piece = &sheet.pieces[*at];
        let cost = piece_cost(scenario, plan, piece, speed);
        for _ in 0..*times {
            match piece.piece.kind {
                PieceKind::Embedding => costs.embedding.add(cost),
                PieceKind::Layer(_) => costs.layers.push(cost),
                PieceKind::EncoderEnd => {
                    if let Some(last) = costs.layers.last_mut() {
                        last.add(cost);
                    }
                }
                _ => costs.head.add(cost),
            }
        }
    }
    costs
}

fn piece_cost(scenario: &Scenario, plan: &Plan, piece: &PieceSheet, speed: f64) -> PieceCost {
    let per_param = lower::resident(&scenario.job, piece.state, &piece.params);
    let state = StateBytes::of(&piece.params, &per_param).on_gpu(plan);
    // A whole backward pass counts two for the host.
    let time = with_host(piece.forward, 1.0, speed) + with_host(piece.backward, 2.0, speed);
    PieceCost {
        time: Seconds::from_secs(time),
        state: state.total(),
        kept: piece.kept,
    }
}

/// Seconds of a pass on a GPU of a speed, or of the host where that takes longer.
fn with_host(pass: PassTime, counts: f64, speed: f64) -> f64 {
    let pass = pass.at_speed(speed);
    pass.total.max(issued(pass.host * counts, pass.compute))
}

/// Micro-batches in flight, where stages lie on devices in turn.
fn in_flight(plan: &Plan) -> Option<Vec<u32>> {
    let (pp, n) = (plan.degrees().pp, plan.n_micro_batches());
    match plan.schedule_kind()? {
        ScheduleKind::OneFOneB | ScheduleKind::ZbH1 => {
            Some((0..pp).map(|device| (pp - device).min(n)).collect())
        }
        ScheduleKind::Interleaved => {
            let chunks = plan.chunks() as usize;
            let of: Vec<Vec<u32>> = (0..pp)
                .map(|device| interleaved_in_flight(plan, device, chunks))
                .collect();
            let by_chunk = (0..chunks).flat_map(|chunk| of.iter().map(move |one| one[chunk]));
            Some(by_chunk.collect())
        }
        _ => None,
    }
}
