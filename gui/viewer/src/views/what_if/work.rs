//! What is asked of the worker.

use std::sync::Arc;

use session::{Draft, TuneError, Tuner, Tuning, doubted};
use units::Control;

use super::{Estimate, Sensitivities, Simulated, Simulating, Tuned};
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

/// Asks for the estimate of the scenario as it stands.
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
    let given_up = draft.clone();
    let ask = Ask::new(
        Slot::Sensitivity,
        "Preparing the sliders",
        move |control| {
            let tuner = Tuner::new(&opened, control)?;
            let settings = tuner.settings();
            Ok(Tuned {
                draft,
                tuner,
                settings,
            })
        },
        prepared,
    );
    state.asks.push(ask.or_else(move |state| {
        let found = &mut state.results.what_if;
        if found.asked.as_ref() == Some(&given_up) && found.tuner.is_none() {
            found.refused = Some("The sliders of this scenario could not be prepared".to_owned());
        }
    }));
}

fn prepared(state: &mut State, result: Result<Tuned, TuneError>) {
    let found = &mut state.results.what_if;
    let is_of_another = |one: &Tuned| found.asked.as_ref() != Some(&one.draft);
    if result.as_ref().is_ok_and(is_of_another) {
        return;
    }
    found.estimate = None;
    found.sensitivities = Sensitivities::default();
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
    super::moved(state);
    weigh(state);
}

/// Asks what a little more of everything would bring.
pub(super) fn weigh(state: &mut State) {
    let Some(tuned) = state.results.what_if.tuner.clone() else {
        return;
    };
    let given_up = Arc::clone(&tuned);
    let ask = Ask::new(
        Slot::Sensitivity,
        "Weighing 10 % more of each",
        move |control: &Control| {
            let all = Arc::new(tuned.tuner.sensitivities(control));
            (all, tuned, control.is_cancelled())
        },
        |state, (all, of, was_stopped)| {
            let weighed = if was_stopped {
                Sensitivities::Missing
            } else {
                Sensitivities::Weighed(all)
            };
            put_weighed(state, &of, weighed);
        },
    );
    let ask = ask.or_else(move |state| put_weighed(state, &given_up, Sensitivities::Missing));
    state.asks.push(ask);
}

fn put_weighed(state: &mut State, of: &Arc<Tuned>, weighed: Sensitivities) {
    let found = &mut state.results.what_if;
    if is_same(found.tuner.as_ref(), of) {
        found.sensitivities = weighed;
    }
}

fn is_same(now: Option<&Arc<Tuned>>, of: &Arc<Tuned>) -> bool {
    now.is_some_and(|now| Arc::ptr_eq(now, of))
}

/// Asks formulas for the values of the sliders.
pub(super) fn estimate(state: &mut State) {
    let tuning = state.view.now().what_if.tuning();
    let Some(tuned) = state.results.what_if.tuner.clone() else {
        return;
    };
    state.asks.push(Ask::new(
        Slot::Estimate,
        "Estimating",
        move |_| (answered(tuned.tuner.quick(&tuning), tuning), tuned),
        |state, (estimate, of)| put_estimate(state, estimate, &of),
    ));
}

/// Asks the estimate for values that rest, where formulas alone may be off.
pub(super) fn refine(state: &mut State) {
    let tuning = state.view.now().what_if.tuning();
    let Some(tuned) = state.results.what_if.tuner.clone() else {
        return;
    };
    if tuning.is_empty() {
        return;
    }
    state.asks.push(Ask::new(
        Slot::Refine,
        "Rehearsing the estimate",
        move |control: &Control| {
            let found = tuned.tuner.estimate(&tuning, control);
            // What was stopped says nothing that formulas have not said.
            let is_whole = !control.is_cancelled();
            is_whole.then(|| (answered(found, tuning), tuned))
        },
        |state, found| {
            if let Some((estimate, of)) = found {
                put_estimate(state, estimate, &of);
            }
        },
    ));
}

fn answered(found: Result<session::Prediction, TuneError>, tuning: Tuning) -> Estimate {
    let answer = found
        .map(Box::new)
        .map_err(|error| hinted(&error, error.hint()));
    Estimate { tuning, answer }
}

fn put_estimate(state: &mut State, estimate: Estimate, of: &Arc<Tuned>) {
    let found = &mut state.results.what_if;
    if !is_same(found.tuner.as_ref(), of) {
        return;
    }
    // A drag has gone on since, or what was rehearsed is there already.
    let is_old = estimate.tuning != state.view.now().what_if.tuning()
        && (found.estimate.as_ref()).is_some_and(|known| is_of_now(known, &state.view));
    let known = found.estimate.as_ref();
    let is_known = known.is_some_and(|known| {
        known.tuning == estimate.tuning && is_exact(known) && !is_exact(&estimate)
    });
    if !is_old && !is_known {
        found.estimate = Some(estimate);
    }
}

fn is_of_now(estimate: &Estimate, view: &crate::history::History<crate::view::View>) -> bool {
    estimate.tuning == view.now().what_if.tuning()
}

/// Whether an estimate is what the engine of that name says.
fn is_exact(estimate: &Estimate) -> bool {
    let answer = estimate.answer.as_ref();
    answer.is_ok_and(|prediction| doubted(prediction).is_none())
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
    let of = tuned.draft.clone();
    if let Some(run) = state.results.of(&draft).cloned() {
        state.results.what_if.simulated = Some(Simulated {
            of,
            tuning,
            answer: Ok(run),
        });
        return;
    }
    ask_run(state, draft, of, tuning);
}

/// Runs a tuned scenario, and the one that is tuned where it has no run to compare with.
///
/// * `of` — the scenario that is tuned.
fn ask_run(state: &mut State, draft: Draft, of: Draft, tuning: Tuning) {
    let lacks_base = base_run(state).is_none();
    let what = format!("Simulating {} with other values", draft.name());
    let asked = tuning.clone();
    let ask = Ask::new(
        Slot::Simulate,
        what,
        move |control| {
            let base = lacks_base.then(|| Run::of(of.clone(), control).ok());
            let run = Run::of(draft, control);
            let answer = run
                .map(Arc::new)
                .map_err(|error| hinted(&error, error.hint()));
            (base.flatten(), Simulated { of, tuning, answer })
        },
        |state, (base, simulated)| {
            let base = base.map(Arc::new);
            for run in base.iter().chain(simulated.answer.as_ref().ok()) {
                state.results.keep(run);
            }
            let found = &mut state.results.what_if;
            let going = found.simulating.as_ref();
            if going.is_some_and(|going| going.tuning == simulated.tuning) {
                found.simulating = None;
            }
            found.simulated = Some(simulated);
        },
    );
    let control = ask.control();
    state.results.what_if.simulating = Some(Simulating {
        tuning: asked,
        control: Arc::clone(&control),
    });
    state.asks.push(ask.or_else(move |state| {
        let found = &mut state.results.what_if;
        let going = found.simulating.as_ref();
        if going.is_some_and(|going| Arc::ptr_eq(&going.control, &control)) {
            found.simulating = None;
        }
    }));
}

/// The run of the tuned scenario, where the engine has answered for just these values.
pub(super) fn simulated<'s>(state: &'s State, tuning: &Tuning) -> Option<&'s Arc<Run>> {
    let found = &state.results.what_if;
    let simulated = found.simulated.as_ref()?;
    let is_of = simulated.tuning == *tuning && !tuning.is_empty();
    let tuned = &found.tuner.as_ref()?.draft;
    let run = simulated.answer.as_ref().ok()?;
    (is_of && simulated.of == *tuned).then_some(run)
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
