//! Finding the best plan of a scenario.

use cluster::Cluster;
use format::{
    Assignment, Failure, MEASURED_RATES, MemoryMargin, Planning, memory_margin, resolve_planning,
};
use plan::{Plan, PlanField, PlanSpec};
use predict::{Engine, PredictError, Prediction, Record, formulas, predict};
use rayon::prelude::*;
use search::{
    Answer, Baseline, Observer, OffloadChoice, Placed, Request as SearchRequest, SearchError,
    Simulated, feasible, order_nodes, search_watched,
};
use units::Control;

use crate::bandwidth::{Measured, slowest};
use crate::complete::{complete_scenario, complete_with_rates};
use crate::open::Opened;

/// What was found, and for what.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The scenario, with a stand-in for its plan.
    pub planning: Planning,
    /// Plans and why others are none.
    pub answer: Answer,
    /// What the engine says of the scenario's own plan, where it has one.
    pub own: Option<Prediction>,
    /// What was kept free beside the predicted use of memory.
    pub margin: MemoryMargin,
    /// What came of ordering nodes, of the first plans.
    pub placed: Vec<Placed>,
    /// The measurements of links that were given.
    pub measured: Vec<Measured>,
}

/// Nodes up to which a plan's scenario carries the rates between them: some megabyte of text.
const MOST_CARRIED: usize = 256;

impl Planned {
    /// One of the plans as a scenario: predicted by the engine of the search, it takes as long again,
    /// or nearly so where an assumption says that its iteration was not run whole.
    /// Rates between nodes that were measured stand in it, where there are not too many.
    ///
    /// * `opened` — the scenario that was searched.
    /// * `plan` — an index into the answer's plans.
    ///
    /// # Panics
    ///
    /// Where there is no such plan.
    pub fn scenario_of(&self, opened: &Opened, plan: usize) -> String {
        let found = &self.answer.plans[plan].plan;
        if self.measured.is_empty() || !self.carries_rates() {
            return complete_scenario(opened, found);
        }
        complete_with_rates(opened, found, self.links_of(plan))
    }

    /// Whether rates between nodes that were measured, if any, stand in the plans' scenarios.
    pub fn carries_rates(&self) -> bool {
        self.measured.is_empty() || self.planning.scenario.cluster.n_nodes() <= MOST_CARRIED
    }

    /// The links on which a plan was predicted: of several measurements those in which an ordered
    /// plan is slowest, for all others each link at its slowest.
    fn links_of(&self, plan: usize) -> &Cluster {
        let placed = self.placed.iter().find(|one| one.plan == plan);
        let order = placed.and_then(|one| one.outcome.as_ref().ok());
        order
            .and_then(|order| self.measured.get(order.snapshot))
            .map_or(&self.planning.scenario.cluster, |one| &one.cluster)
    }
}

