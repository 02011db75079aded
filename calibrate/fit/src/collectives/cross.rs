//! Errors on tables that were left out of the fit.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use units::Bytes;

use super::model::CommModel;
use super::rows::Row;
use crate::least_squares::{self, Options, Parameter};

/// Natural logarithms of predicted over measured, for every row.
#[derive(Clone, Debug)]
pub(crate) struct Errors {
    /// With the constants of the whole fit.
    pub(crate) fitted: Vec<f64>,
    /// With those of a fit without the row's table. Tables that are not fitted at all are left
    /// out of every fit.
    pub(crate) held_out: Vec<f64>,
    /// With those of a fit that had the row's table, without the sizes of the row's class. Only
    /// for rows between domains; not a number for others.
    pub(crate) band_out: Vec<f64>,
    /// Of the flow engine, with the constants of the whole fit and with those of a fit without the
    /// row's table; not a number for rows that it does not run.
    pub(crate) flow: [Vec<f64>; 2],
}

/// The rows of each table.
pub(crate) fn tables(model: &CommModel<'_>) -> Vec<Vec<usize>> {
    let rows = model.rows;
    (0..rows.tables.len())
        .map(|table| rows.of_table(table))
        .collect()
}

/// The rows of each class of sizes of each table between domains.
pub(crate) fn bands(model: &CommModel<'_>) -> Vec<Vec<usize>> {
    let rows = model.rows;
    let mut groups: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.sizes.iter().enumerate() {
        if rows.setups[row.setup].shape.domains > 1 && rows.is_fitted(row) {
            groups.entry((row.table, class(row))).or_default().push(at);
        }
    }
    groups.into_values().collect()
}

/// The constants of fits without each group of rows in turn, from the priors; those of the whole fit
/// where nothing of the group is fitted.
///
/// No fit starts from values that have seen the group: the tables of a network are a few dozen rows
/// beside thousands of others, and a step that only moves their constants lowers the cost so little
/// that a search could stop before it is taken.
pub(crate) fn without_each(
    model: &CommModel<'_>,
    known: &[Parameter],
    (whole, options): (&[f64], &Options),
    threads: NonZeroUsize,
    groups: &[Vec<usize>],
) -> Vec<Vec<f64>> {
    let rows = model.rows;
    let options = Options {
        final_slopes: false,
        ..*options
    };
    let of_group = |left_out: &[usize]| {
        let is_fitted = |at: &usize| rows.is_fitted(&rows.sizes[*at]);
        if left_out.iter().any(is_fitted) {
            least_squares::fit(&model.without(left_out), known, &options).values
        } else {
            whole.to_vec()
        }
    };
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![Vec::new(); groups.len()]);
    std::thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| {
                loop {
                    let group = next.fetch_add(1, Ordering::Relaxed);
                    let Some(left_out) = groups.get(group) else {
                        break;
                    };
                    let values = of_group(left_out);
                    found.lock().expect("no thread panics with the lock")[group] = values;
                }
            });
        }
    });
    found.into_inner().expect("no thread panics with the lock")
}

/// Errors of the rows of groups, each by its own constants; not a number for other rows.
pub(crate) fn errors_by(
    model: &CommModel<'_>,
    groups: &[Vec<usize>],
    values: &[Vec<f64>],
    errors_of: impl Fn(&[f64], &[usize]) -> Vec<f64>,
) -> Vec<f64> {
    let mut all = vec![f64::NAN; model.rows.sizes.len()];
    for (rows, values) in groups.iter().zip(values) {
        for (row, error) in rows.iter().zip(errors_of(values, rows)) {
            all[*row] = error;
        }
    }
    all
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
    class_of(row.bytes)
}

/// The class of a size.
pub(crate) fn class_of(bytes: Bytes) -> usize {
    match bytes.as_u64() {
        0..0x1_0000 => 0,
        0x1_0000..0x10_0000 => 1,
        0x10_0000..0x400_0000 => 2,
        _ => 3,
    }
}
