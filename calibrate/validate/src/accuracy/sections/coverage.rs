//! How often the measured value lies in the predicted interval, and whole generations of GPUs or
//! frameworks left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use runs::Quantity;
use units::math::{exp, ln};

use super::super::fit::{Fit, LeftOut};
use super::super::markdown::{count, percent, signed, table};
use super::super::point::Point;
use crate::group::quantile;

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
    /// Predicted over measured, minus 1.
    errors: Vec<f64>,
    inside: Vec<bool>,
    /// From the prediction to the 90th percentile, as a natural logarithm.
    widths: Vec<f64>,
}

impl Group {
    fn of<'a>(members: impl Iterator<Item = &'a LeftOut>) -> Self {
        let mut group = Self::default();
        for one in members {
            group.errors.push(one.predicted / one.measured - 1.0);
            let ends = one.p10.zip(one.p90);
            group
                .inside
                .extend(ends.map(|(low, high)| (low..=high).contains(&one.measured)));
            group.widths.extend(one.half_width());
        }
        group
    }

    fn mape(&self) -> f64 {
        mean(self.errors.iter().map(|error| error.abs()))
    }

    fn bias(&self) -> f64 {
        mean(self.errors.iter().copied())
    }

    fn coverage(&self) -> Option<f64> {
        share_of(&self.inside)
    }

    /// Why too few rows lie in their intervals, as far as errors tell.
    fn why(&self) -> String {
        let half_width = exp(mean(self.widths.iter().copied())) - 1.0;
        let (mape, bias) = (self.mape(), self.bias());
        let side = if bias < 0.0 { "short" } else { "long" };
        match (TOGETHER * mape <= bias.abs(), half_width < bias.abs()) {
            (true, true) => format!(
                "its rows lie off together, predicted too {side}, farther than other groups of their kind"
            ),
            (true, false) => format!(
                "its rows lie off together, predicted too {side}, about as far as the interval reaches"
            ),
            (false, true) => format!(
                "most of its rows are predicted too {side}, farther than other groups of their kind"
            ),
            (false, false) => "its rows scatter to both sides, more than those of other groups of their kind: no common cause is known".to_owned(),
        }
    }
}

/// Rows whose mean error is this share of their mean |error| lie off together.
const TOGETHER: f64 = 0.9;

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    values.sum::<f64>() / n
}

fn share_of(inside: &[bool]) -> Option<f64> {
    let hits = inside.iter().filter(|hit| **hit).count();
    (!inside.is_empty()).then(|| hits as f64 / inside.len() as f64)
}

impl LeftOut {
    /// From the prediction to the 90th percentile, as a natural logarithm; none without an interval.
    fn half_width(&self) -> Option<f64> {
        let width = ln(self.p90? / self.predicted);
        (0.0 < width).then_some(width)
    }

    /// How far it is off over how far its interval reaches; none without an interval.
    fn share(&self) -> Option<f64> {
        Some(ln(self.measured / self.predicted).abs() / self.half_width()?)
    }

    /// What of the run was not seen: intervals of one kind share their factor.
    fn kind(&self) -> &'static str {
        match self.scheme.as_str() {
            "framework" => "framework",
            "gpu generation" | "gpu" => "gpu",
            _ => "model",
        }
    }
}

