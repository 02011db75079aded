//! `windtunnel export`: the files that start a plan, or carry a network workload.

mod network;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use session::{Bundle, ExportError, Opened, save_bundle};

use crate::args::{ExportArgs, ExportFor};
use crate::commands::scenario::{open_plan, ready};
use crate::commands::{Context, existing, refuse_save};
use crate::exit::Exit;
use crate::version;

/// Makes the files and shows or writes them.
pub(crate) fn export(args: &ExportArgs, context: &Context) -> Exit {
    match answer(args, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn answer(args: &ExportArgs, context: &Context) -> Result<Exit, Exit> {
    let opened = open_plan(&args.scenario(), args.rank, context)?;
    let to = match args.to.consumer() {
        ExportFor::Network(to) => return network::answer(args, &opened, to, context),
        ExportFor::Training(to) => to,
    };
    if opened.is_traffic() {
        let text = format!(
            "{} starts training, and this is a network workload",
            to.name()
        );
        let hint = "use --to nccl, flow-table, simgrid, htsim or chakra";
        context.error(&text, Some(hint));
        return Err(Exit::BadInput);
    }
    let ready = ready(&opened, context)?;
    let bundle = session::export(&opened, &ready, to, args.for_version.clone())
        .map_err(|error| refuse(&error, context))?;
    for warning in &bundle.warnings {
        context.warn(warning);
    }
    let folder = args.output.as_deref().filter(|_| !args.dry_run);
    if let Some(folder) = folder {
        write(folder, args.force, &bundle, context)?;
    }
    if context.output.json {
        let document = document(&opened, to.name(), &bundle, folder);
        return Ok(context.print(&format!("{document:#}\n")));
    }
    match folder {
        Some(_) => Ok(Exit::Done),
        None => Ok(context.page(&shown(&bundle))),
    }
}

fn write(folder: &Path, force: bool, bundle: &Bundle, context: &Context) -> Result<(), Exit> {
    let existing = existing(force);
    save_bundle(folder, existing, bundle).map_err(|error| refuse_save(&error, context))?;
    let names: Vec<&str> = bundle.files.iter().map(|file| file.name).collect();
    context.note(&format!("{} has {}", folder.display(), names.join(", ")));
    Ok(())
}

/// Says what the consumer cannot do.
fn refuse(error: &ExportError, context: &Context) -> Exit {
    let text = match error.field() {
        Some(field) => format!("{field}: {error}"),
        None => error.to_string(),
    };
    context.error(&text, error.hint().as_deref());
    if context.output.json {
        let error = json!({
            "message": error.to_string(),
            "hint": error.hint(),
            "field": error.field(),
        });
        let document = json!({ "schema": 1, "errors": [error] });
        context.print(&format!("{document:#}\n"));
    }
    Exit::BadInput
}

/// All files, each behind a line with its name.
fn shown(bundle: &Bundle) -> String {
    let mut text = String::new();
    for file in &bundle.files {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{gap}==> {} <==\n{}", file.name, file.text);
    }
    text
}

fn document(opened: &Opened, to: &str, bundle: &Bundle, folder: Option<&Path>) -> Value {
    let files = bundle.files.iter();
    let files: Vec<Value> = files
        .map(|file| json!({ "name": file.name, "executable": file.is_script(), "text": file.text }))
        .collect();
    json!({
        "schema": 1,
        "scenario": opened.name,
        "to": to,
        "files": files,
        "warnings": bundle.warnings,
        "written_to": folder,
        "windtunnel": version::json(),
    })
}
