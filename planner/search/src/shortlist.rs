//! From closed forms to a ranking that is settled: candidates are rehearsed or simulated in the
//! order of what they could be at best, until nobody left could be first.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Plan, ScheduleKind, ShardKind};
use predict::{
    Doubt, Engine, Estimator, PredictError, Prediction, Record, Scenario, has_room, predict,
    rehearsed,
};
use rayon::prelude::*;
use units::Control;

use crate::choice::{Choice, RecomputeChoice, ShardChoice};
use crate::evaluate::{Evaluated, checked, evaluated};
use crate::progress::{Phase, Watch};
use crate::space::Space;

/// A plan that was simulated.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The plan, as the closed form sees it.
    pub evaluated: Evaluated,
    /// The same, checked.
    pub plan: Plan,
    /// What the engine says.
    pub prediction: Prediction,
    /// Seconds that formulas or a rehearsal had said; what the engine says where they were in doubt.
    pub expected: f64,
}

/// The simulated plans, fastest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shortlist {
    pub(crate) plans: Vec<Simulated>,
    /// Whether nothing that was not simulated could be faster than the first.
    pub(crate) settled: bool,
    /// By how much something could, as a share of the first's time.
    pub(crate) gap: f64,
}

/// Candidates that are looked at together; fixed, so that threads change nothing.
const BATCH: usize = 4;
/// Plans that are simulated at the least: the best and what it is compared with.
const LEAST: usize = 5;
/// Settings of switches that are simulated of one plan.
const VARIANTS: usize = 2;
/// Simulated plans from which on their own errors say how sure formulas are.
const ENOUGH: usize = 4;
/// Rounds after which a ranking that will not settle is given up.
const ROUNDS: usize = 60;
/// By how much the engine may undercut formulas without doubt (docs/performance.md, "The closed
/// form": all of a thousand drawn plans lie within 2 %).
const SURE: f64 = 0.02;

/// By how much an engine may undercut formulas in doubt, by the reason: what
/// `cargo run --release -p search --example undercut` found on four spaces. Of 575 plans with sharded
/// passes, a tenth is undercut by more than 4.0 %, one in a hundred by more than 23 %; the 35 others by
/// at most 3.8 %.
const fn slack(doubt: Option<Doubt>) -> f64 {
    match doubt {
        Some(Doubt::ShardedPasses) => 0.1,
        Some(_) => 0.04,
        None => SURE,
    }
}

/// A plan on its way to being simulated.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    plan: Evaluated,
    /// Seconds, from formulas or a rehearsal.
    time: f64,
    slack: f64,
}

impl Candidate {
    /// Seconds that an engine could find at best, as far as was learned so far.
    fn at_best(&self, lessons: &Lessons) -> f64 {
        if !self.wants_rehearsal() {
            return self.time * (1.0 - lessons.sure);
        }
        let least = lessons.least(&self.plan.choice).unwrap_or(1.0 - self.slack);
        self.time * least
    }

    const fn wants_rehearsal(&self) -> bool {
        SURE < self.slack
    }
}

/// What rehearsals and simulations have taught about closed forms.
#[derive(Clone, Debug)]
struct Lessons {
    /// By how much engines undercut formulas without doubt, as a share.
    sure: f64,
    /// Of plans in doubt, by schedule and shards: rehearsed time over that of the formula.
    ratios: BTreeMap<(ScheduleKind, ShardKind), Vec<f64>>,
}

/// Rehearsals of one schedule and one way to share state from which on they tell of the others.
const KIN: usize = 4;
impl Lessons {
    fn learn(&mut self, choice: &Choice, ratio: f64) {
        let key = (choice.schedule, choice.shard.kind());
        self.ratios.entry(key).or_default().push(ratio);
    }

    /// The least that a rehearsal of such a plan finds, over what its formula says: what was found
    /// so far, less half of how far the finds lie apart.
    fn least(&self, choice: &Choice) -> Option<f64> {
        let key = (choice.schedule, choice.shard.kind());
        let known = self.ratios.get(&key).filter(|known| KIN <= known.len())?;
        let least = known.iter().copied().fold(f64::INFINITY, f64::min);
        let most = known.iter().copied().fold(0.0, f64::max);
        Some(least - (0.5 * (most - least)).max(0.01))
    }
}

