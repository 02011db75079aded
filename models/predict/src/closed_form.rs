//! The prediction of the closed form.

use engine::EngineError;
use lower::Worth;
use units::{Control, RankId, Seconds, SimTime};

use crate::error::PredictError;
use crate::estimate::{Doubt, Estimator, Rehearsal, StagePeak, rehearse};
use crate::memory::{Memory, kinds};
use crate::nccl::unheeded_unlowered;
use crate::outcome::{Answer, beyond_measured};
use crate::prediction::{Assumed, ClassMemory, Prediction};
use crate::scenario::{Engine, Scenario};
use crate::sources::sources_of;

/// The prediction of a scenario in closed form, rehearsed where the formulas are in doubt.
pub(crate) fn closed_form(
    scenario: &Scenario,
    control: &Control,
) -> Result<Prediction, PredictError> {
    answer(scenario, |doubt| {
        let rehearsal = rehearse(scenario, &scenario.plan, || None, control)?;
        Ok((rehearsed_for(doubt), Some(rehearsal)))
    })
}

/// The prediction of a scenario in closed form, whatever doubt there is: for changes to a plan on
/// which formulas and engines were seen to agree.
///
/// # Errors
///
/// Where the iteration takes longer than any clock runs.
pub fn formulas(scenario: &Scenario) -> Result<Prediction, PredictError> {
    answer(scenario, |doubt| {
        let reason = format!("{ALONE}{}", doubt.reason());
        let doubted = Assumed {
            reason,
            ..rehearsed_for(doubt)
        };
        Ok((doubted, None))
    })
}

/// How the assumption begins that formulas alone were taken in spite of a doubt.
const ALONE: &str = "formulas alone, though ";

/// The doubt, in words, in spite of which a prediction is of [`formulas`] alone; none where the engine
/// says the same.
pub fn doubted(prediction: &Prediction) -> Option<&str> {
    let mut reasons = prediction.assumptions.iter().map(|one| &one.reason);
    reasons.find_map(|reason| reason.strip_prefix(ALONE))
}

/// The doubt, in words, for which a prediction of the closed form was rehearsed; none where formulas did.
pub fn rehearsed_since(prediction: &Prediction) -> Option<&str> {
    let mut of_engine = prediction.assumptions.iter();
    let found = of_engine.find(|one| {
        let is_doubt = (one.field.as_str(), one.value.as_str()) == DOUBTED;
        is_doubt && !one.reason.starts_with(ALONE)
    });
    found.map(|one| one.reason.as_str())
}

/// The field and the value that assumptions of doubts name.
const DOUBTED: (&str, &str) = ("settings.engine", "estimate");

/// The prediction of a scenario in closed form.
///
/// * `doubted` — what is done about a doubt, and what is said of it.
fn answer(
    scenario: &Scenario,
    doubted: impl FnOnce(Doubt) -> Result<(Assumed, Option<Rehearsal>), PredictError>,
) -> Result<Prediction, PredictError> {
    let mut estimator = Estimator::new(scenario);
    let (mut estimate, peaks) = estimator.with_peaks(&scenario.plan);
    let mut assumptions = scenario.assumptions.clone();
    assumptions.extend(unheeded_unlowered(scenario));
    assumptions.extend(beyond_measured(scenario));
    let mut rehearsal = None;
    if let Some(doubt) = estimate.doubt {
        let (assumed, found) = doubted(doubt)?;
        assumptions.push(assumed);
        rehearsal = found;
    }
    let memory = if let Some(rehearsal) = rehearsal {
        estimate = estimate.rehearsed(&rehearsal);
        rehearsal.memory
    } else {
        Memory {
            allocated: estimate.peak_allocated,
            reserved: estimate.peak_reserved,
            used: estimate.device_used,
            limit: estimate.device_memory,
            fits: estimate.fits,
            by_class: peaks.iter().map(|peak| class(scenario, peak)).collect(),
        }
    };
    let time = Seconds::from_secs(estimate.iteration_time_s);
    // What no clock can run to has no answer in closed form either.
    SimTime::ZERO.after(time).map_err(EngineError::from)?;
    let answer = Answer {
        time,
        memory,
        breakdown: estimate.breakdown,
        bottleneck: None,
        critical_path: None,
        assumptions,
        sources: sources_of(scenario, &estimator.worth()),
    };
    Ok(answer.prediction(scenario))
}

