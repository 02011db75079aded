//! What it costs to choose plans by their predictions.

use std::fmt::Write as _;

use super::super::fit::Fit;
use super::super::markdown::{count, percent, seconds, table};
use super::super::point::{Point, shipped_points};
use super::ranks::{cells_of, studies};
use crate::cell::Cell;
use crate::group::{median, quantile};
use crate::row::Row;

mod failures;
mod methods;

use failures::Failures;

/// The regret of the top pick that is to be reached in the median cell.
const REGRET: f64 = 0.03;
/// The rank correlation that is to be reached in the median cell.
const ORDER: f64 = 0.85;
/// Cells that are named.
const NAMED: usize = 10;

/// Regret, rank correlation and failures over all cells; by study; the worst cells by name.
pub(super) fn section(rows: &[Row], points: &[Point<'_>], fit: &Fit) -> String {
    let unseen = named_cells(points);
    if unseen.is_empty() {
        return "## Choosing plans\n\nNo five rows are plans of one model on one machine.\n"
            .to_owned();
    }
    let shipped_points = shipped_points(rows);
    let shipped = named_cells(&shipped_points);
    let n_rows: usize = unseen.iter().map(|(_, cell)| cell.len()).sum();
    format!(
        "## Choosing plans\n\nWithin each cell (as above), the regret of the top pick: the measured time of the plan that is predicted fastest over the best measured time, less 1. \
         Of plans that are predicted alike, such as repeats of one plan, the mean; the best is the best of all repeats, so that a pick that is right has the noise of repeats for a regret. \
         Cells: {}, with {} rows.\n\n{}{}\n{}\n{}\n{}",
        count(unseen.len()),
        count(n_rows),
        reached(rows, &unseen, &shipped, fit),
        methods::with_memory(points),
        by_study(&unseen),
        worst(&unseen),
        methods::methods(rows, points, (&unseen, &shipped), fit),
    )
}

/// A cell with the name of its study.
type Named<'a> = (&'a str, Cell<'a>);

fn named_cells<'a>(points: &[Point<'a>]) -> Vec<Named<'a>> {
    let of = |name| {
        cells_of(points, name)
            .into_iter()
            .map(move |cell| (name, cell))
    };
    studies(points).into_iter().flat_map(of).collect()
}

/// Quantiles of the regret of some cells.
fn regret(cells: &[Named<'_>], share: f64) -> Option<f64> {
    let mut all: Vec<f64> = cells.iter().map(|(_, cell)| cell.regret()).collect();
    all.sort_by(f64::total_cmp);
    quantile(&all, share)
}

fn order(cells: &[Named<'_>]) -> Option<f64> {
    median(cells.iter().filter_map(|(_, cell)| cell.spearman()))
}

/// The targets, and what is reached.
fn reached(rows: &[Row], unseen: &[Named<'_>], shipped: &[Named<'_>], fit: &Fit) -> String {
    let share = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), percent);
    let rho = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |rho| format!("{rho:.2}"));
    let left_out = |text: String| {
        let is_there = fit.left_out.is_some();
        if is_there { text } else { "-".to_owned() }
    };
    let failures = Failures::of(rows);
    let line = |name: &str, goal: &str, own: String, shipped: String| {
        vec![name.to_owned(), goal.to_owned(), left_out(own), shipped]
    };
    let lines = [
        line(
            "regret of the top pick, median cell",
            &format!("at most {}", percent(REGRET)),
            share(regret(unseen, 0.5)),
            share(regret(shipped, 0.5)),
        ),
        line(
            "regret, 90th percentile of cells",
            "-",
            share(regret(unseen, 0.9)),
            share(regret(shipped, 0.9)),
        ),
        line(
            "cells whose best plan is the top pick",
            "-",
            count(hits(unseen)),
            count(hits(shipped)),
        ),
        line(
            "rank correlation, median cell",
            &format!("at least {ORDER:.2}"),
            rho(order(unseen)),
            rho(order(shipped)),
        ),
        line(
            "recommended plans that ran out of memory",
            "0",
            "-".to_owned(),
            count(failures.recommended),
        ),
    ];
    let headers = [
        "over all cells",
        ">must reach",
        ">left out",
        ">shipped profiles",
    ];
    format!("{}\n{}", table(&headers, &lines), failures.words())
}

fn hits(cells: &[Named<'_>]) -> usize {
    let hit = |cell: &Cell<'_>| cell.regret() <= 0.0;
    cells.iter().filter(|(_, cell)| hit(cell)).count()
}

fn by_study(cells: &[Named<'_>]) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for of_study in cells.chunk_by(|a, b| a.0 == b.0) {
        let share = |at| regret(of_study, at).map_or_else(|| "-".to_owned(), percent);
        let n_rows: usize = of_study.iter().map(|(_, cell)| cell.len()).sum();
        lines.push(vec![
            of_study[0].0.to_owned(),
            count(of_study.len()),
            count(n_rows),
            share(0.5),
            share(0.9),
            share(1.0),
            count(hits(of_study)),
        ]);
    }
    let headers = [
        "rows",
        ">cells",
        ">n",
        ">median",
        ">p90",
        ">worst",
        ">best picked",
    ];
    table(&headers, &lines)
}

/// The cells where the pick loses most.
fn worst(all: &[Named<'_>]) -> String {
    let mut cells: Vec<&Named<'_>> = all.iter().collect();
    cells.sort_by(|a, b| b.1.regret().total_cmp(&a.1.regret()));
    let mut text = format!(
        "The {} cells with the largest regret:\n\n",
        NAMED.min(cells.len())
    );
    for (study, cell) in cells.into_iter().take(NAMED) {
        let (best, time) = cell.best();
        let picks = cell.picks();
        let ids: Vec<String> = picks.iter().map(|(record, _)| record.id()).collect();
        let times = picks.iter().map(|(_, measured)| seconds(*measured));
        let _ = writeln!(
            text,
            "- {study}: {}, {} rows. Picked: row {} ({}), {}; best: row {} ({}), {}, predicted {} slower than the pick. Regret {}, rank correlation {}{}, {}.",
            cell.name(),
            cell.len(),
            ids.join(", "),
            plan(picks[0].0),
            times.collect::<Vec<_>>().join(", "),
            best.id(),
            plan(best),
            seconds(time),
            percent(cell.misjudged()),
            percent(cell.regret()),
            cell.spearman()
                .map_or_else(|| "none".to_owned(), |rho| format!("{rho:.2}")),
            outlier(cell),
            match cell.spread_of_repeats() {
                Some(spread) => format!("repeats of one plan differ by up to {}", percent(spread)),
                None => "no plan is repeated".to_owned(),
            },
        );
    }
    text
}

/// The row without which the correlation is much higher, where there is one.
fn outlier(cell: &Cell<'_>) -> String {
    const MUCH: f64 = 0.1;
    let found = cell.best_without_one().zip(cell.spearman());
    let found = found.filter(|((_, without), rho)| rho + MUCH <= *without);
    found.map_or_else(String::new, |((id, without), _)| {
        format!(" ({without:.2} without row {id})")
    })
}

/// The degrees of a row, as it says them.
fn plan(record: &runs::Record) -> String {
    let given = ["tp", "pp", "vp", "cp", "ep", "dp", "mbs"].map(|column| {
        let value = record.or_empty(column);
        (!value.is_empty()).then(|| format!("{column} {value}"))
    });
    let given: Vec<String> = given.into_iter().flatten().collect();
    given.join(", ")
}
