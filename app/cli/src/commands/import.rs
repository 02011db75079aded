//! `windtunnel import`: files of other programs as scenarios.

use std::path::Path;

use serde_json::json;
use session::{Assignment, Imported, check, save};

use crate::args::ImportArgs;
use crate::commands::scenario::refuse;
use crate::commands::{Context, existing, refuse_save};
use crate::exit::Exit;
use crate::version;

/// Reads a file and prints the scenario that it stands for.
pub(crate) fn import(args: &ImportArgs, context: &Context) -> Exit {
    match answer(args, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn answer(args: &ImportArgs, context: &Context) -> Result<Exit, Exit> {
    let existing = existing(args.force);
    let output = args
        .output
        .as_deref()
        .filter(|path| *path != Path::new("-"));
    if let Some(path) = output {
        check(path, existing).map_err(|error| refuse_save(&error, context))?;
    }
    let set = args.set.iter();
    let above: Vec<Assignment> = set.map(|text| Assignment::new("--set", text)).collect();
    let imported = session::import(&args.file, args.from.producer(), &above)
        .map_err(|failures| refuse(&failures, context))?;
    tell(&imported, context);
    let text = if context.output.json {
        document(args, &imported)
    } else {
        imported.scenario
    };
    let Some(path) = output else {
        return Ok(context.print(&text));
    };
    save(path, existing, |out| out.write_all(text.as_bytes()))
        .map_err(|error| refuse_save(&error, context))?;
    Ok(Exit::Done)
}

/// Says what the file left open, and what of it was left out.
fn tell(imported: &Imported, context: &Context) {
    for note in &imported.notes {
        context.note(note);
    }
    if !imported.ignored.is_empty() {
        context.note(&format!("ignored: {}", imported.ignored.join(", ")));
    }
}

fn document(args: &ImportArgs, imported: &Imported) -> String {
    let document = json!({
        "schema": 1,
        "from": args.from.producer().name(),
        "scenario_toml": imported.scenario,
        "notes": imported.notes,
        "ignored": imported.ignored,
        "windtunnel": version::json(),
    });
    format!("{document:#}\n")
}
