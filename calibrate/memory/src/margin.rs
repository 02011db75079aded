//! What a planner keeps free, since the memory model may be off.

use units::math::exp;
use validate::quantile;

use crate::fitting::Fitted;
use crate::rows::{Class, Row};

/// Share of left-out runs that use at most the prediction and the margin.
const COVERS: f64 = 0.95;

/// The file from which planners read their margin: the 95th percentile of measured over predicted
/// peaks, of rows whose group was left out and that do not stand apart.
pub fn margin_toml(rows: &[Row], fitted: &Fitted) -> String {
    let errors = rows.iter().zip(&fitted.left_out);
    let mut over: Vec<f64> = errors
        .filter(|(row, _)| row.class != Class::SetApart)
        .map(|(_, error)| exp(-error) - 1.0)
        .collect();
    over.sort_by(f64::total_cmp);
    let margin = quantile(&over, COVERS).unwrap_or(0.0).max(0.0);
    format!(
        "# What planners keep free of a device. Written by `windtunnel calibrate fit --only memory`.\n\
         schema = 1\n\
         margin = {margin:.4}\n\
         covers = {COVERS}\n\
         rows = {}\n\
         source = \"measured over predicted peaks of runs whose group was left out of the fit, less 1, \
         at that quantile\"\n",
        over.len()
    )
}
