//! What a fit is worth on runs that it has not seen.

use std::collections::BTreeMap;

use super::{Membership, Runs, memberships};
use crate::least_squares::{Fit, Options, Parameter};

/// A prediction by scalars that were fitted without the row's group.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// The row, an index.
    pub row: usize,
    /// The scheme and the group.
    pub membership: Membership,
    /// Seconds of an iteration.
    pub predicted: f64,
}

/// Leaves every group out in turn and predicts its rows.
pub fn leave_out(
    runs: &Runs<'_>,
    fit: &Fit,
    parameters: &[Parameter],
    options: &Options,
) -> Vec<LeftOut> {
    let mut groups: BTreeMap<Membership, Vec<usize>> = BTreeMap::new();
    for (at, row) in runs.rows.iter().enumerate() {
        for membership in memberships(row) {
            groups.entry(membership).or_default().push(at);
        }
    }
    let mut all = Vec::new();
    for (membership, members) in groups {
        let values = fit.without(runs, parameters, options, &members);
        let times = runs.predict_all(&values, &members);
        all.extend(members.iter().zip(times).map(|(row, predicted)| LeftOut {
            row: *row,
            membership: membership.clone(),
            predicted,
        }));
    }
    all
}
