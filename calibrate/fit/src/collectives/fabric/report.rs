//! What a fit of a fabric is worth, for people.

use std::fmt::Write as _;

use profile::{CommFit, CommProfile};

use super::super::file::grouped;
use super::super::tables::median;
use super::SchemeErrors;
use super::cross::Scheme;
use super::model::FabricModel;
use super::site::Site;
use super::write::relative;
use crate::least_squares::Fit;

/// Errors by what was left out, nothing first.
pub(super) fn figures(
    model: &FabricModel<'_>,
    errors: &[f64],
    schemes: &[Scheme],
) -> Vec<SchemeErrors> {
    let fitted = Scheme {
        name: "nothing",
        groups: Vec::new(),
        errors: (model.fitted().into_iter())
            .map(|row| (row, errors[row]))
            .collect(),
    };
    let all = std::iter::once(&fitted).chain(schemes);
    all.map(|scheme| {
        let band = |small: bool| {
            let is_small = |row: usize| model.rows.sizes[row].bytes.as_u64() < CommFit::SMALL;
            let own = scheme.errors.iter();
            let own = own.filter(|(row, _)| is_small(*row) == small);
            let errors: Vec<f64> = own.map(|(_, error)| relative(*error)).collect();
            (!errors.is_empty()).then(|| (errors.len(), median(errors)))
        };
        SchemeErrors {
            left_out: scheme.name,
            groups: scheme.groups.clone(),
            small: band(true),
            large: band(false),
        }
    })
    .collect()
}

/// The whole report.
pub(super) fn text(
    site: &Site,
    model: &FabricModel<'_>,
    (comm, fit): (&CommProfile, &Fit),
    errors: &[f64],
    schemes: &[Scheme],
) -> String {
    let network = &comm.network[model.entries[1]];
    let mut text = format!(
        "# Collectives on {}, network {}\n\n",
        site.cluster(),
        network.name
    );
    let rows = model.fitted().len();
    let not = model.rows.sizes.len() - rows;
    let _ = writeln!(text, "{rows} rows fitted, {not} only compared.");
    if !site.is_known() {
        text.push_str("No tables of this network come with the program: priors are those of the network that stands for all.\n");
    }
    text.push_str(
        "\nMedian absolute errors of time; every fit without a group starts from the priors.\n\n",
    );
    text.push_str("| left out | groups | below 1 MiB | 1 MiB and more |\n|---|---|---:|---:|\n");
    for scheme in figures(model, errors, schemes) {
        let name = match scheme.left_out {
            "nothing" => "nothing".to_owned(),
            name => format!("each {name}"),
        };
        let band = |band: Option<(usize, f64)>| match band {
            Some((rows, error)) => format!("{:.1} % of {rows}", 100.0 * error),
            None => "-".to_owned(),
        };
        let (small, large) = (band(scheme.small), band(scheme.large));
        let _ = writeln!(
            text,
            "| {name} | {} | {small} | {large} |",
            scheme.groups.join(", ")
        );
    }
    by_setup(&mut text, model, errors);
    if let Some(reached) = &network.reached {
        let _ = writeln!(
            text,
            "Between domains these were measured, by number of domains: {}. Other collectives and more domains follow from \
             the closed form, and predictions say so.\n",
            reached.fit.measured_in_words()
        );
    }
    constants(&mut text, model, fit);
    text
}

fn by_setup(text: &mut String, model: &FabricModel<'_>, errors: &[f64]) {
    text.push_str("\n| collective | nodes | ranks | rows | fitted |\n|---|---:|---:|---:|---:|\n");
    let key = |row: usize| {
        let setup = model.setup(row);
        (setup.kind, setup.nodes, setup.shape.ranks)
    };
    for ((kind, nodes, ranks), rows) in grouped(0..model.rows.sizes.len(), key) {
        let note = if rows.iter().any(|row| model.is_fitted(*row)) {
            ""
        } else {
            ", compared"
        };
        let error = median(rows.iter().map(|row| relative(errors[*row])).collect());
        let count = rows.len();
        let (name, error) = (kind.name(), 100.0 * error);
        let _ = writeln!(
            text,
            "| {name} | {nodes} | {ranks} | {count} | {error:.1} %{note} |"
        );
    }
    text.push('\n');
}

fn constants(text: &mut String, model: &FabricModel<'_>, fit: &Fit) {
    text.push_str("Factors on the shipped constants, each with 1 as its prior; deviations are of natural logarithms.\n\n");
    text.push_str("| factor | value | sd | its prior's |\n|---|---:|---:|---:|\n");
    for ((knob, value), sd) in model.knobs.iter().zip(&fit.values).zip(&fit.log_sd) {
        let known = &knob.parameter;
        let _ = writeln!(
            text,
            "| {} | {value:.3} | {sd:.2} | {:.2} |",
            known.name, known.log_sd
        );
    }
}
