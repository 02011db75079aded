//! One measured value with its prediction: that without the row's group, where there is one.

use std::collections::BTreeMap;

use runs::Quantity;

use super::fit::{Fit, LeftOut};
use super::subset::is_named;
use super::target::first_scheme;
use crate::row::{Compared, Row};

/// A measured value and its prediction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<'a> {
    /// The row.
    pub(super) row: &'a Row,
    /// What was measured.
    pub(super) quantity: Quantity,
    /// Seconds or bytes.
    pub(super) measured: f64,
    /// The same.
    pub(super) predicted: f64,
    /// 10th and 90th percentile.
    pub(super) interval: Option<(f64, f64)>,
    /// Whether the prediction is by parameters that were fitted without the row's group.
    pub(super) left_out: bool,
}

impl Point<'_> {
    /// Predicted over measured, minus 1.
    pub(super) fn error(&self) -> f64 {
        self.predicted / self.measured - 1.0
    }

    /// Whether the measured value lies in the interval, where there is one.
    pub(super) fn is_inside(&self) -> Option<bool> {
        let (low, high) = self.interval?;
        Some(low <= self.measured && self.measured <= high)
    }
}

/// Every compared value of rows that stand in groups: as the fit predicts it without the row's
/// group, by the first scheme of the row's target, else as the shipped profiles do.
pub(super) fn points<'a>(rows: &'a [Row], fit: &'a Fit) -> Vec<Point<'a>> {
    let left_out = by_row(fit);
    let mut points = Vec::new();
    for (row, compared) in all(rows) {
        let scheme = first_scheme(row, compared.quantity);
        let of_row = left_out.get(&(row.id.as_str(), compared.quantity.name()));
        let known = of_row.and_then(|known| pick(known, row, compared, scheme));
        points.extend(known.map_or_else(
            || shipped(row, compared),
            |known| Some(unseen(row, compared, known)),
        ));
    }
    points
}

/// Compared values by the shipped profiles alone.
pub(super) fn shipped_points(rows: &[Row]) -> Vec<Point<'_>> {
    all(rows)
        .filter_map(|(row, one)| shipped(row, one))
        .collect()
}

/// Compared values by parameters that were fitted without their group, under that scheme.
pub(super) fn left_out_points<'a>(rows: &'a [Row], fit: &'a Fit, scheme: &str) -> Vec<Point<'a>> {
    let left_out = by_row(fit);
    let point = |(row, compared): (&'a Row, &'a Compared)| {
        let known = left_out.get(&(row.id.as_str(), compared.quantity.name()))?;
        let known = known
            .iter()
            .find(|one| one.scheme == scheme && is_same(one, row, compared))?;
        Some(unseen(row, compared, known))
    };
    all(rows).filter_map(point).collect()
}

fn all(rows: &[Row]) -> impl Iterator<Item = (&Row, &Compared)> {
    let in_groups = rows.iter().filter(|row| row.apart.is_none());
    let compared = in_groups.flat_map(|row| row.compared.iter().map(move |one| (row, one)));
    compared.filter(|(_, one)| one.quantity != Quantity::OutOfMemory)
}

fn shipped<'a>(row: &'a Row, compared: &Compared) -> Option<Point<'a>> {
    Some(Point {
        row,
        quantity: compared.quantity,
        measured: compared.measured,
        predicted: compared.predicted?,
        interval: compared.p10.zip(compared.p90),
        left_out: false,
    })
}

fn unseen<'a>(row: &'a Row, compared: &Compared, known: &LeftOut) -> Point<'a> {
    Point {
        row,
        quantity: compared.quantity,
        measured: compared.measured,
        predicted: known.predicted,
        interval: known.p10.zip(known.p90),
        left_out: true,
    }
}

type ByRow<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a LeftOut>>;

fn by_row(fit: &Fit) -> ByRow<'_> {
    let mut all = ByRow::new();
    for one in fit.left_out.iter().flatten() {
        let key = (one.row_id.as_str(), one.quantity.as_str());
        all.entry(key).or_default().push(one);
    }
    all
}

/// The prediction of that scheme, else of the first in the file.
fn pick<'a>(
    known: &[&'a LeftOut],
    row: &Row,
    compared: &Compared,
    scheme: Option<&str>,
) -> Option<&'a LeftOut> {
    let same = || known.iter().filter(|one| is_same(one, row, compared));
    let wanted = same().find(|one| scheme == Some(one.scheme.as_str()));
    wanted.or_else(|| same().next()).copied()
}

/// Files of a fit print five digits.
const DIGITS: f64 = 1e-4;

/// Whether what was left out is that row. Rows of several tables may have one name, so the source
/// must be the same, too, and what was measured. A file that does not say the source holds rows of
/// the studies that have a name here, and of no others.
fn is_same(one: &LeftOut, row: &Row, compared: &Compared) -> bool {
    let label = &row.label;
    let of_source = match (&one.source_repo, &one.source_path) {
        (None, None) => is_named(row),
        (repo, path) => {
            repo.as_ref().is_none_or(|own| *own == label.source_repo)
                && path.as_ref().is_none_or(|own| *own == label.source_path)
        }
    };
    of_source && (one.measured / compared.measured - 1.0).abs() < DIGITS
}
