//! What a fit leaves behind: files that predictions read, and tables that reports print.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use units::math::exp;

use super::spread::{Spread, half_width};
use super::{Ablation, FitRow, Fitted, LeftOut, source_of};
use crate::least_squares::Model;

/// Files by name, with their text.
pub type Files = BTreeMap<&'static str, String>;

/// The files of a fit.
pub fn files(fitted: &Fitted<'_>) -> Files {
    BTreeMap::from([
        ("scales.toml", scales(fitted)),
        ("parameters.csv", parameters(fitted)),
        ("left_out.csv", left_out(fitted)),
        ("ablation.csv", ablation(&fitted.ablation)),
    ])
}

/// Five digits: what a fit knows, and the same on every machine.
fn digits(value: f64) -> String {
    if value.abs() < 1e-12 {
        return "0".to_owned();
    }
    let magnitude = units::math::log10(value.abs()).floor();
    #[expect(clippy::cast_possible_truncation, reason = "the magnitude of a number")]
    let places = (4 - magnitude as i32).clamp(0, 12);
    let places = usize::try_from(places).unwrap_or(0);
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn scales(fitted: &Fitted<'_>) -> String {
    let mut text = String::from(
        "# Scalars fitted on measured runs. Written by `windtunnel calibrate fit --only runs`: do not edit.\n\
         # Which are free, and why, calibrate/data/fit/parameters.toml says; how sure they are,\n\
         # calibrate/data/fit/parameters.csv; what they are worth, docs/accuracy.md.\n\
         schema = 1\nname = \"measured-runs\"\n",
    );
    let _ = writeln!(
        text,
        "source = \"{} measured runs of calibrate/data/runs, robust least squares with priors\"",
        fitted.rows().len()
    );
    let gpus: BTreeSet<String> = fitted
        .rows()
        .iter()
        .flat_map(|row| row.gpus.clone())
        .collect();
    let gpus: Vec<String> = gpus.iter().map(|gpu| format!("{gpu:?}")).collect();
    let _ = writeln!(text, "gpus = [{}]", gpus.join(", "));
    for spread in &fitted.spreads {
        let Spread {
            unseen, framework, ..
        } = spread;
        let _ = write!(text, "\n[[interval]]\nunseen = \"{unseen}\"\n");
        if let Some(framework) = framework {
            let _ = writeln!(text, "framework = {framework:?}");
        }
        if let Some(architecture) = &spread.architecture {
            let _ = writeln!(text, "architecture = {architecture:?}");
        }
        let _ = writeln!(
            text,
            "half_width = {}\nrows = {}\ngroups = {}",
            digits(spread.half_width),
            spread.rows,
            spread.groups
        );
    }
    for (at, free) in fitted.runs.free.iter().enumerate() {
        let rows = fitted.runs.rows_of(at).len();
        if rows == 0 {
            continue;
        }
        let _ = write!(text, "\n[[scale]]\nkey = {:?}\n", free.key);
        let fields = [
            ("framework", &free.framework),
            ("from", &free.from),
            ("before", &free.before),
            ("gpu", &free.gpu),
            ("architecture", &free.architecture),
            ("node", &free.node),
        ];
        for (key, value) in fields {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} = {value:?}");
            }
        }
        let _ = writeln!(
            text,
            "value = {}\nlog_sd = {}\nrows = {rows}",
            digits(fitted.fit.values[at]),
            digits(fitted.fit.log_sd[at])
        );
    }
    text
}

/// From a value to the ends of its 80 % interval, in standard deviations.
const DEVIATIONS: f64 = 1.2816;

fn parameters(fitted: &Fitted<'_>) -> String {
    let mut text = String::from("profile,parameter,prior,prior_log_sd,value,low,high,rows\n");
    for (at, free) in fitted.runs.free.iter().enumerate() {
        let rows = fitted.runs.rows_of(at).len();
        let (value, sd) = (fitted.fit.values[at], fitted.fit.log_sd[at]);
        let far = exp(DEVIATIONS * sd);
        let place = free.place();
        let place = if place.is_empty() { "all" } else { &place };
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{rows}",
            quoted(place),
            free.key,
            digits(free.prior),
            digits(free.log_sd),
            digits(value),
            digits(value / far),
            digits(value * far),
        );
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn left_out(fitted: &Fitted<'_>) -> String {
    let mut text = String::from(
        "row_id,source_repo,source_path,scheme,group,quantity,measured,predicted,p10,p90\n",
    );
    let rows = fitted.rows();
    for one in &fitted.left_out {
        let row: &FitRow = &rows[one.row];
        let far = exp(half_width(fitted, one));
        let _ = writeln!(
            text,
            "{},{},{},{},{},iteration_time_s,{},{},{},{}",
            row.id,
            quoted(row.record.or_empty("source_repo")),
            quoted(row.record.or_empty("source_path")),
            one.membership.scheme,
            quoted(&one.membership.group),
            digits(row.measured),
            digits(one.predicted),
            digits(one.predicted / far),
            digits(one.predicted * far),
        );
    }
    text
}

fn ablation(all: &[Ablation]) -> String {
    let mut text = String::from("source,kind,part,full_mape,off_mape,refit_mape\n");
    for one in all {
        let _ = writeln!(
            text,
            "{},{},{},{},{},{}",
            quoted(one.source.name()),
            one.kind,
            quoted(&one.part),
            digits(one.full),
            digits(one.off),
            digits(one.refit),
        );
    }
    text
}

/// Mean of |predicted / measured − 1| of left-out rows, by source and scheme.
pub fn errors(fitted: &Fitted<'_>) -> Vec<(&'static str, &'static str, usize, f64, f64)> {
    let rows = fitted.rows();
    let mut by: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for one in &fitted.left_out {
        let row: &FitRow = &rows[one.row];
        if !row.contradicts {
            let key = (source_of(row), one.membership.scheme);
            by.entry(key).or_default().push(off(one, row));
        }
    }
    by.into_iter()
        .map(|((source, scheme), mut errors)| {
            errors.sort_by(f64::total_cmp);
            let n = errors.len();
            let mean = errors.iter().sum::<f64>() / n as f64;
            (source.name(), scheme, n, mean, errors[n / 2])
        })
        .collect()
}

fn off(one: &LeftOut, row: &FitRow) -> f64 {
    (one.predicted / row.measured - 1.0).abs()
}
