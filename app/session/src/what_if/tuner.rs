//! Answers while a slider moves: the closed form of a scenario with some knobs turned.

use format::Failure;
use predict::{Prediction, formulas};

use super::{Knob, Setting, TuneError, Tuning, settings};
use crate::open::Opened;
use crate::simulate::Ready;

/// A scenario and its closed form, to which tunings are compared.
#[derive(Clone, Debug)]
pub struct Tuner {
    opened: Opened,
    ready: Ready,
    base: Prediction,
}

/// What a change of one knob brings.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity {
    /// The knob.
    pub knob: Knob,
    /// Its value in the scenario.
    pub was: f64,
    /// Its value after the change: 10 % more, or the nearest that the plan allows.
    pub is: f64,
    /// Seconds of an iteration after the change.
    pub iteration_time_s: f64,
    /// The same over that of the scenario, less 1: below 0 is faster.
    pub time_change: f64,
    /// Tokens a second over those of the scenario, less 1: above 0 is more.
    pub throughput_change: f64,
    /// Whether the plan fits after the change.
    pub fits: bool,
}

impl Tuner {
    /// Prepares a scenario.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, or that it has no closed form.
    pub fn new(opened: &Opened) -> Result<Self, TuneError> {
        let ready = opened.ready().map_err(TuneError::Refused)?;
        let base = formulas(&ready.scenario)?;
        Ok(Self {
            opened: opened.clone(),
            ready,
            base,
        })
    }

    /// The scenario as it is.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The closed form of the scenario as it is.
    pub const fn base(&self) -> &Prediction {
        &self.base
    }

    /// Every knob as the scenario has it.
    pub fn settings(&self) -> Vec<Setting> {
        settings(&self.opened, &self.ready)
    }

    /// The closed form of the scenario with knobs turned, whatever doubt there is of it.
    ///
    /// # Errors
    ///
    /// Where the scenario is none with these values, or has no closed form.
    pub fn estimate(&self, tuning: &Tuning) -> Result<Prediction, TuneError> {
        if tuning.is_empty() {
            return Ok(self.base.clone());
        }
        let opened = tuning.on(&self.opened).map_err(TuneError::Refused)?;
        let ready = self.resolved(&opened, tuning).map_err(TuneError::Refused)?;
        Ok(formulas(&ready)?)
    }

    /// The tuned scenario; a cluster that no knob changes is not built again.
    fn resolved(
        &self,
        opened: &Opened,
        tuning: &Tuning,
    ) -> Result<predict::Scenario, Vec<Failure>> {
        let rebuilds = [
            Knob::Nodes,
            Knob::LinkRate,
            Knob::LinkLatency,
            Knob::Straggler,
        ];
        if rebuilds.iter().any(|knob| tuning.get(*knob).is_some()) {
            return opened.ready().map(|ready| ready.scenario);
        }
        opened.scenario_on(&self.ready.scenario.cluster)
    }

    /// What 10 % more of each knob brings, the largest change of throughput first. Knobs that cannot
    /// be turned, or under which the plan is none, are left out.
    pub fn sensitivities(&self) -> Vec<Sensitivity> {
        let settings = self.settings();
        let open = settings.iter().filter(|setting| setting.fixed.is_none());
        let mut all: Vec<Sensitivity> = open.filter_map(|one| self.sensitivity(one)).collect();
        let effect = |one: &Sensitivity| one.throughput_change.abs();
        all.sort_by(|a, b| effect(b).total_cmp(&effect(a)).then(a.knob.cmp(&b.knob)));
        all
    }

    fn sensitivity(&self, setting: &Setting) -> Option<Sensitivity> {
        let more = setting.value * 1.1;
        let candidates: Vec<f64> = if setting.knob.is_whole() {
            // The nearest steps above that make a plan.
            let above = setting.steps.iter().copied();
            above.filter(|step| setting.value < *step).take(4).collect()
        } else {
            vec![more]
        };
        let tried = candidates.into_iter().find_map(|is| {
            let tuning = Tuning::default().with(setting.knob, is);
            Some((is, self.estimate(&tuning).ok()?))
        });
        let (is, prediction) = tried?;
        let base = &self.base;
        Some(Sensitivity {
            knob: setting.knob,
            was: setting.value,
            is,
            iteration_time_s: prediction.iteration_time_s,
            time_change: prediction.iteration_time_s / base.iteration_time_s - 1.0,
            throughput_change: prediction.tokens_per_s / base.tokens_per_s - 1.0,
            fits: prediction.fits,
        })
    }
}
