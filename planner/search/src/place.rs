//! Which node takes which place of the best plans.
//!
//! ```text
//! plan ──seats──▶ nodes in rows of stages ──question──▶ Iteration over links ──place──▶ order
//!                                                                                  │ both orders
//!                                        the plan with `rank_gpus`, or as it was ◀─┘ are simulated
//! ```
//!
//! The order is sought under the closed form of 1F1B ([`placement::Iteration`]); whether it gains is
//! for the engine to say. With several snapshots of the links, both look at the worst of them.
//!
//! Deliberately absent: other places of ranks inside a node, spare nodes, and stages that share one.

mod links;
mod question;
mod seats;

use std::fmt;

use cluster::Cluster;
use placement::{Effort, Placement, place};
use plan::{Plan, PlanField, PlanSpec};
use predict::{Prediction, Record, predict};
use units::{Control, NodeId};

use crate::shortlist::Simulated;
use crate::{Answer, Request, SearchError, pareto, sort};
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
/// What the closed form must see to gain, as a share, for two simulations to be worth it.
const WORTH: f64 = 1e-4;

/// What came of ordering the nodes of a plan.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The plan, as an index into [`Answer::plans`].
    pub plan: usize,
    /// What was found, or why nothing was sought.
    pub outcome: Result<Order, Unplaced>,
}

/// An order of nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// The node of every place, as the plan has them now: place `d × pp + s` is stage `s` of the
    /// `d`-th row of nodes.
    pub nodes: Vec<NodeId>,
    /// Nodes of a row: stages of the pipeline.
    pub stages: u32,
    /// Seconds of an iteration with the nodes in the order of their numbers, simulated; of the
    /// snapshot in which it is slowest.
    pub before: f64,
    /// The same in the order that was found, whether or not it is faster.
    pub found: f64,
    /// Whether it is, so that the plan has it now.
    pub is_taken: bool,
    /// The snapshot, as an index, in which the plan as it is now is slowest: its prediction is of that
    /// one.
    pub snapshot: usize,
    /// What the closed form says: costs of both orders, the lower bound, how many were tried.
    pub model: Placement,
}

impl Order {
    /// By how much the iteration is faster than in the order of node numbers, as a share; 0 where
    /// that order stays.
    pub fn gain(&self) -> f64 {
        if self.is_taken {
            self.before / self.found - 1.0
        } else {
            0.0
        }
    }
}

/// Why no order was sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unplaced {
    /// The plan needs one node.
    OneNode,
    /// All links are alike.
    Alike,
    /// There are many nodes and no measured rates.
    NotMeasured,
    /// The user gave the GPU of every rank.
    Fixed,
    /// Several stages lie on one node.
    SharedNode,
    /// A stage of one replica lies on several nodes.
    SpansNodes,
    /// Stages do not hold the same replicas node by node, or nodes differ.
    Uneven,
    /// The search was stopped before.
    Stopped,
}

impl fmt::Display for Unplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneNode => "the plan needs one node",
            Self::Alike => "all links between nodes are alike, so by symmetry any order is as good",
            Self::NotMeasured => "no rates between nodes were measured: give --bandwidth FILE",
            Self::Fixed => "the scenario fixes the GPU of every rank",
            Self::SharedNode => "several stages share a node, for which no order is sought",
            Self::SpansNodes => {
                "a stage of one replica spans several nodes, for which no order is sought"
            }
            Self::Uneven => {
                "nodes differ, or hold other replicas from stage to stage, for which no order is \
                 sought"
            }
            Self::Stopped => "the search was stopped before",
        })
    }
}

/// Orders the nodes of the first plans of an answer, and sorts its plans again.
///
/// * `snapshots` — the cluster with links as they were measured, once or several times.
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
    let mut outcomes = Vec::new();
    for plan in answer.plans.iter_mut().take(LEADERS) {
        let outcome = match ordered(request, snapshots, plan, control) {
            Err(SearchError::Predict(error)) if error.is_interrupted() => Err(Unplaced::Stopped),
            other => other?,
        };
        outcomes.push((plan.evaluated.choice, outcome));
    }
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
    let seats = match Seats::of(&simulated.plan, &request.scenario.cluster) {
        Ok(seats) => seats,
        Err(reason) => return Ok(Err(reason)),
    };
    let measured = snapshots.iter().any(Cluster::has_measured_rates);
    if !measured && MOST_UNMEASURED < seats.nodes.len() {
        return Ok(Err(Unplaced::NotMeasured));
    }
    let Some(cost) = question(request, snapshots, simulated, &seats)? else {
        return Ok(Err(Unplaced::Alike));
    };
    if control.is_cancelled() {
        return Ok(Err(Unplaced::Stopped));
    }
    let given: Vec<u32> = (0..).take(seats.nodes.len()).collect();
    let effort = Effort {
        restarts: RESTARTS,
        steps: STEPS,
        seed: request.scenario.settings.seed,
    };
    let model = place(&cost, &given, &effort, control, &|_| {})?;
    let gain = 1.0 - model.cost / model.given;
    if snapshots.len() == 1 && gain < WORTH {
        let time = simulated.prediction.iteration_time_s;
        return Ok(Ok(Order {
            nodes: seats.nodes,
            stages: seats.stages,
            before: time,
            found: time,
            is_taken: false,
            snapshot: 0,
            model,
        }));
    }
    compared(request, snapshots, simulated, (&seats, model), control)
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
    let (Some(before), Some(found)) = (
        slowest(request, snapshots, &own, control)?,
        slowest(request, snapshots, &other, control)?,
    ) else {
        return Ok(Err(Unplaced::Uneven));
    };
    let times = [&before, &found].map(|worst| worst.prediction.iteration_time_s);
    let is_taken = times[1] < times[0];
    let nodes = if is_taken {
        model
            .order
            .iter()
            .map(|at| seats.nodes[*at as usize])
            .collect()
    } else {
        seats.nodes.clone()
    };
    let now = if is_taken { found } else { before };
    (simulated.plan, simulated.prediction) = (now.plan, now.prediction);
    Ok(Ok(Order {
        nodes,
        stages: seats.stages,
        before: times[0],
        found: times[1],
        is_taken,
        snapshot: now.snapshot,
        model,
    }))
}

/// A plan on the links on which it is slowest.
struct Worst {
    snapshot: usize,
    plan: Plan,
    prediction: Prediction,
}

/// A plan with what the engine says of it on the links on which it is slowest; none where it cannot
/// be checked.
fn slowest(
    request: &Request<'_>,
    snapshots: &[Cluster],
    spec: &PlanSpec,
    control: &Control,
) -> Result<Option<Worst>, SearchError> {
    let mut worst: Option<Worst> = None;
    for (snapshot, cluster) in snapshots.iter().enumerate() {
        let mut scenario = request.scenario.clone();
        scenario.cluster = cluster.clone();
        let Ok(checked) = Plan::check(spec, &scenario.job, cluster) else {
            return Ok(None);
        };
        scenario.plan = checked.plan;
        scenario.settings.engine = request.engine;
        let prediction = predict(&scenario, Record::Totals, control)?.prediction;
        let time = prediction.iteration_time_s;
        if worst
            .as_ref()
            .is_none_or(|known| known.prediction.iteration_time_s < time)
        {
            worst = Some(Worst {
                snapshot,
                plan: scenario.plan,
                prediction,
            });
        }
    }
    Ok(worst)
}
