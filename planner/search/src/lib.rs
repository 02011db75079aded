//! Which plan is best for a job on a cluster.
//!
//! ```text
//! space ──every plan in closed form──▶ plans that fit ──layers and switches of leaders──▶ candidates
//!    rules and bounds exclude the rest, by reason            │ rehearsed, simulated, in the order of
//!                                                            ▼ what they could be at best
//!                                        ranking, Pareto front, why the others lose
//!                                                            │ order of nodes, where links differ
//!                                                            ▼
//!                                        the best plans on their nodes
//! ```
//!
//! A function from values to values: the same request gives the same answer whatever the number of
//! threads. Only a stop cuts it short, and then the answer says so.

mod balance;
pub mod baselines;
mod choice;
mod counts;
mod error;
mod evaluate;
mod excluded;
mod front;
mod place;
mod progress;
mod shortlist;
mod space;
mod switches;
mod walk;

use plan::{Offers, PlanField, PlanSpec};
use predict::{Engine, Scenario, formulas};
use rayon::prelude::*;
use units::Control;

pub use baselines::{Baseline, Method, Pick, baselines};
pub use choice::{
    Choice, DegreeChoice, OffloadChoice, RecomputeChoice, ShardChoice, SplitChoice, Switches,
    TpChoice,
};
pub use counts::LayerCounts;
pub use error::{NoPlan, SearchError};
pub use evaluate::Evaluated;
pub use excluded::{Reason, Tally};
pub use place::{Order, Placed, Unplaced, order_nodes};
pub use progress::{Observer, Phase, Progress};
pub use shortlist::Simulated;

use crate::evaluate::{FAR, Found, checked, evaluate, evaluate_all, with_room};
use crate::front::{front, thinned};
use crate::progress::Watch;
use crate::shortlist::{fits, leading, settle, simulate};
use crate::space::{Space, domain_gpus};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Everything but the plan.
    pub scenario: &'a Scenario,
    /// The scenario's plan, which need not fit.
    pub given: &'a PlanSpec,
    /// Its fields that the answer keeps.
    pub fixed: &'a [PlanField],
    /// What the framework can run.
    pub offers: &'a Offers,
    /// Share of the predicted use that a device must have free besides, for what the memory model
    /// does not see.
    pub margin: f64,
    /// The engine of the shortlist.
    pub engine: Engine,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Simulated plans, fastest first.
    pub plans: Vec<Simulated>,
    /// Those that no other beats in everything, as indices into `plans`.
    pub pareto: Vec<usize>,
    /// Every plan that was evaluated in closed form, in the order of the space.
    pub evaluated: Vec<Evaluated>,
    /// Why the others were not, and which of them lack memory.
    pub excluded: Tally,
    /// Whether nothing that was not simulated could be faster than the first.
    pub settled: bool,
    /// By how much something could, as a share of the first's time: 0 where it is settled.
    pub gap: f64,
    /// Whether the search was stopped before its end.
    pub partial: bool,
}

impl Answer {
    /// Plans that have room and were evaluated in closed form. With those that are excluded they make up
    /// the space.
    pub fn n_with_room(&self) -> u64 {
        with_room(&self.evaluated)
    }
}

/// Members of the Pareto front that are simulated beside the fastest plans.
const FRONT: usize = 4;

/// Searches the space of a request.
///
/// # Errors
///
/// [`SearchError::NoPlan`] where nothing fits, [`SearchError::Interrupted`] where the search was
/// stopped before anything was found, and what an engine reports.
pub fn search(request: &Request<'_>, control: &Control) -> Result<Answer, SearchError> {
    searched(request, &Watch::silent(), control)
}

/// As [`search`], telling somebody what was found so far. The answer is the same.
///
/// * `observer` — called from any thread, and often: see [`Observer`].
///
/// # Errors
///
/// As [`search`].
pub fn search_watched(
    request: &Request<'_>,
    observer: &Observer<'_>,
    control: &Control,
) -> Result<Answer, SearchError> {
    searched(request, &Watch::new(request, observer), control)
}

