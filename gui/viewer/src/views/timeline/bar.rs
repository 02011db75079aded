//! The tool bar of the timeline.

use egui::{Frame, Margin, Ui};
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
            ui.horizontal_wrapped(|ui| {
                let word = if state.playing { "Pause" } else { "Play" };
                let button = ui.button(word).on_hover_text("Move the playhead (Space)");
                if button.clicked() {
                    commands.extend(wrapped(vec![TimelineCommand::TogglePlay]));
                }
                commands.extend(wrapped(toolbar_ui(ui, &run.timeline, &view.timeline)));
                if ui
                    .selectable_label(view.panes.as_table, "As table")
                    .clicked()
                {
                    let command = Command::AsTable(!view.panes.as_table);
                    commands.push(Any::Timeline(command));
                }
                commands.extend(crate::export::menu_ui(ui, crate::export::Subject::Timeline));
                if state.results.timeline.pair.is_some() {
                    let beside = !view.panes.alone;
                    if ui.selectable_label(beside, "Beside the base").clicked() {
                        commands.push(Any::Timeline(Command::Alone(beside)));
                    }
                }
            });
        });
    commands
}