/// Plans that fit, without those that do more than another one that fits.
pub(crate) fn leading(plans: &[Evaluated]) -> Vec<Evaluated> {
    let fitting: BTreeSet<Choice> = (plans.iter().filter(|plan| plan.fits))
        .map(|plan| plan.choice)
        .collect();
    let does_more = |choice: &Choice| lighter(choice).iter().any(|other| fitting.contains(other));
    (plans.iter())
        .filter(|plan| plan.fits && !does_more(&plan.choice))
        .copied()
        .collect()
}

/// Plans that do the same with less: without recomputation, or without gathering weights and
/// reducing gradients of every micro-batch.
fn lighter(choice: &Choice) -> Vec<Choice> {
    let mut all = Vec::new();
    if choice.recompute != RecomputeChoice::None {
        all.push(Choice {
            recompute: RecomputeChoice::None,
            ..*choice
        });
    }
    let gathers = !matches!(choice.shard, ShardChoice::None | ShardChoice::Zero1);
    if gathers {
        all.push(Choice {
            shard: ShardChoice::Zero1,
            ..*choice
        });
    }
    all
}

/// Simulates candidates until the first place is settled, and those that come next.
pub(crate) fn settle(
    space: &Space<'_>,
    plans: &[Evaluated],
    limits: (Engine, f64),
    watch: &Watch<'_>,
    control: &Control,
) -> Result<Shortlist, PredictError> {
    let mut race = Race {
        space,
        limits,
        waiting: plans.iter().map(candidate).collect(),
        lessons: Lessons {
            sure: SURE,
            ratios: BTreeMap::new(),
        },
        list: Shortlist::default(),
    };
    for _ in 0..ROUNDS {
        race.sort(Candidate::at_best);
        let best = race.list.plans.first().map_or(f64::INFINITY, time_of);
        let next = race.waiting.first();
        let least = next.map_or(best, |next| next.at_best(&race.lessons));
        race.list.settled = best <= least;
        race.list.gap = if best.is_finite() {
            (1.0 - least / best).max(0.0)
        } else {
            1.0
        };
        if race.list.settled || control.is_cancelled() {
            break;
        }
        race.run(BATCH, control)?;
        watch.phase(Phase::Simulating, &race.list.plans);
    }
    // Those that come next, without asking of plans in doubt.
    race.waiting
        .retain(|candidate| !candidate.wants_rehearsal());
    race.sort(|candidate, _| candidate.time);
    let missing = LEAST.saturating_sub(race.list.plans.len());
    if 0 < missing && !control.is_cancelled() {
        race.run(missing, control)?;
    }
    Ok(race.list)
}

/// Candidates on their way through rehearsals and simulations.
struct Race<'a> {
    space: &'a Space<'a>,
    /// The engine, and the share of memory that stays free.
    limits: (Engine, f64),
    waiting: Vec<Candidate>,
    lessons: Lessons,
    list: Shortlist,
}

impl Race<'_> {
    /// Sorts candidates, without settings of switches beyond those that are looked at of one plan.
    fn sort(&mut self, key: impl Fn(&Candidate, &Lessons) -> f64) {
        let (plans, lessons) = (&self.list.plans, &self.lessons);
        self.waiting
            .retain(|candidate| variants_of(plans, candidate) < VARIANTS);
        self.waiting.sort_by(|a, b| {
            let by_time = key(a, lessons).total_cmp(&key(b, lessons));
            by_time.then(a.plan.choice.cmp(&b.plan.choice))
        });
    }

    /// Takes the first candidates one step further.
    fn run(&mut self, many: usize, control: &Control) -> Result<(), PredictError> {
        let many = many.min(self.waiting.len());
        let batch: Vec<Candidate> = self.waiting.drain(..many).collect();
        let steps: Vec<Result<Step, PredictError>> = batch
            .par_iter()
            .map(|candidate| step(self.space, candidate, self.limits, control))
            .collect();
        for step in steps {
            match step {
                Ok(Step::Rehearsed(candidate)) => {
                    let ratio = candidate.time / candidate.plan.time;
                    self.lessons.learn(&candidate.plan.choice, ratio);
                    self.waiting.push(candidate);
                }
                Ok(Step::Simulated(plan)) => {
                    if plan.evaluated.doubt.is_some() {
                        let ratio = time_of(&plan) / plan.evaluated.time;
                        self.lessons.learn(&plan.evaluated.choice, ratio);
                    }
                    self.list.plans.push(*plan);
                }
                Ok(Step::Dropped) => {}
                Err(error) if error.is_interrupted() => {}
                Err(error) => return Err(error),
            }
        }
        self.list
            .plans
            .sort_by(|a, b| time_of(a).total_cmp(&time_of(b)));
        self.lessons.sure = surely(&self.list.plans);
        Ok(())
    }
}

