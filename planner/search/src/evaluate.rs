//! Closed forms over the whole space, on all cores.

use plan::Plan;
use predict::{Doubt, Estimate, Estimator};
use rayon::prelude::*;
use units::{Bytes, Control};

use crate::choice::{Choice, DegreeChoice, RecomputeChoice, ShardChoice};
use crate::excluded::{Reason, Tally};
use crate::space::{Pipeline, Space};

/// A plan that was evaluated in closed form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
    /// The plan.
    pub choice: Choice,
    /// Time of one iteration, in seconds.
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
}

impl Found {
    fn merge(&mut self, other: Self) {
        self.plans.extend(other.plans);
        self.tally.merge(&other.tally);
    }
}

/// Evaluates every plan of the space, or what is reached before somebody asks to stop. The result
/// is in the order of the space, whatever the number of threads.
pub(crate) fn evaluate(space: &Space<'_>, margin: f64, control: &Control) -> Found {
    let mut all = Found::default();
    let degrees = space.degrees(&mut all.tally);
    control.set_items(degrees.len() as u64);
    let parts: Vec<Found> = degrees
        .par_iter()
        .map(|degrees| {
            let mut part = Part::new(space, margin, *degrees);
            part.walk(control);
            control.finish_item();
            part.found
        })
        .collect();
    for part in parts {
        all.merge(part);
    }
    all
}

/// The plans of some degrees.
struct Part<'a> {
    space: &'a Space<'a>,
    estimator: Estimator<'a>,
    margin: f64,
    degrees: DegreeChoice,
    found: Found,
}

impl<'a> Part<'a> {
    fn new(space: &'a Space<'a>, margin: f64, degrees: DegreeChoice) -> Self {
        Self {
            space,
            estimator: Estimator::new(space.scenario),
            margin,
            degrees,
            found: Found::default(),
        }
    }

    fn walk(&mut self, control: &Control) {
        let pipelines = self.space.pipelines(self.degrees);
        let micro_batches = self.space.micro_batches(self.degrees);
        for shard in self.space.shards(self.degrees) {
            for pipeline in &pipelines {
                let plans = (micro_batches.len() * self.space.recompute().len()) as u64;
                if let Err(reason) = self.space.offered(self.degrees, *pipeline, shard) {
                    self.found.tally.add(reason, plans);
                    continue;
                }
                if control.is_cancelled() {
                    self.found.tally.add(Reason::Stopped, plans);
                    continue;
                }
                self.grow(shard, *pipeline, &micro_batches);
            }
        }
    }

    /// Micro-batches from small to large, until one does not fit even with everything recomputed:
    /// a stage keeps `min(p m, b)` sequences, of micro-batches of `m` on `p` stages and a replica's
    /// share `b`, which never falls with `m`.
    fn grow(&mut self, shard: ShardChoice, pipeline: Pipeline, micro_batches: &[u64]) {
        let each = self.space.recompute().len() as u64;
        for (at, micro_batch) in micro_batches.iter().enumerate() {
            let of = |recompute| {
                self.space.choice(self.degrees, shard, pipeline, *micro_batch, recompute)
            };
            let least = of(RecomputeChoice::Full);
            match self.evaluate(least) {
                Err(reason) => self.found.tally.add(reason, each),
                Ok(plan) if !plan.fits => {
                    let rest = (micro_batches.len() - at) as u64 * each;
                    self.found.tally.add(Reason::MemoryBound, rest - 1);
                    return;
                }
                Ok(_) if each == 1 => {}
                Ok(_) => self.lighten(least),
            }
        }
    }

    /// Less recomputation than all of it, which fits.
    fn lighten(&mut self, least: Choice) {
        let of = |recompute| Choice { recompute, ..least };
        let none = self.evaluate(of(RecomputeChoice::None));
        let selective = self.evaluate(of(RecomputeChoice::Selective));
        let fits = [none, selective].map(|plan| plan.is_ok_and(|plan| plan.fits));
        if !fits[0] && !fits[1] {
            self.fewest_layers(least);
        }
    }

    /// The smallest number of layers that has to be computed again: more only take longer.
    fn fewest_layers(&mut self, least: Choice) {
        let stages = least.degrees.pp * least.vp;
        let layers = self.space.scenario.job.model.layers().len();
        let most = u32::try_from(layers).unwrap_or(u32::MAX) / stages.max(1);
        let (mut low, mut high) = (1, most);
        while low < high {
            let middle = low + (high - low) / 2;
            let recompute = RecomputeChoice::Layers(middle);
            let plan = self.evaluate(Choice { recompute, ..least });
            if plan.is_ok_and(|plan| plan.fits) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if 1 < most {
            self.found.tally.add(Reason::DoesMore, u64::from(most - high));
        }
    }

    fn evaluate(&mut self, choice: Choice) -> Result<Evaluated, Reason> {
        let plan = checked(self.space, &choice)?;
        let estimate = self.estimator.estimate(&plan);
        let plan = evaluated(choice, &estimate, self.margin);
        if !plan.fits {
            let with_margin = plan.used.scale(1.0 + self.margin);
            let lacks = with_margin.saturating_sub(estimate.device_memory);
            self.found.tally.add(Reason::Memory, 1);
            self.found.tally.lacks(lacks);
        }
        self.found.plans.push(plan);
        Ok(plan)
    }
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
    let used = estimate.device_used;
    Evaluated {
        choice,
        time: estimate.iteration_time_s,
        used,
        doubt: estimate.doubt,
        fits: used.as_f64() * (1.0 + margin) <= estimate.device_memory.as_f64(),
    }
}