/// What the analytic engine says of a scenario's iteration, which is followed no further than until
/// it repeats itself: the same as [`predict`](crate::predict) where it is short, else within 0.2 %
/// of it at a fraction of its cost. For plans by the dozen.
///
/// # Errors
///
/// As [`predict`](crate::predict).
pub fn rehearsed(scenario: &Scenario, control: &Control) -> Result<Prediction, PredictError> {
    let plan = &scenario.plan;
    let rehearsal = rehearse(scenario, plan, || growth(scenario), control)?;
    let time = Seconds::from_secs(rehearsal.time);
    SimTime::ZERO.after(time).map_err(EngineError::from)?;
    let bottleneck = rehearsal.bottleneck().map(|(name, _)| name.to_owned());
    let breakdown = rehearsal.breakdown();
    let mut assumptions = rehearsal.assumptions;
    if rehearsal.n_micro_batches < plan.n_micro_batches() {
        assumptions.push(Assumed {
            field: "settings.engine".to_owned(),
            value: Engine::Analytic.name().to_owned(),
            reason: format!(
                "{} of {} micro-batches were simulated, from where on the iteration repeats itself",
                rehearsal.n_micro_batches,
                plan.n_micro_batches()
            ),
        });
    }
    let answer = Answer {
        time,
        memory: rehearsal.memory,
        breakdown,
        bottleneck,
        critical_path: None,
        assumptions,
        sources: rehearsal.sources,
    };
    let mut prediction = answer.prediction(scenario);
    prediction.engine = Engine::Analytic.name();
    Ok(prediction)
}

/// Seconds that one micro-batch more takes, where formulas are in no doubt.
fn growth(scenario: &Scenario) -> Option<f64> {
    let plan = &scenario.plan;
    let shorter = plan.with_micro_batches(plan.n_micro_batches() / 2)?;
    let mut estimator = Estimator::new(scenario);
    let [whole, half] = [plan, &shorter].map(|plan| estimator.estimate(plan));
    let more = plan.n_micro_batches() - shorter.n_micro_batches();
    let sure = whole.doubt.is_none() && half.doubt.is_none();
    (sure && 0 < more).then(|| (whole.iteration_time_s - half.iteration_time_s) / f64::from(more))
}

/// Why formulas alone would not do.
fn rehearsed_for(doubt: Doubt) -> Assumed {
    let (field, value) = DOUBTED;
    Assumed {
        field: field.to_owned(),
        value: value.to_owned(),
        reason: doubt.reason().to_owned(),
    }
}

/// The memory of the ranks of one pipeline device: the closed form tells no others apart.
fn class(scenario: &Scenario, peak: &StagePeak) -> ClassMemory {
    let stage = peak.device;
    let first = scenario.plan.ranks().at_stage(RankId::new(0), stage);
    ClassMemory {
        class: format!("stage {stage}"),
        stage,
        ranks: u64::from(scenario.plan.n_ranks() / scenario.plan.degrees().pp),
        first_rank: first.get(),
        peak_allocated_bytes: peak.parts.iter().copied().sum(),
        peak_at_s: None,
        at_peak: kinds(&peak.parts),
    }
}

/// Adds the worth of one list of prices to another, so many times.
pub(crate) fn add_worth(sum: &mut Worth, other: &Worth, times: f64) {
    for (sum, part) in sum.secs.iter_mut().zip(other.secs) {
        *sum += part * times;
    }
}
