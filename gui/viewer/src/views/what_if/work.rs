//! What is asked of the worker.

use std::sync::Arc;

use session::{TuneError, Tuner, Tuning};

use super::{Estimate, Simulated, Tuned};
use crate::run::Run;
use crate::state::{State, hinted};
use crate::worker::{Ask, Slot};

/// Whether the scenario that is shown is not the one that is edited, and work for it can be asked.
pub(super) fn is_due(state: &State) -> bool {
    let Some(checked) = &state.checked else {
        return false;
    };
    let is_training = checked.result.is_ok()
        && checked
            .opened
            .as_ref()
            .is_some_and(|opened| !opened.is_traffic());
    is_training && state.results.what_if.asked.as_ref() != Some(&checked.draft)
}

/// Asks for the closed form of the scenario as it stands.
pub(super) fn prepare(state: &mut State) {
    if !is_due(state) {
        return;
    }
    let Some(checked) = state.checked.clone() else {
        return;
    };
    let Some(opened) = checked.opened.clone() else {
        return;
    };
    let draft = checked.draft.clone();
    state.results.what_if.asked = Some(draft.clone());
    state.asks.push(Ask::new(
        Slot::Sensitivity,
        "Preparing the sliders",
        move |_| {
            let tuner = Tuner::new(&opened)?;
            let settings = tuner.settings();
            Ok(Tuned {
                draft,
                tuner,
                settings,
            })
        },
        prepared,
    ));
}

fn prepared(state: &mut State, result: Result<Tuned, TuneError>) {
    let found = &mut state.results.what_if;
    let is_of_another = |one: &Tuned| found.asked.as_ref() != Some(&one.draft);
    if result.as_ref().is_ok_and(is_of_another) {
        return;
    }
    found.estimate = None;
    found.sensitivities = None;
    match result {
        Ok(tuned) => {
            found.tuner = Some(Arc::new(tuned));
            found.refused = None;
        }
        Err(error) => {
            found.tuner = None;
            found.refused = Some(hinted(&error, error.hint()));
            return;
        }
    }
    // A value that the scenario has now is no change any more.
    let settings = found.tuner.as_ref().map(|one| one.settings.clone());
    let settings = settings.unwrap_or_default();
    state.glance(|view| {
        for setting in settings {
            if view.what_if.tuning().get(setting.knob) == Some(setting.value) {
                view.what_if.turn(setting.knob, None);
            }
        }
    });
    estimate(state);
    weigh(state);
}

/// Asks what a little more of everything would bring.
fn weigh(state: &mut State) {
    let Some(tuned) = state.results.what_if.tuner.clone() else {
        return;
    };
    state.asks.push(Ask::new(
        Slot::Sensitivity,
        "Weighing 10 % more of each",
        move |_| (Arc::new(tuned.tuner.sensitivities()), tuned),
        |state, (all, of)| {
            let found = &mut state.results.what_if;
            if is_same(found.tuner.as_ref(), &of) {
                found.sensitivities = Some(all);
            }
        },
    ));
}

fn is_same(now: Option<&Arc<Tuned>>, of: &Arc<Tuned>) -> bool {
    now.is_some_and(|now| Arc::ptr_eq(now, of))
}

/// Asks the closed form for the values of the sliders.
pub(super) fn estimate(state: &mut State) {
    let tuning = state.view.now().what_if.tuning();
    let Some(tuned) = state.results.what_if.tuner.clone() else {
        return;
    };
    state.asks.push(Ask::new(
        Slot::Estimate,
        "Estimating",
        move |_| {
            let answer = tuned.tuner.estimate(&tuning);
            let answer = answer
                .map(Box::new)
                .map_err(|error| hinted(&error, error.hint()));
            (Estimate { tuning, answer }, tuned)
        },
        |state, (estimate, of)| {
            let found = &mut state.results.what_if;
            if is_same(found.tuner.as_ref(), &of) {
                found.estimate = Some(estimate);
            }
        },
    ));
}

/// Asks the chosen engine for the values of the sliders.
pub(super) fn simulate(state: &mut State) {
    let tuning = state.view.now().what_if.tuning();
    let Some(tuned) = state.results.what_if.tuner.clone() else {
        return;
    };
    if tuning.is_empty() || simulated(state, &tuning).is_some() {
        return;
    }
    let draft = match tuning.apply(&tuned.draft) {
        Ok(draft) => draft,
        Err(failure) => {
            state.notices.error(hinted(&failure, failure.hint()));
            return;
        }
    };
    if let Some(run) = state.results.of(&draft).cloned() {
        state.results.what_if.simulated = Some(Simulated {
            tuning,
            answer: Ok(run),
        });
        return;
    }
    let what = format!("Simulating {} with other values", draft.name());
    state.asks.push(Ask::new(
        Slot::Simulate,
        what,
        move |control| {
            let run = Run::of(draft, control);
            let answer = run
                .map(Arc::new)
                .map_err(|error| hinted(&error, error.hint()));
            Simulated { tuning, answer }
        },
        |state, simulated| {
            if let Ok(run) = &simulated.answer {
                state.results.keep(run);
            }
            state.results.what_if.simulated = Some(simulated);
        },
    ));
}

/// The run of the tuned scenario, where the engine has answered for just these values.
pub(super) fn simulated<'s>(state: &'s State, tuning: &Tuning) -> Option<&'s Arc<Run>> {
    let found = state.results.what_if.simulated.as_ref()?;
    let is_of = found.tuning == *tuning && !tuning.is_empty();
    let run = found.answer.as_ref().ok()?;
    let draft = tuning.apply(&state.results.what_if.tuner.as_ref()?.draft);
    (is_of && run.draft.as_ref() == draft.ok().as_ref()).then_some(run)
}

/// The run of the scenario that is tuned, where there is one.
pub(super) fn base_run(state: &State) -> Option<&Arc<Run>> {
    let draft = &state.results.what_if.tuner.as_ref()?.draft;
    // Runs of many values push out older ones, but never those that are shown.
    let shown = [&state.results.current, &state.results.base].into_iter();
    let mut shown = shown.flatten();
    let is_of = |run: &&Arc<Run>| run.draft.as_ref() == Some(draft);
    state.results.of(draft).or_else(|| shown.find(is_of))
}
