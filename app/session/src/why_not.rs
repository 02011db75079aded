//! Why no plan with some values is recommended.

use format::{Assignment, Failure};
use plan::PlanField;
use predict::{Engine, Prediction, Record, predict};
use search::{NoPlan, SearchError, Simulated};
use units::Control;

use crate::binding::breakdown_parts;
use crate::open::Opened;
use crate::plan::Planned;

/// What becomes of plans with some values.
#[derive(Clone, Debug)]
pub struct WhyNot {
    /// The best of them and how the others fared; none where there is none.
    pub best: Result<Box<Planned>, Box<NoPlan>>,
    /// Its time over that of the best plan, less 1; none where there is none.
    pub slower: Option<f64>,
    /// Seconds that it loses to the best plan by what they go to, the most first; what it gains is
    /// below 0.
    pub loses: Vec<(&'static str, f64)>,
}

/// Why a question about a plan has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WhyNotError {
    /// A field that no plan has.
    #[error("`{field}` is no field of a plan")]
    NoField {
        /// The field.
        field: String,
    },
    /// The values make no scenario.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Refused(Vec<Failure>),
    /// The search failed.
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl Opened {
    /// Searches the plans that have some values, and compares the best of them with the best of all.
    ///
    /// * `planned` — what was found without these values.
    /// * `values` — fields of `[plan]`, such as `tp`, each with its value as people type it.
    /// * `asked_by` — where people typed them, which errors name.
    /// * `engine` — that of the search. Where it was stopped before its engine was asked, the closed form
    ///   judges both plans.
    ///
    /// # Errors
    ///
    /// Where a field or a value is none, the search was stopped, or an engine fails.
    pub fn why_not(
        &self,
        planned: &Planned,
        values: &[(&str, &str)],
        asked_by: &str,
        engine: Engine,
        control: &Control,
    ) -> Result<WhyNot, WhyNotError> {
        let mut fixed = planned.planning.fixed.clone();
        let mut above = Vec::new();
        for (field, value) in values {
            let name = field.strip_prefix("plan.").unwrap_or(field);
            let known = PlanField::ALL.into_iter().find(|one| one.name() == name);
            fixed.push(known.ok_or_else(|| WhyNotError::NoField {
                field: (*field).to_owned(),
            })?);
            above.push(Assignment::new(asked_by, format!("plan.{name}={value}")));
        }
        fixed.sort_unstable();
        fixed.dedup();
        let asked = self.with(&above).map_err(WhyNotError::Refused)?;
        let planning = asked.planning(&fixed).map_err(WhyNotError::Refused)?;
        let first = planned.answer.plans.first();
        let engine = first.map_or(engine, |best| answered_by(best, engine));
        let best = first.map(|best| judged(planned, best, engine, control));
        let best = best.transpose()?;
        match asked.plan(planning, engine, &planned.measured, control) {
            Ok(other) => Ok(compared(best.as_ref(), other)),
            Err(SearchError::NoPlan(nothing)) => Ok(WhyNot {
                best: Err(nothing),
                slower: None,
                loses: Vec::new(),
            }),
            Err(error) => Err(error.into()),
        }
    }
}

/// The engine that judged a plan.
fn answered_by(plan: &Simulated, asked: Engine) -> Engine {
    let mut known = Engine::ALL.into_iter();
    let name = plan.prediction.engine;
    known.find(|engine| engine.name() == name).unwrap_or(asked)
}

/// What the engine says of the best plan. After an early stop formulas alone judged it.
fn judged(
    planned: &Planned,
    best: &Simulated,
    engine: Engine,
    control: &Control,
) -> Result<Prediction, WhyNotError> {
    if !planned.answer.partial {
        return Ok(best.prediction.clone());
    }
    let mut scenario = planned.planning.scenario.clone();
    scenario.plan = best.plan.clone();
    scenario.settings.engine = engine;
    let outcome = predict(&scenario, Record::Totals, control).map_err(SearchError::from)?;
    Ok(outcome.prediction)
}

fn compared(best: Option<&Prediction>, other: Planned) -> WhyNot {
    let (mut slower, mut loses) = (None, Vec::new());
    if let (Some(best), Some(with)) = (best, other.answer.plans.first()) {
        let with = &with.prediction;
        slower = Some(with.iteration_time_s / best.iteration_time_s - 1.0);
        let parts = [&best.breakdown, &with.breakdown].map(breakdown_parts);
        let pairs = parts[0].into_iter().zip(parts[1]);
        loses = pairs
            .map(|((name, was), (_, is))| (name, is - was))
            .collect();
        loses.sort_by(|a, b| b.1.total_cmp(&a.1));
    }
    WhyNot {
        best: Ok(Box::new(other)),
        slower,
        loses,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Draft, Phase};

    fn small() -> Opened {
        let draft = Draft::example("llama3-70b-dgx-h100").unwrap();
        let draft = draft.set("model.config", "llama3-8b").unwrap();
        let draft = draft.set("cluster.nodes", "1").unwrap();
        let draft = draft.set("training.global_batch", "64").unwrap();
        let draft = draft.set("plan", "{}").unwrap();
        draft.open().unwrap()
    }

    fn planned(opened: &Opened) -> Planned {
        let planning = opened.planning(&[]).unwrap();
        opened
            .plan(planning, Engine::Estimate, &[], &Control::new())
            .unwrap()
    }

    #[test]
    fn a_search_that_is_watched_finds_the_same_and_tells_of_it() {
        let opened = small();
        let told = Mutex::new(Vec::new());
        let planning = opened.planning(&[]).unwrap();
        let watched = opened.plan_watched(
            planning,
            Engine::Estimate,
            &[],
            &|progress| {
                let best = progress.best.map(|plan| plan.time);
                let seen = (progress.phase, progress.decided, progress.total, best);
                told.lock().unwrap().push(seen);
            },
            &Control::new(),
        );
        let (watched, plain) = (watched.unwrap(), planned(&opened));
        assert_eq!(watched.answer.evaluated, plain.answer.evaluated);
        assert_eq!(watched.answer.excluded, plain.answer.excluded);
        let told = told.into_inner().unwrap();
        assert_eq!(told.last().unwrap().0, Phase::Simulating);
        assert!(
            told.iter().all(|(_, decided, total, _)| decided <= total),
            "{told:?}"
        );
        let fastest = plain.answer.evaluated.iter().filter(|plan| plan.fits);
        let fastest = fastest.map(|plan| plan.time).fold(f64::INFINITY, f64::min);
        assert!(told.last().unwrap().3.unwrap() >= fastest);
    }

    #[test]
    fn exclusions_have_an_example() {
        let answer = planned(&small()).answer;
        let named = answer.excluded.by_count();
        assert!(
            named
                .iter()
                .any(|(reason, _)| answer.excluded.example(*reason).is_some())
        );
    }

    #[test]
    fn values_that_are_worse_say_where_the_time_goes() {
        let opened = small();
        let best = planned(&opened);
        let asked = opened.why_not(
            &best,
            &[("tp", "8")],
            "test",
            Engine::Estimate,
            &Control::new(),
        );
        let asked = asked.unwrap();
        assert!(0.0 <= asked.slower.unwrap());
        let lost: f64 = asked.loses.iter().map(|(_, secs)| secs).sum();
        let times = [&best, asked.best.as_ref().unwrap()]
            .map(|one| one.answer.plans[0].prediction.iteration_time_s);
        assert!((lost - (times[1] - times[0])).abs() < 1e-6 * times[0]);
        assert!(
            opened
                .why_not(
                    &best,
                    &[("hall", "8")],
                    "test",
                    Engine::Estimate,
                    &Control::new()
                )
                .is_err()
        );
        let none = opened.why_not(
            &best,
            &[("tp", "3")],
            "test",
            Engine::Estimate,
            &Control::new(),
        );
        assert!(none.is_err() || none.unwrap().best.is_err());
    }
}
