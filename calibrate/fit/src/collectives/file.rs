//! Fitted constants as a file of a profile.

use std::collections::{BTreeMap, BTreeSet};

use profile::{CollectiveKind, CommFit, CommProfile, NetworkComm, Provenance, ScaleUpComm};
use serde::Serialize;
use units::math::exp;

use super::cross::{Errors, absolute};
use super::model::CommModel;
use super::parameters::{BETWEEN, INSIDE};
use super::rows::Row;
use super::tables::{median, quantile};

/// NCCL's constants, and in front of them the entries that were fitted, each with its error.
pub(crate) fn profile(model: &CommModel<'_>, values: &[f64], errors: &Errors) -> CommProfile {
    let rounded: Vec<f64> = values.iter().map(|value| round(*value)).collect();
    let (mut comm, _) = model.constants(&rounded);
    for (at, entry) in comm.scale_up.iter_mut().enumerate() {
        let touched = |row: &Row| {
            let shape = &model.rows.setups[row.setup].shape;
            shape.domains == 1 && usize::from(shape.scale_up) == at
        };
        if let Some(reached) = &mut entry.reached {
            reached.fit = fit_of(model, errors, &touched, &|row| {
                model.rows.setups[row.setup].ranks
            });
            entry.provenance = Provenance::Interpolated;
            entry.source = source(&entry.source, model, &touched);
        }
    }
    for (at, entry) in comm.network.iter_mut().enumerate() {
        let touched = |row: &Row| {
            let shape = &model.rows.setups[row.setup].shape;
            shape.domains > 1 && usize::from(shape.network) == at
        };
        if let Some(reached) = &mut entry.reached {
            reached.fit = fit_of(model, errors, &touched, &|row| {
                model.rows.setups[row.setup].shape.domains
            });
            entry.provenance = Provenance::Interpolated;
            entry.source = source(&entry.source, model, &touched);
        }
    }
    comm
}

/// Four digits say all that a fit knows.
fn round(value: f64) -> f64 {
    let text = format!("{value:.3e}");
    text.parse().unwrap_or(value)
}

fn source(nominal: &str, model: &CommModel<'_>, touched: &dyn Fn(&Row) -> bool) -> String {
    let rows = model.rows;
    let fitted = rows
        .sizes
        .iter()
        .filter(|row| rows.is_fitted(row) && touched(row));
    let sources: BTreeSet<&str> = fitted
        .map(|row| rows.tables[row.table].source.as_str())
        .collect();
    let sources: Vec<&str> = sources.into_iter().collect();
    let sources = sources.join(", ");
    format!("{nominal}; reached: tables in calibrate/data/collectives of {sources}")
}

fn fit_of(
    model: &CommModel<'_>,
    errors: &Errors,
    touched: &dyn Fn(&Row) -> bool,
    count: &dyn Fn(&Row) -> u32,
) -> CommFit {
    let rows = model.rows;
    let all = (0..rows.sizes.len()).filter(|at| {
        let row = &rows.sizes[*at];
        rows.is_fitted(row) && touched(row)
    });
    let (small, large): (Vec<usize>, Vec<usize>) =
        all.partition(|at| rows.sizes[*at].bytes.as_u64() < CommFit::SMALL);
    let both = || small.iter().chain(&large).map(|at| &rows.sizes[*at]);
    let kinds: BTreeSet<CollectiveKind> = both().map(|row| rows.setups[row.setup].kind).collect();
    let tables: BTreeSet<usize> = both().map(|row| row.table).collect();
    let error = |of: &[f64], at: &[usize]| thousandth(median(absolute(of, at)));
    let spread = |at: &[usize]| {
        let ratios: Vec<f64> = at.iter().map(|at| exp(-errors.held_out[*at])).collect();
        if ratios.is_empty() {
            return [1.0; 2];
        }
        [0.1, 0.9].map(|share| thousandth(quantile(ratios.clone(), share)))
    };
    CommFit {
        rows: u32::try_from(small.len() + large.len()).unwrap_or(u32::MAX),
        median_error: [error(&errors.fitted, &small), error(&errors.fitted, &large)],
        held_out: [
            error(&errors.held_out, &small),
            error(&errors.held_out, &large),
        ],
        held_out_by: format!("each of {} tables", tables.len()),
        small: spread(&small),
        large: spread(&large),
        kinds: kinds.into_iter().collect(),
        counts: [
            both().map(count).min().unwrap_or(0),
            both().map(count).max().unwrap_or(0),
        ],
    }
}

fn thousandth(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// What the file holds.
#[derive(Serialize)]
struct ProfileFile<'a> {
    schema: u32,
    name: &'static str,
    comm: Section<'a>,
}

#[derive(Serialize)]
struct Section<'a> {
    scale_up: Vec<&'a ScaleUpComm>,
    network: Vec<&'a NetworkComm>,
}

const HEAD: &str = "\
# What collectives reach, by generation of NVLink and by network. Written by
# `cargo run --release -p fit --example collectives`; calibrate/data/collectives/SOURCE.md names
# the tables, their sources and licences. An entry's constants outside `reached` are NCCL's own,
# which choose algorithm and protocol; those in `reached` were fitted and say how long it takes.

";

/// The file's text.
pub(crate) fn text(comm: &CommProfile) -> String {
    let file = ProfileFile {
        schema: 1,
        name: "collectives",
        comm: Section {
            scale_up: (comm.scale_up.iter())
                .filter(|entry| INSIDE.contains(&entry.name.as_str()))
                .collect(),
            network: (comm.network.iter())
                .filter(|entry| BETWEEN.contains(&entry.name.as_str()))
                .collect(),
        },
    };
    let text = toml::to_string(&file).expect("plain data can be written");
    format!("{HEAD}{text}")
}

/// Names of the entries, by what a row's errors count for.
pub(crate) fn entry_of(model: &CommModel<'_>, row: &Row) -> String {
    let shape = &model.rows.setups[row.setup].shape;
    let comm = &model.base;
    let inside = &comm.scale_up[usize::from(shape.scale_up)].name;
    if shape.domains > 1 {
        let between = &comm.network[usize::from(shape.network)].name;
        format!("{between}, {inside}")
    } else {
        inside.clone()
    }
}

/// Groups rows by a key, in the order of keys.
pub(crate) fn grouped<K: Ord>(
    rows: impl Iterator<Item = usize>,
    key: impl Fn(usize) -> K,
) -> BTreeMap<K, Vec<usize>> {
    let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
}
