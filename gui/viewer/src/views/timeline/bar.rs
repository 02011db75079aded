//! The tool bar of the timeline.

use egui::{Align, Frame, Layout, Margin, Ui};
use timeline::{TimelineCommand, toolbar_ui};

use super::{Command, wrapped};
use crate::command::Command as Any;
use crate::run::Run;
use crate::state::State;

/// Draws the tool bar.
pub(super) fn bar_ui(ui: &mut Ui, state: &State, run: &Run) -> Vec<Any> {
    let mut commands = Vec::new();
    let view = state.view.now();
    Frame::new()
        .inner_margin(Margin::symmetric(8, 4))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                let word = if state.playing { "Pause" } else { "Play" };
                let button = ui.button(word).on_hover_text("Move the playhead (Space)");
                if button.clicked() {
                    commands.extend(wrapped(vec![TimelineCommand::TogglePlay]));
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    commands.extend(sides_ui(ui, state));
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let asked = toolbar_ui(ui, &run.timeline, &view.timeline);
                        commands.extend(wrapped(asked));
                    });
                });
            });
        });
    commands
}

/// How the runs are shown, at the right.
fn sides_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let view = state.view.now();
    let mut commands = crate::export::menu_ui(ui, crate::export::Subject::Timeline);
    if ui
        .selectable_label(view.panes.as_table, "As table")
        .clicked()
    {
        let command = Command::AsTable(!view.panes.as_table);
        commands.push(Any::Timeline(command));
    }
    if state.results.timeline.pair.is_some() {
        let beside = !view.panes.alone;
        if ui.selectable_label(beside, "Beside the base").clicked() {
            commands.push(Any::Timeline(Command::Alone(beside)));
        }
    }
    commands
}
