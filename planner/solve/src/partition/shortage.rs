//! What would have to change where no split exists.

use units::Bytes;

use super::{PartitionSpec, Rule, exact, interleaved, problem::Problem};
use crate::SolveError;

/// What a device lacks in the split that comes nearest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lack {
    /// The device's place in the pipeline.
    pub device: usize,
    /// Bytes above its limit.
    pub bytes: Bytes,
    /// Share of its bytes that are activations of micro-batches in flight.
    pub in_flight_share: f64,
}

/// Says why there is no split: too few layers, rules that exclude each other, or memory.
pub(super) fn explain(problem: &Problem, spec: &PartitionSpec) -> SolveError {
    let needed = problem.stages.iter().map(|stage| stage.least).sum();
    let layers = problem.n_layers;
    if spec.rules.is_empty() && layers < needed {
        return SolveError::TooFewLayers { layers, needed };
    }
    match nearest(problem) {
        Some(counts) => SolveError::Memory {
            lacks: lacks(problem, &counts),
        },
        None => SolveError::Conflict {
            rules: conflict(spec),
        },
    }
}

/// The split whose device above its limit lacks least.
fn nearest(problem: &Problem) -> Option<Vec<usize>> {
    if problem.chunks != 1 {
        return interleaved::nearest(problem);
    }
    exact::min_max(problem, |stage, from, to| {
        let memory = problem.stage_memory(stage, from, to);
        Some(memory.saturating_sub(problem.limits[stage]))
    })
}

fn lacks(problem: &Problem, counts: &[usize]) -> Vec<Lack> {
    let (_, memory) = problem.by_device(counts);
    let mut activations = vec![0_u64; problem.pp];
    let mut from = 0;
    for (stage, count) in counts.iter().enumerate() {
        let held = problem.stage_activation(stage, from, from + count);
        let sum = &mut activations[stage % problem.pp];
        *sum = sum.saturating_add(held);
        from += count;
    }
    let one = |device: usize| Lack {
        device,
        bytes: Bytes::new(memory[device].saturating_sub(problem.limits[device])),
        in_flight_share: activations[device] as f64 / memory[device].max(1) as f64,
    };
    let lack = (0..problem.pp).map(one);
    lack.filter(|lack| Bytes::new(0) < lack.bytes).collect()
}

/// Rules that exclude each other, none of which can be left out of the contradiction.
fn conflict(spec: &PartitionSpec) -> Vec<Rule> {
    let mut kept = PartitionSpec {
        limits: vec![Bytes::new(u64::MAX); spec.limits.len()],
        ..spec.clone()
    };
    let mut at = 0;
    while at < kept.rules.len() {
        let rule = kept.rules.remove(at);
        let agrees = Problem::check(&kept).is_ok_and(|problem| nearest(&problem).is_some());
        if agrees {
            kept.rules.insert(at, rule);
            at += 1;
        }
    }
    kept.rules
}