fn searched(
    request: &Request<'_>,
    watch: &Watch<'_>,
    control: &Control,
) -> Result<Answer, SearchError> {
    let mut space = space_of(request);
    let mut found = evaluate(&space, request.margin, watch, control);
    let mut leaders = leading(&found.plans);
    if leaders.is_empty() && !control.is_cancelled() && may_offload(request) {
        space.offload = OffloadChoice::Optimizer;
        let mut second = evaluate(&space, request.margin, watch, control);
        leaders = leading(&second.plans);
        found.plans.append(&mut second.plans);
        found.tally.merge(&second.tally);
    }
    if leaders.is_empty() {
        return Err(nothing(found, control));
    }
    if may_offload(request) && space.offload == OffloadChoice::None {
        // Each of these plans has a sibling with copies.
        let all = found.n_with_room() + found.tally.total();
        found.tally.add(Reason::OffloadUnneeded, all);
    }
    watch.phase(Phase::Refining, &[]);
    balance::balance(&space, &mut leaders, request.margin, &mut found, control);
    switches::vary(&space, &mut leaders, request.margin, &mut found, control);
    answer(request, &space, &leaders, found, (watch, control))
}

/// The fastest plan that fits in closed form; none where nothing fits. Much cheaper than a
/// [`search`], for asking whether a change to a scenario would help.
pub fn feasible(request: &Request<'_>, control: &Control) -> Option<Evaluated> {
    let mut space = space_of(request);
    let watch = Watch::silent();
    let mut plans = evaluate(&space, request.margin, &watch, control).plans;
    if !plans.iter().any(|plan| plan.fits) && may_offload(request) {
        space.offload = OffloadChoice::Optimizer;
        plans = evaluate(&space, request.margin, &watch, control).plans;
    }
    let fitting = plans.into_iter().filter(|plan| plan.fits);
    fitting.min_by(|a, b| a.time.total_cmp(&b.time).then(a.choice.cmp(&b.choice)))
}

/// Which plans of a space are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that could come near the best, as a [`search`] does.
    Near,
    /// All that have room, however slow.
    All,
}

/// The plans of the space in closed form, with switches as they are and layers spread by counting, and
/// why others are none.
pub fn evaluated_plans(
    request: &Request<'_>,
    reach: Reach,
    control: &Control,
) -> (Vec<Evaluated>, Tally) {
    let space = space_of(request);
    let found = match reach {
        Reach::Near => evaluate(&space, request.margin, &Watch::silent(), control),
        Reach::All => evaluate_all(&space, request.margin, control),
    };
    (found.plans, found.tally)
}

/// How many plans the space has, switches, balanced layers and copies apart, before anything is known
/// of them.
pub fn size(request: &Request<'_>) -> u64 {
    let space = space_of(request);
    let mut refused = Tally::default();
    let degrees = space.degrees(&mut refused);
    let open = degrees.into_iter().map(|degrees| space.below(degrees));
    refused.total() + open.sum::<u64>()
}

fn space_of<'a>(request: &Request<'a>) -> Space<'a> {
    Space {
        scenario: request.scenario,
        given: request.given,
        fixed: request.fixed,
        offers: request.offers,
        offload: OffloadChoice::None,
        domain: domain_gpus(&request.scenario.cluster),
        alike: request.scenario.is_uniform(),
    }
}

fn may_offload(request: &Request<'_>) -> bool {
    !request.fixed.contains(&PlanField::Offload)
}

fn nothing(found: Found, control: &Control) -> SearchError {
    if control.is_cancelled() {
        return SearchError::Interrupted;
    }
    let nearest = found.plans.iter().min_by_key(|plan| plan.used).copied();
    SearchError::NoPlan(Box::new(NoPlan {
        evaluated: found.n_with_room(),
        excluded: found.tally,
        nearest,
    }))
}

