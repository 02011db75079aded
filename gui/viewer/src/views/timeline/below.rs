//! What is selected, and where the time of the critical path goes.

use egui::{Frame, RichText, ScrollArea, Ui};
use look::Theme;
use timeline::{Pair, Selection, Tell, differences_ui};

use super::{shown_pair, wrapped};
use crate::command::Command as Any;
use crate::run::Run;
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
                ui.vertical(|ui| commands.extend(selected_ui(ui, state, (pair, run), &tell)));
            });
            ui.vertical(|ui| {
                let scroll = ScrollArea::vertical().id_salt("differences");
                let asked = scroll
                    .auto_shrink(false)
                    .show(ui, |ui| differences_ui(ui, pair, view));
                commands.extend(wrapped(asked.inner));
            });
        });
        commands
    })
}

/// What is selected in one of two runs, with which of them it is.
fn selected_ui(ui: &mut Ui, state: &State, (pair, run): (&Pair, &Run), tell: Tell<'_>) -> Vec<Any> {
    let view = &state.view.now().timeline;
    if let (Selection::Span(_), Some(base)) = (&view.selection, &state.results.base) {
        heading_ui(ui, "Base", base);
        let view = pair.view_of_base(view);
        return wrapped(timeline::details_ui(ui, pair.base(), &view, None));
    }
    heading_ui(ui, "Now", run);
    let view = pair.view_of_other(view);
    let from = timeline::details_ui(ui, &run.timeline, &view, Some(tell));
    let to_both = from.into_iter().map(|one| pair.command_of_other(one));
    wrapped(to_both.collect())
}

fn heading_ui(ui: &mut Ui, which: &str, run: &Run) {
    let theme = Theme::of(ui.ctx());
    let text = format!("{which}: {}", run.caption.scenario);
    ui.label(RichText::new(text).color(theme.faint));
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
