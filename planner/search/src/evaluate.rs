//! Closed forms over the whole space, on all cores, in rounds: 1F1B with one way to share state
//! first, which tells what the kernels and collectives of all degrees take, then interleaved
//! schedules, then all others, where they could still come near.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use plan::{Plan, ScheduleKind};
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

/// Whether a device has room for what is predicted of it, with the margin.
pub(crate) fn has_room(used: Bytes, device: Bytes, margin: f64) -> bool {
    used.as_f64() * (1.0 + margin) <= device.as_f64()
}

/// Plans that are slower than the best by this factor whatever their schedule are not evaluated:
/// what is slower is no answer, nor on a front that anybody would choose from.
const FAR: f64 = 1.1;

/// Evaluates every plan of the space, or what is reached before somebody asks to stop. The result
/// is in the order of the space, whatever the number of threads.
pub(crate) fn evaluate(space: &Space<'_>, margin: f64, control: &Control) -> Found {
    let mut all = Found::default();
    let degrees = space.degrees(&mut all.tally);
    control.set_items(3 * degrees.len() as u64);
    // As many as threads, each with the prices that it has found so far.
    let idle: Mutex<Vec<Estimator<'_>>> = Mutex::default();
    let round = |parts: Vec<Part>, round: Round| -> Vec<Part> {
        let cells: Vec<Vec<Part>> = alike(parts);
        let walk = |cell: Vec<Part>| -> Vec<Part> {
            let known = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut estimator = known.unwrap_or_else(|| Estimator::new(space.scenario));
            let walk = |part| {
                let mut walk = Walk {
                    space,
                    estimator: &mut estimator,
                    margin,
                    round,
                    part,
                };
                walk.all(control);
                control.finish_item();
                walk.part
            };
            let cell = cell.into_iter().map(walk).collect();
            idle.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(estimator);
            cell
        };
        let cells: Vec<Vec<Part>> = cells.into_par_iter().map(walk).collect();
        cells.into_iter().flatten().collect()
    };
    let parts = degrees.into_iter().map(Part::new).collect();
    let parts = round(parts, Round::First);
    let limit = FAR * best(&parts);
    let parts = round(parts, Round::Interleaved { limit });
    let limit = FAR * best(&parts);
    for part in round(parts, Round::Rest { limit }) {
        all.merge(part.found);
    }
    all
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

/// Which plans are looked at.
#[derive(Clone, Copy, Debug)]
enum Round {
    /// 1F1B, one chunk a device, and one way to share state.
    First,
    /// Interleaved schedules with that way, where the work of a device alone takes no longer than
    /// this, in seconds.
    Interleaved { limit: f64 },
    /// The others, where the work of a device alone takes no longer than this, in seconds.
    Rest { limit: f64 },
}

/// The plans of some degrees.
#[derive(Clone, Debug)]
struct Part {
    degrees: DegreeChoice,
    found: Found,
    /// By micro-batch, the least that the kernels and collectives of a device take in an iteration,
    /// whatever the schedule, the spread of layers and what ranks share.
    least: BTreeMap<u64, f64>,
}

impl Part {
    fn new(degrees: DegreeChoice) -> Self {
        Self {
            degrees,
            found: Found::default(),
            least: BTreeMap::new(),
        }
    }
}

/// A round over the plans of some degrees.
struct Walk<'a, 's> {
    space: &'a Space<'s>,
    estimator: &'a mut Estimator<'s>,
    margin: f64,
    round: Round,
    part: Part,
}

impl Walk<'_, '_> {
    fn all(&mut self, control: &Control) {
        let degrees = self.part.degrees;
        let micro_batches = self.space.micro_batches(degrees);
        let shards = self.space.shards(degrees);
        let first = self.first_shard(&shards);
        let pipelines = self.space.pipelines(degrees);
        let plans = (micro_batches.len() * self.space.recompute().len()) as u64;
        for shard in shards {
            for &pipeline in &pipelines {
                let belongs = match (self.round, pipeline.0) {
                    (Round::First, kind) => shard == first && kind == ScheduleKind::OneFOneB,
                    (Round::Interleaved { .. }, kind) => {
                        shard == first && kind == ScheduleKind::Interleaved
                    }
                    (Round::Rest { .. }, ScheduleKind::OneFOneB | ScheduleKind::Interleaved) => {
                        shard != first
                    }
                    (Round::Rest { .. }, _) => true,
                };
                if !belongs {
                    continue;
                }
                let skipped = match self.space.offered(degrees, pipeline, shard) {
                    Err(reason) => Some(reason),
                    Ok(()) => control.is_cancelled().then_some(Reason::Stopped),
                };
                match skipped {
                    Some(reason) => self.part.found.tally.add(reason, plans),
                    None => self.grow(shard, pipeline, &micro_batches),
                }
            }
        }
    }

    /// The way to share state of the first round: that of the optimizer, or the first there is.
    fn first_shard(&self, shards: &[ShardChoice]) -> ShardChoice {
        let plain = [ShardChoice::Zero1, ShardChoice::None, ShardChoice::Zero3];
        let offered = |shard: &ShardChoice| {
            shards.contains(shard) && self.space.offers.shards.contains(&shard.kind())
        };
        let found = plain.into_iter().find(offered);
        found
            .or(shards.first().copied())
            .unwrap_or(ShardChoice::None)
    }

    /// Micro-batches from small to large, until one does not fit even with everything recomputed:
    /// a stage keeps `min(p m, b)` sequences, of micro-batches of `m` on `p` stages and a replica's
    /// share `b`, which never falls with `m`.
    fn grow(&mut self, shard: ShardChoice, pipeline: Pipeline, micro_batches: &[u64]) {
        let each = self.space.recompute().len() as u64;
        for (at, micro_batch) in micro_batches.iter().enumerate() {
            if self.is_far(*micro_batch) {
                self.part.found.tally.add(Reason::TimeBound, each);
                continue;
            }
            let degrees = self.part.degrees;
            let full = RecomputeChoice::Full;
            let most = self
                .space
                .choice(degrees, shard, pipeline, *micro_batch, full);
            match self.evaluate(most) {
                Err(reason) => self.part.found.tally.add(reason, each),
                Ok(plan) if !plan.fits => {
                    if 1 < each && !self.part.least.contains_key(micro_batch) {
                        // For the least that its kernels take, which holds for other shards too.
                        let recompute = RecomputeChoice::None;
                        let _ = self.evaluate(Choice { recompute, ..most });
                    }
                    let rest = (micro_batches.len() - at) as u64 * each;
                    self.part.found.tally.add(Reason::MemoryBound, rest - 1);
                    return;
                }
                Ok(_) if each == 1 => {}
                Ok(_) => self.lighten(most),
            }
        }
    }

    fn is_far(&self, micro_batch: u64) -> bool {
        let (Round::Interleaved { limit } | Round::Rest { limit }) = self.round else {
            return false;
        };
        let least = self.part.least.get(&micro_batch);
        least.is_some_and(|least| limit < *least)
    }

    /// Less recomputation than all of it, which fits.
    fn lighten(&mut self, most: Choice) {
        let of = |recompute| Choice { recompute, ..most };
        let none = self.evaluate(of(RecomputeChoice::None));
        let mut fits = none.is_ok_and(|plan| plan.fits);
        if self.space.offers.selective_recompute {
            let selective = self.evaluate(of(RecomputeChoice::Selective));
            fits |= selective.is_ok_and(|plan| plan.fits);
        }
        if !fits {
            self.fewest_layers(most);
        }
    }

    /// The smallest number of layers that has to be computed again: more only take longer.
    fn fewest_layers(&mut self, most: Choice) {
        let stages = most.degrees.pp * most.vp;
        let layers = self.space.scenario.job.model.layers().len();
        let layers = u32::try_from(layers).unwrap_or(u32::MAX) / stages.max(1);
        let (mut low, mut high) = (1, layers);
        while low < high {
            let middle = low + (high - low) / 2;
            let recompute = RecomputeChoice::Layers(middle);
            let plan = self.evaluate(Choice { recompute, ..most });
            if plan.is_ok_and(|plan| plan.fits) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if 1 < layers {
            let tally = &mut self.part.found.tally;
            tally.add(Reason::DoesMore, u64::from(layers - high));
        }
    }

    fn evaluate(&mut self, choice: Choice) -> Result<Evaluated, Reason> {
        let plan = checked(self.space, &choice)?;
        let estimate = self.estimator.estimate(&plan);
        self.note_least(&choice, &estimate);
        let plan = evaluated(choice, &estimate, self.margin);
        if !plan.fits {
            let with_margin = plan.used.scale(1.0 + self.margin);
            let lacks = with_margin.saturating_sub(estimate.device_memory);
            self.part.found.tally.add(Reason::Memory, 1);
            self.part.found.tally.lacks(lacks);
        }
        self.part.found.plans.push(plan);
        Ok(plan)
    }

    /// Notes what a device has to do at least: the mean over devices, since no schedule and no spread
    /// of layers changes their sum.
    fn note_least(&mut self, choice: &Choice, estimate: &Estimate) {
        if choice.recompute == RecomputeChoice::None {
            let least = &mut self.part.least;
            least
                .entry(choice.micro_batch)
                .or_insert(estimate.mean_work_s);
        }
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
    Evaluated {
        choice,
        time: estimate.iteration_time_s,
        used: estimate.device_used,
        doubt: estimate.doubt,
        fits: has_room(estimate.device_used, estimate.device_memory, margin),
    }
}
