//! `windtunnel explain`: what binds a run, in ten lines.

use std::path::Path;

use serde_json::json;
use session::{Explanation, FileKind, Record, Trace, explain, read_trace};

use crate::args::{ExplainArgs, ScenarioArgs};
use crate::commands::scenario::{open, ready};
use crate::commands::{Context, run};
use crate::exit::Exit;
use crate::report::wrapped;
use crate::version;

/// Explains a scenario, or a timeline that was written before.
pub(crate) fn explain_file(args: &ExplainArgs, context: &Context) -> Exit {
    let path = &args.scenario.scenario;
    let trace = if is_trace(path) {
        refuse_options(&args.scenario, context).and_then(|()| read(path, context))
    } else {
        simulated(args, context)
    };
    match trace {
        Ok(trace) => print(&explain(&trace), context),
        Err(exit) => exit,
    }
}

fn print(explanation: &Explanation, context: &Context) -> Exit {
    if context.output.json {
        let document = json!({
            "schema": 1,
            "explanation": explanation.to_json(),
            "windtunnel": version::json(),
        });
        return context.print(&format!("{document:#}\n"));
    }
    let text = explanation.to_string();
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
fn refuse_options(args: &ScenarioArgs, context: &Context) -> Result<(), Exit> {
    let given = [
        ("--set", !args.over.set.is_empty()),
        ("--seed", args.over.seed.is_some()),
        ("--engine", args.over.engine.is_some()),
        ("--unfold", args.over.unfold),
    ];
    let given: Vec<&str> = given
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect();
    if given.is_empty() {
        return Ok(());
    }
    let (path, given) = (args.scenario.display(), given.join(", "));
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

fn simulated(args: &ExplainArgs, context: &Context) -> Result<Trace, Exit> {
    let opened = open(&args.scenario, context)?;
    let ready = ready(&opened, context)?;
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
