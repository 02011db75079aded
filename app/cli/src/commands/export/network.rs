//! `windtunnel export` of a network workload.

use std::io;
use std::path::Path;

use serde_json::{Value, json};
use session::{NetworkBundle, NetworkConsumer, NetworkFile, Opened, save_network_bundle};

use crate::args::ExportArgs;
use crate::commands::run::catch_interrupts;
use crate::commands::scenario::refuse;
use crate::commands::{Context, existing, refuse_save};
use crate::exit::Exit;
use crate::version;

/// Makes the files and shows or writes them.
pub(super) fn answer(
    args: &ExportArgs,
    opened: &Opened,
    to: NetworkConsumer,
    context: &Context,
) -> Result<Exit, Exit> {
    if args.for_version.is_some() {
        let text = format!("--for-version is not for {}", to.name());
        context.error(&text, Some("leave it out"));
        return Err(Exit::BadInput);
    }
    catch_interrupts();
    let bundle = opened
        .export_network(to)
        .map_err(|failures| refuse(&failures, context))?;
    for warning in &bundle.warnings {
        context.warn(warning);
    }
    let folder = args.output.as_deref().filter(|_| !args.dry_run);
    if let Some(folder) = folder {
        save_network_bundle(folder, existing(args.force), &bundle)
            .map_err(|error| refuse_save(&error, context))?;
        context.note(&told(folder, &bundle));
    }
    if context.output.json {
        let document = document(opened, to, &bundle, folder);
        return Ok(context.print(&format!("{document:#}\n")));
    }
    match folder {
        Some(_) => Ok(Exit::Done),
        None => shown(args, &bundle, context),
    }
}

/// Says what is in the folder: the first names where there are many.
fn told(folder: &Path, bundle: &NetworkBundle) -> String {
    const MOST: usize = 4;
    let names: Vec<&str> = bundle.files.iter().map(|file| file.name.as_str()).collect();
    let folder = folder.display();
    match names.as_slice() {
        [first, .., last] if MOST < names.len() => {
            format!("{folder} has {first} to {last}")
        }
        names => format!("{folder} has {}", names.join(", ")),
    }
}

/// Prints all files, each behind a line with its name.
fn shown(args: &ExportArgs, bundle: &NetworkBundle, context: &Context) -> Result<Exit, Exit> {
    if bundle.files.iter().any(|file| !file.is_text) {
        if args.dry_run {
            let names = bundle.files.iter().map(|file| format!("{}\n", file.name));
            return Ok(context.print(&names.collect::<String>()));
        }
        let text = "the files are binary and cannot be shown";
        context.error(text, Some("give --output DIR"));
        return Err(Exit::BadInput);
    }
    Ok(context.written(|out| {
        for (at, file) in bundle.files.iter().enumerate() {
            let gap = if at == 0 { "" } else { "\n" };
            writeln!(out, "{gap}==> {} <==", file.name)?;
            file.write(out)?;
        }
        Ok(())
    }))
}

fn document(
    opened: &Opened,
    to: NetworkConsumer,
    bundle: &NetworkBundle,
    folder: Option<&Path>,
) -> Value {
    let files = bundle.files.iter();
    let files: Vec<Value> = files
        .map(|file| {
            json!({ "name": file.name, "executable": false, "text": text(file, folder).ok().flatten() })
        })
        .collect();
    json!({
        "schema": 1,
        "scenario": opened.name,
        "to": to.name(),
        "files": files,
        "warnings": bundle.warnings,
        "written_to": folder,
        "windtunnel": version::json(),
    })
}

/// The text of a file that was not written elsewhere; none of a binary one.
fn text(file: &NetworkFile, folder: Option<&Path>) -> io::Result<Option<String>> {
    if !file.is_text || folder.is_some() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.write(&mut bytes)?;
    Ok(String::from_utf8(bytes).ok())
}
