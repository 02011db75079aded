//! Which node takes which place of the best plans.
//!
//! ```text
//! plan ──seats──▶ nodes in rows of stages ──question──▶ Iteration over links ──place──▶ order
//!           └───▶ nodes as blocks of ranks ──layout──▶ Layout over links ───place──▶ order
//!                                                                                  │ both orders
//!                                        the plan with `rank_gpus`, or as it was ◀─┘ are simulated
//! ```
//!
//! The order is sought under a closed form: that of 1F1B ([`placement::Iteration`]) where each node
//! holds one stage and none is spare, else [`placement::Layout`], whose passes and sums of gradients
//! the estimator samples at several rates. Whether an order gains is for the engine to say. With
//! several snapshots of the links, both look at the worst of them.
//!
//! Deliberately absent: other places of ranks inside a node.

mod blocks;
mod layout;
mod links;
mod order;
mod question;
mod seats;

use cluster::Cluster;
use placement::{Cost, Effort, Iteration, Layout, Placement, Worst, place};
use plan::{Plan, PlanField, PlanSpec};
use predict::Prediction;
use rayon::prelude::*;
use units::Control;

use crate::evaluate::Evaluated;
use crate::shortlist::{Simulated, simulate};
use crate::{Answer, Request, SearchError, pareto, sort};
use layout::layout;
pub use order::{Order, Placed, Unplaced};
use question::question;
use seats::Seats;

/// Plans of the ranking whose nodes are ordered.
const LEADERS: usize = 3;
/// Nodes up to which an order is sought where no rates were measured, so that only latencies and
/// kinds of nodes tell links apart.
const MOST_UNMEASURED: usize = 64;
/// How hard an order is sought: about a second of one core with 16 nodes.
const RESTARTS: u32 = 4;
const STEPS: u64 = 20_000;
/// Rounds of stages that one run may evaluate of a layout, some nanoseconds each: of many nodes
/// fewer orders are tried.
const MOST_WORK: u64 = 60_000_000;
/// What the closed form must see to gain, as a share, for two simulations to be worth it.
const WORTH: f64 = 1e-4;

/// Orders the nodes of the first plans of an answer, and sorts its plans again.
///
/// * `snapshots` — the cluster with links as they were measured: once, which are then those of the
///   request, or several times.
///
/// # Errors
///
/// What an engine reports. A stop leaves the rest as it is.
pub fn order_nodes(
    request: &Request<'_>,
    snapshots: &[Cluster],
    answer: &mut Answer,
    control: &Control,
) -> Result<Vec<Placed>, SearchError> {
    let leaders = answer.plans.len().min(LEADERS);
    let outcomes: Vec<Outcome> = (answer.plans[..leaders].par_iter_mut())
        .map(|plan| match ordered(request, snapshots, plan, control) {
            Err(SearchError::Predict(error)) if error.is_interrupted() => {
                Ok(Err(Unplaced::Stopped))
            }
            other => other,
        })
        .collect();
    let outcomes: Result<Vec<_>, SearchError> = outcomes.into_iter().collect();
    let choices = answer.plans.iter().map(|plan| plan.evaluated.choice);
    let outcomes: Vec<_> = choices.zip(outcomes?).collect();
    sort(&mut answer.plans);
    answer.pareto = pareto(&answer.plans);
    let at = |choice| {
        let mut plans = answer.plans.iter();
        plans.position(|plan| plan.evaluated.choice == choice)
    };
    let mut placed: Vec<Placed> = outcomes
        .into_iter()
        .filter_map(|(choice, outcome)| at(choice).map(|plan| Placed { plan, outcome }))
        .collect();
    placed.sort_by_key(|one| one.plan);
    Ok(placed)
}

type Outcome = Result<Result<Order, Unplaced>, SearchError>;

fn ordered(
    request: &Request<'_>,
    snapshots: &[Cluster],
    simulated: &mut Simulated,
    control: &Control,
) -> Outcome {
    if request.fixed.contains(&PlanField::RankGpus) || request.given.rank_gpus.is_some() {
        return Ok(Err(Unplaced::Fixed));
    }
    let cluster = &request.scenario.cluster;
    let measured = snapshots.iter().any(Cluster::has_measured_rates);
    let is_too_many = |seats: &Seats| !measured && MOST_UNMEASURED < seats.nodes.len();
    if let Some(seats) = Seats::rows(&simulated.plan, cluster) {
        if seats.nodes.len() < 2 {
            return Ok(Err(Unplaced::OneNode));
        }
        if is_too_many(&seats) {
            return Ok(Err(Unplaced::NotMeasured));
        }
        let cost = question(request, snapshots, simulated, &seats)?;
        return sought(request, snapshots, simulated, (seats, cost, STEPS), control);
    }
    let seats = match Seats::blocks(&simulated.plan, cluster) {
        Ok(seats) if is_too_many(&seats) => return Ok(Err(Unplaced::NotMeasured)),
        Ok(seats) => seats,
        Err(reason) => return Ok(Err(reason)),
    };
    let cost = layout(request, snapshots, &simulated.plan, &seats)?;
    let steps = cost.as_ref().map_or(0, steps);
    sought(request, snapshots, simulated, (seats, cost, steps), control)
}

