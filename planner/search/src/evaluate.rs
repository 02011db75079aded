//! Closed forms over the whole space, on all cores, in rounds: of all degrees one plan first, whose
//! best bounds all others; then 1F1B with one way to share state, interleaved schedules, and all
//! others, where they could still come near.

use std::sync::{Mutex, PoisonError};

use plan::Plan;
use predict::{Doubt, Estimate, Estimator, has_room};
use rayon::prelude::*;
use units::{Bytes, Control};

use crate::choice::Choice;
use crate::excluded::{Reason, Tally};
use crate::progress::Watch;
use crate::space::Space;
use crate::walk::{Part, Round, Walk};

/// A plan that was evaluated in closed form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
    /// The plan.
    pub choice: Choice,
    /// Time of one iteration, in seconds; infinite where nobody asked, since it lacks memory.
    pub time: f64,
    /// What the fullest device uses.
    pub used: Bytes,
    /// Why the formulas may be off by more than 2 %.
    pub doubt: Option<Doubt>,
    /// Whether every device has room, with the margin.
    pub fits: bool,
}

/// What came of one part of the space, or of all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) plans: Vec<Evaluated>,
    pub(crate) tally: Tally,
    /// Seconds up to which every plan was evaluated, whatever its kind.
    pub(crate) limit: f64,
}

/// How many of some plans have room.
pub(crate) fn with_room(plans: &[Evaluated]) -> u64 {
    plans.iter().filter(|plan| plan.fits).count() as u64
}

impl Found {
    /// How many plans have room; the others are in the tally.
    pub(crate) fn n_with_room(&self) -> u64 {
        with_room(&self.plans)
    }

    /// Adds what came of a part.
    fn merge(&mut self, other: Self) {
        self.plans.extend(other.plans);
        self.tally.merge(&other.tally);
    }

    /// Adds variants of leading plans: those that fit lead too, the others lack memory. Returns how
    /// many there are.
    pub(crate) fn admit(
        &mut self,
        variants: impl Iterator<Item = Evaluated>,
        leading: &mut Vec<Evaluated>,
    ) -> u64 {
        let before = self.plans.len();
        for plan in variants {
            self.plans.push(plan);
            if plan.fits {
                leading.push(plan);
            } else {
                self.tally.add(Reason::Memory, 1);
            }
        }
        (self.plans.len() - before) as u64
    }
}

/// Plans, fastest first.
pub(crate) fn sort_by_time(plans: &mut [Evaluated]) {
    plans.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.choice.cmp(&b.choice)));
}

/// Plans that are slower than the best by this factor whatever their schedule are not evaluated:
/// what is slower is no answer, nor on a front that anybody would choose from.
pub(crate) const FAR: f64 = 1.1;

/// Evaluates every plan of the space that could come near the best, or what is reached before
/// somebody asks to stop. The result is in the order of the space, whatever the number of threads.
pub(crate) fn evaluate(
    space: &Space<'_>,
    margin: f64,
    watch: &Watch<'_>,
    control: &Control,
) -> Found {
    rounds(space, margin, |parts| FAR * best(parts), (watch, control))
}

/// Every plan of the space that has room, however slow.
pub(crate) fn evaluate_all(space: &Space<'_>, margin: f64, control: &Control) -> Found {
    let watch = Watch::silent();
    rounds(space, margin, |_| f64::INFINITY, (&watch, control))
}

/// All rounds, one after the other.
///
/// * `limit` — from what was found before a round, seconds beyond which plans are none of it.
fn rounds(
    space: &Space<'_>,
    margin: f64,
    limit: impl Fn(&[Part]) -> f64,
    (watch, control): (&Watch<'_>, &Control),
) -> Found {
    let mut all = Found::default();
    let degrees = space.degrees(&mut all.tally);
    control.set_items(Round::ALL.len() as u64 * degrees.len() as u64);
    let known = Mutex::default();
    let mut parts: Vec<Part> = degrees.into_iter().map(Part::new).collect();
    for round in Round::ALL {
        all.limit = limit(&parts);
        parts = walk(
            space,
            parts,
            (round, all.limit),
            (margin, &known),
            (watch, control),
        );
    }
    for mut part in parts {
        part.found.tally.are_of(part.degrees);
        all.merge(part.found);
    }
    all
}

/// One round over all parts.
///
/// * `idle` — estimators, as many as threads, each with the prices that it has found so far.
fn walk<'s>(
    space: &Space<'s>,
    parts: Vec<Part>,
    (round, limit): (Round, f64),
    (margin, idle): (f64, &Mutex<Vec<Estimator<'s>>>),
    (watch, control): (&Watch<'_>, &Control),
) -> Vec<Part> {
    let walk = |cell: Vec<Part>| -> Vec<Part> {
        let known = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut estimator = known.unwrap_or_else(|| Estimator::new(space.scenario));
        let walk = |part| {
            let mut walk = Walk {
                space,
                estimator: &mut estimator,
                margin,
                round,
                limit,
                part,
                decided: 0,
            };
            walk.all(control);
            control.finish_item();
            watch.part(walk.part.degrees, &walk.part.found);
            walk.part
        };
        let cell = cell.into_iter().map(walk).collect();
        idle.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(estimator);
        cell
    };
    let cells: Vec<Vec<Part>> = alike(parts).into_par_iter().map(walk).collect();
    cells.into_iter().flatten().collect()
}

/// The time of the fastest plan that fits and is in no doubt, in seconds.
fn best(parts: &[Part]) -> f64 {
    let plans = parts.iter().flat_map(|part| &part.found.plans);
    let sure = plans.filter(|plan| plan.fits && plan.doubt.is_none());
    sure.map(|plan| plan.time).fold(f64::INFINITY, f64::min)
}

/// Neighbors of equal tensor and context parallelism, whose kernels have the same prices.
fn alike(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut cells: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        let key = |part: &Part| (part.degrees.tp, part.degrees.cp);
        match cells.last_mut() {
            Some(cell) if cell.first().is_some_and(|first| key(first) == key(&part)) => {
                cell.push(part);
            }
            _ => cells.push(vec![part]),
        }
    }
    cells
}

/// The plan of a choice, checked.
pub(crate) fn checked(space: &Space<'_>, choice: &Choice) -> Result<Plan, Reason> {
    let spec = choice.spec(space.given, space.fixed);
    let scenario = space.scenario;
    let checked = Plan::check(&spec, &scenario.job, &scenario.cluster);
    match checked {
        Ok(checked) => Ok(checked.plan),
        Err(errors) => Err(errors.first().map_or(Reason::Schedule, Reason::of)),
    }
}

/// What an estimate says of a choice.
pub(crate) fn evaluated(choice: Choice, estimate: &Estimate, margin: f64) -> Evaluated {
    Evaluated {
        choice,
        time: estimate.iteration_time_s,
        used: estimate.device_used,
        doubt: estimate.doubt,
        fits: has_room(estimate.device_used, estimate.device_memory, margin),
    }
}
