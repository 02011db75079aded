//! The fit, and what it is worth on groups that it has not seen.

use fit::least_squares::{Fit, Model, Options, Parameter, fit};
use predict::{Record, Scenario, predict};
use units::Control;
use units::math::{exp, ln};

use crate::constants::{Constant, Constants};
use crate::rows::{Class, Row};

/// Constants that were fitted.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// Values and slopes, over the rows that were fitted.
    pub fit: Fit,
    /// Natural logarithm of predicted over measured with all rows fitted; by row.
    pub errors: Vec<f64>,
    /// The same with the row's group left out.
    pub left_out: Vec<f64>,
}

/// Rows that are fitted, as the least-squares module asks for them.
struct Rows<'a> {
    rows: Vec<&'a Row>,
    weights: Vec<f64>,
}

impl Model for Rows<'_> {
    fn log_errors(&self, values: &[f64], rows: &[usize]) -> Vec<f64> {
        let error = |at: &usize| log_error(self.rows[*at], values);
        rows.iter().map(error).collect()
    }

    fn rows_of(&self, parameter: usize) -> Vec<usize> {
        let constant = Constant::ALL[parameter];
        let touched = |at: &usize| constant.touches(&self.rows[*at].scenario);
        (0..self.rows.len()).filter(touched).collect()
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}

/// Fits all constants on the rows that do not stand apart.
pub fn fit_memory(rows: &[Row]) -> Fitted {
    let fitted: Vec<&Row> = rows.iter().filter(|row| is_fitted(row)).collect();
    let model = Rows {
        weights: fitted.iter().map(|row| row.weight).collect(),
        rows: fitted,
    };
    let parameters: Vec<Parameter> = Constant::ALL.map(Constant::prior).to_vec();
    let options = Options {
        noise: 0.02,
        settled: 1e-7,
        ..Options::default()
    };
    let fit = fit(&model, &parameters, &options);
    let errors: Vec<f64> = rows.iter().map(|row| log_error(row, &fit.values)).collect();
    let mut left_out = errors.clone();
    for group in groups(&model.rows) {
        let out: Vec<usize> = (0..model.rows.len())
            .filter(|at| model.rows[*at].group == group)
            .collect();
        let values = fit.without(&model, &parameters, &options, &out);
        for (at, row) in rows.iter().enumerate() {
            if is_fitted(row) && row.group == group {
                left_out[at] = log_error(row, &values);
            }
        }
    }
    Fitted {
        fit,
        errors,
        left_out,
    }
}

fn is_fitted(row: &Row) -> bool {
    row.class != Class::SetApart
}

/// The groups of some rows, each once, in the order of their first row.
fn groups<'a>(rows: &[&'a Row]) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for row in rows {
        if !all.contains(&row.group.as_str()) {
            all.push(&row.group);
        }
    }
    all
}

/// Natural logarithm of a row's predicted memory over what was measured.
fn log_error(row: &Row, values: &[f64]) -> f64 {
    log_error_of(row, &Constants(values).apply(&row.scenario))
}

/// Predicted over measured memory of a row, minus 1, with the constants of the framework files.
pub fn error_as_shipped(row: &Row) -> f64 {
    exp(log_error_of(row, &row.scenario)) - 1.0
}

fn log_error_of(row: &Row, scenario: &Scenario) -> f64 {
    let outcome = predict(scenario, Record::Totals, &Control::new());
    outcome.map_or(0.0, |outcome| {
        ln(validate::memory(&outcome.prediction, row.kind) / row.measured)
    })
}
