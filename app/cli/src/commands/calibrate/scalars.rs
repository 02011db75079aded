//! Scalars of frameworks, GPUs and sites.

use std::fmt::Write as _;
use std::path::Path;

use fit::least_squares::Model;
use fit::scalars::{
    Fitted, ParametersFile, coverage, errors, files, fit_runs, load_all, read_parameters,
};
use runs::RunsError;
use serde_json::{Value, json};
use units::Control;

use super::{threads, worth, write};
use crate::args::FitArgs;
use crate::commands::Context;
use crate::exit::Exit;
use crate::table::{Side, Table};

/// Fits scalars on measured runs, writes them with what they are worth, and prints both.
///
/// * `extra` — further tables of runs.
pub(super) fn fit(args: &FitArgs, extra: &[runs::Table], context: &Context) -> Result<Exit, Exit> {
    context.note("fitting scalars on measured runs takes some minutes");
    let file = parameters(args, context)?;
    let refuse = |error: RunsError| {
        context.error(&error.to_string(), error.hint().as_deref());
        Exit::BadInput
    };
    let own = runs::Table::read(&args.data.join("runs/training_runs.csv")).map_err(refuse)?;
    runs::training::check(&own).map_err(refuse)?;
    let mut tables = vec![own];
    tables.extend(extra.iter().cloned());
    let rows = load_all(&tables, &Control::new()).map_err(refuse)?;
    let fitted = fit_runs(&rows, &file, threads(context).get(), !args.no_ablation);
    if let Some(folder) = &args.output {
        write_all(&fitted, folder, args, context)?;
    }
    let text = if context.output.json {
        format!("{:#}\n", document(&fitted))
    } else {
        report(&fitted, context)
    };
    Ok(context.print(&text))
}

/// Writes the scalars, and what they are worth where that has a place. What was not measured leaves
/// the table of before alone.
fn write_all(
    fitted: &Fitted<'_>,
    folder: &Path,
    args: &FitArgs,
    context: &Context,
) -> Result<(), Exit> {
    let worth = worth(args);
    if worth.is_none() {
        context.note("calibrate/data/fit stays as it is: --extra does not come with the program");
    }
    for (name, text) in files(fitted) {
        let folder = match name {
            "scales.toml" => Some(folder.join("fitted")),
            "ablation.csv" if args.no_ablation => None,
            _ => worth.clone(),
        };
        if let Some(folder) = folder {
            write(&folder.join(name), &text, context)?;
        }
    }
    Ok(())
}

fn parameters(args: &FitArgs, context: &Context) -> Result<ParametersFile, Exit> {
    let path = args.data.join("fit/parameters.toml");
    let refuse = |reason: String| {
        let text = format!("{}: {reason}", path.display());
        let hint = "it lists the scalars that are fitted, each with a prior: see docs/accuracy.md";
        context.error(&text, Some(hint));
        Exit::BadInput
    };
    let text = std::fs::read_to_string(&path).map_err(|error| refuse(error.to_string()))?;
    read_parameters(&text).map_err(refuse)
}

/// The rows of the table of scalars.
fn scalars<'a>(fitted: &'a Fitted<'_>) -> impl Iterator<Item = (String, usize, usize)> + 'a {
    let free = fitted.runs.free.iter().enumerate();
    free.map(|(at, free)| (free.name(), at, fitted.runs.rows_of(at).len()))
        .filter(|(.., rows)| 0 < *rows)
}

fn report(fitted: &Fitted<'_>, context: &Context) -> String {
    let mut table = Table::new(&[
        ("Scalar", Side::Left),
        ("Prior", Side::Right),
        ("Value", Side::Right),
        ("80 % interval", Side::Right),
        ("Rows", Side::Right),
    ]);
    for (name, at, rows) in scalars(fitted) {
        let (value, sd) = (fitted.fit.values[at], fitted.fit.log_sd[at]);
        let far = units::math::exp(1.2816 * sd);
        table.row([
            name,
            format!("{:.2}", fitted.runs.free[at].prior),
            format!("{value:.3}"),
            format!("{:.3} to {:.3}", value / far, value * far),
            rows.to_string(),
        ]);
    }
    let mut text = table.render(context.stdout.width);
    let mut table = Table::new(&[
        ("Source", Side::Left),
        ("Left out", Side::Left),
        ("Rows", Side::Right),
        ("MAPE", Side::Right),
        ("Median", Side::Right),
    ]);
    for (source, scheme, rows, mean, median) in errors(fitted) {
        table.row([
            source.to_owned(),
            scheme.to_owned(),
            rows.to_string(),
            format!("{:.1} %", mean * 100.0),
            format!("{:.1} %", median * 100.0),
        ]);
    }
    let _ = write!(text, "\n{}", table.render(context.stdout.width));
    let (all, groups) = coverage(fitted);
    let low = groups.iter().filter(|(_, share, _)| *share < 0.6).count();
    let _ = writeln!(
        text,
        "\n{:.1} % of left-out runs lie in their interval from the 10th to the 90th percentile; in {low} of {} groups of ten \
         runs and more, fewer than 60 % do.",
        all * 100.0,
        groups.len()
    );
    text
}

fn document(fitted: &Fitted<'_>) -> Value {
    let scalars: Vec<Value> = scalars(fitted)
        .map(|(name, at, rows)| {
            json!({
                "scalar": name,
                "prior": fitted.runs.free[at].prior,
                "value": fitted.fit.values[at],
                "log_sd": fitted.fit.log_sd[at],
                "rows": rows,
            })
        })
        .collect();
    let errors: Vec<Value> = errors(fitted)
        .into_iter()
        .map(|(source, scheme, rows, mape, median)| {
            json!({
                "source": source,
                "left_out": scheme,
                "rows": rows,
                "mape": mape,
                "median_ape": median,
            })
        })
        .collect();
    json!({
        "schema": 1,
        "scalars": scalars,
        "errors": errors,
        "coverage": coverage(fitted).0,
    })
}
