//! Why a row lies far off, by rules that hold for any row: what contradicts it, what it shares with
//! rows that lie off alike, what about it is guessed.

use runs::Quantity;

use super::markdown::{count, gib, percent, seconds, signed};
use super::point::Point;
use super::stats::{Stats, stats};
use super::subset::study;
use crate::facts::Facts;
use crate::row::{Compared, Row};

/// A row with the quantity that lies off, and every point of the report.
#[derive(Clone, Copy)]
struct Case<'a> {
    row: &'a Row,
    facts: &'a Facts,
    compared: &'a Compared,
    error: f64,
    points: &'a [Point<'a>],
}

/// Every cause that a rule knows, the strongest first; none where no rule knows one.
pub(super) fn causes(row: &Row, compared: &Compared, points: &[Point<'_>]) -> Vec<String> {
    let Some((facts, error)) = row.facts.as_ref().zip(compared.error()) else {
        return Vec::new();
    };
    let case = Case {
        row,
        facts,
        compared,
        error,
        points,
    };
    let rules = [
        contradicts_itself,
        differs_from_its_repeat,
        needs_more_with_less,
        differs_from_equal_work,
        pipeline_never_fills,
        source_names_its_noise,
        lies_off_with_others,
    ];
    rules.iter().filter_map(|rule| rule(&case)).collect()
}

/// Measured values that differ by more than this contradict each other where they should be equal.
const NOISE: f64 = 0.1;

/// Rows whose mean error is at least this, all on one side, have a cause in common.
const COMMON: f64 = 0.15;

impl<'a> Case<'a> {
    /// Other points of the same quantity and study.
    fn others(&self) -> impl Iterator<Item = &'a Point<'a>> + use<'a> {
        let case = *self;
        case.points.iter().filter(move |point| {
            let other = point.row;
            let is_it = other.id == case.row.id && other.record.path() == case.row.record.path();
            !is_it && point.quantity == case.compared.quantity && study(other) == study(case.row)
        })
    }

    fn shown(&self, value: f64) -> String {
        match self.compared.quantity {
            Quantity::PeakMemory(_) => gib(value),
            _ => seconds(value),
        }
    }

    fn has_same(&self, other: &Row, columns: &[&str]) -> bool {
        let mut columns = columns.iter();
        columns.all(|column| self.row.record.text(column) == other.record.text(column))
    }
}

fn contradicts_itself(case: &Case<'_>) -> Option<String> {
    case.row
        .contradicts
        .then(|| "the row contradicts itself (`parallel_consistent` is no)".to_owned())
}

/// Columns that tell runs apart whose degrees are equal.
const SETTINGS: [&str; 8] = [
    "gpu",
    "mbs",
    "precision",
    "recompute",
    "zero_stage",
    "vp",
    "heads",
    "fsdp_shard",
];

/// The same plan of the same model, of whatever section.
fn differs_from_its_repeat(case: &Case<'_>) -> Option<String> {
    let repeats = case.others().filter(|point| {
        point
            .row
            .facts
            .as_ref()
            .is_some_and(|other| is_same_plan(case.facts, other))
            && case.has_same(point.row, &SETTINGS)
    });
    let far = repeats
        .filter(|point| NOISE < (point.measured / case.compared.measured - 1.0).abs())
        .max_by(|a, b| distance(a, case).total_cmp(&distance(b, case)))?;
    Some(format!(
        "row {} repeats it and measured {}",
        far.row.id,
        case.shown(far.measured)
    ))
}

fn distance(point: &Point<'_>, case: &Case<'_>) -> f64 {
    (point.measured / case.compared.measured - 1.0).abs()
}

fn is_same_plan(a: &Facts, b: &Facts) -> bool {
    let of = |f: &Facts| {
        (
            [f.params, f.tokens],
            [f.gpus, f.tp, f.pp, f.cp, f.ep, f.dp, f.micro_batches],
        )
    };
    of(a) == of(b)
}

/// Memory: a larger micro-batch of an equal plan that takes less, or a smaller one that takes more.
fn needs_more_with_less(case: &Case<'_>) -> Option<String> {
    if !matches!(case.compared.quantity, Quantity::PeakMemory(_)) {
        return None;
    }
    let micro = |row: &Row| row.record.number("mbs").ok().flatten();
    let own = micro(case.row)?;
    let is_against = |point: &&Point<'_>| {
        let Some((other, facts)) = micro(point.row).zip(point.row.facts.as_ref()) else {
            return false;
        };
        let degrees = |f: &Facts| [f.gpus, f.tp, f.pp, f.cp, f.ep, f.dp];
        let larger_takes_less = own < other && point.measured < case.compared.measured;
        let smaller_takes_more = other < own && case.compared.measured < point.measured;
        facts.params == case.facts.params
            && degrees(facts) == degrees(case.facts)
            && (larger_takes_less || smaller_takes_more)
    };
    let against = case.others().find(is_against)?;
    Some(format!(
        "row {} with a micro-batch of {} in place of {own} and an equal plan measured {}",
        against.row.id,
        micro(against.row)?,
        case.shown(against.measured)
    ))
}

/// Parameters times tokens, by GPU and second.
fn pace(facts: &Facts, secs: f64) -> f64 {
    facts.params as f64 * facts.tokens as f64 / (f64::from(facts.gpus) * secs)
}

