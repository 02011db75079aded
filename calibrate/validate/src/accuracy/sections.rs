//! The text of the report, section by section.

mod choices;
mod coverage;
mod errors;
mod fitted;
mod memory;
mod ranks;
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
        ranks::section(rows, points, fit),
        choices::section(rows, points, fit),
        coverage::section(fit, points),
        errors::section(points),
        memory::section(rows, points),
        worst::section(rows, worst),
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
    let n_times = times().count();
    let unseen = match n_times - left_out {
        _ if left_out == 0 => {
            "No predictions of left-out groups are there, so every prediction here is by the shipped profiles.".to_owned()
        }
        0 => format!("All are predicted by parameters that were fitted without the row's group, {UNSEEN}."),
        others => format!(
            "For {} of them the prediction is by parameters that were fitted without the row's group, {UNSEEN}; the other {} are predicted by the \
             shipped profiles.",
            count(left_out),
            count(others)
        ),
    };
    let skipped = rows.iter().filter(|row| row.skipped.is_some()).count();
    format!(
        "# How accurate predictions are\n\n\
         {} measured rows, each predicted from its configuration alone; {} could not be predicted. This page and its figures are \
         written into a folder DIR by\n\n```sh\n{command}\n```\n\nThe same binary and tables give the same bytes. (Of Windtunnel's own page, docs/accuracy.md in its repository, `.ci/run` checks that it \
         is what the binary writes of the committed tables.) What the rows are and how they become scenarios: \
         docs/measured-runs.md. MAPE is the mean of |predicted / measured - 1|, bias the mean of \
         predicted / measured - 1.\n\n{sum} {unseen}\n\n![Predicted against measured iteration time]({})\n\n\
         Black: equal. Gray: a fifth more, a fifth less.\n\n{SPEED}",
        count(rows.len()),
        count(skipped),
        figure::path("time"),
    )
}

/// What a prediction of a left-out row is worth.
const UNSEEN: &str = "so that errors say what the fit is worth on runs that it has not seen";

/// How fast predictions are: a time would differ from one machine to the next, so none stands here.
const SPEED: &str = "How long predictions take depends on the machine and so stands in no file that is compared: `cargo bench -p validate` predicts every row of both committed tables on one core \
    (to be within 2 s), and docs/performance.md records what that took.\n";