/// By how much engines undercut formulas, as far as the simulated plans tell: twice as much as the
/// worst of few, half as much again as the worst of many.
fn surely(plans: &[Simulated]) -> f64 {
    let undercut = |plan: &Simulated| 1.0 - time_of(plan) / plan.expected;
    let worst = plans.iter().map(undercut).fold(0.0, f64::max);
    let factor = if plans.len() < 2 * ENOUGH { 2.0 } else { 1.5 };
    if plans.len() < ENOUGH {
        SURE
    } else {
        (factor * worst + 1e-4).min(SURE)
    }
}

/// Simulated plans that differ from a candidate in switches alone.
fn variants_of(plans: &[Simulated], candidate: &Candidate) -> usize {
    let family = |choice: &Choice| Choice {
        switches: candidate.plan.choice.switches,
        ..*choice
    };
    let same = |plan: &&Simulated| family(&plan.evaluated.choice) == candidate.plan.choice;
    plans.iter().filter(same).count()
}

fn candidate(plan: &Evaluated) -> Candidate {
    Candidate {
        plan: *plan,
        time: plan.time,
        slack: slack(plan.doubt),
    }
}

fn time_of(plan: &Simulated) -> f64 {
    plan.prediction.iteration_time_s
}

enum Step {
    Rehearsed(Candidate),
    Simulated(Box<Simulated>),
    /// An engine says that it does not fit, or it could not be checked.
    Dropped,
}

fn step(
    space: &Space<'_>,
    candidate: &Candidate,
    (engine, margin): (Engine, f64),
    control: &Control,
) -> Result<Step, PredictError> {
    let Ok(plan) = checked(space, &candidate.plan.choice) else {
        return Ok(Step::Dropped);
    };
    // The analytic engine's own answer takes no longer than a rehearsal.
    if candidate.wants_rehearsal() && !repeats(space.scenario, engine) {
        let mut estimator = Estimator::new(space.scenario);
        let estimate = estimator.rehearsed(&plan, control)?;
        if !evaluated(candidate.plan.choice, &estimate, margin).fits {
            return Ok(Step::Dropped);
        }
        return Ok(Step::Rehearsed(Candidate {
            time: estimate.iteration_time_s,
            slack: SURE,
            ..*candidate
        }));
    }
    let mut simulated = simulate(space.scenario, &candidate.plan, plan, engine, control)?;
    if candidate.wants_rehearsal() {
        simulated.expected = time_of(&simulated);
    } else {
        simulated.expected = candidate.time;
    }
    if !fits(&simulated.prediction, margin) {
        return Ok(Step::Dropped);
    }
    Ok(Step::Simulated(Box::new(simulated)))
}

/// Whether every device has room for what an engine says, with the margin.
pub(crate) fn fits(prediction: &Prediction, margin: f64) -> bool {
    let (used, device) = (prediction.device_used_bytes, prediction.device_memory_bytes);
    prediction.fits && has_room(used, device, margin)
}

/// Whether an iteration repeats itself behind its warm-up, so that it need not be run whole.
const fn repeats(scenario: &Scenario, engine: Engine) -> bool {
    let settings = &scenario.settings;
    matches!(engine, Engine::Analytic) && settings.jitter <= 0.0 && !settings.unfold
}

/// What an engine says of a plan.
pub(crate) fn simulate(
    scenario: &Scenario,
    evaluated: &Evaluated,
    plan: Plan,
    engine: Engine,
    control: &Control,
) -> Result<Simulated, PredictError> {
    let mut scenario = scenario.clone();
    scenario.plan = plan.clone();
    scenario.settings.engine = engine;
    let prediction = if repeats(&scenario, engine) {
        rehearsed(&scenario, control)?
    } else {
        predict(&scenario, Record::Totals, control)?.prediction
    };
    Ok(Simulated {
        evaluated: *evaluated,
        plan,
        prediction,
        expected: evaluated.time,
    })
}
