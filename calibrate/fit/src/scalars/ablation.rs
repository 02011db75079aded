//! What each part of the model buys: the error with it switched off, and refitted without it.

use std::collections::BTreeMap;

use super::{Free, Runs, Source, source_of};
use crate::least_squares::Model as _;
use crate::least_squares::{Fit, Options, Parameter, fit_from};

/// A part of the model on the rows of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Ablation {
    /// The rows.
    pub source: Source,
    /// The part: a scalar, wherever it is free.
    pub part: String,
    /// Mean error with everything fitted.
    pub full: f64,
    /// With the part switched off, all else as it was.
    pub off: f64,
    /// With the part switched off and all else fitted again, in a few steps from where it was.
    pub refit: f64,
}

/// Switches every scalar off in turn, wherever it is free.
pub(super) fn ablate(
    runs: &Runs<'_>,
    whole: &Fit,
    parameters: &[Parameter],
    options: &Options,
) -> Vec<Ablation> {
    let all: Vec<usize> = (0..runs.rows.len()).collect();
    let full = by_source(runs, &whole.values, &all);
    let mut keys: Vec<&str> = runs.free.iter().map(|free| free.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut found = Vec::new();
    for key in keys {
        let is_part = |free: &Free| free.key == key;
        let neutral = if runs
            .free
            .iter()
            .any(|free| is_part(free) && free.is_added())
        {
            1e-9
        } else {
            1.0
        };
        let mut values = whole.values.clone();
        let mut held = parameters.to_vec();
        let mut touched: Vec<usize> = Vec::new();
        for (at, free) in runs.free.iter().enumerate() {
            if is_part(free) {
                values[at] = neutral;
                held[at].prior = neutral;
                held[at].log_sd = 1e-6;
                touched.extend(runs.rows_of(at));
            }
        }
        touched.sort_unstable();
        touched.dedup();
        if touched.is_empty() {
            continue;
        }
        let off = by_source(runs, &values, &touched);
        let short = Options {
            steps: REFIT_STEPS,
            final_slopes: false,
            ..*options
        };
        let refit = fit_from(runs, &held, &values, &short);
        let again = by_source(runs, &refit.values, &touched);
        for (source, off) in off {
            found.push(Ablation {
                source,
                part: key.to_owned(),
                full: full.get(&source).copied().unwrap_or(0.0),
                off,
                refit: again.get(&source).copied().unwrap_or(0.0),
            });
        }
    }
    found.sort_by(|a, b| (a.source, &a.part).cmp(&(b.source, &b.part)));
    found
}

/// Steps of a refit.
const REFIT_STEPS: u32 = 3;

/// Mean error by source, over the rows of those sources among some rows.
fn by_source(runs: &Runs<'_>, values: &[f64], rows: &[usize]) -> BTreeMap<Source, f64> {
    let sources: Vec<Source> = rows.iter().map(|row| source_of(&runs.rows[*row])).collect();
    let wanted: Vec<usize> = (0..runs.rows.len())
        .filter(|row| sources.contains(&source_of(&runs.rows[*row])))
        .collect();
    let times = runs.predict_all(values, &wanted);
    let mut sums: BTreeMap<Source, (f64, usize)> = BTreeMap::new();
    for (row, time) in wanted.iter().zip(times) {
        let row = &runs.rows[*row];
        if row.contradicts {
            continue;
        }
        let sum = sums.entry(source_of(row)).or_default();
        sum.0 += (time / row.measured - 1.0).abs();
        sum.1 += 1;
    }
    sums.into_iter()
        .map(|(source, (sum, n))| (source, sum / n as f64))
        .collect()
}
