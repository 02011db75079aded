//! What methods that others published would have picked in the same cells.

use search::Method;

use super::super::super::fit::Fit;
use super::super::super::markdown::{count, percent, table};
use super::super::super::point::Point;
use super::super::ranks::{cells_by, studies};
use super::failures::{has_room, recommended, with_room};
use super::{Named, hits, order, regret};
use crate::facts::Facts;
use crate::group::quantile;
use crate::row::Row;

/// The regret where plans without room are no candidates, as for `plan`.
pub(super) fn with_memory(points: &[Point<'_>]) -> String {
    let mut regrets = Vec::new();
    let mut excluded = 0;
    let predicted = |point: &Point<'_>| {
        if has_room(point.row) {
            point.predicted
        } else {
            f64::INFINITY
        }
    };
    for name in studies(points) {
        for cell in cells_by(points, name, &predicted) {
            excluded += cell.n_without_prediction();
            regrets.push(cell.regret());
        }
    }
    regrets.sort_by(f64::total_cmp);
    let share = |at| quantile(&regrets, at).map_or_else(|| "-".to_owned(), percent);
    format!(
        "{} rows of cells ran although `plan` would not have taken them. Where it chooses among the others alone, and the best is still the best of all, the regret is {} in the median cell and {} at the 90th percentile.\n",
        count(excluded),
        share(0.5),
        share(0.9),
    )
}

/// A table of methods: what their picks cost, and whether they order plans.
pub(super) fn methods(
    rows: &[Row],
    points: &[Point<'_>],
    (unseen, shipped): (&[Named<'_>], &[Named<'_>]),
    fit: &Fit,
) -> String {
    let mut lines = Vec::new();
    if fit.left_out.is_some() {
        lines.push(line(
            "Windtunnel, left out",
            unseen,
            order(unseen),
            "-".to_owned(),
        ));
    }
    let none = super::failures::Failures::of(rows).recommended;
    lines.push(line(
        "Windtunnel, shipped profiles",
        shipped,
        order(shipped),
        count(none),
    ));
    for method in Method::ALL {
        let score = |row: &Row| score(method, row);
        let picked = by(points, &score);
        let ordered = match method {
            Method::Megatron => None,
            _ => order(&by(points, &|row| time(method, row))),
        };
        let name = format!("{} ({})", method.name(), method.source());
        let failures = count(recommended(rows, &score));
        lines.push(line(&name, &picked, ordered, failures));
    }
    let headers = [
        "method",
        ">median regret",
        ">p90",
        ">worst",
        ">best picked",
        ">rank correlation, median cell",
        ">picks that ran out of memory",
    ];
    format!(
        "### Other methods\n\nWhat methods that others published would have picked of the same plans. AMP and Pipette are given our times of passes (shipped profiles) in place of their own profiles, Megatron's heuristic \
         and Pipette our memory model with its margin in place of theirs; their messages, their overlap and their pipelines are their own. The heuristic takes, of plans with room, \
         the fewest stages, then the least tensor parallelism, then the largest micro-batch that fills the pipeline.\n\n{}\n{}",
        table(&headers, &lines),
        by_study(points, shipped)
    )
}

/// The mean regret of each method by study. Where passes decide, as in a single node, methods that are
/// given the same times of passes hardly differ.
fn by_study(points: &[Point<'_>], shipped: &[Named<'_>]) -> String {
    let scores = Method::ALL.map(|method| by(points, &|row| score(method, row)));
    let all = [shipped, &scores[0], &scores[1], &scores[2]];
    let mean = |cells: &[Named<'_>], study: &str| {
        let own = cells.iter().filter(|(name, _)| *name == study);
        let regrets: Vec<f64> = own.map(|(_, cell)| cell.regret()).collect();
        percent(regrets.iter().sum::<f64>() / regrets.len() as f64)
    };
    let line = |of_study: &[Named<'_>]| {
        let study = of_study[0].0;
        let mut cells = vec![study.to_owned(), count(of_study.len())];
        cells.extend(all.map(|cells| mean(cells, study)));
        cells
    };
    let studies = shipped.chunk_by(|a, b| a.0 == b.0);
    let lines: Vec<Vec<String>> = studies.map(line).collect();
    let mut headers = vec!["mean regret", ">cells", ">Windtunnel, shipped profiles"];
    let names = Method::ALL.map(|method| format!(">{}", method.name()));
    headers.extend(names.iter().map(String::as_str));
    format!(
        "By study. Where times of passes decide, as inside a node, methods that are given the same times hardly differ.\n\n{}",
        table(&headers, &lines)
    )
}

fn line(name: &str, cells: &[Named<'_>], rho: Option<f64>, failures: String) -> Vec<String> {
    let share = |at| regret(cells, at).map_or_else(|| "-".to_owned(), percent);
    vec![
        name.to_owned(),
        share(0.5),
        share(0.9),
        share(1.0),
        count(hits(cells)),
        rho.map_or_else(|| "-".to_owned(), |rho| format!("{rho:.2}")),
        failures,
    ]
}

/// The cells of all studies, with the score of a row for its prediction.
fn by<'a>(points: &[Point<'a>], score: &dyn Fn(&Row) -> f64) -> Vec<Named<'a>> {
    let score = |point: &Point<'_>| score(point.row);
    let mut all = Vec::new();
    for name in studies(points) {
        let cells = cells_by(points, name, &score);
        all.extend(cells.into_iter().map(|cell| (name, cell)));
    }
    all
}

/// What a method minimizes; infinite where it takes a plan for one that does not fit.
fn score(method: Method, row: &Row) -> f64 {
    match method {
        Method::Amp => time(method, row),
        _ => with_room(&|row| time(method, row))(row),
    }
}

/// Seconds that a method predicts; for the heuristic, a number that is smaller for what it prefers.
fn time(method: Method, row: &Row) -> f64 {
    let of = |facts: &Facts| match method {
        Method::Amp => facts.amp_time_s,
        Method::Pipette => facts.pipette_time_s,
        Method::Megatron => Some(preference(facts)),
    };
    row.facts.as_ref().and_then(of).unwrap_or(f64::INFINITY)
}

/// Stages, then tensor parallelism, then passes of a micro-batch in all replicas, which are the fewer
/// the larger it is; a pipeline that never fills stands behind all others of its degrees, and the more
/// so the fewer micro-batches it has.
fn preference(facts: &Facts) -> f64 {
    const NEXT: f64 = 1e7;
    let passes = f64::from(facts.dp) * f64::from(facts.micro_batches);
    let never_fills = facts.micro_batches < facts.pp;
    let last = if never_fills { NEXT - passes } else { passes };
    (f64::from(facts.pp) * NEXT + f64::from(facts.tp)) * NEXT + last
}
