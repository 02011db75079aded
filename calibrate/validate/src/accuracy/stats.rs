//! A list of errors in a few figures.

use super::point::Point;
use crate::group::quantile;

/// Errors of some points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stats {
    /// Points.
    pub(super) n: usize,
    /// Mean of |error|.
    pub(super) mape: f64,
    /// Median of |error|.
    pub(super) median: f64,
    /// 90th percentile of |error|.
    pub(super) p90: f64,
    /// Mean of the signed error.
    pub(super) bias: f64,
    /// 10th, 50th and 90th percentile of the signed error.
    pub(super) signed: [f64; 3],
    /// Of the points with an interval, the share whose measured value lies in it.
    pub(super) coverage: Option<f64>,
}

/// The figures of some points; none where there is none.
pub(super) fn stats<'a>(points: impl Iterator<Item = &'a Point<'a>>) -> Option<Stats> {
    let points: Vec<&Point<'_>> = points.collect();
    let mut signed: Vec<f64> = points.iter().map(|point| point.error()).collect();
    let mut sizes: Vec<f64> = signed.iter().map(|error| error.abs()).collect();
    let n = signed.len() as f64;
    let (mape, bias) = (
        sizes.iter().sum::<f64>() / n,
        signed.iter().sum::<f64>() / n,
    );
    signed.sort_by(f64::total_cmp);
    sizes.sort_by(f64::total_cmp);
    Some(Stats {
        n: signed.len(),
        mape,
        median: quantile(&sizes, 0.5)?,
        p90: quantile(&sizes, 0.9)?,
        bias,
        signed: [
            quantile(&signed, 0.1)?,
            quantile(&signed, 0.5)?,
            quantile(&signed, 0.9)?,
        ],
        coverage: coverage(&points),
    })
}

fn coverage(points: &[&Point<'_>]) -> Option<f64> {
    let inside: Vec<bool> = points
        .iter()
        .filter_map(|point| point.is_inside())
        .collect();
    let hits = inside.iter().filter(|hit| **hit).count();
    (!inside.is_empty()).then(|| hits as f64 / inside.len() as f64)
}
