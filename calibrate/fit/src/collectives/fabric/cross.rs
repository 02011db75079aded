//! Errors on what was left out of a fit: each collective, each band of sizes, each number of nodes.

use super::super::cross::{CLASSES, class_of};
use super::super::file::grouped;
use super::model::FabricModel;
use crate::least_squares::{Options, Parameter};

/// One way of leaving rows out.
#[derive(Clone, Debug)]
pub(super) struct Scheme {
    /// What was left out.
    pub(super) name: &'static str,
    /// The groups, one after the other; fewer than two: nothing could be left out.
    pub(super) groups: Vec<String>,
    /// Rows and their errors, natural logarithms of predicted over measured.
    pub(super) errors: Vec<(usize, f64)>,
}

/// Fits without each group of each scheme, from the priors, and predicts its rows.
pub(super) fn schemes(
    model: &FabricModel<'_>,
    known: &[Parameter],
    options: &Options,
) -> Vec<Scheme> {
    let options = Options {
        final_slopes: false,
        ..*options
    };
    let kind = |row: usize| (0, model.setup(row).kind.name().to_owned());
    let band = |row: usize| {
        let class = class_of(model.rows.sizes[row].bytes);
        (class, CLASSES[class].to_owned())
    };
    let nodes = |row: usize| {
        let nodes = model.setup(row).nodes;
        (nodes as usize, nodes.to_string())
    };
    vec![
        scheme("collective", model, known, &options, kind),
        scheme("size", model, known, &options, band),
        scheme("nodes", model, known, &options, nodes),
    ]
}

fn scheme(
    name: &'static str,
    model: &FabricModel<'_>,
    known: &[Parameter],
    options: &Options,
    key: impl Fn(usize) -> (usize, String),
) -> Scheme {
    let groups = grouped(model.fitted().into_iter(), key);
    let names: Vec<String> = groups.keys().map(|(_, name)| name.clone()).collect();
    let mut errors = Vec::new();
    if 1 < groups.len() {
        for rows in groups.into_values() {
            let values = model.without(&rows).fit(known, options).values;
            let all = model.log_errors_of(&values);
            errors.extend(rows.into_iter().map(|row| (row, all[row])));
        }
    }
    Scheme {
        name,
        groups: names,
        errors,
    }
}
