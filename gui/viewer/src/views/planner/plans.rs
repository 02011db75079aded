//! The plans that were found: scatter, parallel axes, table and card, with one selection and one filter.

use std::sync::Arc;

use chart::{Brush, FigureResponse, FigureView, TableCommand, TableView, table_ui};
use egui::{Id, RichText, ScrollArea, Ui};
use look::{Theme, number, space};
use session::Planned;

use super::figures::{parallel, scatter};
use super::property::range_of_listed;
use super::row::PlanRow;
use super::search::Searched;
use super::table::table;
use super::{Chart, Command, Property, card, wrapped};
use crate::command::Command as Any;
use crate::state::State;
use crate::views::figure::plate_ui;
use crate::views::kept::{Same, kept};
use crate::views::pick::pick_ui;

/// Panes narrower than this put the card below.
const WIDE: f32 = 760.0;
/// How wide the card is.
const CARD: f32 = 300.0;
/// Charts narrower than this together take turns.
const BESIDE: f32 = 820.0;
/// How high charts are at least.
const CHART: f32 = 210.0;
/// How high the choice between charts is.
const TURNS: f32 = 26.0;
/// How high the table is at least.
const TABLE: f32 = 150.0;

/// Shows the plans.
pub(super) fn plans_ui(
    ui: &mut Ui,
    state: &State,
    searched: &Arc<Searched>,
    planned: &Planned,
) -> Vec<Any> {
    let mut commands = Vec::new();
    let selected = state.view.now().planner.selected;
    let row = selected.and_then(|id| searched.row(id));
    let is_wide = WIDE <= ui.available_width();
    if let (Some(row), true) = (row, is_wide) {
        egui::Panel::right("selected plan")
            .resizable(false)
            .exact_size(CARD)
            .show(ui, |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    commands.extend(card::card_ui(ui, row, planned));
                });
            });
    }
    egui::CentralPanel::no_frame().show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            commands.extend(linked_ui(ui, state, searched, planned));
            if let (Some(row), false) = (row, is_wide) {
                commands.extend(card::card_ui(ui, row, planned));
            }
        });
    });
    commands
}

/// The plan under the pointer in any of the three.
fn hovered_id() -> Id {
    Id::unique("plan under the pointer")
}

fn linked_ui(ui: &mut Ui, state: &State, searched: &Arc<Searched>, planned: &Planned) -> Vec<Any> {
    let before: Option<u64> = ui.data(|data| data.get_temp(hovered_id())).flatten();
    let mut linked = Linked {
        state,
        searched,
        planned,
        before,
        hovered: None,
        commands: Vec::new(),
    };
    let all = (ui.available_height() - space::MEDIUM).max(CHART + TABLE);
    let high = (all * 0.52).max(CHART);
    let low = (all - high).max(TABLE);
    let width = ui.available_width() - space::MEDIUM;
    if BESIDE <= ui.available_width() {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::MEDIUM;
            within(ui, width * 0.46, high, |ui| linked.scatter_ui(ui));
            within(ui, width * 0.54, high, |ui| linked.parallel_ui(ui));
        });
        linked.rows_ui(ui, low);
    } else {
        linked.turns_ui(ui);
        let high = (high - TURNS).max(CHART);
        within(ui, width, high, |ui| match state.view.now().planner.chart {
            Chart::Scatter => linked.scatter_ui(ui),
            Chart::Parallel => linked.parallel_ui(ui),
        });
        linked.rows_ui(ui, low);
    }
    if linked.hovered != before {
        ui.data_mut(|data| data.insert_temp(hovered_id(), linked.hovered));
        ui.ctx().request_repaint();
    }
    linked.commands
}

/// Draws in a part of that size.
fn within(ui: &mut Ui, width: f32, height: f32, draw: impl FnOnce(&mut Ui)) {
    let layout = egui::Layout::top_down(egui::Align::LEFT);
    ui.allocate_ui_with_layout(egui::vec2(width, height), layout, draw);
}

/// What the scatter shows, and what is let through.
pub(super) fn axes_ui(ui: &mut Ui, state: &State, searched: &Searched) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let view = &state.view.now().planner;
    let rows = &searched.rows;
    let has = |property: &Property| rows.iter().any(|row| property.of(row).is_finite());
    let all: Vec<Property> = Property::MEASURED.into_iter().filter(has).collect();
    let text = |property: Property| property.label().to_owned();
    let x = pick_ui(ui, "Across", view.x, &all, text);
    commands.extend(x.map(|property| wrapped(Command::X(property))));
    let y = pick_ui(ui, "Upward", view.y, &all, text);
    commands.extend(y.map(|property| wrapped(Command::Y(property))));
    if view.filters.is_empty() {
        let hint = RichText::new("Drag to filter").color(theme.faint);
        ui.add(egui::Label::new(hint).extend())
            .on_hover_text("Drag over the scatter or along an axis to filter");
        return commands;
    }
    let passing = rows.iter().filter(|row| passes(state, row)).count() as u64;
    let all = number::counted(rows.len() as u64, "plan");
    ui.label(format!("{} of {all}", number::count(passing)));
    if ui.button("Clear the filter").clicked() {
        commands.push(wrapped(Command::ClearFilters));
    }
    commands
}