/// Simulates the shortlist and the front.
fn answer(
    request: &Request<'_>,
    space: &Space<'_>,
    leaders: &[Evaluated],
    found: Found,
    (watch, control): (&Watch<'_>, &Control),
) -> Result<Answer, SearchError> {
    watch.phase(Phase::Simulating, &[]);
    let limits = (request.engine, request.margin);
    let mut list = settle(space, leaders, limits, watch, control)?;
    if list.plans.is_empty() {
        list.plans = closed_forms(space, leaders)?;
    }
    let partial = control.is_cancelled();
    if !partial {
        add_front(request, space, &found, &mut list.plans)?;
    }
    sort(&mut list.plans);
    let pareto = pareto(&list.plans);
    Ok(Answer {
        plans: list.plans,
        pareto,
        evaluated: found.plans,
        excluded: found.tally,
        settled: list.settled,
        gap: list.gap,
        partial,
    })
}

/// Fastest first.
fn sort(plans: &mut [Simulated]) {
    plans.sort_by(|a, b| {
        let times = [a, b].map(|plan| plan.prediction.iteration_time_s);
        times[0]
            .total_cmp(&times[1])
            .then(a.evaluated.choice.cmp(&b.evaluated.choice))
    });
}

/// The fastest plans in closed form, where nothing could be simulated before the stop.
fn closed_forms(space: &Space<'_>, leaders: &[Evaluated]) -> Result<Vec<Simulated>, SearchError> {
    let mut fastest = leaders.to_vec();
    fastest.sort_by(|a, b| a.time.total_cmp(&b.time));
    let mut plans = Vec::new();
    for plan in fastest.iter().take(3) {
        if let Ok(checked) = checked(space, &plan.choice) {
            let mut scenario = space.scenario.clone();
            scenario.plan = checked.clone();
            scenario.settings.engine = Engine::Estimate;
            plans.push(Simulated {
                evaluated: *plan,
                plan: checked,
                prediction: formulas(&scenario)?,
                expected: plan.time,
            });
        }
    }
    Ok(plans)
}

/// Simulates members of the front that are not among the fastest.
fn add_front(
    request: &Request<'_>,
    space: &Space<'_>,
    found: &Found,
    plans: &mut Vec<Simulated>,
) -> Result<(), SearchError> {
    // Of slower plans not all were looked at, and none would be taken.
    let best = plans.iter().map(|plan| plan.prediction.iteration_time_s);
    let limit = best.fold(found.limit, |limit, time| limit.min(FAR * time));
    let near: Vec<Evaluated> = (found.plans.iter())
        .filter(|plan| plan.time <= limit)
        .copied()
        .collect();
    let mut members = thinned(&front(&near), FRONT);
    members.retain(|member| (plans.iter()).all(|plan| plan.evaluated.choice != member.choice));
    let simulated: Vec<_> = members
        .par_iter()
        .filter_map(|member| {
            let plan = checked(space, &member.choice).ok()?;
            let control = Control::new();
            Some(simulate(
                space.scenario,
                member,
                plan,
                request.engine,
                &control,
            ))
        })
        .collect();
    for simulated in simulated {
        let simulated = simulated?;
        if fits(&simulated.prediction, request.margin) {
            plans.push(simulated);
        }
    }
    Ok(())
}

/// Of simulated plans, sorted by time, those that no other beats in time, memory and GPUs.
fn pareto(plans: &[Simulated]) -> Vec<usize> {
    let key = |plan: &Simulated| (plan.prediction.device_used_bytes, plan.plan.n_ranks());
    let mut front: Vec<usize> = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        let (used, ranks) = key(plan);
        let beaten = front.iter().any(|kept| {
            let (kept_used, kept_ranks) = key(&plans[*kept]);
            kept_used <= used && kept_ranks <= ranks
        });
        if !beaten {
            front.push(at);
        }
    }
    front
}