/// A run of the same section with as many tensor-parallel ranks and a pipeline as full, whose GPUs
/// did the same work at another pace although the prediction gives both the same.
fn differs_from_equal_work(case: &Case<'_>) -> Option<String> {
    const SAME: f64 = 1.2;
    const OTHER: f64 = 1.4;
    let is_full = |facts: &Facts| 4 * facts.pp <= facts.micro_batches && !facts.experts;
    if case.compared.quantity != Quantity::IterationTime || !is_full(case.facts) {
        return None;
    }
    let predicted = case.compared.predicted?;
    let ratio = |a: f64, b: f64| (a / b).max(b / a);
    let own = [predicted, case.compared.measured].map(|secs| pace(case.facts, secs));
    let columns = ["section", "source_path", "gpu", "precision", "recompute"];
    let mut found: Option<(f64, f64, &Point<'_>)> = None;
    for point in case.others() {
        let Some(facts) = &point.row.facts else {
            continue;
        };
        let shipped = point.row.compared.iter();
        let mut shipped = shipped.filter(|one| one.quantity == Quantity::IterationTime);
        let Some(other) = shipped.next().and_then(|one| one.predicted) else {
            continue;
        };
        let paces = [other, point.measured].map(|secs| pace(facts, secs));
        let is_alike = facts.tp == case.facts.tp
            && is_full(facts)
            && case.has_same(point.row, &columns)
            && ratio(own[0], paces[0]) <= SAME;
        let far = ratio(own[1], paces[1]);
        if is_alike && OTHER <= far && found.is_none_or(|(most, ..)| most < far) {
            found = Some((far, paces[1] / own[1], point));
        }
    }
    let (_, times, point) = found?;
    Some(format!(
        "row {} of its section, predicted at about the same pace (parameters times tokens, by GPU and second), ran at {times:.1} times that of this row, and \
         no cell says why",
        point.row.id
    ))
}

/// Fewer micro-batches than stages.
fn pipeline_never_fills(case: &Case<'_>) -> Option<String> {
    let never_fills = |facts: &Facts| 1 < facts.pp && facts.micro_batches < facts.pp;
    if case.compared.quantity != Quantity::IterationTime || !never_fills(case.facts) {
        return None;
    }
    let alike = case.others().filter(|point| {
        let facts = point.row.facts.as_ref();
        facts.is_some_and(never_fills)
    });
    let others = stats(alike).map_or_else(String::new, |stats| {
        format!(
            ", as with {} other rows of the study (bias {})",
            count(stats.n),
            signed(stats.bias)
        )
    });
    Some(format!(
        "fewer micro-batches ({}) than stages ({}): the pipeline never fills, so that the time is that of single passes through all stages, one after \
         another, in which an error of what a stage costs besides its products counts once for each stage{others}",
        case.facts.micro_batches, case.facts.pp
    ))
}

/// What the source says of its own times: `+/-40%`.
fn source_names_its_noise(case: &Case<'_>) -> Option<String> {
    if case.compared.quantity != Quantity::IterationTime {
        return None;
    }
    let notes = case.row.record.or_empty("notes");
    let behind = notes.split("+/-").nth(1)?;
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    let is_share = behind[digits.len()..].trim_start().starts_with('%');
    let share: f64 = digits.parse::<f64>().ok().filter(|_| is_share)? / 100.0;
    let enough = if case.error.abs() <= share {
        ", which is more than this row is off"
    } else {
        ", which is less than this row is off"
    };
    Some(format!(
        "its source says that times vary by {digits} %{enough}"
    ))
}

/// All rows of its section, with as many tensor-parallel ranks, or for which the same thing was
/// inferred, lie off to the same side. Of several such sets, the one that does so most; of sets with
/// the same rows, the first.
fn lies_off_with_others(case: &Case<'_>) -> Option<String> {
    let of_section = case.row.record.text("section").map(|section| {
        let columns = ["section", "source_path", "gpu"];
        let members = case.others();
        let members = members.filter(|point| case.has_same(point.row, &columns));
        (
            format!("of section '{section}'"),
            together(members, case.error),
        )
    });
    let tp = case.facts.tp;
    let members = case.others().filter(|point| {
        let facts = point.row.facts.as_ref();
        facts.is_some_and(|facts| facts.tp == tp)
    });
    let of_degree = (
        format!("of the study with a tensor parallelism of {tp}"),
        together(members, case.error),
    );
    let mut names: Vec<&str> = case
        .row
        .assumptions
        .iter()
        .map(|one| one.rule.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    let of_rules = names.into_iter().map(|name| {
        let members = case.others().filter(|point| {
            let mut assumed = point.row.assumptions.iter();
            assumed.any(|other| other.rule.name == name)
        });
        let words = format!("of the study with what `{name}` infers");
        (words, together(members, case.error))
    });
    let mut most: Option<(String, Stats)> = None;
    for (words, stats) in of_rules.chain(of_section).chain([of_degree]) {
        let Some(stats) = stats else { continue };
        if most
            .as_ref()
            .is_none_or(|(_, known)| known.bias.abs() < stats.bias.abs())
        {
            most = Some((words, stats));
        }
    }
    let (words, stats) = most?;
    Some(format!(
        "{} other rows {words} lie off alike (bias {}, mean error {})",
        count(stats.n),
        signed(stats.bias),
        percent(stats.mape)
    ))
}

/// The errors of three rows and more that lie off to one side, the same as another one.
fn together<'a>(members: impl Iterator<Item = &'a Point<'a>>, error: f64) -> Option<Stats> {
    const ONE_SIDE: f64 = 0.9;
    const FEWEST: usize = 3;
    let stats = stats(members)?;
    let is_common = COMMON <= stats.bias.abs()
        && ONE_SIDE * stats.mape <= stats.bias.abs()
        && 0.0 < stats.bias * error;
    (FEWEST <= stats.n && is_common).then_some(stats)
}
