//! One module a view. Each has the same parts:
//!
//! ```text
//! View      how it is looked at: undone with the other views, kept with the session
//! Command   what a person can ask of it
//! Found     what came of its work; kept with the results, never undone
//! *_ui      draws the state, returns commands
//! apply     does what a command says; longer work is asked of the worker
//! ```

pub mod accuracy;
pub mod figure;
pub mod kept;
pub mod memory;
pub mod pick;
pub mod planner;
pub mod scenario;
pub mod start;
pub mod timeline;
pub mod told;
pub mod topology;
pub mod what_if;

use eframe::egui_wgpu::RenderState;
use egui::Ui;
use look::number;

use crate::app::App;
use crate::command::Command;
use crate::layout::Pane;
use crate::state::State;
use crate::worker::Worker;

/// What views keep between frames that is no state: caches and resources of the device.
#[derive(Debug, Default)]
pub struct Canvases {
    /// Of the timeline.
    pub timeline: timeline::Canvas,
}

impl Canvases {
    /// Draws on a device what would be meshes otherwise.
    pub fn use_device(&mut self, render: &RenderState, worker: &Worker) {
        self.timeline.use_device(render, worker);
    }
}

/// Draws a pane.
pub fn pane_ui(ui: &mut Ui, state: &State, canvases: &mut Canvases, pane: Pane) -> Vec<Command> {
    if pane.shows_run() && state.results.current.is_none() && no_run_ui(ui, state) {
        return Vec::new();
    }
    match pane {
        Pane::Scenario => scenario::scenario_ui(ui, state),
        Pane::Timeline => timeline::timeline_ui(ui, state, &mut canvases.timeline),
        Pane::Topology => topology::topology_ui(ui, state),
        Pane::Planner => planner::planner_ui(ui, state),
        Pane::Memory => memory::memory_ui(ui, state),
        Pane::Accuracy => accuracy::accuracy_ui(ui, state),
        Pane::WhatIf => what_if::what_if_ui(ui, state),
        Pane::Details => timeline::details_ui(ui, state),
        Pane::Ledger => timeline::ledger_ui(ui, state),
    }
}

/// Asks for what a picture of a view needs beyond a run: a search for the planner, predictions for the
/// accuracy view, a selected span for the details.
pub fn prepare(app: &mut App, pane: Pane) {
    match pane {
        Pane::Planner => app.send(Command::Planner(planner::Command::Search)),
        Pane::Accuracy => app.send(Command::Accuracy(accuracy::Command::ReadShipped)),
        Pane::WhatIf => app.send(Command::WhatIf(what_if::Command::Prepare)),
        Pane::Details => {
            if let Some(select) = timeline::select_longest(app.state()) {
                app.send(select);
            }
        }
        Pane::Memory | Pane::Scenario | Pane::Timeline | Pane::Topology | Pane::Ledger => {}
    }
}

/// Why there is no run, where that is known: it goes on, or the scenario has errors. Whether it was said.
fn no_run_ui(ui: &mut Ui, state: &State) -> bool {
    if let Some(going) = &state.running {
        let share = crate::worker::share(&going.control);
        let done = share.map(|share| format!("{} done", number::percent(f64::from(share))));
        let done = done.unwrap_or_else(|| "This takes a moment.".to_owned());
        empty_ui(ui, &going.what, &done);
        return true;
    }
    let n = state.checked.as_ref().map_or(0, |one| one.failures().len());
    if 0 < n {
        let title = format!(
            "No run: the scenario has {}",
            number::counted(n as u64, "error")
        );
        empty_ui(ui, &title, "The scenario panel lists them.");
    }
    0 < n
}

/// A pane that has nothing to show, and what to do about it.
pub fn empty_ui(ui: &mut Ui, title: &str, advice: &str) {
    let theme = look::Theme::of(ui.ctx());
    ui.centered_and_justified(|ui| {
        ui.vertical_centered(|ui| {
            ui.add_space((ui.available_height() / 2.0 - 24.0).max(8.0));
            ui.label(egui::RichText::new(title).color(theme.text));
            ui.label(egui::RichText::new(advice).color(theme.faint));
        });
    });
}
