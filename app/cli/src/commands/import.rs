//! `windtunnel import`: files of other programs as scenarios, cluster files and lists of flows.

use std::num::NonZeroU32;
use std::path::Path;

use serde_json::json;
use session::{
    Assignment, Failure, HardwareChoices, ImportedFile, Problem, check, import_chakra,
    import_cluster, import_simgrid, save,
};

use crate::args::{Becomes, ImportArgs};
use crate::commands::scenario::refuse;
use crate::commands::{Context, existing, refuse_save};
use crate::exit::Exit;
use crate::version;

/// Reads a file and prints what it stands for.
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
    let imported = read(args).map_err(|failures| refuse(&failures, context))?;
    tell(&imported, context);
    let text = if context.output.json {
        document(args, &imported)
    } else {
        imported.text
    };
    let Some(path) = output else {
        return Ok(context.print(&text));
    };
    save(path, existing, |out| out.write_all(text.as_bytes()))
        .map_err(|error| refuse_save(&error, context))?;
    Ok(Exit::Done)
}

fn read(args: &ImportArgs) -> Result<ImportedFile, Vec<Failure>> {
    refuse_options(args)?;
    match args.from.becomes() {
        Becomes::Scenario(producer) => {
            let set = args.set.iter();
            let above: Vec<Assignment> = set.map(|text| Assignment::new("--set", text)).collect();
            let imported = session::import(&args.file, producer, &above)?;
            Ok(ImportedFile {
                text: imported.scenario,
                notes: imported.notes,
                ignored: imported.ignored,
            })
        }
        Becomes::Cluster(tool) => import_cluster(&args.file, tool, &choices(args)?),
        Becomes::Flows => import_chakra(&args.file, args.gpus_per_node.map(NonZeroU32::get)),
        Becomes::Workload => {
            let set = args.set.iter();
            let above: Vec<Assignment> = set.map(|text| Assignment::new("--set", text)).collect();
            let output = args.output.as_deref();
            let output = output.filter(|path| *path != Path::new("-"));
            import_simgrid(&args.file, output.and_then(Path::parent), &above)
        }
    }
}

/// Refuses options that say nothing of what the file becomes.
fn refuse_options(args: &ImportArgs) -> Result<(), Vec<Failure>> {
    let hardware = [
        ("--gpu", args.gpu.is_some()),
        ("--node", args.node.is_some()),
        ("--nodes", args.nodes.is_some()),
        ("--nic-rate", args.nic_rate.is_some()),
    ];
    let set = [("--set", !args.set.is_empty())];
    let ranks = [("--gpus-per-node", args.gpus_per_node.is_some())];
    let (what, others) = match args.from.becomes() {
        Becomes::Scenario(_) | Becomes::Workload => {
            ("a scenario", [&hardware[..], &ranks].concat())
        }
        Becomes::Cluster(_) => ("a cluster file", [&set[..], &ranks].concat()),
        Becomes::Flows => ("a list of flows", [&set[..], &hardware].concat()),
    };
    match others.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(refused(
            format!("{option} is not for files of {}", args.from.name()),
            format!("such a file becomes {what}; leave {option} out"),
        )),
    }
}

fn choices(args: &ImportArgs) -> Result<HardwareChoices, Vec<Failure>> {
    let rate = args.nic_rate.as_deref().map(units::parse_rate).transpose();
    Ok(HardwareChoices {
        gpu: args.gpu.clone(),
        node: args.node.clone(),
        nic_rate: rate.map_err(|error| refused(format!("--nic-rate: {error}"), error.hint()))?,
        nodes: args.nodes.map(NonZeroU32::get),
    })
}

fn refused(message: String, hint: String) -> Vec<Failure> {
    let hint = Some(hint);
    vec![Failure::of_file(Problem::Refused { message, hint })]
}

/// Says what the file left open, and what of it was left out.
fn tell(imported: &ImportedFile, context: &Context) {
    for note in &imported.notes {
        context.note(note);
    }
    if !imported.ignored.is_empty() {
        context.note(&format!("ignored: {}", imported.ignored.join(", ")));
    }
}

fn document(args: &ImportArgs, imported: &ImportedFile) -> String {
    let key = match args.from.becomes() {
        Becomes::Scenario(_) | Becomes::Workload => "scenario_toml",
        Becomes::Cluster(_) => "cluster_toml",
        Becomes::Flows => "flows_csv",
    };
    let document = json!({
        "schema": 1,
        "from": args.from.name(),
        key: imported.text,
        "notes": imported.notes,
        "ignored": imported.ignored,
        "windtunnel": version::json(),
    });
    format!("{document:#}\n")
}
