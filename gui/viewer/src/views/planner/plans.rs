//! The plans that were found: scatter, parallel axes, table and card, with one selection and one filter.

use chart::{Brush, FigureResponse, FigureView, TableCommand, TableView, figure_ui, table_ui};
use egui::{Id, RichText, ScrollArea, Ui};
use look::{Theme, number, space};
use session::Planned;

use super::figures::{parallel, scatter};
use super::property::range_of_listed;
use super::row::PlanRow;
use super::search::Searched;
use super::table::table;
use super::{Command, Property, card, wrapped};
use crate::command::Command as Any;
use crate::state::State;
use crate::views::figure::figure_menu_ui;
use crate::views::pick::pick_ui;

/// Panes narrower than this put the card below.
const WIDE: f32 = 760.0;
/// How wide the card is.
const CARD: f32 = 300.0;
/// How high charts are at least.
const CHART: f32 = 220.0;
/// How high the table is at least.
const TABLE: f32 = 190.0;

/// Shows the plans.
pub(super) fn plans_ui(
    ui: &mut Ui,
    state: &State,
    searched: &Searched,
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
                    commands.extend(card::card_ui(ui, state, row, planned));
                });
            });
    }
    egui::CentralPanel::no_frame().show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            commands.extend(linked_ui(ui, state, searched, planned));
            if let (Some(row), false) = (row, is_wide) {
                commands.extend(card::card_ui(ui, state, row, planned));
            }
        });
    });
    commands
}

/// The plan under the pointer in any of the three.
fn hovered_id() -> Id {
    Id::unique("plan under the pointer")
}

