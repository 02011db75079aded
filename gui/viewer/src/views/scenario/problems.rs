//! What is wrong with a scenario, what is suspicious, and what was changed.

use egui::{Button, RichText, Sense, Ui};
use look::{Theme, number, space};
use session::{Difference, Failure};

use super::reading::{Reading, form_field};
use super::{Command, any, buffer};
use crate::command::Command as Any;
use crate::overlay::name;
use crate::state::State;

/// Whether there is an error, a warning or a difference.
pub(super) fn has_some(state: &State, reading: &Reading) -> bool {
    let checked = state.checked.as_ref();
    let is_told =
        checked.is_some_and(|one| !one.failures().is_empty() || !one.warnings().is_empty());
    is_told || !reading.is_toml || !reading.differences.is_empty()
}

/// Draws errors, warnings and differences, each list with its count.
pub(super) fn problems_ui(ui: &mut Ui, state: &State, reading: &Reading) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let failures = failures(state);
    if !failures.is_empty() {
        let count = number::counted(failures.len() as u64, "error");
        ui.label(RichText::new(count).color(theme.bad).strong());
        for failure in failures {
            commands.extend(failure_ui(ui, failure));
        }
    }
    if !reading.is_toml {
        let text = "The form waits until the text is TOML again.";
        ui.label(RichText::new(text).color(theme.faint));
        if ui.button("Edit the text").clicked() {
            commands.push(any(Command::As(super::Manner::Text)));
        }
    }
    let warnings = state.checked.as_ref().map_or(&[][..], |one| one.warnings());
    if !warnings.is_empty() {
        let count = number::counted(warnings.len() as u64, "warning");
        ui.label(RichText::new(count).color(theme.warn).strong());
        for warning in warnings {
            ui.add(egui::Label::new(warning).wrap());
        }
    }
    if !reading.differences.is_empty() {
        commands.extend(differences_ui(ui, state, reading));
    }
    commands
}

/// What is wrong with the scenario as it was checked last.
pub(super) fn failures(state: &State) -> &[Failure] {
    state.checked.as_ref().map_or(&[], |one| one.failures())
}

/// An error as a line that leads to its field.
fn failure_ui(ui: &mut Ui, failure: &Failure) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let place = failure.place.as_ref();
    let line = place.map_or(String::new(), |place| {
        format!(", line {}", place.line_column().0)
    });
    let head = if failure.field.is_empty() {
        format!("Scenario{line}")
    } else {
        format!("{}{line}", failure.field)
    };
    let text = format!("{head}: {failure}");
    let label = egui::Label::new(RichText::new(&text).color(theme.bad));
    let row = ui.add(label.wrap().sense(Sense::click()));
    row.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Go to {text}"))
    });
    let row = row.on_hover_cursor(egui::CursorIcon::PointingHand);
    focus_ring(ui, &row);
    if !row.clicked() {
        return Vec::new();
    }
    if let Some(field) = form_field(&failure.field) {
        buffer::ask_focus(ui, &field.path);
        return vec![any(Command::Reveal(field.path.clone()))];
    }
    if let Some(place) = place {
        super::text::ask_line(ui, place.line_column().0);
    }
    vec![any(Command::As(super::Manner::Text))]
}

/// Shows where the focus is on text that can be clicked.
pub(in crate::views) fn focus_ring(ui: &Ui, response: &egui::Response) {
    if response.has_focus() {
        let theme = Theme::of(ui.ctx());
        let stroke = egui::Stroke::new(1.5, theme.accent);
        let rect = response.rect.expand(2.0);
        ui.painter()
            .rect_stroke(rect, 3.0, stroke, egui::StrokeKind::Outside);
    }
}

fn differences_ui(ui: &mut Ui, state: &State, reading: &Reading) -> Vec<Any> {
    let mut commands = Vec::new();
    let shown = state.view.now().scenario.differences;
    let count = reading.differences.len() as u64;
    let title = format!("{} to the original", number::counted(count, "change"));
    let title_row = super::form::fold_ui(ui, &title, "", shown);
    if title_row.clicked() {
        commands.push(any(Command::Differences(!shown)));
    }
    if !shown {
        return commands;
    }
    for difference in &reading.differences {
        commands.extend(difference_ui(ui, difference));
    }
    ui.horizontal_wrapped(|ui| {
        if ui.button("Revert all").clicked() {
            commands.push(any(Command::RevertAll));
        }
        let button = ui.button("Compare with the original");
        let hint = "Runs the scenario as it was and shows the difference to every number";
        if button.on_hover_text(hint).clicked() {
            commands.push(Any::CompareWithOriginal);
        }
    });
    ui.add_space(space::SMALL);
    commands
}

fn difference_ui(ui: &mut Ui, difference: &Difference) -> Option<Any> {
    let theme = Theme::of(ui.ctx());
    let mut clicked = false;
    let say = |value: &Option<String>| value.clone().unwrap_or_else(|| "assumed".to_owned());
    let (was, is) = (say(&difference.was), say(&difference.is));
    ui.horizontal(|ui| {
        let layout = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(layout, |ui| {
            let button = ui.add(Button::new("Revert").small());
            name(&button, &format!("Revert {}", difference.field));
            clicked = button.clicked();
            let left = egui::Layout::left_to_right(egui::Align::Center);
            ui.with_layout(left, |ui| {
                let mut job = egui::text::LayoutJob::default();
                let font = egui::TextStyle::Body.resolve(ui.style());
                let part = |job: &mut egui::text::LayoutJob, text: &str, color| {
                    job.append(text, 0.0, egui::TextFormat::simple(font.clone(), color));
                };
                part(&mut job, &format!("{}  ", difference.field), theme.text);
                part(&mut job, &format!("{was} to {is}"), theme.faint);
                let all = format!("{}: was {was}, is {is}", difference.field);
                ui.add(egui::Label::new(job).truncate()).on_hover_text(all);
            });
        });
    });
    let field = difference.field.clone();
    clicked.then(|| any(Command::Revert(field)))
}
