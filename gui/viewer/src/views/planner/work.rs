//! What takes longer than a frame: searches, runs of plans, launch files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use session::{Consumer, Existing, PlanField, Planned, save_bundle};
use units::Control;

use super::search::{Live, Question, Searched, search as searched, told};
use super::{Asked, Launch, taken};
use crate::command::Command as Any;
use crate::layout::Pane;
use crate::run::{NoRun, Run};
use crate::state::{State, hinted};
use crate::worker::{Ask, Slot};

/// Begins a search.
pub(super) fn search(state: &mut State) {
    let Some(draft) = state.draft().cloned() else {
        return;
    };
    let view = &state.view.now().planner;
    let known = PlanField::ALL.into_iter();
    let question = Question {
        kept: known
            .filter(|field| view.kept.contains(field.name()))
            .collect(),
        engine: view.engine(),
        draft,
    };
    let live = Arc::new(Mutex::new(Live::default()));
    state.results.planner.live = Some(Arc::clone(&live));
    let of = Arc::clone(&live);
    let given_up = Arc::clone(&live);
    let ask = Ask::new(
        Slot::Plan,
        format!("Searching plans of {}", question.draft.name()),
        move |control| searched(&question, &live, control),
        move |state, result| put(state, &of, result),
    );
    state.results.planner.searching = Some(ask.control());
    state.asks.push(ask.or_else(move |state| {
        let found = &mut state.results.planner;
        if is_of(found.live.as_ref(), &given_up) {
            found.live = None;
        }
    }));
}

/// Whether a search is the one that goes on.
fn is_of(now: Option<&Arc<Mutex<Live>>>, live: &Arc<Mutex<Live>>) -> bool {
    now.is_some_and(|now| Arc::ptr_eq(now, live))
}

/// Puts away what a search found, unless another one has begun or the scenario was closed since.
fn put(state: &mut State, of: &Arc<Mutex<Live>>, result: Result<Searched, Vec<String>>) {
    let found = &mut state.results.planner;
    if !is_of(found.live.as_ref(), of) {
        return;
    }
    found.live = None;
    match result {
        Ok(searched) => {
            found.asked = None;
            found.launch = None;
            found.searched = Some(Arc::new(searched));
            state.glance(|view| {
                view.planner.filters.clear();
                view.planner.selected = Some(0);
                view.planner.other = None;
            });
        }
        Err(errors) if errors.is_empty() => {
            let text = "The search was stopped before it found a plan that fits.";
            state.notices.info(text.to_owned());
        }
        Err(errors) => {
            for error in errors {
                state.notices.error(error);
            }
        }
    }
}

/// A plan that can be run: the scenario with it, and its name.
fn draft_of(state: &State, id: u64) -> Option<(session::Draft, String)> {
    let searched = state.results.planner.searched.as_ref()?;
    let text = searched.scenario_of(id)?;
    let name = match searched.row(id) {
        Some(row) => format!("plan {}", row.name()),
        None => format!("choice {}", id + 1),
    };
    Some((searched.draft.with_text(text), name))
}

fn run(draft: session::Draft, name: &str, control: &Control) -> Result<Arc<Run>, NoRun> {
    let mut run = Run::of(draft, control)?;
    run.caption.scenario = format!("{}, {name}", run.caption.scenario);
    Ok(Arc::new(run))
}

/// Runs a plan, compares it with the run that is shown, and shows its timeline.
pub(super) fn simulate(state: &mut State, id: u64) {
    let Some((draft, name)) = draft_of(state, id) else {
        return;
    };
    let what = format!("Simulating {name}");
    state.asks.push(Ask::new(
        Slot::Simulate,
        what,
        move |control| run(draft, &name, control).map(|run| (run, name)),
        |state, result| match result {
            Ok((run, name)) => {
                state.results.base = state.results.current.take();
                shown(state, run, name);
            }
            Err(error) => state.notices.error(hinted(&error, error.hint())),
        },
    ));
}

/// Runs two plans, compares the second with the first, and shows their timelines.
pub(super) fn simulate_both(state: &mut State, ids: [u64; 2]) {
    let [Some(first), Some(second)] = ids.map(|id| draft_of(state, id)) else {
        return;
    };
    let what = format!("Simulating {} and {}", first.1, second.1);
    state.asks.push(Ask::new(
        Slot::Simulate,
        what,
        move |control| {
            let base = run(first.0, &first.1, control)?;
            let other = run(second.0, &second.1, control)?;
            Ok((base, other, second.1))
        },
        |state, result: Result<_, NoRun>| match result {
            Ok((base, run, name)) => {
                state.results.base = Some(base);
                shown(state, run, name);
            }
            Err(error) => state.notices.error(hinted(&error, error.hint())),
        },
    ));
}

fn shown(state: &mut State, run: Arc<Run>, name: String) {
    state.ran_aside(run, name);
    state.apply(Any::Show(Pane::Timeline));
}

/// Writes a plan into the scenario, as one edit.
pub(super) fn take(state: &mut State, id: u64) {
    let (Some(searched), Some(draft)) = (state.results.planner.searched.clone(), state.draft())
    else {
        return;
    };
    let Some(text) = searched.scenario_of(id) else {
        return;
    };
    let sections: &[&str] = if searched.planned().is_some() {
        &["plan"]
    } else {
        &["network", "nccl"]
    };
    match taken(draft, &text, sections) {
        Ok(draft) => {
            state.edit(draft, None);
            state
                .notices
                .info("Taken into the scenario; undo brings the old plan back.".to_owned());
        }
        Err(error) => state.notices.error(error),
    }
}

