//! The prediction of the closed form.

use lower::Worth;
use serde_json::Map;
use units::Seconds;

use crate::estimate::{Estimate, Estimator};
use crate::outcome::{Rates, totals};
use crate::plan_json::plan_json;
use crate::prediction::{Assumed, ClassMemory, Prediction, SCHEMA};
use crate::scenario::Scenario;
use crate::sources::sources_of;

/// The prediction of a scenario without events.
pub(crate) fn closed_form(scenario: &Scenario) -> Prediction {
    let mut estimator = Estimator::new(scenario);
    let estimate = estimator.estimate(&scenario.plan);
    let rates = Rates::new(scenario, Seconds::from_secs(estimate.iteration_time_s));
    let mut assumptions = scenario.assumptions.clone();
    if let Some(doubt) = estimate.doubt {
        assumptions.push(Assumed {
            field: "settings.engine".to_owned(),
            value: "estimate".to_owned(),
            reason: doubt.reason().to_owned(),
        });
    }
    Prediction {
        schema: SCHEMA,
        engine: scenario.settings.engine.name(),
        iteration_time_s: rates.time,
        iteration_time_p10_s: None,
        iteration_time_p90_s: None,
        tokens_per_s: rates.tokens / rates.time,
        tokens_per_s_per_gpu: rates.tokens / rates.time / rates.gpus,
        model_tflops_per_gpu: rates.model / 1e12,
        hardware_tflops_per_gpu: rates.hardware / 1e12,
        mfu: rates.mfu,
        peak_allocated_bytes: estimate.peak_allocated,
        peak_reserved_bytes: estimate.peak_reserved,
        device_used_bytes: estimate.device_used,
        device_memory_bytes: estimate.device_memory,
        fits: estimate.fits,
        peak_allocated_bytes_by_class: vec![largest(scenario, &estimate)],
        breakdown: estimate.breakdown,
        plan: plan_json(&scenario.plan),
        assumptions,
        sources: sources_of(scenario, &estimator.worth()),
        totals: totals(scenario, &rates),
    }
}

/// The closed form names the fullest pipeline device only.
fn largest(scenario: &Scenario, estimate: &Estimate) -> ClassMemory {
    let stage = estimate.peak_device;
    let ranks = u64::from(scenario.plan.n_ranks() / scenario.plan.degrees().pp);
    let first = scenario.plan.ranks().at_stage(units::RankId::new(0), stage);
    ClassMemory {
        class: format!("stage {stage}"),
        stage,
        ranks,
        first_rank: first.get(),
        peak_allocated_bytes: estimate.peak_allocated,
        peak_at_s: None,
        at_peak: Map::new(),
    }
}

/// Adds the worth of one list of prices to another, so many times.
pub(crate) fn add_worth(sum: &mut Worth, other: &Worth, times: f64) {
    for (sum, part) in sum.secs.iter_mut().zip(other.secs) {
        *sum += part * times;
    }
}
