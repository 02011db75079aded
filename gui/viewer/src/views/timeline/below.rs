//! What is selected, and where the time of the critical path goes.

use egui::{Frame, ScrollArea, Ui};
use timeline::differences_ui;

use super::{shown_pair, wrapped};
use crate::command::Command as Any;
use crate::state::State;

/// Draws what is selected.
pub fn details_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let Some(run) = &state.results.current else {
        super::super::empty_ui(
            ui,
            "Nothing is selected",
            "Run the scenario and click a span.",
        );
        return Vec::new();
    };
    let view = &state.view.now().timeline;
    let tell = |id| {
        let facts = state.results.timeline.facts.as_ref();
        facts.map_or_else(Vec::new, |(_, facts)| {
            super::facts::told(facts, &run.trace, id)
        })
    };
    padded(ui, |ui| {
        let Some(pair) = shown_pair(state) else {
            return wrapped(timeline::details_ui(ui, &run.timeline, view, Some(&tell)));
        };
        let mut commands = Vec::new();
        let half = ui.available_width() / 2.0;
        ui.horizontal_top(|ui| {
            ui.allocate_ui(egui::vec2(half, ui.available_height()), |ui| {
                ui.vertical(|ui| {
                    let view = pair.view_of_other(view);
                    let from = timeline::details_ui(ui, &run.timeline, &view, Some(&tell));
                    let to_base = from.into_iter().map(|one| pair.command_of_other(one));
                    commands.extend(wrapped(to_base.collect()));
                });
            });
            ui.vertical(|ui| {
                ScrollArea::vertical()
                    .id_salt("differences")
                    .auto_shrink(false)
                    .show(ui, |ui| differences_ui(ui, pair, view));
            });
        });
        commands
    })
}

/// Draws the critical path in seconds by cause; of two runs both, with the difference.
pub fn ledger_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let Some(run) = &state.results.current else {
        super::super::empty_ui(ui, "No run yet", "Run the scenario to see what binds it.");
        return Vec::new();
    };
    let view = &state.view.now().timeline;
    padded(ui, |ui| {
        let mut commands = ScrollArea::vertical()
            .id_salt("ledger")
            .auto_shrink(false)
            .show(ui, |ui| {
                wrapped(match shown_pair(state) {
                    Some(pair) => timeline::pair_ledger_ui(ui, pair, view),
                    None => timeline::ledger_ui(ui, &run.timeline, view),
                })
            })
            .inner;
        commands.extend(super::export::ledger_menu_ui(ui));
        commands
    })
}

fn padded<T>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> T) -> T {
    Frame::new()
        .inner_margin(egui::Margin::symmetric(10, 8))
        .show(ui, add)
        .inner
}
