//! The whole fit: values, what they are worth, what each part buys.

use units::Control;

use super::spread::Widths;
use super::{
    Ablation, FitRow, Free, LeftOut, ParametersFile, Runs, Spread, ablate, leave_out, load,
};
use crate::least_squares::{Fit, Options, Parameter, fit};
use runs::{RunsError, Table};

/// A fit, and what it is worth.
#[derive(Debug)]
pub struct Fitted<'a> {
    /// The rows and the scalars.
    pub runs: Runs<'a>,
    /// The values.
    pub fit: Fit,
    /// Predictions of rows that were left out.
    pub left_out: Vec<LeftOut>,
    /// Widths of intervals.
    pub spreads: Vec<Spread>,
    pub(super) widths: Widths,
    /// What each part buys.
    pub ablation: Vec<Ablation>,
}

impl Fitted<'_> {
    /// The rows.
    pub fn rows(&self) -> &[FitRow] {
        self.runs.rows
    }
}

/// Loads the rows of some tables.
///
/// # Errors
///
/// Where a cell cannot be read.
pub fn load_all(tables: &[Table], control: &Control) -> Result<Vec<FitRow>, RunsError> {
    let mut rows = Vec::new();
    for table in tables {
        rows.extend(load(table, control)?);
    }
    Ok(rows)
}

/// Fits the scalars of a file on some rows.
///
/// * `threads` — that evaluate rows; the results do not depend on them.
pub fn fit_runs<'a>(
    rows: &'a [FitRow],
    file: &'a ParametersFile,
    threads: usize,
    with_ablation: bool,
) -> Fitted<'a> {
    let runs = Runs::new(rows, &file.free, threads);
    let parameters: Vec<Parameter> = file.free.iter().map(Free::parameter).collect();
    let options = Options {
        noise: file.noise,
        ..Options::default()
    };
    let found = fit(&runs, &parameters, &options);
    let left_out = leave_out(&runs, &found, &parameters, &options);
    let ablation = if with_ablation {
        ablate(&runs, &found, &parameters, &options)
    } else {
        Vec::new()
    };
    let mut fitted = Fitted {
        runs,
        fit: found,
        left_out,
        spreads: Vec::new(),
        widths: Widths::default(),
        ablation,
    };
    fitted.widths = Widths::of(&fitted);
    fitted.spreads = fitted.widths.spreads();
    fitted
}
