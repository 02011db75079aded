//! What jobs on one cluster do to each other.
//!
//! Every job is asked about in a run of its own, in which it iterates once and everything else
//! runs beside it again and again; and in one where it has the cluster to itself.

use serde::Serialize;
use units::Control;

use crate::error::PredictError;
use crate::scenario::{Beside, Scenario};
use crate::simulate::time;

/// A job's iteration with others beside it and alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobTime {
    /// The job's scenario.
    pub job: String,
    /// How many GPUs it has.
    pub gpus: u32,
    /// Time of an iteration while the others run, in seconds.
    pub iteration_time_s: f64,
    /// Time of an iteration that has the cluster to itself, in seconds.
    pub alone_s: f64,
}

/// The times of all jobs of a scenario: first its own, whose time beside the others is known.
pub(crate) fn job_times(
    scenario: &Scenario,
    together: f64,
    control: &Control,
) -> Result<Vec<JobTime>, PredictError> {
    let mut times = vec![job_time(scenario, together, control)?];
    for at in 0..scenario.beside.len() {
        let Beside::Job(other) = &scenario.beside[at] else {
            continue;
        };
        let mut other = (**other).clone();
        // The run is that of the scenario that was asked about.
        let spread = other.settings.spread;
        other.settings = scenario.settings;
        other.settings.spread = spread;
        let mut rest = scenario.clone();
        rest.beside = Vec::new();
        other.beside.clone_from(&scenario.beside);
        other.beside[at] = Beside::Job(Box::new(rest));
        let together = time(&other, control)?;
        times.push(job_time(&other, together, control)?);
    }
    Ok(times)
}

fn job_time(
    scenario: &Scenario,
    iteration_time_s: f64,
    control: &Control,
) -> Result<JobTime, PredictError> {
    let mut alone = scenario.clone();
    alone.beside = Vec::new();
    Ok(JobTime {
        job: scenario.name.clone(),
        gpus: scenario.plan.n_ranks(),
        iteration_time_s,
        alone_s: time(&alone, control)?,
    })
}
