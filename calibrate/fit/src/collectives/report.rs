//! The report of a fit.

use std::fmt::Write as _;

use super::cross::{CLASSES, Errors, absolute, class};
use super::file::{entry_of, grouped};
use super::model::CommModel;
use super::places::Use;
use super::tables::{median, quantile};
use crate::least_squares::Fit;
use profile::CollectiveKind;

/// Targets of cross-validation: below 1 MiB, and from there.
const TARGETS: [f64; 2] = [0.20, 0.10];

/// Errors: in short, by group and by table.
pub(crate) fn errors(model: &CommModel<'_>, errors: &Errors) -> String {
    let mut text = String::new();
    summary(&mut text, model, errors);
    engines(&mut text, model, errors);
    groups(&mut text, model, errors);
    tables(&mut text, model, errors);
    text
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

fn fitted<'a>(model: &'a CommModel<'_>) -> impl Iterator<Item = usize> + 'a {
    let rows = model.rows.sizes.iter().enumerate();
    rows.filter(|(_, row)| model.rows.is_fitted(row))
        .map(|(at, _)| at)
}

fn summary(text: &mut String, model: &CommModel<'_>, errors: &Errors) {
    let is_small = |at: &usize| class(&model.rows.sizes[*at]) < 2;
    let between = |at: &usize| {
        let setup = model.rows.sizes[*at].setup;
        model.rows.setups[setup].shape.domains > 1
    };
    let (small, large): (Vec<usize>, Vec<usize>) = fitted(model).partition(is_small);
    for (name, rows, target) in [
        ("below 1 MiB", &small, TARGETS[0]),
        ("1 MiB and more", &large, TARGETS[1]),
    ] {
        let only = |is_between| {
            rows.iter()
                .copied()
                .filter(move |at| between(at) == is_between)
        };
        line(text, model, errors, (name, rows, target));
        for (place, is_between) in [("inside a domain", false), ("between domains", true)] {
            let rows: Vec<usize> = only(is_between).collect();
            line(
                text,
                model,
                errors,
                (&format!("{name}, {place}"), &rows, target),
            );
        }
        let rows: Vec<usize> = only(true).collect();
        let _ = writeln!(
            text,
            "- {name}, between domains, where the network was measured: {} % with only the sizes of the row's class left \
             out of its table",
            percent(median(absolute(&errors.band_out, &rows))),
        );
    }
    text.push('\n');
}

fn line(
    text: &mut String,
    model: &CommModel<'_>,
    errors: &Errors,
    (name, rows, target): (&str, &[usize], f64),
) {
    let of = |errors: &[f64]| median(absolute(errors, rows));
    let by_table = grouped(rows.iter().copied(), |at| model.rows.sizes[at].table);
    let medians = by_table
        .values()
        .map(|rows| median(absolute(&errors.held_out, rows)));
    let _ = writeln!(
        text,
        "- {name}: {} rows of {} tables, median error {} % fitted, {} % with the table left out \
         (target {} %); median over tables {} %",
        rows.len(),
        by_table.len(),
        percent(of(&errors.fitted)),
        percent(of(&errors.held_out)),
        percent(target),
        percent(median(medians.collect())),
    );
}

/// All-reduces between domains in closed form and step by step on the flow engine.
fn engines(text: &mut String, model: &CommModel<'_>, errors: &Errors) {
    text.push_str("### By engine\n\n");
    text.push_str(
        "Training on `flow` and `packet` takes phases of collectives that last as long as in the closed form while nothing \
         else is on their links, and so has its errors. A network workload is simulated message by message; its links \
         carry what the same constants say (`workload.rates`). All-reduces between domains:\n\n",
    );
    text.push_str("| size | rows | closed form fitted % | left out % | flow engine fitted % | left out % | flow engine, bias left out % |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
    for (at, name) in CLASSES.into_iter().enumerate() {
        let own = fitted(model).filter(|row| errors.flow[0][*row].is_finite());
        let rows: Vec<usize> = own
            .filter(|row| class(&model.rows.sizes[*row]) == at)
            .collect();
        let of = |errors: &[f64]| percent(median(absolute(errors, &rows)));
        let bias = median(rows.iter().map(|row| errors.flow[1][*row]).collect());
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {:+.1} |",
            rows.len(),
            of(&errors.fitted),
            of(&errors.held_out),
            of(&errors.flow[0]),
            of(&errors.flow[1]),
            100.0 * bias,
        );
    }
    text.push('\n');
}

fn groups(text: &mut String, model: &CommModel<'_>, errors: &Errors) {
    text.push_str("### By kind, nodes, links and size\n\n");
    text.push_str("| kind | nodes | links | size | rows | fitted % | left out % | p90 % |\n");
    text.push_str("|---|---:|---|---|---:|---:|---:|---:|\n");
    let key = |at: usize| {
        let row = &model.rows.sizes[at];
        let setup = &model.rows.setups[row.setup];
        (setup.kind, setup.nodes, entry_of(model, row), class(row))
    };
    for ((kind, nodes, entry, class), rows) in grouped(fitted(model), key) {
        let left_out = absolute(&errors.held_out, &rows);
        let _ = writeln!(
            text,
            "| {} | {nodes} | {entry} | {} | {} | {} | {} | {} |",
            kind.name(),
            CLASSES[class],
            rows.len(),
            percent(median(absolute(&errors.fitted, &rows))),
            percent(median(left_out.clone())),
            percent(quantile(left_out, 0.9)),
        );
    }
    text.push('\n');
    node_counts(text, model);
}

/// On which numbers of nodes each kind was measured.
fn node_counts(text: &mut String, model: &CommModel<'_>) {
    text.push_str("### Numbers of nodes\n\n");
    text.push_str("| kind | nodes: rows | beyond |\n|---|---|---|\n");
    for kind in CollectiveKind::ALL {
        let own = fitted(model).filter(|at| {
            let setup = model.rows.sizes[*at].setup;
            model.rows.setups[setup].kind == kind
        });
        let by_nodes = grouped(own, |at| {
            let setup = &model.rows.setups[model.rows.sizes[at].setup];
            (setup.nodes, setup.shape.domains)
        });
        let counts = by_nodes
            .iter()
            .map(|((nodes, _), rows)| format!("{nodes}: {}", rows.len()));
        let counts: Vec<String> = counts.collect();
        let most = by_nodes.keys().map(|(_, domains)| *domains).max();
        let beyond = match most {
            None => "everywhere: the closed form".to_owned(),
            Some(1) => "between nodes: the closed form".to_owned(),
            Some(most) => format!("more than {most} nodes: the closed form"),
        };
        let counts = if counts.is_empty() {
            "none".to_owned()
        } else {
            counts.join(", ")
        };
        let _ = writeln!(text, "| {} | {counts} | {beyond} |", kind.name());
    }
    text.push_str(
        "\nThese are all networks together; what was measured of a single one stands in its profile \
         (`reached.fit.measured`). `windtunnel collective` says where a time lies beyond, and so do the assumptions \
         and sources of `simulate` and `plan`.\n\n",
    );
}

fn tables(text: &mut String, model: &CommModel<'_>, errors: &Errors) {
    text.push_str("### By table\n\n");
    text.push_str("| table | cluster | nodes | rows | fitted % | left out % | left out, 1 MiB and more % | bias % | |\n");
    text.push_str("|---|---|---:|---:|---:|---:|---:|---:|---|\n");
    let mut stalls = 0;
    for (place, table) in model.rows.tables.iter().enumerate() {
        let mut rows = model.rows.of_table(place);
        let all = rows.len();
        rows.retain(|at| 0.0 < model.rows.sizes[*at].weight);
        stalls += all - rows.len();
        let first = &model.rows.setups[model.rows.sizes[rows[0]].setup];
        let large: Vec<usize> = (rows.iter().copied())
            .filter(|at| 2 <= class(&model.rows.sizes[*at]))
            .collect();
        let bias = median(rows.iter().map(|at| errors.held_out[*at]).collect());
        let note = match table.using {
            Use::Fit => "",
            Use::Compare(reason) => reason,
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {:+.1} | {note} |",
            table.name,
            first.cluster,
            first.nodes,
            rows.len(),
            percent(median(absolute(&errors.fitted, &rows))),
            percent(median(absolute(&errors.held_out, &rows))),
            if large.is_empty() {
                String::new()
            } else {
                percent(median(absolute(&errors.held_out, &large)))
            },
            100.0 * bias,
        );
    }
    let _ = writeln!(
        text,
        "\nNot counted: {stalls} rows that took more than twice as long as a larger size of their table."
    );
    for (table, rows, reason) in &model.rows.skipped {
        let _ = writeln!(text, "\n{table}: {rows} rows not used: {reason}");
    }
    text.push('\n');
}

/// The constants, each with its prior.
pub(crate) fn constants(model: &CommModel<'_>, fit: &Fit) -> String {
    let mut text =
        String::from("### Constants\n\nStandard deviations are of natural logarithms.\n\n");
    text.push_str("| parameter | value | sd | prior | its sd |\n|---|---:|---:|---:|---:|\n");
    for ((knob, value), sd) in model.knobs.iter().zip(&fit.values).zip(&fit.log_sd) {
        let known = &knob.parameter;
        let _ = writeln!(
            text,
            "| {} | {value:.4} | {sd:.2} | {:.4} | {:.2} |",
            known.name, known.prior, known.log_sd
        );
    }
    text
}
