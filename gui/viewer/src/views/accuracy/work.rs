//! Reading runs, predicting them, and opening what a row became.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use session::{
    Draft, Found as Text, RunsError, Tables, ValidateSettings, read_tables, shipped_tables,
    text_of_row, validate,
};
use units::Control;

use super::Predicted;
use super::measurement::measurements;
use crate::command::Command as Any;
use crate::document::Document;
use crate::layout::Pane;
use crate::state::{State, hinted};
use crate::worker::{Ask, Slot};

/// Errors of cells that are told in messages; all stand in the list of what was left out.
const TOLD: usize = 3;

/// Predicts the runs of a file.
pub(super) fn read(state: &mut State, path: PathBuf) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    predict(state, name.into_owned(), move || read_tables(&[path]));
}

/// Predicts the runs that come with the program.
pub(super) fn read_shipped(state: &mut State) {
    predict(
        state,
        "the runs that come with Windtunnel".to_owned(),
        shipped_tables,
    );
}

fn predict(
    state: &mut State,
    name: String,
    read: impl FnOnce() -> Result<Tables, Vec<RunsError>> + Send + 'static,
) {
    let pending = Arc::new(name.clone());
    state.results.accuracy.pending = Some(Arc::clone(&pending));
    let given_up = Arc::clone(&pending);
    let ask = Ask::new(
        Slot::Validate,
        format!("Predicting {name}"),
        move |control| Ok(predicted(name, read()?, control)),
        move |state, result| put(state, &pending, result),
    );
    state.asks.push(ask.or_else(move |state| {
        let found = &mut state.results.accuracy;
        if is_of(found, &given_up) {
            found.pending = None;
        }
    }));
}

fn is_of(found: &super::Found, pending: &Arc<String>) -> bool {
    let now = found.pending.as_ref();
    now.is_some_and(|now| Arc::ptr_eq(now, pending))
}

fn predicted(name: String, tables: Tables, control: &Control) -> Predicted {
    let validation = validate(&tables, &ValidateSettings::default(), None, control);
    Predicted {
        name,
        measurements: measurements(&validation),
        tables,
        validation,
    }
}

fn put(state: &mut State, pending: &Arc<String>, result: Result<Predicted, Vec<RunsError>>) {
    let found = &mut state.results.accuracy;
    if !is_of(found, pending) {
        return;
    }
    found.pending = None;
    match result {
        Ok(predicted) => {
            let errors = &predicted.validation.errors;
            for error in errors.iter().take(TOLD) {
                state.notices.error(hinted(error, error.hint()));
            }
            found.predicted = Some(Arc::new(predicted));
            state.glance(|view| view.accuracy.selected = None);
        }
        Err(errors) => {
            for error in errors.iter().take(TOLD) {
                state.notices.error(hinted(error, error.hint()));
            }
        }
    }
}

/// Opens the scenario that a run became, and shows its timeline.
pub(super) fn open_row(state: &mut State, id: u64) {
    let Some(predicted) = state.results.accuracy.predicted.clone() else {
        return;
    };
    let Some(at) = predicted.measurement(id).map(|one| one.row) else {
        return;
    };
    let name = predicted.validation.rows[at].id.clone();
    state.asks.push(Ask::new(
        Slot::Open,
        format!("Opening run {name}"),
        move |control| {
            let row = &predicted.validation.rows[at];
            let settings = ValidateSettings::default();
            text_of_row(&predicted.tables, row, &settings, control)
        },
        move |state, result| match result {
            Ok(Text::One(found)) => {
                let here = Path::new("");
                let draft = Draft::from_text(&format!("run {name}"), found.scenario, here);
                state.opened(Document::new(draft, None));
                state.apply(Any::Show(Pane::Timeline));
            }
            Ok(Text::Several(_) | Text::Interrupted) => {}
            Err(error) => state.notices.error(hinted(&error, error.hint())),
        },
    ));
}
