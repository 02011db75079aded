//! Answers while a slider moves, of a scenario with some knobs turned.
//!
//! ```text
//! drag ──▶ quick     formulas; where they are in doubt, scaled to the rehearsed base
//! rest ──▶ estimate  the `estimate` engine, which rehearses what formulas are in doubt of
//! ```

use format::Failure;
use predict::{Engine, Prediction, Record, doubted, formulas, predict};
use rayon::prelude::*;
use units::{Bytes, Control};

use super::{Knob, Setting, TuneError, Tuning, settings};
use crate::open::Opened;
use crate::simulate::Ready;

/// A scenario and its estimate, to which tunings are compared.
#[derive(Clone, Debug)]
pub struct Tuner {
    opened: Opened,
    ready: Ready,
    /// What the `estimate` engine says.
    base: Prediction,
    /// What formulas alone say, where they are in doubt.
    formulas: Option<Prediction>,
}

/// What a change of one knob brings.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity {
    /// The knob.
    pub knob: Knob,
    /// Its value in the scenario.
    pub was: f64,
    /// Its value after the change: 10 % more, for the straggler 10 % less, or the nearest step that the
    /// plan allows.
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

/// By how much a step may miss 10 % and still be told beside others.
const NEAR: f64 = 0.05;

impl Sensitivity {
    /// The change of the knob as a share of its value.
    pub fn step(&self) -> f64 {
        self.is / self.was - 1.0
    }

    /// Whether the step is about 10 %, so that its effect compares with that of other knobs.
    pub fn is_comparable(&self) -> bool {
        (self.step().abs() - 0.1).abs() <= NEAR
    }
}

impl Tuner {
    /// Prepares a scenario.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, that it has no closed form, or that the work was stopped.
    pub fn new(opened: &Opened, control: &Control) -> Result<Self, TuneError> {
        let ready = opened.ready().map_err(TuneError::Refused)?;
        let alone = formulas(&ready.scenario)?;
        let (base, formulas) = if doubted(&alone).is_some() {
            (estimated(&ready.scenario, control)?, Some(alone))
        } else {
            (alone, None)
        };
        Ok(Self {
            opened: opened.clone(),
            ready,
            base,
            formulas,
        })
    }

    /// The scenario as it is.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// What the `estimate` engine says of the scenario as it is.
    pub const fn base(&self) -> &Prediction {
        &self.base
    }

    /// Every knob as the scenario has it.
    pub fn settings(&self) -> Vec<Setting> {
        settings(&self.opened, &self.ready)
    }

    /// Why formulas alone would be off for the scenario as it is, where they would.
    pub fn doubt(&self) -> Option<&str> {
        self.formulas.as_ref().and_then(doubted)
    }

    /// An answer within some milliseconds for the scenario with knobs turned: of formulas, and where they
    /// are in doubt by as much more or less as they find against the scenario as it is, whose estimate was
    /// rehearsed. [`doubted`] tells why such an answer may be off. Its time, its rates and what the fullest
    /// device uses are scaled, nothing else.
    ///
    /// # Errors
    ///
    /// Where the scenario is none with these values, or has no closed form.
    pub fn quick(&self, tuning: &Tuning) -> Result<Prediction, TuneError> {
        if tuning.is_empty() {
            return Ok(self.base.clone());
        }
        let found = formulas(&self.tuned(tuning)?)?;
        Ok(match &self.formulas {
            Some(alone) if doubted(&found).is_some() => scaled(found, alone, &self.base),
            _ => found,
        })
    }

    /// What the `estimate` engine says of the scenario with knobs turned: as fast as formulas where they
    /// are in no doubt, else as slow as a rehearsal.
    ///
    /// # Errors
    ///
    /// As [`Tuner::quick`], and where the work was stopped.
    pub fn estimate(&self, tuning: &Tuning, control: &Control) -> Result<Prediction, TuneError> {
        if tuning.is_empty() {
            return Ok(self.base.clone());
        }
        Ok(estimated(&self.tuned(tuning)?, control)?)
    }

    fn tuned(&self, tuning: &Tuning) -> Result<predict::Scenario, TuneError> {
        let opened = tuning.on(&self.opened).map_err(TuneError::Refused)?;
        self.resolved(&opened, tuning).map_err(TuneError::Refused)
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

    /// What 10 % more of each knob brings by the `estimate` engine, the largest change of throughput
    /// first and steps that are not about 10 % last. Knobs that cannot be turned, or under which the plan is
    /// none, are left out. On every core.
    pub fn sensitivities(&self, control: &Control) -> Vec<Sensitivity> {
        let settings = self.settings();
        let open = settings.par_iter().filter(|one| one.fixed.is_none());
        let mut all: Vec<Sensitivity> = open
            .filter_map(|one| self.sensitivity(one, control))
            .collect();
        let effect = |one: &Sensitivity| one.throughput_change.abs();
        all.sort_by(|a, b| {
            let comparable = b.is_comparable().cmp(&a.is_comparable());
            let by_effect = effect(b).total_cmp(&effect(a));
            comparable.then(by_effect).then(a.knob.cmp(&b.knob))
        });
        all
    }

    fn sensitivity(&self, setting: &Setting, control: &Control) -> Option<Sensitivity> {
        let tried = tenth(setting).into_iter().find_map(|is| {
            let tuning = Tuning::default().with(setting.knob, is);
            Some((is, self.estimate(&tuning, control).ok()?))
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

/// Values about 10 % away, in the order in which they are tried: a straggler is slower, all others more.
fn tenth(setting: &Setting) -> Vec<f64> {
    match setting.knob {
        Knob::Straggler => vec![setting.value * 0.9],
        knob if knob.is_whole() => {
            let aim = setting.value * 1.1;
            let above = setting.steps.iter().copied();
            let mut above: Vec<f64> = above.filter(|step| setting.value < *step).collect();
            above.sort_by(|a, b| (a - aim).abs().total_cmp(&(b - aim).abs()));
            above.truncate(4);
            above
        }
        _ => vec![setting.value * 1.1],
    }
}

/// What the `estimate` engine says, whatever engine the scenario asks for.
fn estimated(
    scenario: &predict::Scenario,
    control: &Control,
) -> Result<Prediction, predict::PredictError> {
    let mut scenario = scenario.clone();
    scenario.settings.engine = Engine::Estimate;
    Ok(predict(&scenario, Record::Totals, control)?.prediction)
}

/// What formulas found, times what a rehearsal found of the base over what they found of it.
fn scaled(mut found: Prediction, alone: &Prediction, base: &Prediction) -> Prediction {
    let time = base.iteration_time_s / alone.iteration_time_s;
    found.iteration_time_s *= time;
    for secs in [
        &mut found.iteration_time_p10_s,
        &mut found.iteration_time_p90_s,
    ] {
        *secs = secs.map(|secs| secs * time);
    }
    for rate in [
        &mut found.tokens_per_s,
        &mut found.tokens_per_s_per_gpu,
        &mut found.mfu,
        &mut found.model_tflops_per_gpu,
        &mut found.hardware_tflops_per_gpu,
    ] {
        *rate /= time;
    }
    let memory = base.device_used_bytes.as_f64() / alone.device_used_bytes.as_f64().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of bytes"
    )]
    let used = (found.device_used_bytes.as_f64() * memory).round() as u64;
    found.device_used_bytes = Bytes::new(used);
    found.fits = found.device_used_bytes <= found.device_memory_bytes;
    found
}
