//! Predicted beside measured runs: how far off, where, and what a row became.

mod card;
mod command;
mod measurement;
mod rows;
mod scatter;
mod strip;
mod summary;
mod work;

use std::sync::Arc;

use egui::{RichText, ScrollArea, Ui};
use look::{Theme, number, space};
use serde::{Deserialize, Serialize};
use session::{Tables, Validation};

use crate::command::Command as Any;
use crate::state::State;
use crate::views::kept::{Same, kept};
use crate::views::pick::{named, pick_ui};
use crate::worker::Slot;

pub use command::{Command, apply};
pub use measurement::{By, Measurement, Shown};

/// The table below the charts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// Errors by source and GPU.
    #[default]
    Groups,
    /// Every row.
    Rows,
    /// Rows that were not compared, and why.
    Skipped,
}

impl Tab {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Groups, Self::Rows, Self::Skipped];

    /// What its tab says.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Groups => "Errors by source",
            Self::Rows => "Every run",
            Self::Skipped => "Left out",
        }
    }
}

/// How it is looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// What is compared.
    pub shown: Shown,
    /// By what runs are told apart.
    pub by: By,
    /// What the GPU's name has to contain, in any case.
    pub gpu: String,
    /// What the source's name has to contain, in any case.
    pub source: String,
    /// The table below.
    pub tab: Tab,
    /// The column by which it is sorted, and whether the largest comes first.
    pub sort: Option<(usize, bool)>,
    /// The run that is selected.
    pub selected: Option<u64>,
}

/// Runs that were read, with what was predicted of them.
#[derive(Debug)]
pub struct Predicted {
    /// What they are called.
    pub name: String,
    /// As they were read.
    pub tables: Tables,
    /// What came of them.
    pub validation: Validation,
    /// Everything that was measured and predicted.
    pub measurements: Vec<Measurement>,
}

/// What came of its work.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Runs with their predictions.
    pub predicted: Option<Arc<Predicted>>,
    /// What is being predicted; the latest counts.
    pub pending: Option<Arc<String>>,
}

/// Draws it.
pub fn accuracy_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = head_ui(ui, state);
    let found = &state.results.accuracy;
    let Some(predicted) = &found.predicted else {
        if found.pending.is_none() {
            super::empty_ui(
                ui,
                "No measured runs yet",
                "Predict the runs that come with Windtunnel, or drop a CSV of your own here.",
            );
        }
        return commands;
    };
    commands.extend(shown_ui(ui, state, predicted));
    commands
}

/// Which runs, what is compared, and what is let through.
fn head_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let view = &state.view.now().accuracy;
    let found = &state.results.accuracy;
    ui.add_space(space::SMALL);
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        if found.pending.is_some() {
            if ui.button("Cancel predictions").clicked() {
                commands.push(Any::Cancel(Slot::Validate));
            }
        } else {
            let shipped = ui
                .button("Runs that come with Windtunnel")
                .on_hover_text("Predict every published run in the binary");
            if shipped.clicked() {
                commands.push(Any::Accuracy(Command::ReadShipped));
            }
            if ui.button("Open a CSV…").clicked() {
                commands.push(Any::Accuracy(Command::AskRuns));
            }
        }
        if let Some(pending) = &found.pending {
            ui.label(RichText::new(format!("Predicting {pending}")).color(theme.faint));
        }
        let Some(predicted) = &found.predicted else {
            return;
        };
        let text = |shown: Shown| shown.label().to_owned();
        let shown = pick_ui(ui, "Quantity", view.shown, &Shown::ALL, text);
        commands.extend(shown.map(|shown| Any::Accuracy(Command::Show(shown))));
        let by = pick_ui(ui, "Colored by", view.by, &By::ALL, |by| {
            by.label().to_owned()
        });
        commands.extend(by.map(|by| Any::Accuracy(Command::By(by))));
        let gpu = filter_ui(ui, "Filter GPUs", &view.gpu);
        commands.extend(gpu.map(|text| Any::Accuracy(Command::FilterGpu(text))));
        let source = filter_ui(ui, "Filter sources", &view.source);
        commands.extend(source.map(|text| Any::Accuracy(Command::FilterSource(text))));
        if predicted.validation.partial {
            ui.label(RichText::new("Stopped early: some rows are missing").color(theme.warn));
        }
    });
    ui.add_space(space::SMALL);
    commands
}

fn filter_ui(ui: &mut Ui, name: &str, text: &str) -> Option<String> {
    let mut typed = text.to_owned();
    let field = egui::TextEdit::singleline(&mut typed)
        .hint_text(name)
        .desired_width(110.0);
    let field = ui.add(field);
    named(&field, egui::Role::TextInput, name);
    (typed != text).then_some(typed)
}

