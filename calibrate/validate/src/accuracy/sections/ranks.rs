//! Whether predictions order plans as measurements do.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use runs::Quantity;

use super::super::fit::Fit;
use super::super::markdown::{percent, table};
use super::super::point::{Point, shipped_points};
use super::super::subset::{is_test, study};
use super::super::target::TARGETS;
use crate::cell::{Cell, cells};
use crate::group::median as median_of;
use crate::row::Row;

/// The rank correlation of each study that has cells, and what it can be.
pub(super) fn section(rows: &[Row], points: &[Point<'_>], fit: &Fit) -> String {
    let shipped = shipped_points(rows);
    let mut lines = Vec::new();
    let mut doubts = String::new();
    for name in studies(points) {
        let unseen = cells_of(points, name);
        if unseen.is_empty() {
            continue;
        }
        let goal = TARGETS.iter().find(|target| target.name == name);
        let goal = goal.and_then(|target| target.spearman);
        let found = median(&unseen);
        doubts.push_str(&doubt(name, found, goal, &unseen));
        let rho = |value: Option<f64>| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
        };
        lines.push(vec![
            name.to_owned(),
            unseen.len().to_string(),
            unseen.iter().map(Cell::len).sum::<usize>().to_string(),
            rho(fit.left_out.as_ref().and(found)),
            rho(median(&cells_of(&shipped, name))),
            rho(goal),
        ]);
    }
    if lines.is_empty() {
        return "## Order of plans\n\nNo five rows are plans of one model on one machine.\n"
            .to_owned();
    }
    let headers = [
        "rows",
        ">cells",
        ">n",
        ">left out",
        ">shipped profiles",
        ">must reach",
    ];
    format!(
        "## Order of plans\n\nRank correlation of predicted and measured time within cells: five rows and more of one model, GPU kind and count, \
         batch, sequence, precision and release. Median over cells: 1 where predictions order plans as measurements do, 0 where they say nothing.\n\n{}{doubts}",
        table(&headers, &lines)
    )
}

/// A correlation below this orders no plans.
const ORDERS: f64 = 0.5;

/// The names of studies, integration tests left out.
pub(super) fn studies<'a>(points: &[Point<'a>]) -> BTreeSet<&'a str> {
    let rows = points.iter().map(|point| point.row);
    rows.filter(|row| !is_test(row)).map(study).collect()
}

/// The cells of the times of a study.
pub(super) fn cells_of<'a>(points: &[Point<'a>], name: &str) -> Vec<Cell<'a>> {
    cells_by(points, name, &|point| point.predicted)
}

/// The same with another prediction of each point.
pub(super) fn cells_by<'a>(
    points: &[Point<'a>],
    name: &str,
    predicted: &dyn Fn(&Point<'_>) -> f64,
) -> Vec<Cell<'a>> {
    let own = points
        .iter()
        .filter(|point| point.quantity == Quantity::IterationTime && study(point.row) == name);
    cells(own.map(|point| (&point.row.record, predicted(point), point.measured)))
}

fn median(cells: &[Cell<'_>]) -> Option<f64> {
    median_of(cells.iter().filter_map(Cell::spearman))
}

/// Why the correlation of a study is lower than it should be: cell by cell, how far plans lie apart
/// and how far repeats of one plan do.
fn doubt(name: &str, found: Option<f64>, goal: Option<f64>, cells: &[Cell<'_>]) -> String {
    let enough = goal.unwrap_or(ORDERS);
    if found.is_none_or(|found| enough <= found) {
        return String::new();
    }
    let words = cells.iter().map(|cell| {
        let rho = cell
            .spearman()
            .map_or_else(|| "none".to_owned(), |rho| format!("{rho:.2}"));
        let repeats = match cell.spread_of_repeats() {
            Some(spread) => format!("repeats of one plan by up to {}", percent(spread)),
            None => "no plan is repeated".to_owned(),
        };
        let without = cell
            .best_without_one()
            .map_or_else(String::new, |(id, rho)| {
                format!(" ({rho:.2} without row {id})")
            });
        format!(
            "{} rows, correlation {rho}{without}: measured times differ by up to {}, {repeats}",
            cell.len(),
            percent(cell.spread())
        )
    });
    let words: Vec<String> = words.collect();
    let mut text = String::new();
    let _ = write!(
        text,
        "\n{name}, below {enough}. Where repeats differ as much as neighboring plans do, no prediction can order those. By cell: {}.\n",
        words.join("; ")
    );
    text
}
