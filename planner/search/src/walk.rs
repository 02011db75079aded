//! A round over the plans of some degrees: micro-batches from small to large, recomputation from none
//! to all, where bounds leave anything to look at.

use std::collections::{BTreeMap, BTreeSet};

use plan::{PlanField, ScheduleKind};
use predict::{Beyond, Estimator, Limits, has_room};
use units::Control;

use crate::balance::may_spread;
use crate::choice::{Choice, DegreeChoice, RecomputeChoice, ShardChoice};
use crate::evaluate::{Evaluated, Found, checked, evaluated};
use crate::excluded::Reason;
use crate::space::{Pipeline, Space};

/// Which plans are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// Of all degrees without context parallelism one plan: the first schedule, spread and
    /// micro-batch, and one way to share state. The best of them bounds all others.
    Seed,
    /// The same of the other degrees.
    Spread,
    /// The first schedule with one chunk a device, and that way.
    First,
    /// Interleaved schedules with that way.
    Interleaved,
    /// The others.
    Rest,
}

impl Round {
    pub(crate) const ALL: [Self; 5] = [
        Self::Seed,
        Self::Spread,
        Self::First,
        Self::Interleaved,
        Self::Rest,
    ];

    /// The round in which a plan is looked at, the seed apart.
    ///
    /// * `is_first` — whether it shares state in the first way.
    /// * `kind` — its schedule, and the one of the first pipeline.
    fn of(is_first: bool, kind: ScheduleKind, first: ScheduleKind) -> Self {
        match kind {
            _ if !is_first => Self::Rest,
            kind if kind == first => Self::First,
            ScheduleKind::Interleaved => Self::Interleaved,
            _ => Self::Rest,
        }
    }
}

/// What the work of a micro-batch's smaller and larger neighbors must exceed the limit by for it to be
/// taken for too slow unseen: work per sequence falls as kernels grow, but for the rest of a wave.
const BETWEEN: f64 = 1.25;

/// The plans of some degrees.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) degrees: DegreeChoice,
    pub(crate) found: Found,
    /// By micro-batch, the least that the kernels and collectives of a device take in an iteration,
    /// whatever the schedule, the spread of layers and what ranks share.
    least: BTreeMap<u64, f64>,
    /// Ways to share state under which not even the states themselves fit.
    too_large: BTreeSet<ShardChoice>,
}

impl Part {
    pub(crate) fn new(degrees: DegreeChoice) -> Self {
        Self {
            degrees,
            found: Found::default(),
            least: BTreeMap::new(),
            too_large: BTreeSet::new(),
        }
    }
}

/// A round over the plans of some degrees.
pub(crate) struct Walk<'a, 's> {
    pub(crate) space: &'a Space<'s>,
    pub(crate) estimator: &'a mut Estimator<'s>,
    pub(crate) margin: f64,
    pub(crate) round: Round,
    /// Plans that take longer are no candidates, in seconds.
    pub(crate) limit: f64,
    pub(crate) part: Part,
    /// Plans that were decided one by one.
    pub(crate) decided: u64,
}

/// Why plans were not looked at one by one.
struct Rest {
    reason: Reason,
    /// Whether it holds for larger micro-batches as well.
    ends: bool,
}

/// What came of one plan.
enum Looked {
    /// It was evaluated.
    At(Evaluated),
    /// It is too slow, by a bound.
    Past,
    /// It cannot be.
    Never(Reason),
}