impl Opened {
    /// Looks up everything that the scenario names but its plan.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn planning(&self, fixed: &[PlanField]) -> Result<Planning, Vec<Failure>> {
        let library = self.library();
        resolve_planning(&self.name, &self.spec, &self.document, &library, fixed)
    }

    /// Searches the plans of a scenario, and the order of nodes for the best of them.
    ///
    /// * `measured` — the links as they were measured, once or several times; none takes what the
    ///   cluster's files say. The search takes each link at its slowest, an order of nodes is judged by
    ///   the measurement in which it is slowest.
    ///
    /// # Errors
    ///
    /// Where nothing fits, the search was stopped before it found anything, or an engine fails.
    pub fn plan(
        &self,
        planning: Planning,
        engine: Engine,
        measured: &[Measured],
        control: &Control,
    ) -> Result<Planned, SearchError> {
        self.plan_watched(planning, engine, measured, &|_| {}, control)
    }

    /// As [`Opened::plan`], telling somebody what was found so far. The answer is the same.
    ///
    /// * `observer` — called from any thread, and often: see [`Observer`].
    ///
    /// # Errors
    ///
    /// As [`Opened::plan`].
    pub fn plan_watched(
        &self,
        mut planning: Planning,
        engine: Engine,
        measured: &[Measured],
        observer: &Observer<'_>,
        control: &Control,
    ) -> Result<Planned, SearchError> {
        if let Some(cluster) = slowest(measured) {
            planning.scenario.cluster = cluster;
        }
        let request = asked(&planning, engine);
        let mut answer = search_watched(&request, observer, control)?;
        let clusters = if measured.is_empty() {
            vec![planning.scenario.cluster.clone()]
        } else {
            measured.iter().map(|one| one.cluster.clone()).collect()
        };
        let placed = if answer.partial {
            Vec::new()
        } else {
            order_nodes(&request, &clusters, &mut answer, control)?
        };
        // After an early stop both are known from formulas alone.
        let first = answer.plans.first().map(|plan| plan.prediction.engine);
        let by_formulas = answer.partial && first == Some(Engine::Estimate.name());
        let engine = (!by_formulas).then_some(engine);
        let own = self.own_plan(&planning.scenario.cluster, engine);
        Ok(Planned {
            planning,
            answer,
            own,
            margin: memory_margin(),
            placed,
            measured: measured.to_vec(),
        })
    }

    /// What an engine, or without one the formulas, say of the plan that the scenario gives, where it
    /// gives one that runs.
    fn own_plan(&self, cluster: &Cluster, engine: Option<Engine>) -> Option<Prediction> {
        if self.spec.plan.spec == PlanSpec::default() {
            return None;
        }
        let mut scenario = self.ready().ok()?.scenario;
        scenario.settings.engine = engine.unwrap_or(Engine::Estimate);
        scenario.cluster = cluster.clone();
        if engine.is_none() {
            return formulas(&scenario).ok();
        }
        let outcome = predict(&scenario, Record::Totals, &Control::new());
        outcome.ok().map(|outcome| outcome.prediction)
    }
}

/// The field that says how many nodes there are.
const NODES: &str = "cluster.nodes";

/// One change to a scenario, and what the best plan makes of it.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: u64,
    /// The same plan under the change, with as many replicas as fit; none where it does not divide.
    pub prediction: Option<Prediction>,
}

/// By how much the closed form of a plan and an engine may differ for its changes to be left to
/// formulas alone.
const MET: f64 = 0.02;

/// What becomes of a plan where the batch, the sequence or the number of nodes is halved or
/// doubled, in closed form. Where formulas are in doubt and missed the plan itself, its changes are
/// rehearsed.
///
/// # Errors
///
/// What the closed form reports.
pub fn sensitivity(
    opened: &Opened,
    planning: &Planning,
    best: &Simulated,
    control: &Control,
) -> Result<Vec<WhatIf>, PredictError> {
    let scenario = &planning.scenario;
    let ratio = best.prediction.iteration_time_s / best.evaluated.time;
    let rehearses = MET < (ratio - 1.0).abs();
    let nodes = scenario.cluster.n_nodes() as u64;
    let fields = [
        ("training.global_batch", scenario.job.global_batch),
        ("training.seq_len", scenario.job.seq_len),
        (NODES, nodes),
    ];
    let values = fields
        .into_iter()
        .flat_map(|(field, now)| [now / 2, now * 2].map(|value| (field, now, value)));
    let changes: Vec<_> = values
        .filter(|(_, now, value)| 0 < *value && value != now)
        .collect();
    let found = changes.into_par_iter().map(|(field, _, value)| {
        if control.is_cancelled() {
            return Ok(None);
        }
        let prediction = changed(opened, planning, best, (field, value), rehearses)?;
        Ok(Some(WhatIf {
            field,
            value,
            prediction,
        }))
    });
    let found: Result<Vec<_>, PredictError> = found.collect();
    Ok(found?.into_iter().flatten().collect())
}

