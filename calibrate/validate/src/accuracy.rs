//! The accuracy report: what predictions are worth, as text and figures that anyone can make again.
//!
//! ```text
//! rows ─────────┐
//! left_out.csv ─┴─▶ points: measured, predicted, interval ──▶ targets, slices, figures ──▶ pages
//! parameters.csv, ablation.csv ───────────────────────────▶ tables
//! ```
//!
//! Where the fit left a row's group out, the prediction that it made without that group counts: the
//! figures then say what the fit is worth on runs that it has not seen. Deliberately absent: dates,
//! commits, anything that would change the bytes of an unchanged model.

mod cause;
mod figure;
mod fit;
mod markdown;
mod point;
mod sections;
mod slice;
mod stats;
mod subset;
mod target;

pub use fit::Fit;

use runs::Quantity;

use crate::row::{Compared, Row};
use crate::worst::Worst;

/// A file of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its path inside the folder of the report.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The report on some rows.
///
/// * `worst` — the rows to explain.
/// * `command` — what makes the report again, for its readers.
pub fn accuracy(rows: &[Row], worst: &[Worst], fit: &Fit, command: &str) -> Vec<Page> {
    let points = point::points(rows, fit);
    let figures = figure::figures(&points);
    let text = sections::report(rows, worst, fit, &points, command);
    let page = Page {
        name: "accuracy.md".to_owned(),
        text,
    };
    std::iter::once(page).chain(figures).collect()
}

/// Whether a report explains a row where it is far off: not the time of an integration test, a model
/// of milliseconds on a shared test machine, of which hundreds would hide all other rows.
pub fn explains(row: &Row, compared: &Compared) -> bool {
    compared.quantity != Quantity::IterationTime || !subset::is_test(row)
}

#[cfg(test)]
mod tests;