fn linked_ui(ui: &mut Ui, state: &State, searched: &Searched, planned: &Planned) -> Vec<Any> {
    let before: Option<u64> = ui.data(|data| data.get_temp(hovered_id())).flatten();
    let mut hovered = None;
    let mut commands = axes_ui(ui, state, searched);
    let rest = (ui.available_height() - space::LARGE).max(CHART + TABLE);
    let height = (rest * 0.52).max(CHART);
    let gap = space::MEDIUM;
    let beside = 640.0 <= ui.available_width();
    let width = if beside {
        (ui.available_width() - gap) / 2.0
    } else {
        ui.available_width()
    };
    let mut charts = |ui: &mut Ui| {
        let size = egui::vec2(width, height);
        let left = egui::Layout::top_down(egui::Align::LEFT);
        ui.allocate_ui_with_layout(size, left, |ui| {
            commands.extend(scatter_ui(ui, state, (searched, planned), before, &mut hovered));
        });
        ui.allocate_ui_with_layout(size, left, |ui| {
            commands.extend(parallel_ui(ui, state, searched, before, &mut hovered));
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
    let height = (rest - height).max(TABLE);
    commands.extend(rows_ui(ui, state, searched, height, before, &mut hovered));
    if hovered != before {
        ui.data_mut(|data| data.insert_temp(hovered_id(), hovered));
        ui.ctx().request_repaint();
    }
    commands
}

/// What the scatter shows, and what is let through.
fn axes_ui(ui: &mut Ui, state: &State, searched: &Searched) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let view = &state.view.now().planner;
    let has = |property: &Property| searched.rows.iter().any(|row| property.of(row).is_finite());
    let all: Vec<Property> = Property::MEASURED.into_iter().filter(has).collect();
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        let text = |property: Property| property.label().to_owned();
        let x = pick_ui(ui, "Across", view.x, &all, text);
        commands.extend(x.map(|property| wrapped(Command::X(property))));
        let y = pick_ui(ui, "Upward", view.y, &all, text);
        commands.extend(y.map(|property| wrapped(Command::Y(property))));
        if view.filters.is_empty() {
            let hint = "Drag over the scatter or along an axis to filter";
            ui.label(RichText::new(hint).color(theme.faint));
            return;
        }
        let passing = searched.rows.iter().filter(|row| passes(state, row)).count();
        let text = format!(
            "{} of {}",
            number::count(passing as u64),
            number::counted(searched.rows.len() as u64, "plan")
        );
        ui.label(RichText::new(text).color(theme.text));
        if ui.button("Clear the filter").clicked() {
            commands.push(wrapped(Command::ClearFilters));
        }
    });
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

fn scatter_ui(
    ui: &mut Ui,
    state: &State,
    (searched, planned): (&Searched, &Planned),
    before: Option<u64>,
    hovered: &mut Option<u64>,
) -> Vec<Any> {
    let figure = scatter(state, searched, planned, before);
    let view = FigureView {
        selected: state.view.now().planner.selected,
        can_zoom: true,
        ..FigureView::default()
    };
    let (response, mut commands) = plate_ui(ui, &figure, &view);
    let axes = [state.view.now().planner.x, state.view.now().planner.y];
    match response.zoomed {
        Some(Some(zoom)) => {
            let filters = vec![(axes[0], Some(zoom.x)), (axes[1], zoom.y)];
            commands.push(wrapped(Command::Filter(filters)));
        }
        Some(None) => commands.push(wrapped(Command::ClearFilters)),
        None => {}
    }
    commands.extend(picked(&response, searched, hovered));
    commands
}

fn parallel_ui(
    ui: &mut Ui,
    state: &State,
    searched: &Searched,
    before: Option<u64>,
    hovered: &mut Option<u64>,
) -> Vec<Any> {
    let (figure, across) = parallel(state, searched, before);
    let view = FigureView {
        selected: state.view.now().planner.selected,
        ..FigureView::default()
    };
    let (response, mut commands) = plate_ui(ui, &figure, &view);
    if let Some(Brush { axis, range }) = response.brushed
        && let Some(property) = across.get(axis)
    {
        let range = range.map(|range| {
            if property.is_listed() {
                range_of_listed(&property.listed(&searched.rows), range)
            } else {
                range
            }
        });
        commands.push(wrapped(Command::Filter(vec![(*property, range)])));
    }
    commands.extend(picked(&response, searched, hovered));
    commands
}

/// A figure with its menu at the upper right.
fn plate_ui(ui: &mut Ui, figure: &chart::Figure, view: &FigureView) -> (FigureResponse, Vec<Any>) {
    let mut commands = Vec::new();
    let top = ui.cursor().min;
    let width = ui.available_width();
    let response = figure_ui(ui, figure, view);
    let corner = egui::Rect::from_min_size(
        egui::pos2(top.x + width - 64.0, top.y),
        egui::vec2(64.0, 22.0),
    );
    let layout = egui::Layout::right_to_left(egui::Align::TOP);
    let builder = egui::UiBuilder::new()
        .max_rect(corner)
        .layout(layout)
        .id_salt(("menu", &figure.title));
    ui.scope_builder(builder, |ui| commands.extend(figure_menu_ui(ui, figure)));
    (response, commands)
}

fn picked(
    response: &FigureResponse,
    searched: &Searched,
    hovered: &mut Option<u64>,
) -> Option<Any> {
    let known = |id: &u64| searched.row(*id).is_some();
    *hovered = hovered.or(response.hovered.or(response.focused).filter(known));
    let clicked = response.clicked.filter(known);
    clicked.map(|id| wrapped(Command::Select(id)))
}

fn rows_ui(
    ui: &mut Ui,
    state: &State,
    searched: &Searched,
    height: f32,
    before: Option<u64>,
    hovered: &mut Option<u64>,
) -> Vec<Any> {
    let view = &state.view.now().planner;
    let sort = view.sort.map(|(column, descending)| chart::Sort { column, descending });
    let mut table = table(searched, |row| passes(state, row));
    if let Some(sort) = sort {
        table.sort(sort);
    }
    let shown = TableView {
        height: Some(height),
        selected: view.selected,
        hovered: before,
        sort,
    };
    let mut commands = Vec::new();
    for command in table_ui(ui, &table, &shown) {
        match command {
            TableCommand::Sort(sort) => commands.push(wrapped(Command::Sort(sort))),
            TableCommand::Select(id) => commands.push(wrapped(Command::Select(id))),
            TableCommand::Open(id) => commands.push(wrapped(Command::Simulate(id))),
            TableCommand::Hover(id) => *hovered = Some(id),
        }
    }
    commands
}
