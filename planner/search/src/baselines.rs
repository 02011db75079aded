//! What other methods would choose out of the same space, and what the engine says of it.
//!
//! ```text
//! degrees without cp and ep, 1F1B ──▶ plans ──AMP's, Pipette's formula, Megatron's rule──▶ a choice
//!                                                            the engine of the shortlist ──▶ Baseline
//! ```
//!
//! They choose tp, pp, dp and the micro-batch alone. Everything else is what the framework turns on by
//! default; recomputation is off, and where nothing then fits, methods that look at memory try again
//! with everything recomputed. Fields that are fixed stay as they are.

pub mod amp;
mod megatron;
pub mod pipette;
mod profiled;

use plan::{Plan, PlanField, ScheduleKind};
use predict::{Estimator, PredictError};
use units::Control;

pub use profiled::{Profiled, Ring};

use crate::Request;
use crate::baselines::profiled::{Rates, profiled};
use crate::choice::{Choice, DegreeChoice, RecomputeChoice, ShardChoice, SplitChoice};
use crate::evaluate::{Evaluated, checked, evaluated};
use crate::excluded::Tally;
use crate::shortlist::{Simulated, fits, simulate};
use crate::space::Space;

/// A method that others published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Megatron's heuristic.
    Megatron,
    /// AMP's latency model.
    Amp,
    /// Pipette's latency model, with our memory model.
    Pipette,
}

impl Method {
    /// Every method, in the order in which they were published.
    pub const ALL: [Self; 3] = [Self::Megatron, Self::Amp, Self::Pipette];

    /// What tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Megatron => "Megatron's heuristic",
            Self::Amp => "AMP",
            Self::Pipette => "Pipette",
        }
    }

    /// Where it was published.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Megatron => "arXiv 2104.04473",
            Self::Amp => "arXiv 2210.07297",
            Self::Pipette => "arXiv 2405.18093",
        }
    }

    /// Whether it asks what a plan needs of memory.
    const fn looks_at_memory(self) -> bool {
        !matches!(self, Self::Amp)
    }

    /// Seconds that it predicts for an iteration of a plan; none where it has no latency model.
    ///
    /// * `estimator` — of the scenario, which stands for the profile of passes on one GPU.
    pub fn iteration_time(
        self,
        estimator: &mut Estimator<'_>,
        scenario: &predict::Scenario,
        plan: &Plan,
    ) -> Option<f64> {
        let mut of = |rates| profiled(estimator, scenario, plan, rates);
        match self {
            Self::Megatron => None,
            Self::Amp => Some(amp::iteration_time(&of(Rates::Nominal))),
            Self::Pipette => Some(pipette::iteration_time(&of(Rates::Measured))),
        }
    }
}

/// What a method chooses.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The method.
    pub method: Method,
    /// Its choice, with what it predicts and what the engine says; none where it finds nothing.
    pub pick: Option<Pick>,
}

/// A plan that a method chose.
#[derive(Clone, Debug)]
pub struct Pick {
    /// Seconds of an iteration that the method predicts, where it predicts any.
    pub predicted: Option<f64>,
    /// What the engine says of the plan.
    pub simulated: Simulated,
    /// Whether every device has room for it, with the margin.
    pub fits: bool,
}

/// What every method chooses for a request.
///
/// # Errors
///
/// What the engine reports, or that the work was stopped.
pub fn baselines(request: &Request<'_>, control: &Control) -> Result<Vec<Baseline>, PredictError> {
    let space = crate::space_of(request);
    let mut estimator = Estimator::new(request.scenario);
    let mut plans = candidates(
        &space,
        RecomputeChoice::None,
        request.margin,
        &mut estimator,
    );
    if !plans.iter().any(|plan| plan.fits) {
        let full = RecomputeChoice::Full;
        plans.extend(candidates(&space, full, request.margin, &mut estimator));
    }
    let chosen = Method::ALL.map(|method| {
        let choice = choose(method, &space, &plans, &mut estimator);
        (method, choice)
    });
    let run = |(method, choice): (Method, Option<Choice>)| {
        let pick = match choice {
            Some(choice) => pick(method, choice, &space, request, &mut estimator, control)?,
            None => None,
        };
        Ok(Baseline { method, pick })
    };
    chosen.into_iter().map(run).collect()
}