/// The plan under a change; none where the change or the plan under it is refused.
fn changed(
    opened: &Opened,
    planning: &Planning,
    best: &Simulated,
    change: (&str, u64),
    rehearses: bool,
) -> Result<Option<Prediction>, PredictError> {
    let changed = what_if(opened, change).ok();
    let Some(changed) = changed.and_then(|opened| opened.planning(&planning.fixed).ok()) else {
        return Ok(None);
    };
    let mut scenario = changed.scenario;
    let cluster = &planning.scenario.cluster;
    if cluster.n_nodes() == scenario.cluster.n_nodes() {
        // With the links that were measured.
        scenario.cluster = cluster.clone();
    }
    let spec = PlanSpec {
        dp: None,
        ..best.evaluated.choice.spec(&planning.given, &planning.fixed)
    };
    let Ok(checked) = Plan::check(&spec, &scenario.job, &scenario.cluster) else {
        return Ok(None);
    };
    scenario.plan = checked.plan;
    scenario.settings.engine = Engine::Estimate;
    let control = Control::new();
    if rehearses {
        let outcome = predict(&scenario, Record::Totals, &control)?;
        return Ok(Some(outcome.prediction));
    }
    formulas(&scenario).map(Some)
}

/// The same question with one field changed. Of other numbers of nodes no rates were measured.
fn what_if(opened: &Opened, (field, value): (&str, u64)) -> Result<Opened, Vec<Failure>> {
    let mut above = vec![Assignment::new("what if", format!("{field}={value}"))];
    if field == NODES {
        let none = format!("cluster.{MEASURED_RATES}=[]");
        above.push(Assignment::new("what if", none));
    }
    opened.with(&above)
}

/// A change that makes a plan fit, and the fastest plan that then does, in closed form.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// What to change, as a person would say it.
    pub change: String,
    /// Seconds of an iteration.
    pub time: f64,
    /// Whether that plan keeps the optimizer on the host.
    pub offloads: bool,
}

/// Nodes are multiplied by up to this for a remedy.
const MOST_NODES: u64 = 64;

/// What would make a plan fit where none does, each change tried by itself: a field that is no
/// longer fixed, more nodes, shorter sequences.
pub fn remedies(opened: &Opened, planning: &Planning, control: &Control) -> Vec<Remedy> {
    let mut all = Vec::new();
    for field in &planning.fixed {
        let mut freed = planning.clone();
        freed.fixed.retain(|other| other != field);
        let change = format!("let `{}` be chosen", field.name());
        all.extend(remedy(&freed, change, control));
    }
    let nodes = planning.scenario.cluster.n_nodes() as u64;
    let more = std::iter::successors(Some(2 * nodes), |n| Some(2 * n));
    let more = more.take_while(|n| *n <= MOST_NODES * nodes);
    all.extend(first_of(opened, planning, NODES, more, control));
    let tokens = planning.scenario.job.seq_len;
    let fewer = std::iter::successors(Some(tokens / 2), |n| Some(n / 2));
    let fewer = fewer.take_while(|n| 0 < *n);
    all.extend(first_of(
        opened,
        planning,
        "training.seq_len",
        fewer,
        control,
    ));
    all
}

/// The first of some values under which a plan fits.
fn first_of(
    opened: &Opened,
    planning: &Planning,
    field: &str,
    values: impl Iterator<Item = u64>,
    control: &Control,
) -> Option<Remedy> {
    for value in values {
        let changed = what_if(opened, (field, value)).ok()?;
        let changed = changed.planning(&planning.fixed).ok()?;
        if let Some(found) = remedy(&changed, format!("set {field} = {value}"), control) {
            return Some(found);
        }
        if control.is_cancelled() {
            return None;
        }
    }
    None
}

fn remedy(planning: &Planning, change: String, control: &Control) -> Option<Remedy> {
    let request = asked(planning, Engine::Estimate);
    let plan = feasible(&request, control)?;
    Some(Remedy {
        change,
        time: plan.time,
        offloads: plan.choice.offload != OffloadChoice::None,
    })
}

/// What methods that others published would choose, and what the engine says of it.
///
/// # Errors
///
/// What the engine reports, or that the work was stopped.
pub fn baselines(
    planning: &Planning,
    engine: Engine,
    control: &Control,
) -> Result<Vec<Baseline>, PredictError> {
    search::baselines(&asked(planning, engine), control)
}

/// What a search is asked for a scenario.
fn asked(planning: &Planning, engine: Engine) -> SearchRequest<'_> {
    SearchRequest {
        scenario: &planning.scenario,
        given: &planning.given,
        fixed: &planning.fixed,
        offers: &planning.offers,
        margin: memory_margin().margin,
        engine,
    }
}
