//! The timeline and its ledger as figures.

use std::sync::Arc;

use egui::Ui;

use super::shown_pair;
use crate::command::Command;
use crate::export::{Make, Subject, menu_ui};
use crate::state::State;
use crate::views::figure::in_corner;

/// What is seen of the run, or of two runs.
pub fn figure(state: &State) -> Option<Make> {
    let run = Arc::clone(state.results.current.as_ref()?);
    let view = state.view.now().timeline.clone();
    let pair = shown_pair(state).map(Arc::clone);
    let base = state.results.base.as_ref().map(Arc::clone);
    Some(Box::new(move || {
        let figure = match (pair, base) {
            (Some(pair), Some(base)) => {
                let names = [("Base", &base), ("Now", &run)];
                let names = names.map(|(side, run)| format!("{side}: {}", run.caption.scenario));
                timeline::figure_of_pair(&pair, &view, [&names[0], &names[1]])
            }
            _ => timeline::figure(&run.timeline, &view),
        };
        figure.with_caption(run.caption.clone())
    }))
}

/// The critical path by cause; of two runs both, as in the pane.
pub fn ledger_figure(state: &State) -> Option<Make> {
    let run = Arc::clone(state.results.current.as_ref()?);
    let pair = shown_pair(state).map(Arc::clone);
    Some(Box::new(move || {
        let figure = match pair {
            Some(pair) => timeline::ledger_figure_of_pair(&pair),
            None => timeline::ledger_figure(&run.timeline),
        };
        figure.with_caption(run.caption.clone())
    }))
}

/// The menu of the ledger, in the upper right corner of its pane.
pub(super) fn ledger_menu_ui(ui: &mut Ui) -> Vec<Command> {
    let corner = ui.max_rect().right_top();
    in_corner(ui, corner, "ledger", |ui| menu_ui(ui, Subject::Ledger))
}
