//! The head of the panel: what can be done with the whole scenario, and the engine.

use egui::{Button, RichText, TextEdit, Ui};
use look::Theme;

use super::reading::Reading;
use super::{Command, Manner, any};
use crate::command::Command as Any;
use crate::overlay::name;
use crate::state::{Edits, State};

/// What each engine is for.
const ENGINES: [(&str, &str); 4] = [
    ("estimate", "Formulas: at once, no timeline of links"),
    (
        "analytic",
        "Kernels and collectives on a timeline, links by formula",
    ),
    ("flow", "Links shared by flows: the default"),
    (
        "packet",
        "Every packet, with congestion control and load balancing",
    ),
];

/// Draws the head.
pub(super) fn head_ui(ui: &mut Ui, state: &State, reading: &Reading) -> Vec<Any> {
    let mut commands = Vec::new();
    let is_narrow = ui.available_width() < 290.0;
    ui.horizontal(|ui| {
        let now = state.view.now().scenario.manner;
        for (manner, text) in [(Manner::Form, "Form"), (Manner::Text, "As text")] {
            if ui.selectable_label(now == manner, text).clicked() {
                commands.push(any(Command::As(manner)));
            }
        }
        if !is_narrow {
            let layout = egui::Layout::right_to_left(egui::Align::Center);
            ui.with_layout(layout, |ui| commands.extend(document_ui(ui, state)));
        }
    });
    if is_narrow {
        let size = egui::vec2(ui.available_width(), 22.0);
        let layout = egui::Layout::right_to_left(egui::Align::Center);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            commands.extend(document_ui(ui, state));
        });
    }
    commands.extend(engine_ui(ui, state, reading));
    commands
}

fn document_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = Vec::new();
    let edits = state.document.as_ref();
    let can = |can: fn(&Edits) -> bool| edits.is_some_and(can);
    let is_changed = edits.is_some_and(|edits| edits.now().is_changed());
    let mut button = |ui: &mut Ui, text: &str, label: &str, enabled, command: Any| {
        let button = ui.add_enabled(enabled, Button::new(text).small());
        name(&button, label);
        if button.on_hover_text(label).clicked() {
            commands.push(command);
        }
    };
    button(ui, "Save", "Save this scenario", is_changed, Any::Save);
    button(
        ui,
        "Redo",
        "Redo this edit",
        can(Edits::can_redo),
        Any::Redo,
    );
    button(
        ui,
        "Undo",
        "Undo this edit",
        can(Edits::can_undo),
        Any::Undo,
    );
    commands
}

/// The engine: what is looked for most often.
fn engine_ui(ui: &mut Ui, state: &State, reading: &Reading) -> Vec<Any> {
    const FIELD: &str = "settings.engine";
    let theme = Theme::of(ui.ctx());
    let opened = state.checked.as_ref().and_then(|one| one.opened.as_ref());
    let is_traffic = opened.is_some_and(|opened| opened.is_traffic());
    let given = reading.value(FIELD);
    let now = given.unwrap_or("flow");
    let mut commands = Vec::new();
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Engine").color(theme.faint));
        ui.spacing_mut().item_spacing.x = 2.0;
        for (engine, about) in ENGINES {
            // Formulas know no traffic of its own.
            let can =
                reading.is_toml && !(is_traffic && ["estimate", "analytic"].contains(&engine));
            let chosen = engine == now;
            let button = ui.add_enabled(can, Button::selectable(chosen, engine));
            name(&button, &format!("Engine {engine}"));
            let button = button.on_hover_text(about);
            let button = button.on_disabled_hover_text("This engine needs a training scenario");
            if button.clicked() && (!chosen || given.is_none()) {
                commands.push(any(Command::Set {
                    field: FIELD.to_owned(),
                    value: engine.to_owned(),
                }));
            }
        }
    });
    commands
}

/// The field that searches fields.
pub(super) fn filter_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let now = &state.view.now().scenario.filter;
    let mut commands = Vec::new();
    ui.horizontal(|ui| {
        let mut text = now.clone();
        let clear = if text.is_empty() { 0.0 } else { 48.0 };
        let field = ui.add(
            TextEdit::singleline(&mut text)
                .hint_text("Filter fields by name and help")
                .desired_width(ui.available_width() - clear),
        );
        name(&field, "Filter fields");
        if !now.is_empty() {
            let button = ui.add(Button::new("Clear").small());
            name(&button, "Clear the filter of fields");
            if button.clicked() {
                text.clear();
            }
        }
        if text != *now {
            commands.push(any(Command::Filter(text)));
        }
    });
    commands
}
