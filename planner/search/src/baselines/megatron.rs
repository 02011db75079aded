//! Megatron's heuristic: the degrees that memory asks for, and no latency model.
//!
//! Source: Narayanan et al., SC21, arXiv 2104.04473. Takeaway 1: tensor parallelism up to the GPUs of a
//! node, then the pipeline across nodes. Takeaway 2: only so much of both that the model fits, data
//! parallelism for the rest. Section 3.4: the micro-batch is as large as memory allows while the
//! pipeline still fills, here with no fewer micro-batches than stages.

use crate::choice::{Choice, DegreeChoice};
use crate::evaluate::Evaluated;

/// In which order degrees are tried: as little pipeline as possible, then as little tensor
/// parallelism.
fn order(degrees: &DegreeChoice) -> (u32, u32) {
    (degrees.pp, degrees.tp)
}

/// The heuristic's choice among plans that were evaluated; none where none fits.
///
/// * `batch` — sequences of an iteration.
pub(crate) fn choose(plans: &[Evaluated], batch: u64) -> Option<Choice> {
    let fitting = || {
        plans
            .iter()
            .filter(|plan| plan.fits)
            .map(|plan| plan.choice)
    };
    let degrees = fitting()
        .map(|choice| choice.degrees)
        .min_by_key(|degrees| (order(degrees), std::cmp::Reverse(degrees.dp)))?;
    let own = || fitting().filter(|choice| choice.degrees == degrees);
    let fills = |choice: &Choice| {
        let of_replica = batch / u64::from(degrees.dp);
        u64::from(degrees.pp) <= of_replica / choice.micro_batch
    };
    let largest = own().filter(fills).max_by_key(|choice| choice.micro_batch);
    largest.or_else(|| own().min_by_key(|choice| choice.micro_batch))
}