/// Intervals, and what is left out as a whole.
pub(super) fn section(fit: &Fit, points: &[Point<'_>]) -> String {
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
    if let Some(share) = share_of(&inside) {
        let _ = writeln!(
            text,
            "An interval reaches from the 10th to the 90th percentile. Of {} iteration times whose group was left out, {} lie in theirs \
             (75 to 85 % are to). {BY_CONSTRUCTION}{}",
            count(inside.len()),
            percent(share),
            held_out(fit)
        );
    } else {
        text.push_str("No interval is given with the predictions of left-out groups.\n");
    }
    text.push_str(WIDER);
    text.push_str(&narrow(fit));
    for (scheme, what, goal) in WIDE {
        text.push_str(&wide(fit, scheme, what, goal));
    }
    text
}

/// What a share near 80 % means.
const BY_CONSTRUCTION: &str = "That share is near 80 % by construction, over all groups together: widths are those of the other groups of a framework and architecture, times a \
    factor that was chosen so that 80 % of these very rows lie inside, one factor for models, frameworks and GPUs each. What the factor does not settle is how the rows inside are spread over groups.";

/// How unknown things are predicted.
const WIDER: &str = "\nPredictions of other runs carry the width of left-out models of their framework and architecture. A framework or a GPU of which no run was fitted, \
    or for which another one stands in, adds the width that leaving out frameworks or generations of GPUs gave, in squares; a model whose shape is guessed adds \
    the width of a left-out model once more: docs/measured-runs.md says how wide that is.\n";

/// The share inside with the factor of each kind chosen without any row of the group that is judged.
fn held_out(fit: &Fit) -> String {
    let times: Vec<&LeftOut> = times(fit).collect();
    let known: Vec<(&LeftOut, f64)> = times
        .iter()
        .filter_map(|one| Some((*one, one.share()?)))
        .collect();
    let mut judged: BTreeMap<(&str, &str), Vec<(&LeftOut, f64)>> = BTreeMap::new();
    for (one, share) in &known {
        let group = judged.entry((&one.scheme, &one.group)).or_default();
        group.push((one, *share));
    }
    let mut by_kind: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for members in judged.values() {
        let kind = members[0].0.kind();
        let own: BTreeSet<&str> = members.iter().map(|(one, _)| one.row_id.as_str()).collect();
        let rest = known
            .iter()
            .filter(|(one, _)| one.kind() == kind && !own.contains(one.row_id.as_str()));
        let mut rest: Vec<f64> = rest.map(|(_, share)| *share).collect();
        rest.sort_by(f64::total_cmp);
        let factor = quantile(&rest, COVERED).unwrap_or(1.0);
        let inside = by_kind.entry(kind).or_default();
        inside.extend(members.iter().map(|(_, share)| *share <= factor));
    }
    let words = by_kind.iter().filter_map(|(kind, inside)| {
        let share = percent(share_of(inside)?);
        Some(format!("{share} where a {kind} was left out"))
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        return String::new();
    }
    format!(
        " With that factor chosen anew for each group on rows of all other groups, so that no row has a say in its own interval, the \
         shares inside are: {}.",
        words.join("; ")
    )
}

/// Share of runs between the 10th and the 90th percentile.
const COVERED: f64 = 0.8;

/// Left-out iteration times under every scheme.
fn times(fit: &Fit) -> impl Iterator<Item = &LeftOut> {
    let all = fit.left_out.iter().flatten();
    all.filter(|one| one.quantity == Quantity::IterationTime.name())
}

/// Groups by scheme and name.
fn groups(fit: &Fit, has: impl Fn(&str) -> bool) -> BTreeMap<(&str, &str), Group> {
    let mut members: BTreeMap<(&str, &str), Vec<&LeftOut>> = BTreeMap::new();
    for one in times(fit).filter(|one| has(&one.scheme)) {
        let group = members.entry((&one.scheme, &one.group)).or_default();
        group.push(one);
    }
    let groups = members.into_iter();
    groups
        .map(|(name, members)| (name, Group::of(members.into_iter())))
        .collect()
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
        "\nOf {} left-out groups with {LARGE_GROUP} rows and more, {} have less than {} of their rows in the intervals",
        large.len(),
        below.len(),
        percent(LEAST_COVERAGE)
    );
    if below.is_empty() {
        text.push_str(".\n");
        return text;
    }
    let line = |((scheme, name), group, share): &(&(&str, &str), &Group, f64)| {
        let half_width = exp(mean(group.widths.iter().copied())) - 1.0;
        vec![
            (*scheme).to_owned(),
            (*name).to_owned(),
            count(group.errors.len()),
            percent(group.mape()),
            signed(group.bias()),
            signed(half_width),
            percent(*share),
            group.why(),
        ]
    };
    let lines: Vec<_> = below.into_iter().map(line).collect();
    let headers = [
        "left out by",
        "group",
        ">n",
        ">MAPE",
        ">bias",
        ">interval reaches to",
        ">in the interval",
        "why",
    ];
    let _ = write!(
        text,
        ": an interval knows of a group what the others of its framework and architecture show, and one that lies farther off than all of them is outside.\n\n{}",
        table(&headers, &lines)
    );
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
            count(group.errors.len()),
            percent(group.mape()),
            signed(group.bias()),
            group.coverage().map_or_else(|| "-".to_owned(), percent),
        ]
    };
    let lines: Vec<_> = all.iter().map(line).collect();
    format!(
        "\n### Without {what}\n\nMedian of the groups {}; to be reached: {}.\n\n{}",
        percent(median),
        percent(goal),
        table(
            &["left out", ">n", ">MAPE", ">bias", ">in the interval"],
            &lines
        )
    )
}