impl Walk<'_, '_> {
    pub(crate) fn all(&mut self, control: &Control) {
        let degrees = self.part.degrees;
        let micro_batches = self.space.micro_batches(degrees);
        let shards = self.space.shards(degrees);
        let first_shard = self.first_shard(&shards);
        let pipelines = self.space.pipelines(degrees);
        let Some(&first_pipeline) = pipelines.first() else {
            return;
        };
        if self.round == Round::First && !control.is_cancelled() {
            self.probe((first_shard, first_pipeline), &micro_batches);
        }
        for shard in shards {
            for &pipeline in &pipelines {
                let of_seed = shard == first_shard && pipeline == first_pipeline;
                let round = Round::of(shard == first_shard, pipeline.0, first_pipeline.0);
                let micro_batches = match self.round {
                    Round::Seed | Round::Spread if of_seed => {
                        if (degrees.cp == 1) != (self.round == Round::Seed) {
                            continue;
                        }
                        &micro_batches[..1.min(micro_batches.len())]
                    }
                    Round::First if of_seed => micro_batches.get(1..).unwrap_or_default(),
                    ours if ours == round => &micro_batches,
                    _ => continue,
                };
                let skipped = match self.space.offered(degrees, pipeline, shard) {
                    Err(reason) => Some(reason),
                    Ok(()) => control.is_cancelled().then_some(Reason::Stopped),
                };
                let too_large = self.part.too_large.contains(&shard);
                match skipped.or(too_large.then_some(Reason::StateBound)) {
                    Some(reason) => {
                        let each = self.space.n_recomputations(degrees, pipeline);
                        let plans = micro_batches.len() as u64 * each;
                        self.part.found.tally.add(reason, plans);
                    }
                    None => self.grow(shard, pipeline, micro_batches),
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
        let each = self.space.n_recomputations(self.part.degrees, pipeline);
        for (at, micro_batch) in micro_batches.iter().enumerate() {
            let before = self.decided;
            let rest = self.one_size((shard, pipeline, *micro_batch));
            let tally = &mut self.part.found.tally;
            tally.add(rest.reason, each - (self.decided - before));
            if rest.ends {
                let larger = (micro_batches.len() - at - 1) as u64 * each;
                tally.add(rest.reason, larger);
                return;
            }
        }
    }

    /// The plans of one size of micro-batches; says why the others of them were not looked at.
    fn one_size(&mut self, (shard, pipeline, micro_batch): (ShardChoice, Pipeline, u64)) -> Rest {
        let go_on = |reason| Rest {
            reason,
            ends: false,
        };
        let end = |reason| Rest { reason, ends: true };
        if let Some(reason) = self.far(micro_batch) {
            return go_on(reason);
        }
        let (degrees, none) = (self.part.degrees, RecomputeChoice::None);
        let least = self
            .space
            .choice(degrees, shard, pipeline, micro_batch, none);
        // Whatever is computed again comes on top.
        let fits = match self.evaluate(least) {
            Looked::Never(reason) => return go_on(reason),
            Looked::Past => return go_on(Reason::TimeBound),
            Looked::At(plan) => plan.fits,
        };
        if self.part.too_large.contains(&shard) {
            return end(Reason::StateBound);
        }
        // The seed is there for its best, which computes nothing again where that fits.
        let settled = fits && matches!(self.round, Round::Seed | Round::Spread);
        let may_fit = if settled || self.space.is_fixed(PlanField::Recompute) {
            fits
        } else {
            self.heavier(least, fits)
        };
        if may_fit {
            go_on(Reason::DoesMore)
        } else {
            end(Reason::MemoryBound)
        }
    }

    /// Why plans with such micro-batches are too slow, where they are known to be.
    fn far(&self, micro_batch: u64) -> Option<Reason> {
        let least = &self.part.least;
        if let Some(known) = least.get(&micro_batch) {
            return (self.limit < *known).then_some(Reason::TimeBound);
        }
        let below = least.range(..micro_batch).next_back()?.1;
        let above = least.range(micro_batch..).next()?.1;
        (BETWEEN * self.limit < below.min(*above)).then_some(Reason::BetweenSlow)
    }

    /// Where the smallest micro-batches are much too slow, what the kernels of the largest take.
    fn probe(&mut self, (shard, pipeline): (ShardChoice, Pipeline), micro_batches: &[u64]) {
        let (Some(first), Some(last)) = (micro_batches.first(), micro_batches.last()) else {
            return;
        };
        let slow = |least: &f64| BETWEEN * self.limit < *least;
        if micro_batches.len() < 3 || !self.part.least.get(first).is_some_and(slow) {
            return;
        }
        let degrees = self.part.degrees;
        let choice = self
            .space
            .choice(degrees, shard, pipeline, *last, RecomputeChoice::None);
        let limits = Limits {
            time: -1.0,
            any_split: true,
            margin: self.margin,
        };
        let Ok(plan) = checked(self.space, &choice) else {
            return;
        };
        if let Err(Beyond::Time { mean_work_s, .. }) = self.estimator.estimate_within(&plan, limits)
        {
            self.note_least(&choice, mean_work_s);
        }
    }

    /// The same plan with more recomputation. Returns whether something may fit.
    fn heavier(&mut self, none: Choice, fits: bool) -> bool {
        let of = |recompute| Choice { recompute, ..none };
        let full = self.evaluate(of(RecomputeChoice::Full));
        if matches!(full, Looked::At(plan) if !plan.fits) {
            return false;
        }
        let mut fits = fits;
        if self.space.offers.selective_recompute {
            let selective = self.evaluate(of(RecomputeChoice::Selective));
            fits |= matches!(selective, Looked::At(plan) if plan.fits);
        }
        if !fits {
            self.fewest_layers(none);
        }
        true
    }

    /// The smallest number of layers that has to be computed again: more only take longer.
    fn fewest_layers(&mut self, none: Choice) {
        let pipeline = (none.schedule, none.vp, none.split);
        let layers = self.space.layers_of_stage(none.degrees, pipeline);
        let (mut low, mut high) = (1, layers);
        while low < high {
            let middle = low + (high - low) / 2;
            let recompute = RecomputeChoice::Layers(middle);
            // More layers than are too slow are too slow as well.
            match self.evaluate(Choice { recompute, ..none }) {
                Looked::At(plan) if !plan.fits => low = middle + 1,
                Looked::Never(_) => low = middle + 1,
                Looked::At(_) | Looked::Past => high = middle,
            }
        }
    }

    fn evaluate(&mut self, choice: Choice) -> Looked {
        self.decided += 1;
        let plan = match checked(self.space, &choice) {
            Ok(plan) => plan,
            Err(reason) => {
                self.part.found.tally.add(reason, 1);
                return Looked::Never(reason);
            }
        };
        let limits = Limits {
            time: self.limit,
            any_split: may_spread(self.space, &choice),
            margin: self.margin,
        };
        let plan = match self.estimator.estimate_within(&plan, limits) {
            Ok(estimate) => {
                self.note_least(&choice, estimate.mean_work_s);
                evaluated(choice, &estimate, self.margin)
            }
            Err(Beyond::Time { mean_work_s, .. }) => {
                self.note_least(&choice, mean_work_s);
                self.part.found.tally.add(Reason::TimeBound, 1);
                return Looked::Past;
            }
            Err(Beyond::Memory {
                used,
                device,
                mean_state,
                mean_work_s,
            }) => {
                if !has_room(mean_state, device, self.margin) && self.space.alike {
                    self.part.too_large.insert(choice.shard);
                }
                self.note_least(&choice, mean_work_s);
                let with_margin = used.scale(1.0 + self.margin);
                self.part.found.tally.add(Reason::Memory, 1);
                self.part
                    .found
                    .tally
                    .lacks(with_margin.saturating_sub(device));
                Evaluated {
                    choice,
                    time: f64::INFINITY,
                    used,
                    doubt: None,
                    fits: false,
                }
            }
        };
        self.part.found.plans.push(plan);
        Looked::At(plan)
    }

    /// Notes what a device has to do at least: the mean over devices, since no schedule and no spread
    /// of layers changes their sum where devices are alike.
    fn note_least(&mut self, choice: &Choice, mean_work: f64) {
        if self.space.alike && choice.recompute == RecomputeChoice::None {
            let least = &mut self.part.least;
            least.entry(choice.micro_batch).or_insert(mean_work);
        }
    }
}