/// Panes narrower than this put the card below.
const WIDE: f32 = 720.0;

fn shown_ui(ui: &mut Ui, state: &State, predicted: &Arc<Predicted>) -> Vec<Any> {
    let mut commands = Vec::new();
    let view = &state.view.now().accuracy;
    let selected = view.selected.and_then(|id| predicted.measurement(id));
    let is_wide = WIDE <= ui.available_width();
    if let (Some(measurement), true) = (selected, is_wide) {
        egui::Panel::right("selected run")
            .resizable(false)
            .exact_size(300.0)
            .show(ui, |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    commands.extend(card::card_ui(ui, predicted, measurement));
                });
            });
    }
    egui::CentralPanel::no_frame().show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            commands.extend(charts_ui(ui, view, predicted));
            if let (Some(measurement), false) = (selected, is_wide) {
                commands.extend(card::card_ui(ui, predicted, measurement));
            }
        });
    });
    commands
}

/// Everything that charts and tables of runs depend on.
type Inputs = (Same<Predicted>, Shown, By, String, String);

fn inputs(view: &View, predicted: &Arc<Predicted>) -> Inputs {
    let (gpu, source) = (view.gpu.clone(), view.source.clone());
    (predicted.into(), view.shown, view.by, gpu, source)
}

fn charts_ui(ui: &mut Ui, view: &View, predicted: &Arc<Predicted>) -> Vec<Any> {
    let mut commands = Vec::new();
    let passing = kept(ui, "runs that pass", inputs(view, predicted), || {
        predicted.passing(view).cloned().collect::<Vec<_>>()
    });
    let all: Vec<&Measurement> = passing.iter().collect();
    let told = kept(ui, "summary of runs", inputs(view, predicted), || {
        summary::numbers(view, &all)
    });
    summary::summary_ui(ui, &told);
    let rest = (ui.available_height() - space::LARGE).max(460.0);
    let height = (rest * 0.56).max(250.0);
    let gap = space::MEDIUM;
    let beside = 620.0 <= ui.available_width();
    let width = if beside {
        (ui.available_width() - gap) / 2.0
    } else {
        ui.available_width()
    };
    let mut charts = |ui: &mut Ui| {
        let size = egui::vec2(width, height);
        let layout = egui::Layout::top_down(egui::Align::LEFT);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            commands.extend(scatter::scatter_ui(ui, view, predicted, &all));
        });
        ui.allocate_ui_with_layout(size, layout, |ui| {
            commands.extend(strip::strip_ui(ui, view, predicted, &all));
        });
    };
    if beside {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            charts(ui);
        });
    } else {
        charts(ui);
    }
    commands.extend(tables_ui(
        ui,
        view,
        predicted,
        &all,
        (rest - height - 30.0).max(170.0),
    ));
    commands
}

fn tables_ui(
    ui: &mut Ui,
    view: &View,
    predicted: &Arc<Predicted>,
    all: &[&Measurement],
    height: f32,
) -> Vec<Any> {
    let mut commands = Vec::new();
    let of = Same::from(predicted);
    let left_out = *kept(ui, "runs left out", of, || rows::n_left_out(predicted));
    let made_of = (inputs(view, predicted), view.tab, view.sort);
    let table = kept(ui, "table of runs", made_of, || {
        rows::table(view, predicted, all)
    });
    ui.horizontal(|ui| {
        ui.add_space(space::SMALL);
        for tab in Tab::ALL {
            let title = match tab {
                Tab::Skipped => format!("{}: {}", tab.title(), number::count(left_out)),
                _ => tab.title().to_owned(),
            };
            if ui.selectable_label(view.tab == tab, title).clicked() && view.tab != tab {
                commands.push(Any::Accuracy(Command::Tab(tab)));
            }
        }
        commands.extend(super::figure::table_menu_ui(ui, &table));
    });
    commands.extend(rows::rows_ui(ui, view, &table, height));
    commands
}

impl Predicted {
    /// The measurement of an id.
    pub fn measurement(&self, id: u64) -> Option<&Measurement> {
        self.measurements.iter().find(|one| one.id == id)
    }

    /// What a view lets through.
    pub fn passing<'a>(&'a self, view: &'a View) -> impl Iterator<Item = &'a Measurement> {
        let (gpu, source) = (view.gpu.to_lowercase(), view.source.to_lowercase());
        self.measurements.iter().filter(move |one| {
            one.shown == view.shown
                && one.gpu.to_lowercase().contains(&gpu)
                && one.source.to_lowercase().contains(&source)
        })
    }
}