/// Whether a plan is let through.
pub(super) fn passes(state: &State, row: &PlanRow) -> bool {
    let mut filters = state.view.now().planner.filters.iter();
    filters.all(|(property, (low, high))| {
        let value = property.of(row);
        *low <= value && value <= *high
    })
}

/// Scatter, parallel axes and table of the same plans.
struct Linked<'a> {
    state: &'a State,
    searched: &'a Arc<Searched>,
    planned: &'a Planned,
    /// The plan under the pointer in the last frame.
    before: Option<u64>,
    /// The plan under the pointer.
    hovered: Option<u64>,
    commands: Vec<Any>,
}

impl Linked<'_> {
    /// Which of the charts is shown, where there is room for one.
    fn turns_ui(&mut self, ui: &mut Ui) {
        let now = self.state.view.now().planner.chart;
        ui.horizontal(|ui| {
            ui.add_space(space::SMALL);
            for chart in Chart::ALL {
                let label = ui.selectable_label(now == chart, chart.title());
                if label.clicked() && now != chart {
                    self.commands.push(wrapped(Command::Chart(chart)));
                }
            }
        });
    }

    fn scatter_ui(&mut self, ui: &mut Ui) {
        let view = &self.state.view.now().planner;
        let run = self.state.results.current.as_ref().map(Same::from);
        let inputs = (
            Same::from(self.searched),
            [view.x, view.y],
            view.filters.clone(),
            [view.selected, self.before],
            run,
        );
        let figure = kept(ui, "scatter of plans", inputs, || {
            scatter(self.state, self.searched, self.planned, self.before)
        });
        let shown = FigureView {
            selected: view.selected,
            can_zoom: true,
            ..FigureView::default()
        };
        let (response, commands) = plate_ui(ui, &figure, &shown);
        self.commands.extend(commands);
        match response.zoomed {
            Some(Some(zoom)) => {
                let filters = vec![(view.x, Some(zoom.x)), (view.y, zoom.y)];
                self.commands.push(wrapped(Command::Filter(filters)));
            }
            Some(None) => self.commands.push(wrapped(Command::ClearFilters)),
            None => {}
        }
        self.pick(&response);
    }

    fn parallel_ui(&mut self, ui: &mut Ui) {
        let view = &self.state.view.now().planner;
        let inputs = (
            Same::from(self.searched),
            view.filters.clone(),
            [view.selected, self.before],
        );
        let made = kept(ui, "parallel axes of plans", inputs, || {
            parallel(self.state, self.searched, self.before)
        });
        let (figure, across) = &*made;
        let shown = FigureView {
            selected: view.selected,
            ..FigureView::default()
        };
        let (response, commands) = plate_ui(ui, figure, &shown);
        self.commands.extend(commands);
        if let Some(Brush { axis, range }) = response.brushed
            && let Some(property) = across.get(axis)
        {
            let rows = &self.searched.rows;
            let range = range.map(|range| {
                if property.is_listed() {
                    range_of_listed(&property.listed(rows), range)
                } else {
                    range
                }
            });
            let filters = vec![(*property, range)];
            self.commands.push(wrapped(Command::Filter(filters)));
        }
        self.pick(&response);
    }

    /// Takes the plan that is pointed at or clicked.
    fn pick(&mut self, response: &FigureResponse) {
        let known = |id: &u64| self.searched.row(*id).is_some();
        let pointed = response.hovered.or(response.focused).filter(known);
        self.hovered = self.hovered.or(pointed);
        let clicked = response.clicked.filter(known);
        self.commands
            .extend(clicked.map(|id| wrapped(Command::Select(id))));
    }

    fn rows_ui(&mut self, ui: &mut Ui, height: f32) {
        let view = &self.state.view.now().planner;
        let sort = view
            .sort
            .map(|(column, descending)| chart::Sort { column, descending });
        let inputs = (Same::from(self.searched), view.filters.clone(), view.sort);
        let table = kept(ui, "table of plans", inputs, || {
            let mut table = table(self.searched, |row| passes(self.state, row));
            if let Some(sort) = sort {
                table.sort(sort);
            }
            table
        });
        let shown = TableView {
            height: Some(height),
            selected: view.selected,
            hovered: self.before,
            sort,
        };
        for command in table_ui(ui, &table, &shown) {
            match command {
                TableCommand::Sort(sort) => self.commands.push(wrapped(Command::Sort(sort))),
                TableCommand::Select(id) => self.commands.push(wrapped(Command::Select(id))),
                TableCommand::Open(id) => self.commands.push(wrapped(Command::Simulate(id))),
                TableCommand::Hover(id) => self.hovered = Some(id),
            }
        }
    }
}
