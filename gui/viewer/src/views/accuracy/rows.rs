//! The tables below the charts: groups, runs, and what was left out.

use std::collections::BTreeSet;

use chart::{Cell, Column, Row, Sort, Table, TableCommand, TableView, Unit, table_ui};
use egui::Ui;
use session::Group;

use super::measurement::is_test;
use super::{Command, Measurement, Predicted, Shown, Tab, View};
use crate::command::Command as Any;

/// Rows that were not compared, and cells that cannot be read.
pub(super) fn n_left_out(predicted: &Predicted) -> u64 {
    let rows = predicted.validation.rows.iter();
    rows.filter(|row| reason(row).is_some()).count() as u64
}

/// Why a row is in no group; none where it is.
fn reason(row: &session::Row) -> Option<String> {
    let uncompared = row.uncompared.as_ref().map(|(_, reason)| reason.clone());
    let skipped = row.skipped.clone().or(uncompared);
    skipped.or_else(|| row.apart.map(str::to_owned))
}

/// The table that is asked for, sorted.
pub(super) fn table(view: &View, predicted: &Predicted, all: &[&Measurement]) -> Table {
    let mut table = match view.tab {
        Tab::Groups => groups(view, predicted),
        Tab::Rows => runs(view, all),
        Tab::Skipped => left_out(predicted),
    };
    if let Some((column, descending)) = view.sort {
        table.sort(Sort { column, descending });
    }
    table
}

/// Shows a table.
pub(super) fn rows_ui(ui: &mut Ui, view: &View, table: &Table, height: f32) -> Vec<Any> {
    let is_runs = view.tab == Tab::Rows;
    let shown = TableView {
        height: Some(height),
        selected: view.selected.filter(|_| is_runs),
        hovered: None,
        sort: view
            .sort
            .map(|(column, descending)| Sort { column, descending }),
    };
    let mut commands = Vec::new();
    for command in table_ui(ui, table, &shown) {
        let command = match command {
            TableCommand::Sort(sort) => Command::Sort(sort),
            TableCommand::Select(id) if is_runs => Command::Select(id),
            TableCommand::Open(id) if is_runs => Command::OpenRow(id),
            _ => continue,
        };
        commands.push(Any::Accuracy(command));
    }
    commands
}

fn groups(view: &View, predicted: &Predicted) -> Table {
    let columns = vec![
        Column::text("Source"),
        Column::text("File"),
        Column::text("GPU"),
        Column::number("Runs", Unit::Count)
            .explained("Measured runs that were predicted"),
        Column::number("Left out", Unit::Count)
            .explained("Runs that could not be predicted: the tab of that name says why"),
        Column::number("Median error", Unit::Share)
            .explained("Median over the runs of |predicted / measured − 1|"),
        Column::number("Mean error", Unit::Share)
            .explained("Mean over the runs of |predicted / measured − 1|"),
        Column::number("90th percentile", Unit::Share)
            .explained("Nine of ten runs have a smaller |predicted / measured − 1|"),
        Column::number("Bias", Unit::Share)
            .explained("Mean of predicted / measured − 1: above 0 predictions are too slow"),
        Column::number("Rank correlation", Unit::Plain)
            .explained("Spearman's of predictions and measurements, median over studies of five runs and more"),
        Column::number("Regret", Unit::Share)
            .explained("What it costs to choose by predictions: measured time of the plan that is predicted fastest over the best, less 1; median over studies"),
    ];
    let mut table = Table::new("Groups", columns);
    let (gpu, source) = (view.gpu.to_lowercase(), view.source.to_lowercase());
    let rows = predicted.validation.rows.iter();
    let tests: BTreeSet<&str> = rows
        .filter(|row| is_test(row))
        .map(|row| row.label.folder.as_str())
        .collect();
    let is_kind = |group: &Group| match view.shown {
        Shown::Memory => true,
        Shown::Time => !tests.contains(group.source_path.as_str()),
        Shown::Tests => tests.contains(group.source_path.as_str()),
    };
    let passes = |group: &&Group| {
        group.quantity == view.shown.key()
            && is_kind(group)
            && group.gpu.to_lowercase().contains(&gpu)
            && group.source_repo.to_lowercase().contains(&source)
    };
    let all = predicted.validation.groups.iter().filter(passes);
    table.rows = all
        .zip(0..)
        .map(|(group, id)| of_group(id, group))
        .collect();
    table
}

fn of_group(id: u64, group: &Group) -> Row {
    let cells = vec![
        group.source_repo.clone().into(),
        group.source_path.clone().into(),
        group.gpu.clone().into(),
        f64::from(group.count).into(),
        f64::from(group.skipped).into(),
        group.median_ape.into(),
        group.mape.into(),
        group.p90_ape.into(),
        group.bias.into(),
        group.spearman.map_or(Cell::Missing, |rank| {
            Cell::Worded(rank, format!("{rank:.2}"))
        }),
        group.regret.into(),
    ];
    Row::new(id, cells)
}

fn runs(view: &View, all: &[&Measurement]) -> Table {
    let unit = view.shown.unit();
    let columns = vec![
        Column::text("Run"),
        Column::text("GPU"),
        Column::text("Source"),
        Column::text("Framework"),
        Column::number("Measured", unit.clone())
            .explained("As its source published it"),
        Column::number("Predicted", unit.clone())
            .explained("What Windtunnel says of the scenario that the run became; open a row to see it"),
        Column::number("Error", Unit::Share)
            .explained("Predicted / measured − 1"),
        Column::number("10th percentile", unit.clone())
            .explained("One of ten such runs is faster, by the errors of the fitted tables that the prediction rests on"),
        Column::number("90th percentile", unit)
            .explained("One of ten such runs is slower, by the errors of the fitted tables that the prediction rests on"),
    ];
    let mut table = Table::new("Runs", columns);
    let row = |one: &&Measurement| {
        let cells = vec![
            one.name.clone().into(),
            one.gpu.clone().into(),
            one.source.clone().into(),
            one.framework.clone().into(),
            one.measured.into(),
            one.predicted.into(),
            one.error().into(),
            one.interval.map(|[low, _]| low).into(),
            one.interval.map(|[_, high]| high).into(),
        ];
        Row::new(one.id, cells)
    };
    table.rows = all.iter().map(row).collect();
    table
}

fn left_out(predicted: &Predicted) -> Table {
    let columns = vec![
        Column::text("Run"),
        Column::number("Line", Unit::Plain),
        Column::text("GPU"),
        Column::text("Source"),
        Column::text("Reason"),
    ];
    let mut table = Table::new("Rows that were left out", columns);
    for (row, id) in predicted.validation.rows.iter().zip(0..) {
        let Some(reason) = reason(row) else { continue };
        let cells = vec![
            row.id.clone().into(),
            Cell::Worded(row.record.line as f64, row.record.line.to_string()),
            row.label.gpu.clone().into(),
            row.label.source_repo.clone().into(),
            reason.into(),
        ];
        table.rows.push(Row::new(id, cells));
    }
    table
}
