//! Two plans beside each other.

use chart::{Cell, Column, FigureView, Row, Table, TableView, table_ui};
use egui::{RichText, ScrollArea, Ui};
use look::{Theme, number, space};
use session::{Planned, Prediction};

use super::card::{breakdown, bytes};
use super::figures::caption;
use super::row::PlanRow;
use super::search::Searched;
use super::{Command, Property, wrapped};
use crate::command::Command as Any;
use crate::state::State;
use crate::views::figure::plate_ui;
use crate::views::pick::pick_ui;

/// Shows the selected plan beside another one.
pub(super) fn compare_ui(
    ui: &mut Ui,
    state: &State,
    searched: &Searched,
    planned: &Planned,
) -> Vec<Any> {
    let view = &state.view.now().planner;
    let first = view.selected.unwrap_or(0);
    let second = view.other.unwrap_or(u64::from(first == 0));
    let mut commands = picks_ui(ui, searched, [first, second]);
    let [Some(a), Some(b)] = [first, second].map(|id| searched.row(id)) else {
        crate::views::empty_ui(
            ui,
            "Only one plan was found",
            "There is nothing to compare it with.",
        );
        return commands;
    };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let predictions = [a, b].map(|row| predicted(row, planned));
        let mut plans = Vec::new();
        for (row, prediction) in [a, b].into_iter().zip(predictions) {
            if let Some(prediction) = prediction {
                plans.push((row.id, format!("Plan {}", row.name()), prediction));
            }
        }
        if !plans.is_empty() {
            let figure = breakdown("Where the time of both plans goes", &plans)
                .with_caption(caption(planned));
            let view = FigureView {
                height: Some(190.0),
                ..FigureView::default()
            };
            commands.extend(plate_ui(ui, &figure, &view).1);
        }
        ui.add_space(space::SMALL);
        let table = table(a, b, predictions);
        let height = (table.rows.len() as f32 + 1.0) * 22.0 + 8.0;
        let shown = TableView {
            height: Some(height.max(ui.available_height())),
            ..TableView::default()
        };
        table_ui(ui, &table, &shown);
    });
    commands
}

fn predicted<'a>(row: &PlanRow, planned: &'a Planned) -> Option<&'a Prediction> {
    let plan = planned.answer.plans.get(row.place()?)?;
    Some(&plan.prediction)
}

fn picks_ui(ui: &mut Ui, searched: &Searched, ids: [u64; 2]) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let simulated = searched.rows.iter().filter(|row| row.place().is_some());
    let mut all: Vec<u64> = simulated.map(|row| row.id).collect();
    all.extend(
        ids.iter()
            .filter(|id| !all.contains(id))
            .collect::<Vec<_>>(),
    );
    let text = |id: u64| match searched.row(id) {
        Some(row) => format!("{}: {}", row.name(), row.label()),
        None => "none".to_owned(),
    };
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        let first = pick_ui(ui, "First plan", ids[0], &all, text);
        commands.extend(first.map(|id| wrapped(Command::Select(id))));
        let second = pick_ui(ui, "Second plan", ids[1], &all, text);
        commands.extend(second.map(|id| wrapped(Command::CompareWith(id))));
        let both = ui
            .button("Compare timelines")
            .on_hover_text("Simulate both and show their timelines on one cursor");
        if both.clicked() {
            commands.push(wrapped(Command::CompareTimelines(ids)));
        }
        if let [Some(a), Some(b)] = ids.map(|id| searched.row(id)) {
            let change = number::signed_percent(b.time / a.time - 1.0);
            let text = format!("The second takes {change}");
            ui.label(RichText::new(text).color(theme.faint));
        }
    });
    commands
}

/// Where the figures of a plan are from.
const WHERE: &str = "By the engine that judged the plan: its time, its parts along the rank that takes \
                     longest, and its memory; of plans that no engine judged by closed forms. Fields \
                     are those of the plan.";

/// Properties, parts of the iteration and fields of both, with their differences.
fn table(a: &PlanRow, b: &PlanRow, predictions: [Option<&Prediction>; 2]) -> Table {
    let columns = vec![
        Column::text("Property"),
        Column::text(format!("Plan {}", a.name())).explained(WHERE),
        Column::text(format!("Plan {} ", b.name())).explained(WHERE),
        Column::text("Difference").explained("The second less the first; in percent of the first"),
    ];
    let mut table = Table::new("Both plans", columns);
    let mut row = |name: &str, texts: [String; 2], difference: String| {
        let id = table.rows.len() as u64;
        let [first, second] = texts;
        let cells: Vec<Cell> = [name.to_owned(), first, second, difference]
            .map(Cell::from)
            .into();
        table.rows.push(Row::new(id, cells));
    };
    let measured = [
        Property::Time,
        Property::Tokens,
        Property::Mfu,
        Property::Memory,
        Property::GpuHours,
        Property::Cost,
    ];
    for property in measured {
        let values = [a, b].map(|row| property.of(row));
        if values.iter().all(|value| value.is_finite()) {
            let texts = values.map(|value| property.unit("").text(value));
            row(property.label(), texts, changed(values));
        }
    }
    if let [Some(first), Some(second)] = predictions {
        let [own, other] = [first, second].map(|one| session::breakdown_parts(&one.breakdown));
        for (at, (_, was)) in own.iter().enumerate() {
            let is = other[at].1;
            // What takes no nanosecond would read as nothing against nothing.
            if 1e-9 <= was.max(is) {
                let name = super::card::PARTS[at].0;
                row(name, [*was, is].map(number::secs), signed_secs(is - was));
            }
        }
        let reserves = [first, second].map(|one| one.peak_reserved_bytes.as_f64());
        row("Peak reserved", reserves.map(bytes), changed(reserves));
    }
    for (name, values) in fields(a, b) {
        if values[0] != values[1] {
            row(name, values, "differs".to_owned());
        }
    }
    table
}

/// The fields of both, where one lacks a field with 1.
fn fields(a: &PlanRow, b: &PlanRow) -> Vec<(&'static str, [String; 2])> {
    let mut names: Vec<&'static str> = a.fields.iter().map(|(name, _)| *name).collect();
    for (name, _) in &b.fields {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let both = names.into_iter();
    both.map(|name| (name, [a, b].map(|row| row.field(name).to_owned())))
        .collect()
}

fn changed([was, is]: [f64; 2]) -> String {
    if was == 0.0 {
        return "–".to_owned();
    }
    number::signed_percent(is / was - 1.0)
}

fn signed_secs(secs: f64) -> String {
    let text = number::secs(secs.abs());
    match secs {
        s if s < 0.0 => format!("−{text}"),
        s if 0.0 < s => format!("+{text}"),
        _ => text,
    }
}
