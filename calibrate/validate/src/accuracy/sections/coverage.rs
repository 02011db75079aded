//! How often the measured value lies in the predicted interval, and whole generations of GPUs or
//! frameworks left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use runs::Quantity;

use super::super::fit::Fit;
use super::super::markdown::{percent, table};
use super::super::point::Point;
use crate::group::quantile;
use crate::row::Row;

/// Groups of fewer rows say too little about an interval.
const LARGE_GROUP: usize = 10;

/// The share of a large group that must lie in its intervals.
const LEAST_COVERAGE: f64 = 0.6;

/// Schemes that leave out more than a study has seen, with the error to be reached in the median.
const WIDE: [(&str, &str, f64); 2] = [
    ("gpu generation", "a generation of GPUs", 0.15),
    ("framework", "a framework", 0.25),
];

/// One left-out group.
#[derive(Default)]
struct Group {
    errors: Vec<f64>,
    inside: Vec<bool>,
}

impl Group {
    fn mape(&self) -> f64 {
        self.errors.iter().sum::<f64>() / self.errors.len().max(1) as f64
    }

    fn coverage(&self) -> Option<f64> {
        let hits = self.inside.iter().filter(|hit| **hit).count();
        (!self.inside.is_empty()).then(|| hits as f64 / self.inside.len() as f64)
    }
}

/// Intervals, and what is left out as a whole.
pub(super) fn section(_: &[Row], fit: &Fit, points: &[Point<'_>]) -> String {
    let mut text = "## Intervals\n\n".to_owned();
    if fit.left_out.is_none() {
        text.push_str("No predictions of left-out groups are there, so the intervals have not been checked.\n");
        return text;
    }
    let inside: Vec<bool> = points
        .iter()
        .filter(|point| point.left_out && point.quantity == Quantity::IterationTime)
        .filter_map(Point::is_inside)
        .collect();
    let hits = inside.iter().filter(|hit| **hit).count();
    if inside.is_empty() {
        text.push_str("No interval is given with the predictions of left-out groups.\n");
    } else {
        let _ = writeln!(
            text,
            "An interval reaches from the 10th to the 90th percentile. Of {} iteration times whose group was left out, {} lie in theirs \
             (75 to 85 % are to).",
            inside.len(),
            percent(hits as f64 / inside.len() as f64)
        );
    }
    text.push_str(&narrow(fit));
    for (scheme, what, goal) in WIDE {
        text.push_str(&wide(fit, scheme, what, goal));
    }
    text
}

/// Groups by scheme and name.
fn groups(fit: &Fit, has: impl Fn(&str) -> bool) -> BTreeMap<(&str, &str), Group> {
    let mut groups: BTreeMap<(&str, &str), Group> = BTreeMap::new();
    let times = fit.left_out.iter().flatten();
    let times = times.filter(|one| one.quantity == Quantity::IterationTime.name());
    for one in times.filter(|one| has(&one.scheme)) {
        let group = groups.entry((&one.scheme, &one.group)).or_default();
        group
            .errors
            .push((one.predicted / one.measured - 1.0).abs());
        if let Some((low, high)) = one.p10.zip(one.p90) {
            group
                .inside
                .push(low <= one.measured && one.measured <= high);
        }
    }
    groups
}

/// Large groups of which too few rows lie in their intervals.
fn narrow(fit: &Fit) -> String {
    let all = groups(fit, |_| true);
    let large = all
        .iter()
        .filter(|(_, group)| LARGE_GROUP <= group.errors.len());
    let large: Vec<_> = large
        .filter_map(|(name, group)| Some((name, group, group.coverage()?)))
        .collect();
    let below: Vec<_> = large
        .iter()
        .filter(|(.., share)| *share < LEAST_COVERAGE)
        .collect();
    if large.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "Of {} left-out groups with {LARGE_GROUP} rows and more, {} have less than {} of their rows in the intervals.\n",
        large.len(),
        below.len(),
        percent(LEAST_COVERAGE)
    );
    if !below.is_empty() {
        let line = |((scheme, name), group, share): &(&(&str, &str), &Group, f64)| {
            vec![
                (*scheme).to_owned(),
                (*name).to_owned(),
                group.errors.len().to_string(),
                percent(group.mape()),
                percent(*share),
            ]
        };
        let lines: Vec<_> = below.into_iter().map(line).collect();
        let headers = ["left out by", "group", ">n", ">MAPE", ">in the interval"];
        let _ = write!(text, "\n{}", table(&headers, &lines));
    }
    text
}

/// A scheme that leaves out more than one study.
fn wide(fit: &Fit, scheme: &str, what: &str, goal: f64) -> String {
    let all = groups(fit, |name| name == scheme);
    if all.is_empty() {
        return String::new();
    }
    let mut errors: Vec<f64> = all.values().map(Group::mape).collect();
    errors.sort_by(f64::total_cmp);
    let median = quantile(&errors, 0.5).unwrap_or_default();
    let line = |((_, name), group): (&(&str, &str), &Group)| {
        vec![
            (*name).to_owned(),
            group.errors.len().to_string(),
            percent(group.mape()),
            group.coverage().map_or_else(|| "-".to_owned(), percent),
        ]
    };
    let lines: Vec<_> = all.iter().map(line).collect();
    format!(
        "\n### Without {what}\n\nMedian of the groups {}; to be reached: {}.\n\n{}",
        percent(median),
        percent(goal),
        table(&["left out", ">n", ">MAPE", ">in the interval"], &lines)
    )
}
