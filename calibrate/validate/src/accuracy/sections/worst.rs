//! The rows that are furthest off, and why.

use std::fmt::Write as _;

use predict::Breakdown;
use runs::Quantity;

use super::super::cause::causes;
use super::super::markdown::{count, gib, percent, seconds, signed};
use super::super::point::{Point, shipped_points};
use super::super::subset::study;
use crate::group::quantile;
use crate::row::Row;
use crate::worst::Worst;

/// Each row with where its time goes, what was inferred, and how its siblings fare.
pub(super) fn section(rows: &[Row], worst: &[Worst]) -> String {
    let points = shipped_points(rows);
    let mut text = format!(
        "## The {} worst rows\n\nAs the shipped profiles predict them; times of integration tests are left out here. What is known of them, general rules found: rows that contradict each other, \
         a pipeline that never fills, what the source says of its times, rows of a section, a degree or an inference that lie off alike. Siblings are rows of the same study, model and GPU: where they are far off, too, the model of the \
         machine or the framework is to blame; where they are not, the row or its description is. What was inferred for a row, `windtunnel validate RUNS.csv --row N` prints.\n",
        worst.len()
    );
    for one in worst {
        let _ = write!(text, "\n{}", row(one, &points));
    }
    text
}

fn row(one: &Worst, points: &[Point<'_>]) -> String {
    let (row, compared) = (&one.row, &one.compared);
    let name = row
        .record
        .text("model")
        .or(row.record.text("test_case"))
        .unwrap_or("model");
    let shown = |value: f64| match compared.quantity {
        Quantity::PeakMemory(_) => gib(value),
        _ => seconds(value),
    };
    let plan = row.facts.as_ref().map_or_else(String::new, |facts| {
        format!(
            " on {} {} (tp {}, pp {}, cp {}, ep {}, dp {})",
            facts.gpus, row.label.gpu, facts.tp, facts.pp, facts.cp, facts.ep, facts.dp
        )
    });
    let causes = causes(row, compared, points);
    format!(
        "- **Row {}**, {}: {name}{plan}. {}: predicted {}, measured {}, {}. {} {} {} Inferred: {}.\n",
        row.id,
        study(row),
        compared.quantity.name(),
        compared
            .predicted
            .map_or_else(|| "nothing".to_owned(), shown),
        shown(compared.measured),
        compared.error().map_or_else(String::new, signed),
        if causes.is_empty() {
            "No cause known.".to_owned()
        } else {
            format!("What is known: {}.", causes.join("; "))
        },
        siblings(one, points),
        parts(&one.breakdown),
        inferred(row)
    )
}

/// The rules of what was inferred, by name.
fn inferred(row: &Row) -> String {
    let mut rules: Vec<&str> = row.assumptions.iter().map(|one| one.rule.name).collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() {
        return "nothing".to_owned();
    }
    rules.join(", ")
}

/// How rows fare that should fare alike.
fn siblings(one: &Worst, points: &[Point<'_>]) -> String {
    let key = |row: &Row| {
        (
            study(row).to_owned(),
            row.record.or_empty("model").to_owned(),
            row.label.gpu.clone(),
        )
    };
    let own = key(&one.row);
    let alike = points.iter().filter(|point| {
        point.quantity == one.compared.quantity
            && point.row.id != one.row.id
            && key(point.row) == own
    });
    let mut errors: Vec<f64> = alike.map(Point::error).collect();
    errors.sort_by(f64::total_cmp);
    match quantile(&errors, 0.5) {
        Some(median) if errors.len() == 1 => format!("Its sibling: {}.", signed(median)),
        Some(median) => format!(
            "Its {} siblings: {} in the median.",
            count(errors.len()),
            signed(median)
        ),
        None => "It has no siblings.".to_owned(),
    }
}

/// The three largest parts of the predicted time.
fn parts(breakdown: &Breakdown) -> String {
    let mut parts = [
        ("compute", breakdown.compute_s),
        ("tensor parallel", breakdown.tp_s),
        ("pipeline", breakdown.pp_s),
        ("data parallel", breakdown.dp_s),
        ("context parallel", breakdown.cp_s),
        ("expert parallel", breakdown.ep_s),
        ("bubble", breakdown.bubble_s),
        ("optimizer", breakdown.optimizer_s),
        ("host and other", breakdown.other_s),
    ];
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total = breakdown.total();
    let words = parts
        .iter()
        .take(3)
        .filter(|(_, part)| 0.005 * total < *part);
    let words: Vec<String> = words
        .map(|(name, part)| format!("{name} {}", percent(part / total)))
        .collect();
    format!("Of the predicted time {}.", words.join(", "))
}
