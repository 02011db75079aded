//! Every target, what is reached, and by how much it is missed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::fit::Fit;
use super::super::markdown::{count, percent, signed, table};
use super::super::point::{Point, left_out_points, shipped_points};
use super::super::stats::{Stats, stats};
use super::super::target::{Scheme, Split, TARGETS, Target};
use crate::row::Row;

/// The table of targets.
pub(super) fn section(rows: &[Row], fit: &Fit) -> String {
    let shipped = shipped_points(rows);
    let mut lines = Vec::new();
    let mut missed = Vec::new();
    for target in &TARGETS {
        let as_shipped = stats(own(target, &shipped));
        let mut errors = String::new();
        for scheme in target.schemes {
            let points = left_out_points(rows, fit, scheme.name);
            let unseen = stats(own(target, &points));
            if unseen
                .as_ref()
                .is_some_and(|unseen| scheme.goal < unseen.mape)
            {
                let own: Vec<&Point<'_>> = own(target, &points).collect();
                let parts = parts(target.by, &own);
                let _ = write!(errors, " Without its {}, by {parts}", scheme.name);
            }
            lines.push(line(target, scheme, unseen.as_ref(), as_shipped.as_ref()));
        }
        if !errors.is_empty() {
            let why = match target.why {
                "" => "no cause is known.",
                why => why,
            };
            missed.push(format!("- {}: {why}{errors}\n", target.name));
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
        ">quick model",
        "other tools",
    ];
    let mut text = format!(
        "## Targets\n\nMean error of each study. \"Left out\": every row predicted by parameters that were fitted without its group. \
         \"Shipped profiles\": the same rows as the binary predicts them. \"Quick model\": a model of 15 parameters, fitted on the same rows \
         in an afternoon, with the same groups left out. Figures of other tools on the same rows are \
         those that their authors publish or, for Calculon, that its published model gives. Which parameters are free, \
         and their priors, were settled over several fits with these errors in view, so that studies that are in none of these tables \
         may lie farther off.\n\n{}",
        table(&headers, &lines)
    );
    text.push_str(UNPUBLISHED);
    text.push_str(&reasons(&missed));
    text
}

/// How rows without a license are read.
const UNPUBLISHED: &str = "\nAMP's runs have no license: they are neither in the repository nor in the committed fit. Who has them as a table runs \
    `windtunnel validate TABLES --extra AMP.csv`, and for figures of left-out groups `windtunnel calibrate fit --only runs --extra AMP.csv --output DIR` first, \
    then `validate` with `--fit DIR/fit --report` besides.\n";

fn own<'a>(target: &Target, points: &'a [Point<'a>]) -> impl Iterator<Item = &'a Point<'a>> {
    let target = *target;
    let own = move |point: &&Point<'_>| target.speaks_of(point.row, point.quantity);
    points.iter().filter(own)
}

/// What is known of the targets that are missed.
fn reasons(missed: &[String]) -> String {
    if missed.is_empty() {
        return String::new();
    }
    format!(
        "\nWhat is known of the targets that are missed, with the errors of left-out rows (median, 10th to 90th percentile) by parts of the study, \
         those first that hold most of the error:\n\n{}",
        missed.concat()
    )
}

/// The errors of the parts of a study in which most of its error is, the largest share first.
fn parts(split: Split, points: &[&Point<'_>]) -> String {
    const MOST: usize = 5;
    let mut by: BTreeMap<String, Vec<&Point<'_>>> = BTreeMap::new();
    for point in points {
        by.entry((split.part)(point.row)).or_default().push(point);
    }
    let sum = |stats: &Stats| stats.mape * stats.n as f64;
    let known = by.into_iter().filter_map(|(name, members)| {
        let stats = stats(members.into_iter())?;
        Some((name, stats))
    });
    let mut known: Vec<(String, Stats)> = known.collect();
    known.sort_by(|a, b| sum(&b.1).total_cmp(&sum(&a.1)));
    let n_others = known.len().saturating_sub(MOST);
    known.truncate(MOST);
    let words = known.iter().map(|(name, stats)| {
        let [low, median, high] = stats.signed.map(signed);
        if stats.n == 1 {
            format!("{name} {median} (1 row)")
        } else {
            let n = count(stats.n);
            format!("{name} {median} ({low} to {high}, {n} rows)")
        }
    });
    let words: Vec<String> = words.collect();
    let others = match n_others {
        0 => String::new(),
        n => format!("; {n} more"),
    };
    format!("{}: {}{others}.", split.name, words.join("; "))
}

fn line(
    target: &Target,
    scheme: &Scheme,
    unseen: Option<&Stats>,
    shipped: Option<&Stats>,
) -> Vec<String> {
    let missed = match (unseen, shipped) {
        (Some(unseen), _) if unseen.mape <= scheme.goal => "reached".to_owned(),
        (Some(unseen), _) => format!("{:.1} points", (unseen.mape - scheme.goal) * 100.0),
        (None, Some(_)) => "not cross-validated".to_owned(),
        (None, None) if target.is_unpublished() => "rows are not published".to_owned(),
        (None, None) => "not in these tables".to_owned(),
    };
    let share = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), percent);
    let mape = |stats: Option<&Stats>| share(stats.map(|stats| stats.mape));
    vec![
        target.name.to_owned(),
        target.quantity().to_owned(),
        unseen
            .or(shipped)
            .map_or_else(|| "-".to_owned(), |stats| count(stats.n)),
        scheme.name.to_owned(),
        percent(scheme.goal),
        mape(unseen),
        missed,
        mape(shipped),
        share(scheme.quick),
        target.others.to_owned(),
    ]
}
