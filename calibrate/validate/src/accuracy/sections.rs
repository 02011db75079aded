//! The text of the report, section by section.

mod coverage;
mod errors;
mod fitted;
mod memory;
mod targets;
mod worst;

use runs::Quantity;

use super::figure;
use super::fit::Fit;
use super::markdown::{count, percent};
use super::point::Point;
use super::stats::stats;
use super::subset::is_test;
use crate::row::Row;
use crate::worst::Worst;

/// The whole text.
pub(super) fn report(
    rows: &[Row],
    worst: &[Worst],
    fit: &Fit,
    points: &[Point<'_>],
    command: &str,
) -> String {
    let sections = [
        introduction(rows, points, command),
        targets::section(rows, fit),
        coverage::section(rows, fit, points),
        errors::section(points),
        memory::section(rows, points),
        worst::section(worst, points),
        errors::inferred(points),
        fitted::parameters(fit),
        fitted::ablation(fit),
        errors::apart(rows),
    ];
    sections.join("\n")
}

fn introduction(rows: &[Row], points: &[Point<'_>], command: &str) -> String {
    let times = || {
        let times = points
            .iter()
            .filter(|point| point.quantity == Quantity::IterationTime);
        times.filter(|point| !is_test(point.row))
    };
    let left_out = times().filter(|point| point.left_out).count();
    let all = stats(times());
    let sum = all.map_or_else(String::new, |all| {
        format!(
            "Iteration time of {} training runs: mean error {}, median {}, bias {}.",
            count(all.n),
            percent(all.mape),
            percent(all.median),
            super::markdown::signed(all.bias),
        )
    });
    let unseen = if left_out == 0 {
        "The profiles have not been cross-validated, so every prediction here is by the shipped profiles.".to_owned()
    } else {
        format!(
            "For {} of them the prediction is by parameters that were fitted without the row's group, so that it \
             says what the fit is worth on runs that it has not seen; the others are predicted by the shipped profiles.",
            count(left_out)
        )
    };
    let skipped = rows.iter().filter(|row| row.skipped.is_some()).count();
    format!(
        "# How accurate predictions are\n\n\
         {} measured rows, each predicted from its configuration alone; {skipped} could not be predicted. This page and its figures are \
         written by\n\n```sh\n{command}\n```\n\nand compared by `.ci/run`, so that they cannot go stale. What the rows are and how they become scenarios: \
         [measured-runs.md](measured-runs.md). MAPE is the mean of |predicted / measured - 1|, bias the mean of \
         predicted / measured - 1.\n\n{sum} {unseen}\n\n![Predicted against measured iteration time]({})\n\n\
         Black: equal. Gray: a fifth more, a fifth less.\n",
        count(rows.len()),
        figure::path("time"),
    )
}