/// Every plan of the axes that methods have, in closed form.
fn candidates<'a>(
    space: &Space<'a>,
    recompute: RecomputeChoice,
    margin: f64,
    estimator: &mut Estimator<'a>,
) -> Vec<Evaluated> {
    let pipeline = (ScheduleKind::OneFOneB, 1, SplitChoice::Even);
    let mut plans = Vec::new();
    for degrees in space.degrees(&mut Tally::default()) {
        if !is_theirs(space, degrees) {
            continue;
        }
        let shard = shard(space, degrees);
        for micro_batch in space.micro_batches(degrees) {
            let choice = space.choice(degrees, shard, pipeline, micro_batch, recompute);
            if let Ok(plan) = checked(space, &choice) {
                plans.push(evaluated(choice, &estimator.estimate(&plan), margin));
            }
        }
    }
    plans
}

/// Whether degrees have no axis that the methods do not know, but for what is fixed.
fn is_theirs(space: &Space<'_>, degrees: DegreeChoice) -> bool {
    let free = |field, degree| space.fixed.contains(&field) || degree == 1;
    free(PlanField::Cp, degrees.cp)
        && free(PlanField::Ep, degrees.ep)
        && free(PlanField::Etp, degrees.etp)
}

/// What data-parallel ranks share by default: the optimizer's states, or the least that the framework
/// has.
fn shard(space: &Space<'_>, degrees: DegreeChoice) -> ShardChoice {
    let shards = space.shards(degrees);
    let offered = |shard: &&ShardChoice| space.offers.shards.contains(&shard.kind());
    let default = [ShardChoice::Zero1];
    let mut wanted = default.iter().chain(&shards).filter(offered);
    let found = wanted.find(|shard| shards.contains(shard)).copied();
    found
        .or(shards.first().copied())
        .unwrap_or(ShardChoice::None)
}

/// The choice of a method among plans; none where none fits, or for the fastest of a model, none is
/// there.
fn choose<'a>(
    method: Method,
    space: &Space<'a>,
    plans: &[Evaluated],
    estimator: &mut Estimator<'a>,
) -> Option<Choice> {
    if method == Method::Megatron {
        return megatron::choose(plans, space.scenario.job.global_batch);
    }
    let mut best: Option<(f64, Choice)> = None;
    for plan in plans {
        if method.looks_at_memory() && !plan.fits {
            continue;
        }
        let time = checked(space, &plan.choice)
            .ok()
            .and_then(|checked| method.iteration_time(estimator, space.scenario, &checked));
        if let Some(time) = time
            && best.is_none_or(|(fastest, _)| time < fastest)
        {
            best = Some((time, plan.choice));
        }
    }
    best.map(|(_, choice)| choice)
}

/// What a method and the engine say of its choice.
fn pick<'a>(
    method: Method,
    choice: Choice,
    space: &Space<'a>,
    request: &Request<'a>,
    estimator: &mut Estimator<'a>,
    control: &Control,
) -> Result<Option<Pick>, PredictError> {
    let Ok(plan) = checked(space, &choice) else {
        return Ok(None);
    };
    let scenario = space.scenario;
    let predicted = method.iteration_time(estimator, scenario, &plan);
    let estimate = evaluated(choice, &estimator.estimate(&plan), request.margin);
    let simulated = simulate(scenario, &estimate, plan, request.engine, control)?;
    Ok(Some(Pick {
        predicted,
        fits: fits(&simulated.prediction, request.margin),
        simulated,
    }))
}

#[cfg(test)]
mod tests;
