//! `windtunnel explain`: what binds a run, in ten lines.

use std::path::Path;

use serde_json::{Value, json};
use session::{
    Explanation, FileKind, Keep, NetworkExplanation, Opened, Record, Trace, explain, read_trace,
};

use crate::args::ExplainArgs;
use crate::commands::scenario::{ready, refuse, warn_of_sweep};
use crate::commands::{Context, run};
use crate::exit::Exit;
use crate::network_explanation::in_words;
use crate::report::wrapped;
use crate::version;

/// Explains a scenario, or a timeline that was written before.
pub(crate) fn explain_file(args: &ExplainArgs, context: &Context) -> Exit {
    match answer(args, context) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn answer(args: &ExplainArgs, context: &Context) -> Result<Exit, Exit> {
    if let Some(path) = args.work.scenario.as_deref().filter(|path| is_trace(path)) {
        refuse_options(path, args, context)?;
        return Ok(print(&explain(&read(path, context)?), context));
    }
    let opened = args.work.open(context)?;
    if opened.is_traffic() {
        warn_of_sweep(&opened, context);
        return Ok(print_network(&of_traffic(&opened, context)?, context));
    }
    Ok(print(&explain(&simulated(&opened, context)?), context))
}

fn print(explanation: &Explanation, context: &Context) -> Exit {
    show(&explanation.to_json(), &explanation.to_string(), context)
}

fn print_network(explanation: &NetworkExplanation, context: &Context) -> Exit {
    show(&explanation.to_json(), &in_words(explanation), context)
}

/// * `text` — a claim a line.
fn show(document: &Value, text: &str, context: &Context) -> Exit {
    if context.output.json {
        let document = json!({
            "schema": 1,
            "explanation": document,
            "windtunnel": version::json(),
        });
        return context.print(&format!("{document:#}\n"));
    }
    let lines = text.lines().map(|line| wrapped(line, context.stdout.width));
    context.page(&format!("{}\n", lines.collect::<Vec<_>>().join("\n")))
}

fn is_trace(path: &Path) -> bool {
    let has_ending = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("wtt"));
    has_ending || FileKind::of(path) == FileKind::Timeline
}

/// A run that is over cannot be changed: options that would are refused, not ignored.
fn refuse_options(path: &Path, args: &ExplainArgs, context: &Context) -> Result<(), Exit> {
    let given = [
        ("--set", !args.work.over.set.is_empty()),
        ("--seed", args.work.over.seed.is_some()),
        ("--engine", args.work.over.engine.is_some()),
        ("--unfold", args.work.over.unfold),
        ("--no-flows", args.work.traffic.no_flows),
    ];
    let of_traffic = args.work.traffic.assignments().into_iter();
    let given = given
        .into_iter()
        .chain(of_traffic.map(|(option, _)| (option, true)));
    let given: Vec<&str> = given
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect();
    if given.is_empty() {
        return Ok(());
    }
    let (path, given) = (path.display(), given.join(", "));
    context.error(
        &format!("{path} is the timeline of a run that is over, which {given} cannot change"),
        Some("explain the scenario with these options instead"),
    );
    Err(Exit::BadInput)
}

fn read(path: &Path, context: &Context) -> Result<Trace, Exit> {
    read_trace(path).map(|(_, trace)| trace).map_err(|error| {
        let hint = error.hint();
        context.error(&format!("{}: {error}", path.display()), hint.as_deref());
        Exit::BadInput
    })
}

fn simulated(opened: &Opened, context: &Context) -> Result<Trace, Exit> {
    let ready = ready(opened, context)?;
    let outcome = run::watched(context, "simulating", |control| {
        ready.run(Record::Trace, control)
    })
    .map_err(|error| run::failed(&error, context))?;
    outcome.trace.ok_or_else(|| {
        let engine = outcome.prediction.engine;
        let hint = "use --engine analytic or --engine flow";
        context.error(
            &format!("the engine {engine} has no timeline to explain"),
            Some(hint),
        );
        Exit::BadInput
    })
}

/// Runs a network workload and says what its time is spent on.
fn of_traffic(opened: &Opened, context: &Context) -> Result<NetworkExplanation, Exit> {
    run::catch_interrupts();
    let traffic = opened
        .traffic()
        .map_err(|failures| refuse(&failures, context))?;
    for warning in &traffic.warnings {
        context.warn(warning);
    }
    let explained = run::watched(context, "simulating", |control| {
        traffic.explain(Keep::Totals, control)
    });
    explained
        .map(|(_, explanation)| explanation)
        .map_err(|error| run::stopped(&error, context))
}
