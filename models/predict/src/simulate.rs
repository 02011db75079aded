//! Simulating one iteration.

use engine::{Contention, Lists, Options, Run, run};
use lower::{LowerOptions, Lowered, Prices as CollectivePrices, lower};
use network::{Analytic, Flow, Network, Share};
use trace::{Category, Lane, Trace};
use units::Control;

use crate::closed_form::closed_form;
use crate::error::PredictError;
use crate::outcome::prediction;
use crate::prediction::Prediction;
use crate::scenario::{Engine, Scenario};

/// Whether a trace is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Record {
    /// Only totals.
    #[default]
    Totals,
    /// Totals, and what the critical path is spent on.
    Path,
    /// Every span, with the kernels inside.
    Trace,
}

/// A prediction and what led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The answer.
    pub prediction: Prediction,
    /// The timeline, where it was asked for.
    pub trace: Option<Trace>,
    /// Lanes that were simulated: one per class of ranks.
    pub n_lanes: usize,
    /// Events that the engine processed.
    pub events: u64,
}

/// Predicts one iteration.
///
/// The estimate has no timeline: with [`Record::Trace`] the analytic engine answers in its place.
///
/// # Errors
///
/// [`PredictError`] where the run is interrupted, overflows the clock, or the engine finds a
/// deadlock, which a checked plan never has.
pub fn predict(
    scenario: &Scenario,
    record: Record,
    control: &Control,
) -> Result<Outcome, PredictError> {
    if scenario.settings.engine == Engine::Estimate && record != Record::Trace {
        return Ok(Outcome {
            prediction: closed_form(scenario, control)?,
            trace: None,
            n_lanes: 0,
            events: 0,
        });
    }
    let options = LowerOptions {
        unfold: scenario.settings.unfold || 0.0 < scenario.settings.jitter,
        links: scenario.settings.engine == Engine::Flow,
        details: record == Record::Trace,
    };
    let lowered = lower(&scenario.inputs(), options);
    let options = Options {
        jitter: scenario.settings.jitter,
        seed: scenario.settings.seed,
        record: record == Record::Trace,
        causes: record == Record::Path,
        ..Options::default()
    };
    control.check()?;
    let mut run = match &lowered.fabric {
        Some(fabric) => {
            let network = Flow::new(&fabric.rates, Share::EQUAL);
            simulate(scenario, &lowered, network, &options, control)?
        }
        None => simulate(scenario, &lowered, Analytic::new(&[]), &options, control)?,
    };
    let trace = run.trace.take().map(|trace| finish_trace(trace, &lowered));
    Ok(Outcome {
        prediction: prediction(scenario, &lowered, &run),
        trace,
        n_lanes: run.lanes.len(),
        events: run.events,
    })
}

/// Runs what was lowered.
///
/// * `options` — what is random and what is kept; window and contention follow from the scenario.
pub(crate) fn simulate<N: Network>(
    scenario: &Scenario,
    lowered: &Lowered,
    mut network: N,
    options: &Options,
    control: &Control,
) -> Result<Run, PredictError> {
    for path in lowered.paths() {
        network.add_path(path)?;
    }
    let list_of = lowered
        .binding
        .lanes
        .lanes
        .iter()
        .map(|lane| lane.program)
        .collect();
    let mut driver = Lists::new(&lowered.lists, list_of);
    let prices = CollectivePrices {
        binding: &lowered.binding,
        comm: &scenario.comm,
        choice: &scenario.settings.choice,
        fabric: lowered.fabric.as_ref(),
    };
    let options = Options {
        window: lowered.window,
        contention: contention(scenario),
        ..*options
    };
    let lanes = &lowered.binding.lanes;
    let run = run(
        &lowered.programs,
        lanes,
        &mut driver,
        &mut network,
        &prices,
        &options,
        control,
    )?;
    Ok(run)
}

/// What communication takes from compute, by the profile of the slowest kind of GPU: the SMs
/// that its kernels hold.
pub(crate) fn contention(scenario: &Scenario) -> Contention {
    let speed = scenario
        .profiles
        .iter()
        .map(|profile| 1.0 - profile.interference().sm_share)
        .fold(1.0, f64::min);
    let mut contention = Contention::NONE;
    for category in [Category::Tp, Category::Cp, Category::Ep, Category::Dp] {
        contention.compute_beside[category.index()] = speed;
    }
    contention
}

fn finish_trace(mut trace: Trace, lowered: &Lowered) -> Trace {
    trace.details.clone_from(&lowered.details);
    trace.lanes = lowered
        .binding
        .lanes
        .lanes
        .iter()
        .map(|lane| Lane {
            class: lane.class,
            name: lane.name.clone(),
            stage: lane.stage,
            ranks: lane.ranks.clone(),
            resident: lane.resident,
        })
        .collect();
    trace
}
