//! Errors on tables that were left out of the fit.

use super::model::CommModel;
use super::rows::Row;
use crate::least_squares::{self, Fit, Options, Parameter};

/// Natural logarithms of predicted over measured, for every row.
#[derive(Clone, Debug)]
pub(crate) struct Errors {
    /// With the constants of the whole fit.
    pub(crate) fitted: Vec<f64>,
    /// With those of a fit without the row's table. Tables that are not fitted at all are left
    /// out of every fit.
    pub(crate) held_out: Vec<f64>,
}

/// Refits without each table in turn and predicts its rows.
pub(crate) fn leave_tables_out(
    model: &CommModel<'_>,
    known: &[Parameter],
    fit: &Fit,
    options: &Options,
) -> Vec<f64> {
    let rows = model.rows;
    let mut held_out = vec![0.0; rows.sizes.len()];
    for table in 0..rows.tables.len() {
        let left_out = rows.of_table(table);
        let is_fitted = |at: &usize| rows.is_fitted(&rows.sizes[*at]);
        let values = if left_out.iter().any(is_fitted) {
            let rest = model.without(&left_out);
            least_squares::fit_from(&rest, known, &start(model, known, fit, &left_out), options)
                .values
        } else {
            fit.values.clone()
        };
        let errors = model.log_errors_of(&values, &left_out);
        for (at, error) in left_out.iter().zip(errors) {
            held_out[*at] = error;
        }
    }
    held_out
}

/// The values of the whole fit; the prior where the remaining rows say nothing.
fn start(model: &CommModel<'_>, known: &[Parameter], fit: &Fit, left_out: &[usize]) -> Vec<f64> {
    let rest = model.without(left_out);
    let at = |place: usize| {
        if least_squares::Model::rows_of(&rest, place).is_empty() {
            known[place].prior
        } else {
            fit.values[place]
        }
    };
    (0..known.len()).map(at).collect()
}

/// Absolute relative errors of some rows.
pub(crate) fn absolute(log_errors: &[f64], rows: &[usize]) -> Vec<f64> {
    let relative = |at: &usize| (units::math::exp(log_errors[*at]) - 1.0).abs();
    rows.iter().map(relative).collect()
}

/// Classes of sizes.
pub(crate) const CLASSES: [&str; 4] = ["< 64 KiB", "< 1 MiB", "< 64 MiB", "larger"];

/// The class of a row's size.
pub(crate) fn class(row: &Row) -> usize {
    let bytes = row.bytes.as_u64();
    match bytes {
        0..0x1_0000 => 0,
        0x1_0000..0x10_0000 => 1,
        0x10_0000..0x400_0000 => 2,
        _ => 3,
    }
}