/// Makes launch files.
pub(super) fn launch(state: &mut State, id: u64, consumer: &'static str) {
    let Some((draft, name)) = draft_of(state, id) else {
        return;
    };
    let what = format!("Writing launch files of {name}");
    let of = state.results.planner.searched.clone();
    state.asks.push(Ask::new(
        Slot::Export,
        what,
        move |_| Launch {
            plan: id,
            consumer,
            result: files(&draft, consumer),
        },
        move |state, launch| {
            let found = &mut state.results.planner;
            let now = found.searched.as_ref().map(Arc::as_ptr);
            // A plan of another search may have the same number.
            if now == of.as_ref().map(Arc::as_ptr) {
                found.launch = Some(Arc::new(launch));
            }
        },
    ));
}

fn files(draft: &session::Draft, consumer: &str) -> Result<session::Bundle, String> {
    let first =
        |failures: Vec<session::Failure>| told(&failures).into_iter().next().unwrap_or_default();
    let opened = draft.open().map_err(first)?;
    let ready = opened.ready().map_err(first)?;
    let to = named_consumer(consumer);
    session::export(&opened, &ready, to, None).map_err(|error| hinted(&error, error.hint()))
}

/// Writes launch files into a folder.
pub(super) fn save_launch(state: &mut State, folder: PathBuf, existing: Existing) {
    let Some(launch) = state.results.planner.launch.clone() else {
        return;
    };
    let what = format!("Writing {}", folder.display());
    state.asks.push(Ask::new(
        Slot::Export,
        what,
        move |_| {
            let saved = match &launch.result {
                Ok(bundle) => save_bundle(&folder, existing, bundle).map(|()| bundle.files.len()),
                Err(_) => Ok(0),
            };
            (saved, folder)
        },
        |state, (saved, folder)| match saved {
            Ok(files) => state.notices.info(format!(
                "Wrote {} to {}",
                look::number::counted(files as u64, "file"),
                folder.display()
            )),
            Err(error) => {
                let hint = match &error {
                    session::SaveError::Exists { .. } => {
                        Some("choose another folder, or allow to replace files".to_owned())
                    }
                    _ => error.hint(),
                };
                state.notices.error(hinted(&error, hint));
            }
        },
    ));
}

/// Asks why plans with the typed values are not the best.
pub(super) fn why_not(state: &mut State) {
    let Some(searched) = state.results.planner.searched.clone() else {
        return;
    };
    let Some(planned) = searched.planned().cloned() else {
        return;
    };
    let values = state.view.now().planner.asked.clone();
    let pairs = match assignments(&values) {
        Ok(pairs) => pairs,
        Err(error) => {
            state.notices.error(error);
            return;
        }
    };
    state.asks.push(Ask::new(
        Slot::Plan,
        format!("Searching plans with {values}"),
        move |control| {
            let answer = answered(&searched, &planned, &pairs, control);
            answer.map(|answer| Asked { values, answer })
        },
        |state, result| match result {
            Ok(asked) => state.results.planner.asked = Some(Arc::new(asked)),
            Err(error) => state.notices.error(error),
        },
    ));
}

fn answered(
    searched: &Searched,
    planned: &Planned,
    pairs: &[(String, String)],
    control: &Control,
) -> Result<session::WhyNot, String> {
    let pairs: Vec<(&str, &str)> = (pairs.iter())
        .map(|(field, value)| (field.as_str(), value.as_str()))
        .collect();
    searched
        .opened
        .why_not(planned, &pairs, "why not", searched.engine, control)
        .map_err(|error| match error {
            session::WhyNotError::Refused(failures) => told(&failures).join("; "),
            error => error.to_string(),
        })
}

/// Fields with their values out of `tp=8, pp=4`. Commas inside brackets belong to a value.
fn assignments(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut depth = 0_i32;
    let parts = text.split(|letter: char| {
        depth += match letter {
            '[' | '{' => 1,
            ']' | '}' => -1,
            _ => 0,
        };
        letter == ',' && depth == 0
    });
    let parts: Vec<&str> = parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        return Err("no value is asked for: write one, such as tp=8".to_owned());
    }
    let pair = |part: &str| {
        let (field, value) = part
            .split_once('=')
            .ok_or_else(|| format!("{part} has no value: write one, such as tp=8"))?;
        Ok((field.trim().to_owned(), value.trim().to_owned()))
    };
    parts.into_iter().map(pair).collect()
}

/// The consumer of a name.
pub(super) fn named_consumer(name: &str) -> Consumer {
    let mut known = Consumer::ALL.into_iter();
    let found = known.find(|consumer| consumer.name() == name);
    found.unwrap_or(Consumer::Megatron)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_separated_by_commas_outside_brackets() {
        let pairs = assignments("tp=8, plan.pp = 4,shard=[{ what = \"optimizer\", group = 4 }]");
        let pairs = pairs.unwrap();
        assert_eq!(pairs[1], ("plan.pp".to_owned(), "4".to_owned()));
        assert_eq!(pairs[2].1, "[{ what = \"optimizer\", group = 4 }]");
        assert!(assignments("tp").unwrap_err().contains("tp=8"));
        assert!(assignments(" ").is_err());
    }
}
