//! Every target, what is reached, and by how much it is missed.

use std::fmt::Write as _;

use super::super::fit::Fit;
use super::super::markdown::{percent, table};
use super::super::point::{Point, left_out_points, shipped_points};
use super::super::stats::{Stats, stats};
use super::super::target::{TARGETS, Target};
use crate::group::correlation_within_cells;
use crate::row::Row;

/// The table of targets.
pub(super) fn section(rows: &[Row], fit: &Fit) -> String {
    let shipped = shipped_points(rows);
    let mut lines = Vec::new();
    let mut missed = Vec::new();
    for target in &TARGETS {
        let own = || {
            shipped
                .iter()
                .filter(|point| target.speaks_of(point.row, point.quantity))
        };
        let as_shipped = stats(own());
        if target.schemes.is_empty() {
            continue;
        }
        let mut is_missed = false;
        for (scheme, goal) in target.schemes {
            let unseen = left_out_points(rows, fit, scheme);
            let unseen = stats(
                unseen
                    .iter()
                    .filter(|point| target.speaks_of(point.row, point.quantity)),
            );
            is_missed |= (unseen.as_ref()).is_some_and(|unseen| *goal < unseen.mape);
            lines.push(line(
                target,
                scheme,
                *goal,
                unseen.as_ref(),
                as_shipped.as_ref(),
            ));
        }
        if is_missed {
            missed.push(target);
        }
    }
    let headers = [
        "rows",
        "quantity",
        ">n",
        "group left out",
        ">must reach",
        ">left out",
        "missed by",
        ">shipped profiles",
        "other tools",
    ];
    let mut text = format!(
        "## Targets\n\nMean error of each study. \"Left out\": every row predicted by parameters that were fitted without its group. \
         \"Shipped profiles\": the same rows as the binary predicts them. Figures of other tools on the same rows are \
         those that their authors publish or, for Calculon, that its published model gives. Which parameters are free, \
         and their priors, were settled over several fits with these errors in view, so that studies that are in none of these tables \
         may lie farther off.\n\n{}",
        table(&headers, &lines)
    );
    text.push_str(&ranks(rows, fit, &shipped));
    text.push_str(&reasons(&missed));
    text
}

/// What is known of the targets that are missed.
fn reasons(missed: &[&Target]) -> String {
    let known = missed.iter().filter(|target| !target.why.is_empty());
    let known: Vec<String> = known
        .map(|target| format!("- {}: {}\n", target.name, target.why))
        .collect();
    if known.is_empty() {
        return String::new();
    }
    format!(
        "\nWhat is known of the targets that are missed:\n\n{}",
        known.concat()
    )
}

fn line(
    target: &Target,
    scheme: &str,
    goal: f64,
    unseen: Option<&Stats>,
    shipped: Option<&Stats>,
) -> Vec<String> {
    let missed = match (unseen, shipped) {
        (Some(unseen), _) if unseen.mape <= goal => "reached".to_owned(),
        (Some(unseen), _) => format!("{:.1} points", (unseen.mape - goal) * 100.0),
        (None, Some(_)) => "not cross-validated".to_owned(),
        (None, None) => "not in these tables: read with `--extra`".to_owned(),
    };
    let mape =
        |stats: Option<&Stats>| stats.map_or_else(|| "-".to_owned(), |stats| percent(stats.mape));
    vec![
        target.name.to_owned(),
        target.quantity().to_owned(),
        unseen
            .or(shipped)
            .map_or_else(|| "-".to_owned(), |stats| stats.n.to_string()),
        scheme.to_owned(),
        percent(goal),
        mape(unseen),
        missed,
        mape(shipped),
        target.others.to_owned(),
    ]
}

/// Rank correlation where a target names it.
fn ranks(rows: &[Row], fit: &Fit, shipped: &[Point<'_>]) -> String {
    let mut text = String::new();
    for target in &TARGETS {
        let (Some(goal), Some((scheme, _))) = (target.spearman, target.schemes.first()) else {
            continue;
        };
        let of = |points: &[Point<'_>]| {
            let own = points
                .iter()
                .filter(|point| target.speaks_of(point.row, point.quantity));
            correlation_within_cells(
                own.map(|point| (&point.row.record, point.predicted, point.measured)),
            )
        };
        let words = |rho: Option<f64>| {
            rho.map_or_else(|| "not known".to_owned(), |rho| format!("{rho:.2}"))
        };
        let (unseen, shipped) = (of(&left_out_points(rows, fit, scheme)), of(shipped));
        let _ = write!(
            text,
            "\n{}: rank correlation within cells of five rows and more (median over cells) {} left out, {} with the shipped profiles; \
             to be reached: {goal}.\n",
            target.name,
            words(unseen),
            words(shipped),
        );
    }
    text
}
