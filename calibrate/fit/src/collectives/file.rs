//! Fitted constants as a file of a profile.

use std::collections::{BTreeMap, BTreeSet};

use profile::{CollectiveKind, CommFit, CommProfile, NetworkComm, Provenance, ScaleUpComm};
use serde::Serialize;
use units::math::exp;

use super::cross::{Errors, absolute};
use super::model::CommModel;
use super::parameters::{BETWEEN, INSIDE, Target};
use super::rows::{Row, Rows};
use super::tables::{median, quantile};

/// NCCL's constants, and in front of them the entries that were fitted, each with its error.
pub(crate) fn profile(model: &CommModel<'_>, values: &[f64], errors: &Errors) -> CommProfile {
    let knobs = model.knobs.iter().zip(values);
    let rounded: Vec<f64> = knobs
        .map(|(knob, value)| match knob.target {
            Target::Inside(..) => round(*value),
            _ => *value,
        })
        .collect();
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
            for list in [
                &mut reached.hop_us,
                &mut reached.ring,
                &mut reached.tree,
                &mut reached.ramp_us,
            ] {
                *list = list.map(round);
            }
            reached.fit = fit_of(model, errors, &touched, &|row| {
                model.rows.setups[row.setup].shape.domains
            });
            entry.provenance = Provenance::Interpolated;
            entry.source = source(&entry.source, model, &touched);
        }
    }
    comm
}

/// Share of left-out rows between the 10th and the 90th percentile.
pub(crate) const COVERED: f64 = 0.8;

/// Four digits say all that a fit knows.
pub(crate) fn round(value: f64) -> f64 {
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
    let mut measured: BTreeMap<CollectiveKind, BTreeSet<u32>> = BTreeMap::new();
    for row in both() {
        let kind = rows.setups[row.setup].kind;
        measured.entry(kind).or_default().insert(count(row));
    }
    let error = |of: &[f64], at: &[usize]| thousandth(median(absolute(of, at)));
    let spread = |own: &[usize], is_small: bool| {
        // Without a row of that size the entry lies off as far as others of its level.
        let all = if own.is_empty() {
            kin(model, touched, is_small)
        } else {
            own.to_vec()
        };
        // Left-out tables lie to one side as often as not, but on which says nothing of another
        // machine: the interval reaches as many times below the prediction as above it.
        let far = all.iter().map(|at| errors.held_out[*at].abs()).collect();
        let far = quantile(far, COVERED);
        [-far, far].map(|end| thousandth(exp(end)))
    };
    CommFit {
        rows: u32::try_from(small.len() + large.len()).unwrap_or(u32::MAX),
        median_error: [error(&errors.fitted, &small), error(&errors.fitted, &large)],
        held_out: [
            error(&errors.held_out, &small),
            error(&errors.held_out, &large),
        ],
        held_out_by: held_out_by(rows, &small, &large),
        small: spread(&small, true),
        large: spread(&large, false),
        kinds: measured.keys().copied().collect(),
        counts: [
            both().map(count).min().unwrap_or(0),
            both().map(count).max().unwrap_or(0),
        ],
        measured: listed(measured),
    }
}

/// Counts by collective, as files have them.
pub(crate) fn listed(
    measured: BTreeMap<CollectiveKind, BTreeSet<u32>>,
) -> BTreeMap<CollectiveKind, Vec<u32>> {
    let listed = measured.into_iter();
    listed
        .map(|(kind, counts)| (kind, counts.into_iter().collect()))
        .collect()
}

/// Which tables were left out, one after the other.
fn held_out_by(rows: &Rows, small: &[usize], large: &[usize]) -> String {
    let tables =
        |of: &[usize]| -> BTreeSet<usize> { of.iter().map(|at| rows.sizes[*at].table).collect() };
    let (small, large) = (tables(small), tables(large));
    let all = small.union(&large).count();
    match small.len() {
        0 => format!("each of {all} tables, none of them below 1 MiB: that spread is of others"),
        1 => {
            format!("each of {all} tables, one of them below 1 MiB: that one by others' constants")
        }
        few if few < all => format!("each of {all} tables, {few} of them below 1 MiB"),
        _ => format!("each of {all} tables"),
    }
}

/// Rows of that size of all entries of the same level as some rows: inside domains or between them.
fn kin(model: &CommModel<'_>, touched: &dyn Fn(&Row) -> bool, is_small: bool) -> Vec<usize> {
    let rows = model.rows;
    let domains = |row: &Row| rows.setups[row.setup].shape.domains;
    let first = rows.sizes.iter().find(|row| touched(row));
    let between = first.is_some_and(|row| 1 < domains(row));
    let is_kin = |row: &Row| {
        rows.is_fitted(row)
            && (1 < domains(row)) == between
            && (row.bytes.as_u64() < CommFit::SMALL) == is_small
    };
    let all = rows.sizes.iter().enumerate();
    all.filter(|(_, row)| is_kin(row))
        .map(|(at, _)| at)
        .collect()
}

pub(crate) fn thousandth(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// What the file holds.
#[derive(Serialize)]
struct ProfileFile<'a> {
    schema: u32,
    name: &'a str,
    comm: Section<'a>,
}

#[derive(Serialize)]
struct Section<'a> {
    scale_up: Vec<&'a ScaleUpComm>,
    network: Vec<&'a NetworkComm>,
}

const HEAD: &str = "\
# What collectives reach, by generation of NVLink and by network. Written by
# `windtunnel calibrate fit --only collectives --output scenarios`; calibrate/data/collectives/SOURCE.md
# names the tables, their sources and licences, docs/kernels-and-collectives.md the errors. An entry's
# constants outside `reached` are NCCL's own, which choose algorithm and protocol; those in `reached`
# were fitted and say how long it takes. `held_out` are errors on tables that were left out of the fit,
# `small` and `large` reach as far below and above a prediction as 80 % of the rows there lay from theirs.

";

/// The file's text.
pub(crate) fn text(comm: &CommProfile) -> String {
    let inside = comm.scale_up.iter();
    let between = comm.network.iter();
    let text = text_of(
        "collectives",
        inside.filter(|entry| INSIDE.contains(&entry.name.as_str())),
        between.filter(|entry| BETWEEN.contains(&entry.name.as_str())),
    );
    format!("{HEAD}{text}")
}

/// A profile with these entries alone.
pub(crate) fn text_of<'a>(
    name: &str,
    scale_up: impl Iterator<Item = &'a ScaleUpComm>,
    network: impl Iterator<Item = &'a NetworkComm>,
) -> String {
    let file = ProfileFile {
        schema: 1,
        name,
        comm: Section {
            scale_up: scale_up.collect(),
            network: network.collect(),
        },
    };
    toml::to_string(&file).expect("plain data can be written")
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
