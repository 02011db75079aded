//! The scenario panel: every field with its unit, bounds and help, or the text as it stands.
//!
//! ```text
//! reading    what a draft says, field by field: read once per edit
//! head       undo, redo, save, the engine, the filter
//! problems   errors, warnings, differences to the original
//! form       sections and rows
//! editor     one editor for each kind of field
//! text       the text with line numbers
//! ```

mod buffer;
mod editor;
mod form;
mod head;
mod items;
mod problems;
mod reading;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use egui::{Id, ScrollArea, Ui};
use look::space;
use serde::{Deserialize, Serialize};
use session::{Draft, Failure};

use crate::command::Command as Any;
use crate::state::{State, hinted};
use form::Form;
pub(super) use problems::focus_ring;
use reading::Reading;

/// How it is looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Form or text.
    pub manner: Manner,
    /// What fields are searched for.
    pub filter: String,
    /// Sections that were opened or closed by hand.
    pub open: BTreeMap<String, bool>,
    /// Sections of which all fields are shown, not only those that matter.
    pub whole: BTreeSet<String>,
    /// Whether the differences to the original are listed.
    pub differences: bool,
}

/// How a scenario is edited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// Field by field.
    #[default]
    Form,
    /// As the file says it.
    Text,
}

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Sets a field; nothing typed means that it is absent.
    Set {
        /// Its path.
        field: String,
        /// What was typed.
        value: String,
    },
    /// The same while somebody types or drags: all of one gesture is one edit.
    Change {
        /// The path of the field.
        field: String,
        /// What was typed.
        value: String,
        /// What stays the same until the field is left.
        gesture: u64,
    },
    /// Takes a field away, so that something is assumed for it.
    Unset(String),
    /// Replaces the text.
    Write {
        /// All of it.
        text: String,
        /// What stays the same until the text is left.
        gesture: u64,
    },
    /// Makes a field what it was when the scenario was opened or saved.
    Revert(String),
    /// Makes everything what it was.
    RevertAll,
    /// Searches fields.
    Filter(String),
    /// Opens or closes a section.
    Open(String, bool),
    /// Shows all fields of a section, or those that matter.
    Whole(String, bool),
    /// Lists the differences to the original, or hides them.
    Differences(bool),
    /// Shows form or text.
    As(Manner),
    /// Brings a field into sight.
    Reveal(String),
}

/// Draws it.
pub fn scenario_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let Some(edits) = &state.document else {
        super::empty_ui(
            ui,
            "No scenario",
            if state.results.current.is_some() {
                "A timeline from a file has none. Open a scenario to edit it."
            } else {
                "Open a scenario to edit it."
            },
        );
        return Vec::new();
    };
    let document = edits.now();
    let reading = Reading::of(ui, &document.draft, &document.original);
    let view = &state.view.now().scenario;
    let mut commands = Vec::new();
    let margin = egui::Margin::symmetric(10, 8);
    egui::Frame::new().inner_margin(margin).show(ui, |ui| {
        commands.extend(head::head_ui(ui, state, &reading));
        ui.add_space(space::SMALL);
        match view.manner {
            Manner::Form => commands.extend(form_page_ui(ui, state, &reading)),
            Manner::Text => commands.extend(text::text_ui(ui, state, &reading)),
        }
    });
    commands
}

fn form_page_ui(ui: &mut Ui, state: &State, reading: &Reading) -> Vec<Any> {
    let mut commands = head::filter_ui(ui, state);
    // Below the form, so that what is edited stays where it is while errors come and go.
    if problems::has_some(state, reading) {
        let most = ui.available_height() * 0.4;
        let frame = egui::Frame::new().inner_margin(egui::Margin::symmetric(0, 4));
        egui::Panel::bottom("scenario problems")
            .frame(frame)
            .max_size(most)
            .show(ui, |ui| {
                // As high as it needs, and not as high as it was.
                let list = ScrollArea::vertical()
                    .id_salt("scenario problems")
                    .auto_shrink([false, true]);
                let list = list.max_height(most).min_scrolled_height(most);
                let shown = list.show(ui, |ui| problems::problems_ui(ui, state, reading));
                commands.extend(shown.inner);
            });
    }
    ScrollArea::vertical()
        .id_salt("scenario form")
        .auto_shrink(false)
        .show(ui, |ui| {
            let form = Form::of(state, reading);
            commands.extend(form::form_ui(ui, &form));
            ui.add_space(space::LARGE);
        });
    commands
}

/// Wraps a command of this view.
const fn any(command: Command) -> Any {
    Any::Scenario(command)
}

/// The id of the editor of a field.
fn editor_id(field: &str) -> Id {
    Id::unique(("scenario field", field))
}

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    match command {
        Command::Set { field, value } => edit(state, None, |draft| set(draft, &field, &value)),
        Command::Change {
            field,
            value,
            gesture,
        } => {
            // What cannot be taken is told beside the field.
            if let Some(draft) = state
                .draft()
                .and_then(|draft| set(draft, &field, &value).ok())
            {
                state.edit(draft, Some(gesture));
            }
        }
        Command::Unset(field) => edit(state, None, |draft| draft.unset(&field)),
        Command::Write { text, gesture } => {
            edit(state, Some(gesture), |draft| Ok(draft.with_text(text)));
        }
        Command::Revert(field) => revert(state, &field),
        Command::RevertAll => revert_all(state),
        Command::Filter(filter) => state.glance(|view| view.scenario.filter = filter),
        Command::Open(section, open) => state.look(|view| {
            view.scenario.open.insert(section, open);
        }),
        Command::Whole(section, true) => state.look(|view| {
            view.scenario.whole.insert(section);
        }),
        Command::Whole(section, false) => state.look(|view| {
            view.scenario.whole.remove(&section);
        }),
        Command::Differences(shown) => state.look(|view| view.scenario.differences = shown),
        Command::As(manner) => state.look(|view| view.scenario.manner = manner),
        Command::Reveal(field) => state.glance(|view| reveal(&mut view.scenario, &field)),
    }
}

/// A draft with a field set as typed; nothing typed takes it away.
fn set(draft: &Draft, field: &str, value: &str) -> Result<Draft, Box<Failure>> {
    if value.trim().is_empty() {
        draft.unset(field)
    } else {
        draft.set(field, value)
    }
}

fn edit(
    state: &mut State,
    gesture: Option<u64>,
    change: impl FnOnce(&Draft) -> Result<Draft, Box<Failure>>,
) {
    let Some(draft) = state.draft() else { return };
    match change(draft) {
        Ok(draft) => state.edit(draft, gesture),
        Err(failure) => state.notices.error(hinted(&failure, failure.hint())),
    }
}

fn revert(state: &mut State, field: &str) {
    let Some(edits) = &state.document else { return };
    let original = edits.now().original.clone();
    edit(state, None, |draft| match original.value(field) {
        Some(value) => draft.set(field, &value),
        None => draft.unset(field),
    });
}

fn revert_all(state: &mut State) {
    let Some(edits) = &state.document else { return };
    let text = edits.now().original.text().to_owned();
    edit(state, None, |draft| Ok(draft.with_text(text)));
}

fn reveal(view: &mut View, field: &str) {
    let section = reading::section_of(field).to_owned();
    view.manner = Manner::Form;
    view.filter.clear();
    view.open.insert(section.clone(), true);
    let is_hidden = reading::form_field(field).is_some();
    if is_hidden {
        view.whole.insert(section);
    }
}
