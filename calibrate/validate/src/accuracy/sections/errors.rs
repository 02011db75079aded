//! Errors by source, GPU, parallelism, size, age and rule, and rows outside every group.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use runs::Quantity;

use super::super::figure;
use super::super::markdown::{count, percent, signed, table};
use super::super::point::Point;
use super::super::slice::{SLICES, sliced};
use super::super::stats::{Stats, stats};
use super::super::subset::is_test;
use crate::row::Row;

/// Times of training runs: integration tests last seconds on test machines, and stand in the table
/// by source alone.
fn times<'a>(points: &'a [Point<'a>]) -> impl Iterator<Item = &'a Point<'a>> {
    let times = points
        .iter()
        .filter(|point| point.quantity == Quantity::IterationTime);
    times.filter(|point| !is_test(point.row))
}

/// A figure and a table for each way to sort rows.
pub(super) fn section(points: &[Point<'_>]) -> String {
    let mut text = "## Errors of iteration time\n".to_owned();
    for slice in SLICES {
        let slots = sliced(slice, times(points));
        let lines: Vec<_> = slots
            .iter()
            .map(|(name, stats)| line(name, stats))
            .collect();
        let _ = write!(
            text,
            "\n### By {}\n\n![Errors by {}]({})\n\n{}",
            slice.name,
            slice.name,
            figure::path(&figure::file(slice.name)),
            table(&HEADERS, &lines)
        );
    }
    let tests = points
        .iter()
        .filter(|point| point.quantity == Quantity::IterationTime && is_test(point.row));
    if let Some(stats) = stats(tests) {
        let _ = write!(
            text,
            "\nBesides, {} integration tests of Megatron-LM print their time: models that a GPU computes in milliseconds, timed on shared \
             test machines. Mean error {}, median {}, bias {}.\n",
            count(stats.n),
            percent(stats.mape),
            percent(stats.median),
            signed(stats.bias)
        );
    }
    text
}

const HEADERS: [&str; 7] = [
    "",
    ">n",
    ">MAPE",
    ">median",
    ">p90",
    ">bias",
    ">in the interval",
];

fn line(name: &str, stats: &Stats) -> Vec<String> {
    vec![
        name.to_owned(),
        count(stats.n),
        percent(stats.mape),
        percent(stats.median),
        percent(stats.p90),
        signed(stats.bias),
        stats.coverage.map_or_else(|| "-".to_owned(), percent),
    ]
}

/// Errors of rows by the rules that filled in what they do not say.
pub(super) fn inferred(points: &[Point<'_>]) -> String {
    let mut rules: BTreeMap<&str, (&str, Vec<&Point<'_>>)> = BTreeMap::new();
    for point in times(points) {
        let mut seen: Vec<&str> = Vec::new();
        for one in &point.row.assumptions {
            if !seen.contains(&one.rule.name) {
                seen.push(one.rule.name);
                let slot = rules
                    .entry(one.rule.name)
                    .or_insert((one.rule.reason, Vec::new()));
                slot.1.push(point);
            }
        }
    }
    let line = |(name, (reason, members)): (&str, (&str, Vec<&Point<'_>>))| {
        let stats = stats(members.into_iter())?;
        Some(vec![
            name.to_owned(),
            count(stats.n),
            percent(stats.mape),
            signed(stats.bias),
            reason.to_owned(),
        ])
    };
    let lines: Vec<_> = rules.into_iter().filter_map(line).collect();
    format!(
        "## What was inferred\n\nWhat a table does not print gets its most likely value, by a named rule. `windtunnel validate RUNS.csv --row N` prints \
         them beside the values.\n\n{}",
        table(&["rule", ">rows", ">MAPE", ">bias", "why"], &lines)
    )
}

/// Rows that are printed and counted nowhere, and rows that could not be predicted.
pub(super) fn apart(rows: &[Row]) -> String {
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in rows {
        if let Some(reason) = row.apart {
            reasons
                .entry((&row.label.source_repo, reason))
                .or_default()
                .push(&row.id);
        }
        if let Some(reason) = &row.skipped {
            reasons
                .entry((&row.label.source_repo, reason))
                .or_default()
                .push(&row.id);
        }
    }
    let mut text = "## Rows outside every group\n\n".to_owned();
    if reasons.is_empty() {
        text.push_str("None.\n");
    }
    for ((repo, reason), ids) in reasons {
        let _ = writeln!(text, "- {repo}: {reason}: {}", ids.join(", "));
    }
    text
}