/// Steps of a run under the objective of a layout, whose evaluations take long.
fn steps(cost: &Worst<Layout>) -> u64 {
    let work: u64 = cost.costs().iter().map(Layout::work).sum();
    (MOST_WORK / work.max(1)).clamp(1, STEPS)
}

/// Seeks an order under an objective and has it simulated where it gains.
fn sought<C: Cost + Places>(
    request: &Request<'_>,
    snapshots: &[Cluster],
    simulated: &mut Simulated,
    (seats, cost, steps): (Seats, Option<C>, u64),
    control: &Control,
) -> Outcome {
    let Some(cost) = cost else {
        return Ok(Err(Unplaced::Alike));
    };
    if control.is_cancelled() {
        return Ok(Err(Unplaced::Stopped));
    }
    let given: Vec<u32> = (0..).take(seats.nodes.len()).collect();
    let effort = Effort {
        restarts: RESTARTS,
        steps,
        seed: request.scenario.settings.seed,
    };
    let mut model = place(&cost, &given, &effort, control, &|_| {})?;
    model.order = cost.places(model.order);
    let gain = 1.0 - model.cost / model.given;
    if snapshots.len() == 1 && gain < WORTH {
        let time = simulated.prediction.iteration_time_s;
        let (nodes, spare) = seats.split(&given);
        return Ok(Ok(Order {
            nodes,
            stages: seats.stages,
            spare,
            before: time,
            found: time,
            is_taken: false,
            snapshot: 0,
            model,
        }));
    }
    compared(request, snapshots, simulated, (&seats, model), control)
}

/// What an objective makes of an order.
trait Places {
    /// The server of every place.
    fn places(&self, order: Vec<u32>) -> Vec<u32>;
}

impl Places for Worst<Iteration> {
    fn places(&self, order: Vec<u32>) -> Vec<u32> {
        order
    }
}

impl Places for Worst<Layout> {
    /// Kinds of nodes are those of every snapshot.
    fn places(&self, order: Vec<u32>) -> Vec<u32> {
        match self.costs() {
            [first, ..] => first.decoded(&order),
            [] => order,
        }
    }
}

/// Simulates the order that was found beside that of the plan, and takes the faster one.
fn compared(
    request: &Request<'_>,
    snapshots: &[Cluster],
    simulated: &mut Simulated,
    (seats, model): (&Seats, Placement),
    control: &Control,
) -> Outcome {
    let own = simulated
        .evaluated
        .choice
        .spec(request.given, request.fixed);
    let other = PlanSpec {
        rank_gpus: Some(seats.rank_gpus(&simulated.plan, &request.scenario.cluster, &model.order)),
        ..own.clone()
    };
    let evaluated = simulated.evaluated;
    let before = || match snapshots {
        // The search has simulated it on these links.
        [_] => Ok(Some(Slowest {
            snapshot: 0,
            plan: simulated.plan.clone(),
            prediction: simulated.prediction.clone(),
        })),
        _ => slowest(request, snapshots, (&evaluated, &own), control),
    };
    let (before, found) = rayon::join(before, || {
        slowest(request, snapshots, (&evaluated, &other), control)
    });
    let (Some(before), Some(found)) = (before?, found?) else {
        return Ok(Err(Unplaced::Uneven));
    };
    let times = [&before, &found].map(|worst| worst.prediction.iteration_time_s);
    let is_taken = times[1] < times[0];
    let given: Vec<u32> = (0..).take(seats.nodes.len()).collect();
    let (nodes, spare) = seats.split(if is_taken { &model.order } else { &given });
    let now = if is_taken { found } else { before };
    (simulated.plan, simulated.prediction) = (now.plan, now.prediction);
    Ok(Ok(Order {
        nodes,
        stages: seats.stages,
        spare,
        before: times[0],
        found: times[1],
        is_taken,
        snapshot: now.snapshot,
        model,
    }))
}

/// A plan on the links on which it is slowest.
struct Slowest {
    snapshot: usize,
    plan: Plan,
    prediction: Prediction,
}

/// A plan with what the engine says of it on the links on which it is slowest; none where it cannot
/// be checked.
fn slowest(
    request: &Request<'_>,
    snapshots: &[Cluster],
    (evaluated, spec): (&Evaluated, &PlanSpec),
    control: &Control,
) -> Result<Option<Slowest>, SearchError> {
    let mut worst: Option<Slowest> = None;
    for (snapshot, cluster) in snapshots.iter().enumerate() {
        let mut scenario = request.scenario.clone();
        scenario.cluster = cluster.clone();
        let Ok(checked) = Plan::check(spec, &scenario.job, cluster) else {
            return Ok(None);
        };
        let found = simulate(&scenario, evaluated, checked.plan, request.engine, control)?;
        let time = found.prediction.iteration_time_s;
        if worst
            .as_ref()
            .is_none_or(|known| known.prediction.iteration_time_s < time)
        {
            worst = Some(Slowest {
                snapshot,
                plan: found.plan,
                prediction: found.prediction,
            });
        }
    }
    Ok(worst)
}
