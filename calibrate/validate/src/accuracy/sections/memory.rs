//! Memory: predicted against measured, and runs that fit or do not.

use runs::Quantity;

use super::super::figure;
use super::super::markdown::{count, percent, signed, table};
use super::super::point::Point;
use super::super::stats::stats;
use super::super::target::TARGETS;
use crate::group::group_of_all;
use crate::row::Row;

/// A run that happened must not be predicted to need more than this of its device.
const IMPOSSIBLE: f64 = 1.05;

/// Errors of memory by study, and the confusion of failures.
pub(super) fn section(rows: &[Row], points: &[Point<'_>]) -> String {
    let mut lines = Vec::new();
    for target in TARGETS.iter().filter(|target| target.is_memory) {
        let own = points
            .iter()
            .filter(|point| target.speaks_of(point.row, point.quantity));
        if let Some(stats) = stats(own) {
            lines.push(vec![
                target.name.to_owned(),
                count(stats.n),
                percent(stats.mape),
                percent(stats.median),
                percent(stats.p90),
                signed(stats.bias),
            ]);
        }
    }
    format!(
        "## Memory\n\nCompared like with like: what the framework allocated at most, what it had allocated on the last rank, what nvidia-smi showed.\n\n\
         ![Predicted against measured memory]({})\n\n{}\n{}",
        figure::path("memory"),
        table(&["rows", ">n", ">MAPE", ">median", ">p90", ">bias"], &lines),
        failures(rows)
    )
}

fn failures(rows: &[Row]) -> String {
    let oom = Quantity::OutOfMemory.name();
    let Some(all) = group_of_all(rows)
        .into_iter()
        .find(|group| group.quantity == oom)
    else {
        return String::new();
    };
    let counts = all.oom;
    let whole = |n: u32| count(usize::try_from(n).unwrap_or(usize::MAX));
    let ran = whole(counts.false_positive + counts.true_negative);
    let failed = whole(counts.true_positive + counts.false_negative);
    let impossible: Vec<String> = rows
        .iter()
        .filter(|row| row.apart.is_none())
        .filter_map(impossible)
        .collect();
    let sentence = if impossible.is_empty() {
        "No run that happened is predicted to need more than 5 % above its device's memory."
            .to_owned()
    } else {
        format!(
            "Runs that happened and are predicted to need more than 5 % above their device's memory: {}.",
            impossible.join(", ")
        )
    };
    format!(
        "Of {ran} runs that ran, {} are predicted not to fit; of {failed} that ran out of memory, {} are predicted to. {sentence}\n",
        whole(counts.false_positive),
        whole(counts.true_positive)
    )
}

/// A row that ran although it is predicted to need far more than its device has.
fn impossible(row: &Row) -> Option<String> {
    let ran = row
        .compared
        .iter()
        .any(|one| one.quantity == Quantity::OutOfMemory && one.measured < 0.5);
    let fill = row.facts.as_ref()?.fill;
    (ran && IMPOSSIBLE < fill).then(|| format!("row {} ({} of the device)", row.id, percent(fill)))
}
