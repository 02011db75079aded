//! `windtunnel validate`: measured runs against their predictions.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use serde_json::{Value, json};
use session::{
    Found, Group, ReportError, ReportRequest, RowText, RunsError, Tables, ValidateSettings,
    Validation, Worst, check_report, read_tables, row_text, save_report, worst,
};

use crate::args::ValidateArgs;
use crate::commands::{Context, existing, refuse_save, run};
use crate::exit::Exit;
use crate::number::percent;
use crate::validation;
use crate::version;

/// Predicts the rows of some tables and prints how far off that is.
pub(crate) fn validate(args: &ValidateArgs, context: &Context) -> Exit {
    run::catch_interrupts();
    match answer(args, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn answer(args: &ValidateArgs, context: &Context) -> Result<Exit, Exit> {
    let paths: Vec<_> = args.tables.iter().chain(&args.extra).cloned().collect();
    let tables = read_tables(&paths).map_err(|errors| refuse(&errors, context))?;
    let settings = ValidateSettings {
        engine: args.engine.name().to_owned(),
        seed: args.seed,
    };
    if let Some(id) = &args.row {
        return one_row(id, &tables, &settings, context);
    }
    let request = report_request(args, context)?;
    if let Some(request) = &request {
        check_report(request).map_err(|error| refuse_save(&error, context))?;
    }
    let (found, worst) = predict(args, &tables, &settings, context);
    if let Some(request) = request.filter(|_| !found.partial) {
        write_report(&request, &tables, &found, &settings, context)?;
    }
    let text = if context.output.json {
        format!("{:#}\n", document(&found, worst.as_deref(), context))
    } else {
        validation::report(&found, worst.as_deref(), &settings, context)
    };
    let printed = if context.output.json {
        context.print(&text)
    } else {
        context.page(&text)
    };
    Ok(verdict(args, &found, printed, context))
}

/// Where the fit on the committed tables left its files, seen from the repository.
const COMMITTED_FIT: &str = "calibrate/data/fit";

/// What the report is made from, where one is asked for.
fn report_request(args: &ValidateArgs, context: &Context) -> Result<Option<ReportRequest>, Exit> {
    let Some(folder) = args.report.clone() else {
        return Ok(None);
    };
    if let Some(fit) = args.fit.as_ref().filter(|fit| !fit.is_dir()) {
        let text = format!("{} is no folder", fit.display());
        let hint = "`--fit` is where `calibrate fit --only runs` left left_out.csv; leave it out for a report without";
        context.error(&text, Some(hint));
        return Err(Exit::BadInput);
    }
    let mut command = "windtunnel validate".to_owned();
    for table in &args.tables {
        let _ = write!(command, " {}", table.display());
    }
    for table in &args.extra {
        let _ = write!(command, " --extra {}", table.display());
    }
    // Where the report goes changes none of its bytes.
    command.push_str(" --report DIR");
    if let Some(fit) = &args.fit {
        let _ = write!(command, " --fit {}", fit.display());
    }
    Ok(Some(ReportRequest {
        command,
        folder,
        fit: args.fit.clone().unwrap_or_else(|| COMMITTED_FIT.into()),
        existing: existing(args.force),
    }))
}

fn write_report(
    request: &ReportRequest,
    tables: &Tables,
    found: &Validation,
    settings: &ValidateSettings,
    context: &Context,
) -> Result<(), Exit> {
    let saved = run::watched(context, "writing the report", |control| {
        save_report(request, tables, found, settings, control)
    });
    match saved {
        Ok(paths) => {
            let n_figures = paths.len().saturating_sub(1);
            let folder = request.folder.display();
            context.note(&format!(
                "accuracy.md and {n_figures} figures are in {folder}"
            ));
            Ok(())
        }
        Err(ReportError::Save(error)) => Err(refuse_save(&error, context)),
        Err(ReportError::Fit(error)) => Err(refuse(&[error], context)),
        Err(error) => {
            context.error(&error.to_string(), None);
            Err(Exit::Failed)
        }
    }
}

/// Predicts every row; then once more those that are to be explained.
fn predict(
    args: &ValidateArgs,
    tables: &Tables,
    settings: &ValidateSettings,
    context: &Context,
) -> (Validation, Option<Vec<Worst>>) {
    let threads = context.output.threads;
    let threads = threads.and_then(|n| NonZeroUsize::new(usize::try_from(n.get()).ok()?));
    run::watched(context, "predicting", |control| {
        let found = session::validate(tables, settings, threads, control);
        let worst = args
            .worst
            .map(|n_rows| worst(tables, &found, n_rows, settings, control));
        (found, worst)
    })
}

/// The exit status, with what led to it on standard error.
fn verdict(args: &ValidateArgs, found: &Validation, printed: Exit, context: &Context) -> Exit {
    for error in &found.errors {
        context.error(&error.to_string(), error.hint().as_deref());
    }
    if found.partial {
        context.error(
            "interrupted; the rows predicted until then are printed",
            None,
        );
        return Exit::Interrupted;
    }
    if printed != Exit::Done {
        return printed;
    }
    if !found.errors.is_empty() {
        return Exit::BadInput;
    }
    let failed: Vec<&Group> = args.max_mape.map_or_else(Vec::new, |most| {
        found
            .groups
            .iter()
            .filter(|group| is_above(group, most))
            .collect()
    });
    for group in &failed {
        let most = percent(args.max_mape.unwrap_or_default());
        let name = validation::name(group);
        let text = match group.mape {
            Some(mape) => format!("{name}: mean error {}, more than {most}", percent(mape)),
            None => format!("{name}: no row was predicted, so that no error is within {most}"),
        };
        context.error(&text, None);
    }
    if failed.is_empty() {
        return Exit::Done;
    }
    let hint = "`--worst 20` explains the rows that are furthest off";
    context.note(hint);
    Exit::Failed
}

/// Whether a group is further off than allowed; what was not predicted at all is.
fn is_above(group: &Group, most: f64) -> bool {
    let has_error = group.quantity != "oom";
    has_error && group.mape.is_none_or(|mape| most < mape)
}

fn one_row(
    id: &str,
    tables: &Tables,
    settings: &ValidateSettings,
    context: &Context,
) -> Result<Exit, Exit> {
    let found = run::watched(context, "predicting", |control| {
        row_text(tables, id, settings, control)
    })
    .map_err(|error| refuse(&[error], context))?;
    match found {
        Found::One(found) => Ok(print_row(&found, context)),
        Found::Several(places) => {
            let rows = places.rows.join(", ");
            let text = format!("row {id:?} is in several places: {rows}");
            let hint = if places.in_one_table {
                "give each of them a `row_id` of its own"
            } else {
                "name one table alone"
            };
            context.error(&text, Some(hint));
            Ok(Exit::BadInput)
        }
        Found::Interrupted => {
            context.error("interrupted; nothing was written", None);
            Ok(Exit::Interrupted)
        }
    }
}

/// Prints the scenario of a row. Where it is refused it is printed all the same, to be mended.
fn print_row(found: &RowText, context: &Context) -> Exit {
    let text = if context.output.json {
        let document = json!({
            "schema": 1,
            "scenario": found.scenario,
            "rows": validation::entries(&found.row),
            "assumptions": validation::assumptions(&found.row),
            "windtunnel": version::json(),
        });
        format!("{document:#}\n")
    } else {
        found.scenario.clone()
    };
    let printed = context.print(&text);
    if let Some(reason) = &found.row.skipped {
        context.error(
            &format!("row {} cannot be predicted: {reason}", found.row.id),
            Some("the scenario that was tried is printed; a cell that contradicts another can be left empty"),
        );
        return Exit::Failed;
    }
    printed
}

/// The JSON document: rows and groups, then what made them.
fn document(found: &Validation, worst: Option<&[Worst]>, context: &Context) -> Value {
    let mut document = validation::document(found, 0 < context.output.verbose);
    if let Some(worst) = worst {
        document["worst"] = worst.iter().map(validation::explained).collect();
    }
    document["partial"] = json!(found.partial);
    document["windtunnel"] = version::json();
    document
}

/// Shows every error of the tables.
fn refuse(errors: &[RunsError], context: &Context) -> Exit {
    for error in errors {
        context.error(&error.to_string(), error.hint().as_deref());
    }
    if context.output.json {
        let errors: Vec<Value> = errors.iter().map(error_json).collect();
        context.print(&format!("{:#}\n", json!({ "schema": 1, "errors": errors })));
    }
    Exit::BadInput
}

fn error_json(error: &RunsError) -> Value {
    let (file, place) = error.place();
    json!({
        "message": error.to_string(),
        "hint": error.hint(),
        "file": file,
        "line": place.map(|(line, ..)| line),
        "column": Value::Null,
        "field": place.map(|(_, field, _)| field),
        "value": place.map(|(.., found)| found),
    })
}
