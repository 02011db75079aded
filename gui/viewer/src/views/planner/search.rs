//! The search itself, beside the window.

use std::sync::{Arc, Mutex, PoisonError};

use session::{
    Draft, Engine, Evaluated, Failure, NetworkPlanError, NetworkPlans, NoPlan, Opened, Phase,
    PlanField, Planned, Progress, Remedy, SearchError, remedies,
};
use units::Control;

use super::row::{PlanRow, rows};
use crate::state::hinted;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The scenario.
    pub draft: Draft,
    /// Fields of its plan that stay.
    pub kept: Vec<PlanField>,
    /// The engine that judges leading plans.
    pub engine: Engine,
}

/// What a search has found so far.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// What it is at; none before it has begun.
    pub phase: Option<Phase>,
    /// Plans that were looked at, of all plans of the space.
    pub decided: [u64; 2],
    /// The best so far, in closed form.
    pub best: Option<Evaluated>,
    /// Those that no other so far beats.
    pub front: Vec<Evaluated>,
    /// Plans that were simulated.
    pub simulated: usize,
}

impl Live {
    fn take(&mut self, progress: &Progress<'_>) {
        self.phase = Some(progress.phase);
        self.decided = [progress.decided, progress.total];
        self.best = progress.best;
        self.front = progress.front.to_vec();
        self.simulated = progress.simulated.len();
    }
}

/// Why there is no plan, and what would make one.
#[derive(Clone, Debug)]
pub struct Nothing {
    /// What was tried in vain.
    pub tried: NoPlan,
    /// What a GPU has, in bytes; none where kinds have none.
    pub device: Option<f64>,
    /// What would make a plan fit.
    pub remedies: Vec<Remedy>,
}

/// What a search found.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Plans of training.
    Plans(Arc<Planned>),
    /// Ways to balance the load of a network workload.
    Network(Arc<NetworkPlans>),
    /// No plan fits.
    Nothing(Arc<Nothing>),
}

/// What was found, and for what.
#[derive(Clone, Debug)]
pub struct Searched {
    /// The scenario that was searched.
    pub draft: Draft,
    /// It with its sections read.
    pub opened: Arc<Opened>,
    /// The engine that was asked for.
    pub engine: Engine,
    /// What was found.
    pub answer: Answer,
    /// Its plans as charts show them; none of network workloads.
    pub rows: Vec<PlanRow>,
}

impl Searched {
    /// The plans, where it is of training.
    pub const fn planned(&self) -> Option<&Arc<Planned>> {
        match &self.answer {
            Answer::Plans(planned) => Some(planned),
            Answer::Network(_) | Answer::Nothing(_) => None,
        }
    }

    /// The plan of an id.
    pub fn row(&self, id: u64) -> Option<&PlanRow> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// The scenario with a plan in it, as text.
    pub fn scenario_of(&self, id: u64) -> Option<String> {
        match &self.answer {
            Answer::Plans(planned) => {
                let row = self.row(id)?;
                match row.place() {
                    Some(place) => Some(planned.scenario_of(&self.opened, place)),
                    None => planned.scenario_with(&self.opened, &row.choice),
                }
            }
            Answer::Network(plans) => {
                let place = usize::try_from(id).ok()?;
                Some(plans.plans.get(place)?.scenario.clone())
            }
            Answer::Nothing(_) => None,
        }
    }
}

/// Searches.
///
/// # Errors
///
/// What keeps it from an answer, in words; a stopped search has one as soon as something was found.
pub fn search(
    question: &Question,
    live: &Mutex<Live>,
    control: &Control,
) -> Result<Searched, Vec<String>> {
    let opened = Arc::new(question.draft.open().map_err(|failures| told(&failures))?);
    let answer = if opened.is_traffic() {
        let found = opened.plan_network(&[], control).map_err(of_network)?;
        Answer::Network(Arc::new(found))
    } else {
        plans(question, &opened, live, control)?
    };
    let rows = match &answer {
        Answer::Plans(planned) => rows(planned),
        Answer::Network(_) | Answer::Nothing(_) => Vec::new(),
    };
    Ok(Searched {
        draft: question.draft.clone(),
        opened,
        engine: question.engine,
        answer,
        rows,
    })
}

fn plans(
    question: &Question,
    opened: &Opened,
    live: &Mutex<Live>,
    control: &Control,
) -> Result<Answer, Vec<String>> {
    let planning = opened
        .planning(&question.kept)
        .map_err(|failures| told(&failures))?;
    let observer = |progress: &Progress<'_>| {
        let mut live = live.lock().unwrap_or_else(PoisonError::into_inner);
        live.take(progress);
    };
    let found = opened.plan_watched(planning.clone(), question.engine, &[], &observer, control);
    match found {
        Ok(planned) => Ok(Answer::Plans(Arc::new(planned))),
        Err(SearchError::NoPlan(tried)) => {
            let kinds = planning.scenario.cluster.kinds().iter();
            let device = kinds.map(|gpu| gpu.memory.as_f64()).reduce(f64::min);
            let remedies = remedies(opened, &planning, control);
            Ok(Answer::Nothing(Arc::new(Nothing {
                tried: *tried,
                device,
                remedies,
            })))
        }
        Err(SearchError::Interrupted) => Err(Vec::new()),
        Err(error) => Err(vec![error.to_string()]),
    }
}

fn of_network(error: NetworkPlanError) -> Vec<String> {
    match error {
        NetworkPlanError::Scenario(failures) => told(&failures),
        NetworkPlanError::Nothing(_, hint) => vec![hinted(&error, hint)],
        NetworkPlanError::Interrupted => Vec::new(),
    }
}

/// Failures in words.
pub(super) fn told(failures: &[Failure]) -> Vec<String> {
    let words = failures
        .iter()
        .map(|failure| hinted(failure, failure.hint()));
    words.collect()
}
