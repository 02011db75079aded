//! Fitted constants of a fabric as a profile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use profile::{BetweenReached, CollectiveKind, CommFit, CommProfile, InsideReached, Provenance};
use units::math::exp;

use super::super::file::{COVERED, listed, round, text_of, thousandth};
use super::super::tables::{median, quantile};
use super::cross::Scheme;
use super::model::FabricModel;
use super::site::Site;

/// The constants, rounded, with their errors.
pub(super) fn fitted(
    model: &FabricModel<'_>,
    values: &[f64],
    errors: &[f64],
    schemes: &[Scheme],
    logs: &[PathBuf],
) -> CommProfile {
    let mut comm = model.constants(values);
    let [inside, between] = model.entries;
    let logs: Vec<String> = logs.iter().map(|log| log.display().to_string()).collect();
    let logs = logs.join(", ");
    let entry = &mut comm.network[between];
    entry.pairs_us = round(entry.pairs_us);
    entry.peer_us = round(entry.peer_us);
    entry.pairs_efficiency = round(entry.pairs_efficiency);
    entry.provenance = Provenance::Interpolated;
    entry.source = format!("nccl-tests on it: {logs}; priors: {}", entry.source);
    if let Some(reached) = &mut entry.reached {
        round_between(reached);
        let before = reached.fit.clone();
        reached.fit = fit_of(model, (errors, schemes), &before, true);
    }
    if model.fits_inside() {
        let entry = &mut comm.scale_up[inside];
        entry.source = format!("nccl-tests on it: {logs}; priors: {}", entry.source);
        if let Some(reached) = &mut entry.reached {
            round_inside(reached);
            let before = reached.fit.clone();
            reached.fit = fit_of(model, (errors, schemes), &before, false);
        }
    }
    comm
}

fn round_between(reached: &mut BetweenReached) {
    for list in [
        &mut reached.hop_us,
        &mut reached.ring,
        &mut reached.tree,
        &mut reached.ramp_us,
    ] {
        *list = list.map(round);
    }
}

fn round_inside(reached: &mut InsideReached) {
    for list in [
        &mut reached.start_us,
        &mut reached.hop_us,
        &mut reached.ring,
        &mut reached.tree,
        &mut reached.ramp_us,
    ] {
        *list = list.map(round);
    }
    reached.pairs_us = reached.pairs_us.map(round);
    for value in [
        &mut reached.nvls_us,
        &mut reached.nvls_rank_us,
        &mut reached.nvls,
        &mut reached.nvls_tree,
        &mut reached.nvls_ramp_us,
        &mut reached.pairs_ll,
        &mut reached.pairs,
        &mut reached.pairs_ramp_us,
    ] {
        *value = round(*value);
    }
}

/// How good the constants of one level are.
///
/// * `before` — the fit of the constants that were started from: of sizes that nobody measured here,
///   its interval stays.
fn fit_of(
    model: &FabricModel<'_>,
    (errors, schemes): (&[f64], &[Scheme]),
    before: &CommFit,
    between: bool,
) -> CommFit {
    let rows: Vec<usize> = (model.fitted().into_iter())
        .filter(|row| model.is_between(*row) == between)
        .collect();
    let mut measured: BTreeMap<CollectiveKind, BTreeSet<u32>> = BTreeMap::new();
    for &row in &rows {
        let shape = &model.setup(row).shape;
        let count = if between { shape.domains } else { shape.ranks };
        measured
            .entry(model.setup(row).kind)
            .or_default()
            .insert(count);
    }
    let counts: BTreeSet<u32> = measured.values().flatten().copied().collect();
    let is_small = |row: usize| model.rows.sizes[row].bytes.as_u64() < CommFit::SMALL;
    let fitted = |small: bool| {
        let own = rows.iter().filter(|row| is_small(**row) == small);
        own.map(|row| relative(errors[*row])).collect::<Vec<f64>>()
    };
    let held_out = |small: bool| {
        let all = schemes.iter().flat_map(|scheme| &scheme.errors);
        let own =
            all.filter(|(row, _)| model.is_between(*row) == between && is_small(*row) == small);
        own.map(|(_, error)| *error).collect::<Vec<f64>>()
    };
    let spread = |small: bool, before: [f64; 2]| {
        let errors: Vec<f64> = held_out(small).iter().map(|error| error.abs()).collect();
        if errors.is_empty() {
            return before;
        }
        let far = quantile(errors, COVERED);
        [-far, far].map(|end| thousandth(exp(end)))
    };
    let bands = [true, false];
    CommFit {
        rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        median_error: bands.map(|small| thousandth(median(fitted(small)))),
        held_out: bands.map(|small| {
            let errors = held_out(small).into_iter().map(relative);
            thousandth(median(errors.collect()))
        }),
        held_out_by: held_out_by(schemes),
        small: spread(true, before.small),
        large: spread(false, before.large),
        kinds: measured.keys().copied().collect(),
        counts: [
            counts.first().copied().unwrap_or(0),
            counts.last().copied().unwrap_or(0),
        ],
        measured: listed(measured),
    }
}

fn held_out_by(schemes: &[Scheme]) -> String {
    let ways = schemes.iter().filter(|scheme| !scheme.errors.is_empty());
    let ways: Vec<String> = ways
        .map(|scheme| format!("{} ({})", scheme.name, scheme.groups.join(", ")))
        .collect();
    if ways.is_empty() {
        return "nothing could be left out".to_owned();
    }
    format!("each {}", ways.join(", each "))
}

/// The absolute relative error of a logarithm.
pub(super) fn relative(log_error: f64) -> f64 {
    (exp(log_error) - 1.0).abs()
}

/// The file.
pub(super) fn text(model: &FabricModel<'_>, comm: &CommProfile, site: &Site) -> String {
    let [inside, between] = model.entries;
    let network = &comm.network[between];
    let scale_up = model.fits_inside().then(|| &comm.scale_up[inside]);
    let head = format!(
        "# What collectives reach on {}, written by `windtunnel calibrate fit --nccl-tests`. Its\n\
         # cluster file names this file as `collectives`. Constants outside `reached` choose algorithm\n\
         # and protocol and are NCCL's own; those in `reached` and of all-to-alls were fitted.\n\n",
        site.cluster()
    );
    let body = text_of(
        &network.name,
        scale_up.into_iter(),
        std::iter::once(network),
    );
    head + &body
}
